//! What to log on with, in which order. The engine knows the messages, this knows the settings.

mod order;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use underpass_crypto::{Secret, Signer, sha256_fingerprint};
use underpass_keys::{Format, KeyFileError, Passwords, PublicKey, Store};
use underpass_proto::{Credential, Refused};
use zeroize::Zeroizing;

pub(crate) use self::order::in_order;
use crate::agent::Agent;
use crate::gss::MECHANISM;
use crate::keys::{problem, read};
use crate::{AgentUse, Error, Event, Identity, KeyUri, Prompt, Settings, default_identity_files, token};

const GSSAPI_KEYEX: &str = "gssapi-keyex";
const GSSAPI_WITH_MIC: &str = "gssapi-with-mic";

/// How often a passphrase is asked for.
const PASSPHRASE_PROMPTS: u32 = 3;

/// What a person has given, for the logons of later connections of the same tunnel.
#[derive(Default)]
pub(crate) struct Memory {
    /// The password that the server accepted.
    password: Mutex<Option<Secret>>,
}

impl Memory {
    fn password(&self) -> MutexGuard<'_, Option<Secret>> {
        // Each change is a single assignment.
        self.password.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The logon of one connection.
pub(crate) struct Logon {
    settings: Arc<Settings>,
    memory: Arc<Memory>,
    /// The password that a person has just given, and the method that it was for.
    given: Option<(&'static str, Secret)>,
    pub(crate) user: String,
    candidates: VecDeque<Candidate>,
    current: Option<Current>,
    tried: Vec<String>,
    /// What the server takes.
    remaining: Vec<String>,
    password_left: bool,
    keyboard_password_used: bool,
    password_prompts: u32,
    keyboard_attempts: u32,
    /// Why a key could not be used, if no key was refused for better reasons.
    key_problem: Option<Error>,
    key_offered: bool,
    /// Kerberos has vouched for the server, and its context can log on.
    keyex_left: bool,
    kerberos_left: bool,
}

/// A key to offer.
#[derive(Clone)]
pub(crate) struct Candidate {
    name: String,
    public: Vec<u8>,
    key: Key,
}

#[derive(Clone)]
enum Key {
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

/// What is being tried.
struct Current {
    method: &'static str,
    detail: String,
    candidate: Option<Candidate>,
}

/// What to do next.
pub(crate) enum Next {
    Offer(Credential),
    /// Ask the prompter for a password; the number of the attempt counts from 1.
    AskPassword(u32),
    /// Have Kerberos make its first token.
    BeginKerberos,
}

impl Logon {
    pub(crate) fn new(
        settings: Arc<Settings>,
        user: String,
        candidates: Vec<Candidate>,
        memory: Arc<Memory>,
    ) -> Self {
        let password_left = settings.password.is_some() || memory.password().is_some();
        Self {
            user,
            memory,
            given: None,
            candidates: candidates.into(),
            current: None,
            tried: Vec::new(),
            remaining: Vec::new(),
            password_left,
            keyboard_password_used: false,
            password_prompts: 0,
            keyboard_attempts: 0,
            key_problem: None,
            key_offered: false,
            keyex_left: false,
            kerberos_left: settings.kerberos.authentication,
            settings,
        }
    }

    /// The method that is being tried.
    pub(crate) fn method(&self) -> &'static str {
        self.current.as_ref().map_or("none", |current| current.method)
    }

    /// Chooses after a refusal; `None` at the beginning, which asks the server what it takes.
    pub(crate) fn next(&mut self, last: Option<&Refused>) -> Next {
        if self.settings.custom_authentication.is_some() {
            return self.next_custom(last);
        }
        let Some(last) = last else {
            return self.offer("none", String::new(), None, Credential::None);
        };
        self.report(last);
        self.remaining.clone_from(&last.remaining);
        self.choose(&last.remaining)
    }

    /// The program writes the messages, and is asked to begin once.
    fn next_custom(&mut self, last: Option<&Refused>) -> Next {
        let Some(last) = last else {
            return self.offer("custom", String::new(), None, Credential::Custom);
        };
        self.report(last);
        Next::Offer(Credential::GiveUp)
    }

    /// The key exchange was one with Kerberos.
    pub(crate) fn kerberos_vouched(&mut self) {
        self.keyex_left = self.settings.kerberos.authentication;
    }

    /// What came of [`Next::BeginKerberos`].
    pub(crate) fn kerberos_begun(&mut self, begun: Result<(), Error>) -> Next {
        match begun {
            Ok(()) => {
                let server = self.settings.kerberos.target(&self.settings.host).name().to_owned();
                let credential = Credential::GssapiWithMic { mechanism: MECHANISM };
                self.offer(GSSAPI_WITH_MIC, server, None, credential)
            }
            Err(problem) => {
                let problem = with_advice(&problem);
                self.settings
                    .tell(|| Event::Detail { level: 1, text: format!("{GSSAPI_WITH_MIC}: {problem}") });
                self.tried.push(format!("{GSSAPI_WITH_MIC} ({problem})"));
                let remaining = std::mem::take(&mut self.remaining);
                self.choose(&remaining)
            }
        }
    }

    /// Kerberos came to nothing in the method that is being tried.
    pub(crate) fn kerberos_failed(&mut self, problem: &Error) {
        if let Some(current) = &mut self.current {
            current.detail = with_advice(problem);
        }
    }

    /// The server's GSS-API said why it gave up.
    pub(crate) fn kerberos_refused(&mut self, words: &[u8]) {
        if let Some(current) = &mut self.current
            && !words.is_empty()
        {
            current.detail = format!("the server says: {}", underpass_wire::untrusted(words));
        }
    }

    /// There was no answer to [`Next::AskPassword`].
    pub(crate) fn no_password(&mut self) -> Next {
        // Nobody is there: a password is out of the question.
        self.password_prompts = u32::MAX;
        let remaining = std::mem::take(&mut self.remaining);
        self.choose(&remaining)
    }

    /// The prompter gave a password.
    pub(crate) fn password_given(&mut self, password: Secret) -> Next {
        self.given = Some(("password", password.clone()));
        self.offer("password", String::new(), None, Credential::Password(password))
    }

    /// The prompter answered the server's prompts.
    pub(crate) fn responses_given(&mut self, prompts: &[Prompt], responses: &[Secret]) {
        if let ([prompt], [response]) = (prompts, responses)
            && is_for_password(prompt)
        {
            self.given = Some(("keyboard-interactive", response.clone()));
        }
    }

    /// The server has let the user in.
    pub(crate) fn done(&mut self) {
        if let Some((_, given)) = self.given.take() {
            *self.memory.password() = Some(given);
        }
    }

    /// The password that needs no person.
    fn known_password(&self) -> Option<Secret> {
        self.memory.password().clone().or_else(|| self.settings.password.clone())
    }

    /// The key to sign with.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        self.current.as_ref().and_then(|current| current.candidate.clone())
    }

    /// The key could not be used after all.
    pub(crate) fn key_failed(&mut self, problem: Error) {
        self.settings.tell(|| Event::Warning { text: problem.to_string() });
        self.key_problem.get_or_insert(problem);
    }

    /// The password of the settings, once, for the only hidden prompt of a round in the first attempt.
    pub(crate) fn keyboard_password(&mut self) -> Option<Secret> {
        if self.keyboard_attempts > 1 || std::mem::replace(&mut self.keyboard_password_used, true) {
            return None;
        }
        self.known_password()
    }

    /// There were no answers to the server's prompts.
    pub(crate) fn no_responses(&mut self) {
        // Nobody is there, and nothing was tried that the server could refuse.
        self.keyboard_attempts = u32::MAX;
        self.current = None;
    }

    /// Why the server let nobody in.
    pub(crate) fn failure(&mut self, remaining: Vec<String>) -> Error {
        match self.key_problem.take() {
            Some(problem) if !self.key_offered && self.tried.is_empty() => problem,
            _ => Error::authentication(
                &self.settings.host,
                &self.user,
                std::mem::take(&mut self.tried),
                remaining,
            ),
        }
    }

    fn report(&mut self, last: &Refused) {
        let Some(current) = self.current.take() else { return };
        if !last.partial && self.given.as_ref().is_some_and(|(method, _)| *method == current.method) {
            self.given = None;
        }
        if last.no_algorithm {
            let text = format!("{}: no signature algorithm suits the key and the server", current.detail);
            self.settings.tell(|| Event::Detail { level: 1, text });
            return;
        }
        if current.method == "none" {
            let text = format!("the server takes {}", last.remaining.join(", "));
            self.settings.tell(|| Event::Detail { level: 1, text });
            return;
        }
        if current.candidate.is_some() && self.key_problem.is_none() {
            self.key_offered = true;
        }
        if self.key_offered || current.candidate.is_none() {
            let detail =
                if current.detail.is_empty() { String::new() } else { format!(" ({})", current.detail) };
            self.tried.push(format!("{}{detail}", current.method));
        }
        self.settings.tell(|| Event::AuthRefused {
            method: current.method.to_owned(),
            remaining: last.remaining.clone(),
            partial: last.partial,
        });
    }

    fn choose(&mut self, remaining: &[String]) -> Next {
        let settings = self.settings.clone();
        for method in &settings.preferred_authentications {
            let excluded = settings.agent == AgentUse::Required && method != "publickey";
            if excluded || !remaining.iter().any(|name| name == method) {
                continue;
            }
            let next = match method.as_str() {
                GSSAPI_KEYEX if std::mem::take(&mut self.keyex_left) => {
                    Some(self.offer(GSSAPI_KEYEX, String::new(), None, Credential::GssapiKeyex))
                }
                GSSAPI_WITH_MIC => {
                    std::mem::take(&mut self.kerberos_left).then(|| {
                        // For when nothing comes of it.
                        self.remaining = remaining.to_vec();
                        Next::BeginKerberos
                    })
                }
                "publickey" => self.next_key(),
                "keyboard-interactive" => self.next_keyboard(),
                "password" => self.next_password(),
                _ => None,
            };
            if let Some(next) = next {
                return next;
            }
        }
        Next::Offer(Credential::GiveUp)
    }

    fn next_key(&mut self) -> Option<Next> {
        let candidate = self.candidates.pop_front()?;
        let credential = Credential::Key {
            key: candidate.public.clone(),
            algorithms: candidate.algorithms(),
            // A key in memory signs faster than the server answers a query; the others may ask a person.
            query: !matches!(candidate.key, Key::Ready(_)),
        };
        let detail = format!("{} {}", candidate.name, sha256_fingerprint(&candidate.public));
        Some(self.offer("publickey", detail, Some(candidate), credential))
    }

    fn next_keyboard(&mut self) -> Option<Next> {
        let may_ask =
            !self.settings.batch && self.keyboard_attempts < self.settings.number_of_password_prompts;
        // The password of the settings is good for one attempt, whether the server asks for it or for something else.
        let has_password = self.keyboard_attempts == 0 && self.known_password().is_some();
        if !has_password && !may_ask {
            return None;
        }
        self.keyboard_attempts += 1;
        Some(self.offer("keyboard-interactive", String::new(), None, Credential::KeyboardInteractive))
    }

    fn next_password(&mut self) -> Option<Next> {
        if std::mem::take(&mut self.password_left)
            && let Some(password) = self.known_password()
        {
            return Some(self.offer("password", String::new(), None, Credential::Password(password)));
        }
        if self.settings.batch || self.password_prompts >= self.settings.number_of_password_prompts {
            return None;
        }
        self.password_prompts += 1;
        Some(Next::AskPassword(self.password_prompts))
    }

    fn offer(
        &mut self,
        method: &'static str,
        detail: String,
        candidate: Option<Candidate>,
        credential: Credential,
    ) -> Next {
        self.settings.tell(|| Event::AuthAttempt { method: method.to_owned(), detail: detail.clone() });
        self.current = Some(Current { method, detail, candidate });
        Next::Offer(credential)
    }
}

impl Candidate {
    /// The agent that has to sign, and the public key that it knows it by.
    pub(crate) fn agent(&self) -> Option<(&Agent, &[u8])> {
        match &self.key {
            Key::Agent(agent) => Some((agent, &self.public)),
            _ => None,
        }
    }

    /// Signs with the key, opening it first if need be. Blocks on arithmetic and on the person.
    pub(crate) fn sign(&self, settings: &Settings, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let signer = match &self.key {
            Key::Ready(signer) => signer.clone(),
            Key::Encrypted { path, bytes, unlocked } => match unlocked.get() {
                Some(signer) => signer.clone(),
                None => {
                    let signer = unlock(settings, path, bytes)?;
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
        signer.sign(algorithm, data).map_err(|error| Error::identity(&self.name, error.to_string()))
    }

    fn algorithms(&self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match &self.key {
            Key::Ready(signer) => owned(signer.algorithms()),
            Key::Token(key) => owned(key.algorithms()),
            Key::Encrypted { .. } | Key::Agent(_) | Key::Public => {
                let format = underpass_crypto::key_type(&self.public).unwrap_or_default();
                let all = underpass_crypto::Provider::all_for_users().into_iter();
                all.filter(|algorithm| algorithm.key_format == format)
                    .map(|one| one.name.to_owned())
                    .collect()
            }
        }
    }
}

/// What went wrong with Kerberos and what to do, for the list of what was tried.
fn with_advice(problem: &Error) -> String {
    let advice = problem.advice().unwrap_or_default();
    format!("{}; {advice}", problem.kind())
}

/// Whether the answer to a prompt is good for another login: a password is, a code that is good once is not, and what
/// is neither by its words is taken for a code.
fn is_for_password(prompt: &Prompt) -> bool {
    let text = prompt.text.to_lowercase();
    let once = ["one-time", "one time", "otp"];
    !prompt.echo && text.contains("password") && !once.iter().any(|words| text.contains(words))
}

/// Reads the identities. Blocks on the disk.
///
/// # Errors
/// A file that the settings name is not a usable key. Default files that are not are passed over with a warning.
pub(crate) fn candidates(settings: &Settings) -> Result<Vec<Candidate>, Error> {
    let mut candidates = all_on_tokens(settings);
    for identity in &settings.identities {
        match identity {
            Identity::File(path) => candidates.push(read_key(settings, path)?),
            Identity::Token(uri) => candidates.extend(token::keys(settings, uri)?.into_iter().map(on_token)),
            Identity::Signer(signer) => candidates.push(Candidate {
                name: "a key of the program".to_owned(),
                public: signer.public_key().to_vec(),
                key: Key::Ready(signer.clone()),
            }),
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

fn on_token(key: token::Key) -> Candidate {
    Candidate { name: key.name(), public: key.public().to_vec(), key: Key::Token(key) }
}

/// The key in a file. One whose public half is shown, there or in the file beside it, is not opened before the server
/// wants it; for any other, the person is asked at once.
fn read_key(settings: &Settings, path: &Path) -> Result<Candidate, Error> {
    let bytes = read(path)?;
    let name = path.display().to_string();
    if Agent::of(settings).is_some() && matches!(Format::of(&bytes), Format::PublicKey | Format::Certificate)
    {
        let public = underpass_keys::public_of(&bytes).map_err(|error| problem(path, &error))?;
        return Ok(Candidate { name, public: public.blob().to_vec(), key: Key::Public });
    }
    let signer = match underpass_keys::load(&bytes, None) {
        Ok(key) => key.signer,
        Err(error) if error.wants_passphrase() => {
            let shown = underpass_keys::public_of(&bytes).ok().or_else(|| public_half_beside(path));
            if let Some(public) = shown {
                let (path, bytes) = (path.to_owned(), Arc::new(bytes));
                let key = Key::Encrypted { path, bytes, unlocked: Arc::default() };
                return Ok(Candidate { name, public: public.blob().to_vec(), key });
            }
            unlock(settings, path, &bytes)?
        }
        Err(error) => return Err(problem(path, &error)),
    };
    Ok(Candidate { name, public: signer.public_key().to_vec(), key: Key::Ready(signer) })
}

/// The key in `FILE.pub`, which ssh-keygen puts beside each key.
fn public_half_beside(path: &Path) -> Option<PublicKey> {
    underpass_keys::public_of(&read(&beside(path)).ok()?).ok()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// It came from `FILE.pub`, or from a certificate in the same file.
fn stale_public_half(path: &Path) -> Error {
    let (file, public) = (path.display(), beside(path).display().to_string());
    Error::identity(path, "the public half that is shown for it belongs to another key")
        .with_advice(format!("remove {public}, or write it anew: ssh-keygen -y -f {file} > {public}"))
}

fn unlock(settings: &Settings, path: &Path, bytes: &[u8]) -> Result<Arc<dyn Signer>, Error> {
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
            Ok(key) => return Ok(key.signer),
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
    use super::*;
    use crate::{Builder, HostKeyQuestion, Prompter};

    /// What is tried against a server that refuses everything; the server's prompts are answered as `answer` does.
    fn tried(builder: Builder, methods: &[&str], mut answer: impl FnMut(&mut Logon)) -> Vec<&'static str> {
        let settings = Arc::new(builder.settings().unwrap());
        let mut logon = Logon::new(settings, "me".to_owned(), Vec::new(), Arc::default());
        let remaining = methods.iter().map(|name| (*name).to_owned()).collect();
        let refused = Refused { remaining, partial: false, no_algorithm: false };
        let mut tried = Vec::new();
        let mut next = logon.next(None);
        loop {
            match next {
                Next::Offer(Credential::GiveUp) => return tried,
                Next::Offer(credential) => {
                    tried.push(logon.method());
                    if let Credential::KeyboardInteractive = credential {
                        answer(&mut logon);
                    }
                    next = logon.next(Some(&refused));
                }
                Next::AskPassword(_) => next = logon.password_given("typed".into()),
                Next::BeginKerberos => next = logon.kerberos_begun(Err(Error::configuration("no ticket"))),
            }
            assert!(tried.len() < 100, "it never ends: {tried:?}");
        }
    }

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
        let settings = builder().identity_file(path).prompter(typist.clone()).settings().unwrap();
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
        let settings = builder().identity_file(&path).settings().unwrap();
        assert_eq!(candidates(&settings).unwrap()[0].public, own, "nobody was asked");
        assert_eq!(opened_at(&path, &["test-store"]).0.unwrap(), own);

        std::fs::copy(testdata.join("ed25519.pub"), beside(&path)).unwrap();
        let error = opened_at(&path, &["test-store"]).0.unwrap_err();
        assert!(error.to_string().contains("belongs to another key"), "{error}");
    }

    #[test]
    fn a_key_with_a_password_of_its_own_is_asked_for_after_that_of_its_store() {
        let (key, asked) = opened("own-password.jks", &["test-store", "test-key"]);
        assert!(key.is_ok() && asked == [1, 2]);
        assert_eq!(key.unwrap(), opened("locked.p12", &["test-store"]).0.unwrap());
        let (key, _) = opened("own-password.jks", &["test-store", "wrong"]);
        assert!(key.unwrap_err().to_string().contains("its key has another password"));
    }

    const BOTH: [&str; 2] = ["keyboard-interactive", "password"];

    fn builder() -> Builder {
        Builder::new("bastion").number_of_password_prompts(2)
    }

    #[test]
    fn prompts_that_nobody_answers_are_no_reason_to_ask_again() {
        let nobody = |logon: &mut Logon| logon.no_responses();
        let batch = builder().password("x").batch(true);
        assert_eq!(tried(batch, &BOTH, nobody), ["none", BOTH[0], BOTH[1]]);
        assert_eq!(tried(builder(), &BOTH, nobody), ["none", BOTH[0], BOTH[1], BOTH[1]]);
        assert_eq!(tried(builder().batch(true), &BOTH, nobody), ["none"]);
    }

    #[test]
    fn a_password_of_the_settings_is_tried_once_a_method_and_then_the_person_is_asked() {
        let mut given = Vec::new();
        let methods = tried(builder().password("x"), &BOTH, |logon| {
            given.push(logon.keyboard_password().is_some());
        });
        assert_eq!(given, [true, false]);
        assert_eq!(methods, ["none", BOTH[0], BOTH[0], BOTH[1], BOTH[1], BOTH[1]]);
    }

    #[test]
    fn only_what_asks_for_a_password_is_remembered() {
        let asked = |text: &str| is_for_password(&Prompt { text: text.to_owned(), echo: false });
        assert!(asked("Password: ") && asked("(me@bastion) Password for me:"));
        assert!(!asked("Verification code: ") && !asked("One-time password (OATH) for `me':"));
        assert!(!is_for_password(&Prompt { text: "Password: ".to_owned(), echo: true }));
    }

    #[test]
    fn a_password_that_no_prompt_fits_is_not_kept_for_later_attempts() {
        let mut attempts = 0;
        tried(builder().password("x"), &BOTH, |logon| {
            attempts += 1;
            // Two prompts come first, and one that a password would fit in the second attempt.
            if attempts > 1 {
                assert!(logon.keyboard_password().is_none());
            }
        });
        assert_eq!(attempts, 2);
    }
}
