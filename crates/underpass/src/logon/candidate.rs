//! The keys to offer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use underpass_crypto::algorithms::x509::X509Identity;
use underpass_crypto::x509::Chain;
use underpass_crypto::{Provider, Signer, key_type, sha256_fingerprint};
use underpass_keys::{Format, KeyFileError, Passwords, PrivateKey, Store};
use underpass_wire::untrusted;
use zeroize::Zeroizing;

use super::certificate::{Certified, certified_beside};
use crate::agent::Agent;
use crate::keys::{StoredKey, beside, problem, public_half_beside, read};
use crate::store::key_of;
use crate::{Error, Event, Identity, KeyUri, Settings, default_identity_files, token};

/// How often a passphrase is asked for.
const PASSPHRASE_PROMPTS: u32 = 3;

/// A key to offer.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(super) name: String,
    /// What whoever signs knows the key by.
    pub(super) public: Vec<u8>,
    pub(super) key: Key,
    /// The file that the key is in.
    pub(super) path: Option<PathBuf>,
    /// X.509 certificates in DER that came with it: its own, then those of the authorities above.
    pub(super) chain: Vec<Vec<u8>>,
    /// What is shown instead of the public key.
    pub(super) certificate: Option<Certified>,
}

#[derive(Clone)]
pub(super) enum Key {
    Ready(Arc<dyn Signer>),
    /// The agent signs.
    Agent(Agent),
    /// A file has the public half alone, for an agent that holds the other.
    Public,
    /// Its public half is offered first; the passphrase is asked for only if the server would take it.
    Encrypted {
        path: PathBuf,
        bytes: Arc<Zeroizing<Vec<u8>>>,
        /// Once the passphrase was given, it is not asked for again.
        unlocked: Arc<OnceLock<Arc<dyn Signer>>>,
    },
    Token(token::Key),
}

impl Candidate {
    /// A key that shows its public half.
    pub(super) fn plain(name: String, public: Vec<u8>, key: Key) -> Self {
        Self { name, public, key, path: None, chain: Vec::new(), certificate: None }
    }

    /// A key that is open.
    pub(super) fn ready(name: String, signer: Arc<dyn Signer>) -> Self {
        Self::plain(name, signer.public_key().to_vec(), Key::Ready(signer))
    }

    /// A key of the program.
    fn of(key: &PrivateKey) -> Self {
        let name = match key.comment.as_str() {
            "" => "a key of the program".to_owned(),
            comment => untrusted(comment.as_bytes()).to_string(),
        };
        Self { chain: key.certificates.clone(), ..Self::ready(name, key.signer.clone()) }
    }

    /// The same with a certificate, which has a name of its own.
    pub(super) fn certified(&self, name: &str, certificate: Certified) -> Self {
        Self { name: name.to_owned(), certificate: Some(certificate), ..self.clone() }
    }

    /// The key blob to offer.
    pub(super) fn shown(&self) -> &[u8] {
        self.certificate.as_ref().map_or(&self.public, Certified::blob)
    }

    /// What is offered to a server, for people, and why the server will hardly take it.
    pub(super) fn detail(&self, doubt: Option<String>) -> String {
        let mut detail = format!("{} {}", self.name, sha256_fingerprint(&self.public));
        if let Some(Certified::X509(identity)) = &self.certificate {
            detail.push_str(&format!(" as {} with {}", identity.algorithm(), subject(identity)));
        }
        match doubt {
            Some(doubt) => format!("{detail}, {doubt}"),
            None => detail,
        }
    }

    /// Why it was not offered to a server that it does not suit, for people.
    pub(super) fn unsuited(&self) -> String {
        match &self.certificate {
            Some(Certified::X509(identity)) => {
                let name = identity.algorithm();
                format!(
                    "not shown, as the server does not list {name}; PubkeyAcceptedAlgorithms=+{name} shows it \
                     all the same"
                )
            }
            _ => "no signature algorithm suits the key and the server".to_owned(),
        }
    }

    /// The agent that has to sign, and the public key that it knows it by.
    pub(crate) fn agent(&self) -> Option<(&Agent, &[u8])> {
        match &self.key {
            Key::Agent(agent) => Some((agent, &self.public)),
            _ => None,
        }
    }

    /// The algorithm that whoever signs is to sign with, where this one is offered.
    pub(crate) fn plain_algorithm<'a>(&self, algorithm: &'a str) -> &'a str {
        self.certificate.as_ref().map_or(algorithm, |certificate| certificate.plain(algorithm))
    }

    /// What the signature by [the algorithm of the key](Self::plain_algorithm) is to the server.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn signature(&self, plain: Vec<u8>) -> Result<Vec<u8>, Error> {
        let Some(certificate) = &self.certificate else { return Ok(plain) };
        certificate.signature(plain).ok_or_else(|| Error::identity(&self.name, "its signature is malformed"))
    }

    /// Signs with the key, opening it first if need be. Blocks on arithmetic and on the person.
    pub(crate) fn sign(&self, settings: &Settings, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.signature(self.sign_plainly(settings, self.plain_algorithm(algorithm), data)?)
    }

    fn sign_plainly(&self, settings: &Settings, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let signer = match &self.key {
            Key::Ready(signer) => signer.clone(),
            Key::Encrypted { path, bytes, unlocked } => match unlocked.get() {
                Some(signer) => signer.clone(),
                None => {
                    let signer = unlock(settings, path, bytes)?.signer;
                    if signer.public_key() != self.public {
                        return Err(stale_public_half(path));
                    }
                    unlocked.get_or_init(|| signer).clone()
                }
            },
            Key::Agent(_) | Key::Public => {
                return Err(Error::identity(&self.name, "it is not in this process"));
            }
            Key::Token(key) => return key.sign(settings, algorithm, data),
        };
        let signer = settings.cryptography.signer(signer)?;
        signer.sign(algorithm, data).map_err(|error| Error::identity(&self.name, error.to_string()))
    }

    pub(super) fn algorithms(&self) -> Vec<String> {
        let plain = self.plain_algorithms();
        match &self.certificate {
            Some(certificate) => certificate.algorithms(&plain),
            None => plain,
        }
    }

    fn plain_algorithms(&self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match &self.key {
            Key::Ready(signer) => owned(signer.algorithms()),
            Key::Token(key) => owned(key.algorithms()),
            Key::Encrypted { .. } | Key::Agent(_) | Key::Public => {
                let format = key_type(&self.public).unwrap_or_default();
                let all = Provider::all_for_users().into_iter();
                all.filter(|algorithm| algorithm.key_format == format)
                    .map(|one| one.name.to_owned())
                    .collect()
            }
        }
    }
}

/// Reads the identities, without certificates. Blocks on the disk.
///
/// # Errors
/// A file that the settings name is not a usable key. Default files that are not are passed over with a warning.
pub(crate) fn candidates(settings: &Settings) -> Result<Vec<Candidate>, Error> {
    let mut candidates = all_on_tokens(settings);
    for identity in &settings.identities {
        match identity {
            Identity::File(path) => candidates.push(read_key(settings, path)?),
            Identity::Token(uri) => candidates.extend(token::keys(settings, uri)?.into_iter().map(on_token)),
            Identity::Stored(key) => candidates.push(stored(settings, key)?),
            Identity::Key(key) => candidates.push(Candidate::of(key)),
        }
    }
    if settings.identities.is_empty() && settings.default_identities {
        for path in default_identity_files().into_iter().filter(|path| path.exists()) {
            match read_key(settings, &path) {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => settings.tell(|| Event::Warning { text: error.to_string() }),
            }
        }
    }
    Ok(candidates)
}

/// All keys of the module that the settings name, unless they name some of them. A token that is not there is no reason to
/// do without the other keys.
fn all_on_tokens(settings: &Settings) -> Vec<Candidate> {
    let named = settings.identities.iter().any(|identity| matches!(identity, Identity::Token(_)));
    if settings.pkcs11_provider.is_none() || named {
        return Vec::new();
    }
    match token::keys(settings, &KeyUri::default()) {
        Ok(keys) => keys.into_iter().map(on_token).collect(),
        Err(error) => {
            settings.tell(|| Event::Warning { text: error.to_string() });
            Vec::new()
        }
    }
}

/// The key in a store of the system. Where that consists of files, it is read like any other file.
fn stored(settings: &Settings, key: &StoredKey) -> Result<Candidate, Error> {
    let entry = key.find(Passwords::from(settings.passphrase.as_ref()), settings.batch)?;
    if cfg!(windows) {
        return Ok(Candidate::of(&key_of(entry)?));
    }
    read_key(settings, Path::new(&entry.name))
}

fn on_token(key: token::Key) -> Candidate {
    let chain = key.certificates();
    Candidate { chain, ..Candidate::plain(key.name(), key.public().to_vec(), Key::Token(key)) }
}

/// The key in a file. One whose public half is shown, there or in the file beside it, is not opened before the server
/// wants it; for any other, the person is asked at once.
fn read_key(settings: &Settings, path: &Path) -> Result<Candidate, Error> {
    let bytes = read(path)?;
    let candidate = |public: &[u8], key| {
        let plain = Candidate::plain(path.display().to_string(), public.to_vec(), key);
        Candidate { path: Some(path.to_owned()), ..plain }
    };
    if Agent::of(settings).is_some() && is_public(&bytes) {
        let public = underpass_keys::public_of(&bytes).map_err(|error| problem(path, &error))?;
        return Ok(candidate(public.blob(), Key::Public));
    }
    let key = match underpass_keys::load(&bytes, None) {
        Ok(key) => key,
        Err(error) if error.wants_passphrase() => {
            let (own, chain) = shown_in(&bytes);
            // What hides its certificates may count for more than the public half beside it, if that needs nobody.
            if own.is_none()
                && let Some(key) = opened_by_the_passphrase(settings, &bytes)
            {
                return Ok(of_file(path, key));
            }
            let shown = own.or_else(|| public_half_beside(path)).or_else(|| certified_beside(path));
            if let Some(public) = shown {
                let (path, bytes) = (path.to_owned(), Arc::new(bytes));
                let key = Key::Encrypted { path, bytes, unlocked: Arc::default() };
                return Ok(Candidate { chain, ..candidate(&public, key) });
            }
            unlock(settings, path, &bytes)?
        }
        Err(error) => return Err(problem(path, &error)),
    };
    Ok(of_file(path, key))
}

fn of_file(path: &Path, key: PrivateKey) -> Candidate {
    let plain = Candidate::ready(path.display().to_string(), key.signer);
    Candidate { path: Some(path.to_owned()), chain: key.certificates, ..plain }
}

/// The key in a locked file, if the passphrase of the settings opens it.
fn opened_by_the_passphrase(settings: &Settings, bytes: &[u8]) -> Option<PrivateKey> {
    underpass_keys::load(bytes, Some(settings.passphrase.as_ref()?)).ok()
}

/// The key in a file, opened at once.
pub(super) fn signer_of(settings: &Settings, path: &Path) -> Result<Arc<dyn Signer>, Error> {
    let bytes = read(path)?;
    match underpass_keys::load(&bytes, None) {
        Ok(key) => Ok(key.signer),
        Err(error) if error.wants_passphrase() => Ok(unlock(settings, path, &bytes)?.signer),
        Err(error) => Err(problem(path, &error)),
    }
}

/// Whether a file has no private half: that of a key in a device is a handle, of which the agent knows what to do with it.
fn is_public(bytes: &[u8]) -> bool {
    matches!(Format::of(bytes), Format::PublicKey | Format::Certificate)
        || underpass_keys::public_of(bytes).is_ok_and(|public| public.key_type().starts_with("sk-"))
}

/// The public half and the certificates that a locked file shows of its key.
fn shown_in(bytes: &[u8]) -> (Option<Vec<u8>>, Vec<Vec<u8>>) {
    let store = Store::open(bytes, Passwords::default()).ok();
    let Some(entry) = store.as_ref().and_then(|store| store.select("*")) else { return Default::default() };
    (entry.public.as_ref().map(|public| public.blob().to_vec()), entry.certificates.clone())
}

/// Whom a certificate is about, for people.
fn subject(identity: &X509Identity) -> String {
    let subject = Chain::parse(identity.blob()).map(|chain| chain.holder().subject()).unwrap_or_default();
    untrusted(subject.as_bytes()).to_string()
}

/// It came from `FILE.pub` or `FILE-cert.pub`, or from a certificate in the same file.
fn stale_public_half(path: &Path) -> Error {
    let (file, public) = (path.display(), beside(path).display().to_string());
    Error::identity(path, "the public half that is shown for it belongs to another key")
        .with_advice(format!("remove {public}, or write it anew: ssh-keygen -y -f {file} > {public}"))
}

fn unlock(settings: &Settings, path: &Path, bytes: &[u8]) -> Result<PrivateKey, Error> {
    let mut failure = KeyFileError::PassphraseMissing;
    let mut attempt = 0;
    let mut passphrase = settings.passphrase.clone();
    // That of the store, once it is known that its key has another.
    let mut outer = None;
    loop {
        if passphrase.is_none() {
            attempt += 1;
            if settings.batch || attempt > PASSPHRASE_PROMPTS {
                return Err(problem(path, &failure));
            }
            passphrase = settings.prompter().passphrase(path, attempt);
        }
        let Some(given) = passphrase.take() else { return Err(problem(path, &failure)) };
        let passwords = match &outer {
            Some(outer) => Passwords { store: Some(outer), key: Some(&given) },
            None => Passwords::from(Some(&given)),
        };
        match Store::open(bytes, passwords).and_then(|store| store.private_key("*")) {
            Ok(key) => return Ok(key),
            Err(KeyFileError::WrongKeyPassword) => {
                failure = KeyFileError::WrongKeyPassword;
                outer.get_or_insert(given);
            }
            Err(error) if error.wants_passphrase() => failure = KeyFileError::WrongPassphrase,
            Err(error) => return Err(problem(path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use underpass_crypto::Secret;
    use underpass_keys::PublicKey;

    use super::*;
    use crate::{Builder, HostKeyQuestion, Prompt, Prompter};

    /// Gives these passphrases, one after the other, and says which attempt each was for.
    #[derive(Clone)]
    struct Typist(Arc<Mutex<(VecDeque<&'static str>, Vec<u32>)>>);

    impl Prompter for Typist {
        fn password(&self, _: &str, _: &str, _: u32) -> Option<Secret> {
            None
        }

        fn passphrase(&self, _: &Path, attempt: u32) -> Option<Secret> {
            let mut state = self.0.lock().unwrap();
            state.1.push(attempt);
            state.0.pop_front().map(Secret::from)
        }

        fn responses(&self, _: &str, _: &str, _: &[Prompt]) -> Option<Vec<Secret>> {
            None
        }

        fn new_password(&self, _: &str) -> Option<Secret> {
            None
        }

        fn accept_host_key(&self, _: &HostKeyQuestion) -> bool {
            false
        }
    }

    /// The key in a file, for a person who types these; and for which attempts that person was asked.
    fn opened(file: &str, typed: &[&'static str]) -> (Result<Vec<u8>, Error>, Vec<u32>) {
        opened_at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../keys/testdata").join(file), typed)
    }

    fn opened_at(path: &Path, typed: &[&'static str]) -> (Result<Vec<u8>, Error>, Vec<u32>) {
        let typist = Typist(Arc::new(Mutex::new((typed.iter().copied().collect(), Vec::new()))));
        let settings =
            Builder::new("bastion").identity_file(path).prompter(typist.clone()).settings().unwrap();
        let signed = candidates(&settings).and_then(|candidates| {
            candidates[0]
                .sign(&settings, "ecdsa-sha2-nistp256", b"data")
                .map(|_| candidates[0].public.clone())
        });
        let asked = typist.0.lock().unwrap().1.clone();
        (signed, asked)
    }

    #[test]
    fn a_file_that_hides_its_public_half_is_opened_first() {
        let (key, asked) = opened("locked.p12", &["wrong", "test-store"]);
        assert!(key.is_ok() && asked == [1, 2]);
        let (key, asked) = opened("locked.p12", &["wrong", "wrong", "wrong", "test-store"]);
        assert!(key.unwrap_err().to_string().contains("the passphrase is wrong") && asked == [1, 2, 3]);
    }

    #[test]
    fn the_public_half_beside_a_file_spares_the_question_until_the_server_wants_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../keys/testdata");
        let path = directory.path().join("key");
        std::fs::copy(testdata.join("locked.p12"), &path).unwrap();
        let own = opened("own-password.jks", &["test-store", "test-key"]).0.unwrap();
        std::fs::write(beside(&path), PublicKey::from_blob(&own).unwrap().to_string()).unwrap();
        let settings = Builder::new("bastion").identity_file(&path).settings().unwrap();
        assert_eq!(candidates(&settings).unwrap()[0].public, own, "nobody was asked");
        assert_eq!(opened_at(&path, &["test-store"]).0.unwrap(), own);

        std::fs::copy(testdata.join("ed25519.pub"), beside(&path)).unwrap();
        let error = opened_at(&path, &["test-store"]).0.unwrap_err();
        assert!(error.to_string().contains("belongs to another key"), "{error}");

        // Nobody is to be asked, so that the certificates in it are known from the beginning.
        let settings = Builder::new("bastion").identity_file(&path).passphrase("test-store");
        let found = candidates(&settings.settings().unwrap()).unwrap().swap_remove(0);
        assert_eq!((found.public, found.chain.len()), (own, 1));
    }

    #[test]
    fn a_key_with_a_password_of_its_own_is_asked_for_after_that_of_its_store() {
        let (key, asked) = opened("own-password.jks", &["test-store", "test-key"]);
        assert!(key.is_ok() && asked == [1, 2]);
        assert_eq!(key.unwrap(), opened("locked.p12", &["test-store"]).0.unwrap());
        let (key, _) = opened("own-password.jks", &["test-store", "wrong"]);
        assert!(key.unwrap_err().to_string().contains("its key has another password"));
    }
}
