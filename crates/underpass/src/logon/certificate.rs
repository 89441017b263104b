//! Certificates of users: which key shows which.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use underpass_crypto::algorithms::x509::X509Identity;
use underpass_crypto::certificate::{Certificate, CertificateError, is_certificate};
use underpass_crypto::x509::{Chain, is_x509};
use underpass_crypto::{Provider, Signature, key_type};
use underpass_keys::Format;

use super::candidate::{Candidate, Key};
use super::x509;
use crate::agent::Agent;
use crate::keys::read;
use crate::{Error, Event, Settings};

/// A certificate of a user: an authority vouches for one of the private keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserCertificate {
    /// In a file, which is read anew for each login: an OpenSSH certificate, as `ssh-keygen -s` makes it; or an X.509
    /// certificate in any [`Format`] that holds some, with those of authorities above it if the server lacks them.
    File(PathBuf),
    /// As the line of an OpenSSH certificate's file. The first word may be another of the algorithms of the key, and is
    /// the one to sign with: `rsa-sha2-256-cert-v01@openssh.com` or `rsa-sha2-512-cert-v01@openssh.com` instead of
    /// `ssh-rsa-cert-v01@openssh.com`, which is SHA-1.
    Line(String),
}

/// What a key shows instead of its public half.
#[derive(Debug, Clone)]
pub(super) enum Certified {
    OpenSsh(OpenSsh),
    X509(X509Identity),
}

/// An OpenSSH certificate.
#[derive(Debug, Clone)]
pub(super) struct OpenSsh {
    blob: Vec<u8>,
    /// The only algorithm to sign with.
    only: Option<&'static Signature>,
}

impl Certified {
    pub(super) fn blob(&self) -> &[u8] {
        match self {
            Self::OpenSsh(certificate) => &certificate.blob,
            Self::X509(identity) => identity.blob(),
        }
    }

    /// The algorithms of a key that has these without the certificate.
    pub(super) fn algorithms(&self, plain: &[String]) -> Vec<String> {
        let has = |algorithm: &str| plain.iter().any(|name| name == algorithm);
        match self {
            Self::OpenSsh(certificate) => {
                let fits = certificate.algorithms().filter(|it| has(it.signature_format));
                fits.map(|it| it.name.to_owned()).collect()
            }
            Self::X509(identity) if has(identity.plain_algorithm()) => vec![identity.algorithm().to_owned()],
            Self::X509(_) => Vec::new(),
        }
    }

    /// The algorithm of the key that is certified.
    pub(super) fn plain<'a>(&self, algorithm: &'a str) -> &'a str {
        match self {
            Self::OpenSsh(_) => find(algorithm).map_or(algorithm, |found| found.signature_format),
            Self::X509(identity) => identity.plain_algorithm(),
        }
    }

    /// What a signature of the key is to the server. `None` if it is none of that key's.
    pub(super) fn signature(&self, plain: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::OpenSsh(_) => Some(plain),
            Self::X509(identity) => identity.signature(&plain).ok(),
        }
    }
}

impl OpenSsh {
    fn algorithms(&self) -> impl Iterator<Item = &'static Signature> {
        let format = key_type(&self.blob).unwrap_or_default();
        let all = Provider::all_for_users().into_iter();
        all.filter(move |it| it.key_format == format && self.only.is_none_or(|only| only.name == it.name))
    }

    /// The plain key.
    fn key(&self) -> Vec<u8> {
        Certificate::parse(&self.blob).map(|certificate| certificate.key().to_vec()).unwrap_or_default()
    }

    fn in_file(path: &Path) -> Result<Self, Error> {
        Self::of_file(path, &read(path).map_err(|error| error.with_advice(ADVICE))?)
    }

    fn of_file(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let public = underpass_keys::public_of(bytes).map_err(|error| mistake(path, error.to_string()))?;
        Self::new(public.blob(), None).map_err(|problem| mistake(path, problem))
    }

    fn in_line(line: &str) -> Result<Self, Error> {
        let mistake = |problem: String| mistake(Path::new(LINE), problem);
        let name = line.split_ascii_whitespace().next().unwrap_or_default();
        let algorithm = find(name)
            .filter(|algorithm| is_certificate(algorithm.key_format))
            .ok_or_else(|| mistake("it does not begin with an algorithm for certificates".to_owned()))?;
        let rest = line.trim_ascii_start().strip_prefix(name).unwrap_or_default();
        let line = format!("{}{rest}", algorithm.key_format);
        let public =
            underpass_keys::public_of(line.as_bytes()).map_err(|error| mistake(error.to_string()))?;
        Self::new(public.blob(), Some(algorithm)).map_err(mistake)
    }

    fn new(blob: &[u8], only: Option<&'static Signature>) -> Result<Self, String> {
        if !key_type(blob).is_some_and(is_certificate) {
            return Err("it is a public key without a certificate".to_owned());
        }
        Certificate::parse(blob).map_err(|error| error.to_string())?;
        Ok(Self { blob: blob.to_vec(), only })
    }
}

/// Whatever users can sign with, by its name.
fn find(name: &str) -> Option<&'static Signature> {
    Provider::all_for_users().into_iter().find(|algorithm| algorithm.name == name)
}

/// Keys as they are offered: first with the certificates that the settings name, or if they name none, with OpenSSH's beside
/// the keys' files and those of X.509 that came with the keys; then plain. A certificate of a key that is not there is
/// passed over with a warning. Blocks on the disk.
///
/// # Errors
/// A line of the settings is no certificate. A file that is none is passed over with a warning, as by ssh.
pub(crate) fn with_certificates(settings: &Settings, keys: &[Candidate]) -> Result<Vec<Candidate>, Error> {
    let mut offered = Vec::new();
    for named in &settings.certificates {
        match named {
            UserCertificate::File(path) => match of_file(settings, keys, path) {
                Ok(certified) => offered.extend(certified),
                // It may be renewed just now; and there are other things to log in with.
                Err(problem) => settings.tell(|| Event::Warning { text: problem.to_string() }),
            },
            UserCertificate::Line(line) => {
                let certificate = OpenSsh::in_line(line)?;
                let owner = owner(settings, keys, LINE, certificate.key());
                offered.extend(owner.map(|owner| owner.certified(LINE, Certified::OpenSsh(certificate))));
            }
        }
    }
    if settings.certificates.is_empty() {
        for key in keys {
            offered.extend(with_the_one_beside(settings, key));
            offered.extend(x509::with_its_own(settings, key)?);
        }
    }
    offered.extend(keys.iter().cloned());
    Ok(offered)
}

/// The key with each certificate that a file has for it.
fn of_file(settings: &Settings, keys: &[Candidate], path: &Path) -> Result<Vec<Candidate>, Error> {
    let bytes = read(path).map_err(|error| error.with_advice(ADVICE))?;
    let (key, shown) = match Format::of(&bytes) {
        Format::PublicKey | Format::Certificate | Format::Rfc4716 => {
            let certificate = OpenSsh::of_file(path, &bytes)?;
            (certificate.key(), vec![Certified::OpenSsh(certificate)])
        }
        _ => {
            let (key, identities) = x509::of_file(settings, keys, path, &bytes)?;
            (key, identities.into_iter().map(Certified::X509).collect())
        }
    };
    let name = path.display().to_string();
    let Some(owner) = owner(settings, keys, &name, key) else { return Ok(Vec::new()) };
    Ok(shown.into_iter().map(|certificate| owner.certified(&name, certificate)).collect())
}

/// Whose certificate it is.
fn owner(settings: &Settings, keys: &[Candidate], name: &str, key: Vec<u8>) -> Option<Candidate> {
    match keys.iter().find(|owner| owner.public == key) {
        Some(owner) => Some(owner.clone()),
        None if Agent::of(settings).is_some() => Some(Candidate::plain(String::new(), key, Key::Public)),
        None => {
            let text = format!("{name}: it certifies a key that is not among the private keys");
            settings.tell(|| Event::Warning { text });
            None
        }
    }
}

/// A key with the certificate that ssh-keygen puts beside it.
pub(super) fn with_the_one_beside(settings: &Settings, key: &Candidate) -> Option<Candidate> {
    let path = beside(key.path.as_deref()?);
    if !path.exists() {
        return None;
    }
    let problem = match OpenSsh::in_file(&path) {
        Ok(certificate) if certificate.key() == key.public => {
            return Some(key.certified(&path.display().to_string(), Certified::OpenSsh(certificate)));
        }
        Ok(_) => mistake(&path, "it certifies another key than the one that it is beside".to_owned()),
        Err(problem) => problem,
    };
    settings.tell(|| Event::Warning { text: problem.to_string() });
    None
}

/// The public half of a key, out of the certificate beside its file.
pub(super) fn certified_beside(path: &Path) -> Option<Vec<u8>> {
    OpenSsh::in_file(&beside(path)).ok().map(|certificate| certificate.key())
}

/// `FILE-cert.pub`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-cert.pub");
    name.into()
}

/// Why a server will hardly take what is shown, as far as that can be known here, if it is a certificate. The server is
/// asked all the same: it may know the user by other names, and has a clock of its own.
pub(super) fn doubt(shown: &[u8], user: &str) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if is_x509(shown) {
        let problem = Chain::parse(shown).ok()?.holder().check_time(now).err()?;
        return Some(format!("but {problem}"));
    }
    match Certificate::parse(shown).ok()?.check_user(user, now).err()? {
        CertificateError::Purpose => Some("but it is not a user's certificate".to_owned()),
        CertificateError::Principal => Some(format!("but it does not name the user {user}")),
        problem => Some(format!("but {problem}")),
    }
}

/// The same about what is shown for this host.
pub(super) fn doubt_about_host(shown: &[u8], host: &str) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match Certificate::parse(shown).ok()?.check_host(host, now).err()? {
        CertificateError::Purpose => Some("but it is not a host's certificate".to_owned()),
        CertificateError::Principal => Some(format!("but it does not name the host {host}")),
        problem => Some(format!("but {problem}")),
    }
}

pub(super) fn mistake(path: &Path, problem: String) -> Error {
    Error::identity(path, problem).with_advice(ADVICE)
}

const ADVICE: &str = "name a certificate as `ssh-keygen -s` makes it, FILE-cert.pub beside the private key; or one of X.509, in \
                      PEM or another common format";

/// Stands for the name of a file.
const LINE: &str = "the certificate in the settings";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use underpass_crypto::Signer;
    use underpass_crypto::algorithms::ed25519::Ed25519Key;
    use underpass_wire::Put as _;

    use super::*;
    use crate::Builder;
    use crate::entropy::OsEntropy;
    use crate::logon::candidates;

    impl Certified {
        /// Of whatever this is.
        pub(in crate::logon) fn any(blob: Vec<u8>) -> Self {
            Self::OpenSsh(OpenSsh { blob, only: None })
        }
    }

    /// A certificate for Ed25519, with nobody's signature.
    fn certificate(key: &dyn Signer) -> Vec<u8> {
        let mut blob = Vec::new();
        blob.put_text(ED25519);
        blob.put_string(b"a nonce");
        blob.put_bytes(key.public_key().strip_prefix(b"\0\0\0\x0bssh-ed25519").unwrap());
        blob.put_u64(0);
        blob.put_u32(1);
        blob.put_text("id");
        blob.put_nested(|names| names.put_text("me"));
        blob.put_u64(0);
        blob.put_u64(u64::MAX);
        for _ in 0..3 {
            blob.put_string(b"");
        }
        blob.put_string(key.public_key());
        blob.put_string(b"");
        blob
    }

    #[test]
    fn a_key_of_the_program_signs_for_a_certificate_in_a_line() {
        let key: Arc<dyn Signer> = Arc::new(Ed25519Key::generate(&mut OsEntropy::new()));
        let blob = certificate(&*key);
        let line = format!("{ED25519} {} a comment", STANDARD.encode(&blob));
        let settings = Builder::new("bastion").signer(key).certificate(line).settings().unwrap();
        let offered = with_certificates(&settings, &candidates(&settings).unwrap()).unwrap();
        let [certified, plain] = &offered[..] else { panic!("{} are offered", offered.len()) };
        assert_eq!((certified.shown(), certified.algorithms()), (&blob[..], vec![ED25519.to_owned()]));
        assert_eq!(plain.algorithms(), ["ssh-ed25519"]);
        let signature = certified.sign(&settings, ED25519, b"data").unwrap();
        let algorithm = Provider::find(Provider::ALL.signatures, ED25519).unwrap();
        assert_eq!((algorithm.verify)(&blob, &signature, b"data"), Ok(()));
    }

    #[test]
    fn doubts_are_about_certificates() {
        let key = Ed25519Key::generate(&mut OsEntropy::new());
        assert_eq!(doubt(key.public_key(), "me"), None);
        assert_eq!(doubt(&certificate(&key), "me"), None);
        assert_eq!(doubt(&certificate(&key), "you").as_deref(), Some("but it does not name the user you"));
    }

    const ED25519: &str = "ssh-ed25519-cert-v01@openssh.com";
}
