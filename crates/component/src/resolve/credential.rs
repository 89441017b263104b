//! Who logs on, and with what.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use underpass::keys::{
    Entry, KeyFileError, Passwords, Private, Store as KeyStore, StoreType, SystemStore, public_of,
};
use underpass::{AgentUse, Builder, Kerberos, KerberosCredentials, Secret, Signer, X509Certificate, X509Key};
use zeroize::Zeroizing;

use crate::model::{Encoding, Holds};
use crate::store::Store;
use crate::{Error, table, text};

/// What was found for members that search when they are set.
#[derive(Default)]
pub(crate) struct Kept {
    /// What to log on with.
    pub(crate) credential: Option<Credential>,
}

/// A private key to log on with.
#[derive(Clone)]
pub(crate) struct Credential {
    key: Key,
    /// The subject of its certificate, or what else names it.
    pub(crate) subject: String,
    /// Its certificate, or its public half, for people.
    pub(crate) encoded: Vec<u8>,
}

impl Credential {
    fn can_sign(&self) -> bool {
        !matches!(&self.key, Key::Held(signers) if signers.is_empty())
    }
}

#[derive(Clone)]
enum Key {
    /// With the keys of its X.509 certificates, which are shown first. None: the store has the public half alone.
    Held(Vec<Arc<dyn Signer>>),
    /// On a token; looked for when somebody logs on.
    Token(String),
}

/// What to look for.
pub(crate) enum Wanted<'a> {
    /// A subject, or `*`.
    Subject(&'a str),
    /// The key of this certificate.
    Certificate(&'a [u8]),
}

/// The largest store, in bytes.
const MAX_STORE: u64 = 16 * 1024 * 1024;

/// Looks for a key in the store that the members name. `None`: there is none that fits.
///
/// # Errors
/// The store cannot be opened.
pub(crate) fn find(store: &Store, wanted: &Wanted<'_>) -> Result<Option<Credential>, Error> {
    if let Wanted::Certificate(encoded) = wanted
        && let Some(found) = whole(encoded, store)
    {
        return Ok(Some(found));
    }
    let password = password(store);
    let passwords = Passwords::from(password.as_ref());
    let (kind, content) =
        (store.number("ssh_cert_store_type"), Zeroizing::new(store.bytes("ssh_cert_store")));
    let entries = match kind {
        USER => system(SystemStore::User, &content, passwords)?,
        MACHINE => system(SystemStore::Machine, &content, passwords)?,
        TOKEN => return Ok(token(&content, wanted)),
        kind => open(kind, &content, passwords)?,
    };
    let entry = match wanted {
        Wanted::Subject(subject) => underpass::keys::select(&entries, subject),
        Wanted::Certificate(encoded) => {
            let key =
                public_of(encoded).map_err(|error| Error::invalid(format!("ssh_cert_encoded: {error}.")))?;
            let is_it =
                |entry: &&Entry| entry.public.as_ref().is_some_and(|public| public.blob() == key.blob());
            entries.iter().find(is_it)
        }
    };
    entry.map(credential).transpose()
}

const USER: i64 = 0;
const MACHINE: i64 = 1;
const TOKEN: i64 = 23;

fn password(store: &Store) -> Option<Secret> {
    let password = Zeroizing::new(store.text("ssh_cert_store_password"));
    (!password.is_empty()).then(|| Secret::from(password.as_str()))
}

/// A certificate that comes with its private key needs no store.
fn whole(encoded: &[u8], store: &Store) -> Option<Credential> {
    let password = password(store);
    let opened = KeyStore::open(encoded, Passwords::from(password.as_ref())).ok()?;
    let entry = opened.entries().iter().find(|entry| matches!(entry.private, Private::Ready(_)))?;
    credential(entry).ok()
}

fn system(store: SystemStore, name: &[u8], passwords: Passwords<'_>) -> Result<Vec<Entry>, Error> {
    let name = String::from_utf8_lossy(name);
    store.entries(&name, passwords).map_err(|error| Error::new(302).because(error))
}

/// A key on a token is found by its URI, and by the subject of its certificate.
fn token(uri: &[u8], wanted: &Wanted<'_>) -> Option<Credential> {
    let uri = String::from_utf8_lossy(uri).trim().to_owned();
    let Wanted::Subject(subject) = wanted else { return None };
    let uri = match (*subject, uri.contains("x-subject=")) {
        ("*", _) | (_, true) => uri,
        (subject, false) => {
            let (path, query) = uri
                .split_once('?')
                .map_or((uri.as_str(), String::new()), |(path, query)| (path, format!("?{query}")));
            let colon = if path.ends_with(':') { "" } else { ";" };
            format!("{path}{colon}x-subject={}{query}", super::proxy::escaped(subject))
        }
    };
    Some(Credential { key: Key::Token(uri), subject: (*subject).to_owned(), encoded: Vec::new() })
}

fn open(kind: i64, content: &[u8], passwords: Passwords<'_>) -> Result<Vec<Entry>, Error> {
    let row = table::STORE_TYPES.iter().find(|row| row.number == kind);
    let row = row.ok_or_else(|| Error::invalid("ssh_cert_store_type has no such value."))?;
    let path = || Path::new(std::str::from_utf8(content).unwrap_or_default()).to_owned();
    let bytes = match row.holds {
        Holds::File => read(&path())?,
        Holds::Blob(encoding) => plain(content, encoding),
        _ if content.len() < MAX_PATH && path().is_file() => read(&path())?,
        _ => plain(content, Encoding::BinaryOrBase64),
    };
    let opened = KeyStore::open_as(store_type(kind), &bytes, passwords);
    let store = opened.map_err(|error| unusable(&error))?;
    Ok(store.entries().to_vec())
}

/// Longer text is no path.
const MAX_PATH: usize = 4096;

fn unusable(error: &KeyFileError) -> Error {
    Error::new(1012).because(format!("The store: {error}; {}.", error.advice().replace("FILE", "the store")))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let problem = |error: std::io::Error| Error::new(302).because(format!("{}: {error}.", path.display()));
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    File::open(path).map_err(problem)?.take(MAX_STORE).read_to_end(&mut bytes).map_err(problem)?;
    Ok(bytes)
}

/// What is in base64 is taken out of it, unless it is text of its own.
fn plain(content: &[u8], encoding: Encoding) -> Zeroizing<Vec<u8>> {
    let compact: Vec<u8> = content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match (encoding, STANDARD.decode(&compact)) {
        (Encoding::BinaryOrBase64 | Encoding::Binary, Ok(bytes)) if !bytes.is_empty() => {
            Zeroizing::new(bytes)
        }
        _ => Zeroizing::new(content.to_vec()),
    }
}

fn store_type(kind: i64) -> StoreType {
    match kind {
        2 | 3 => StoreType::Pfx,
        4 | 5 => StoreType::Jks,
        6 | 7 => StoreType::PrivateKey,
        8 | 9 => StoreType::Certificate,
        10 | 13 => StoreType::SshPublicKey,
        11 | 12 => StoreType::Pkcs7,
        14 | 15 => StoreType::Ppk,
        16 | 17 => StoreType::Xml,
        18 | 19 => StoreType::Jwk,
        21 | 22 => StoreType::Bcfks,
        _ => StoreType::Auto,
    }
}

fn credential(entry: &Entry) -> Result<Credential, Error> {
    let signers = match &entry.private {
        Private::Ready(signer) => signers(signer, &entry.certificates),
        Private::Unusable(error) => return Err(unusable(error)),
        Private::Absent => Vec::new(),
    };
    let named = [&entry.subject, &entry.name, &entry.comment].into_iter().find(|text| !text.is_empty());
    let (key_type, blob) = match (&entry.public, signers.last()) {
        (Some(public), _) => (public.key_type(), public.blob()),
        (None, Some(signer)) => (signer.algorithms().first().copied().unwrap_or("key"), signer.public_key()),
        (None, None) => ("key", &[][..]),
    };
    let subject = named.map_or(key_type, String::as_str).to_owned();
    let encoded = match entry.certificates.first() {
        Some(der) => pem(der),
        None => STANDARD.encode(blob).into_bytes(),
    };
    Ok(Credential { subject, encoded, key: Key::Held(signers) })
}

/// A key with each of its certificates, and without.
fn signers(signer: &Arc<dyn Signer>, certificates: &[Vec<u8>]) -> Vec<Arc<dyn Signer>> {
    let certificates: Vec<_> =
        certificates.iter().filter_map(|der| X509Certificate::from_der(der).ok()).collect();
    let certified = X509Key::each(signer, &certificates).unwrap_or_default();
    let certified = certified.into_iter().map(|key| Arc::new(key) as Arc<dyn Signer>);
    certified.chain([signer.clone()]).collect()
}

/// RFC 7468.
fn pem(der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")).into_bytes()
}

/// Ways to log on, as `ssh_auth_mode` numbers them.
const MODES: &[(i64, &[&str])] = &[
    (0, &["none"]),
    (1, &["publickey", "password", "keyboard-interactive", "gssapi-keyex", "gssapi-with-mic"]),
    (2, &["password"]),
    (3, &["publickey"]),
    (4, &["keyboard-interactive"]),
    (5, &["gssapi-with-mic"]),
    (6, &[]),
    (7, &["gssapi-keyex"]),
];

/// Modes with a meaning of their own.
const NONE: i64 = 0;
const MULTI_FACTOR: i64 = 1;
const PUBLIC_KEY: i64 = 3;

/// Sets the user, the methods, and what they need.
///
/// # Errors
/// Something that the mode needs is missing; or text that the code page lacks.
pub(super) fn log_on(
    builder: Builder,
    store: &Store,
    credential: Option<&Credential>,
) -> Result<Builder, Error> {
    let mode = store.number("ssh_auth_mode");
    let methods = methods(store, mode);
    let can_sign = credential.is_some_and(Credential::can_sign);
    if mode == PUBLIC_KEY && !can_sign && store.number("EnablePageantAuth") == 0 {
        let advice = match credential {
            Some(_) => "The store holds a public key alone; name one with the private half.",
            None => "There is no private key; set the ssh_cert properties, ssh_cert_subject last.",
        };
        return Err(Error::new(1032).because(advice));
    }
    let user = match (mode, store.text("ssh_user")) {
        (NONE, _) => "anonymous".to_owned(),
        (_, user) if user.is_empty() => {
            return Err(Error::invalid("ssh_user is not set; it is the user to log on as."));
        }
        (_, user) => user,
    };
    let agent = match store.number("EnablePageantAuth") {
        0 => AgentUse::Disabled,
        1 => AgentUse::Enabled,
        _ => AgentUse::Required,
    };
    let encoding = text::encoding(store)?;
    let builder = builder
        .user_on_wire(text::encode(store, &user)?)
        .user(user)
        .server_text(move |text| encoding.decode(text))
        .preferred_authentications(methods.iter().copied())
        .stop_at_first_refusal(mode == MULTI_FACTOR && !store.flag("TryAllAvailableAuthMethods"))
        .default_identities(false)
        .agent(agent)
        // Each is answered by what is set, which is no better the second time.
        .number_of_password_prompts(1);
    let kerberos = kerberos(store, &methods);
    // Servers get it when they ask for it, see `hooks`; that it cannot be written is told at once.
    let password = text::encode(store, &Zeroizing::new(store.text("ssh_password"))).map(Secret::new)?;
    let builder = match kerberos.credentials {
        KerberosCredentials::Password => builder.password(password),
        _ => builder,
    };
    let builder = builder.kerberos(kerberos);
    let builder = match store.text("SignedSSHCert") {
        line if line.is_empty() => builder,
        line => builder.certificate(line),
    };
    Ok(match credential.map(|credential| &credential.key) {
        Some(Key::Held(signers)) => {
            signers.iter().fold(builder, |builder, signer| builder.signer(signer.clone()))
        }
        Some(Key::Token(uri)) => {
            let pin = store.text("ssh_cert_store_password");
            let builder = builder.token(uri);
            if pin.is_empty() { builder } else { builder.pin(Secret::from(pin)) }
        }
        None => builder,
    })
}

/// The methods of the mode; then, if all are to be tried, every other.
fn methods(store: &Store, mode: i64) -> Vec<&'static str> {
    let of =
        |mode: i64| MODES.iter().find(|(number, _)| *number == mode).map_or(&[][..], |(_, methods)| methods);
    let mut methods = of(mode).to_vec();
    if store.flag("TryAllAvailableAuthMethods") {
        methods.extend(of(MULTI_FACTOR).iter().filter(|method| !of(mode).contains(method)));
    }
    methods
}

fn kerberos(store: &Store, methods: &[&str]) -> Kerberos {
    let text = |name: &str| Some(store.text(name)).filter(|text| !text.is_empty());
    let only = |method: &str| methods.first() == Some(&method);
    let mut kerberos = Kerberos::default();
    kerberos.authentication =
        only("gssapi-with-mic") || only("gssapi-keyex") || store.flag("TryAllAvailableAuthMethods");
    kerberos.key_exchange = only("gssapi-keyex");
    kerberos.delegate = store.flag("KerberosDelegation");
    kerberos.realm = text("KerberosRealm");
    kerberos.server = text("KerberosSPN");
    if kerberos.authentication
        && (only("gssapi-with-mic") || only("gssapi-keyex"))
        && text("ssh_password").is_some()
    {
        kerberos.credentials = KerberosCredentials::Password;
    }
    kerberos
}
