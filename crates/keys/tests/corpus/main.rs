//! Stores and keys made by the programs of others: OpenSSL, PuTTYgen, ssh-keygen, and keytool with and without Bouncy
//! Castle. Each is opened with the right password, a wrong one and none, compared by its public key, and damaged.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod base;
mod batter;
mod java;
mod pem;
mod pkcs12;
mod ssh;
mod text;
mod tool;

use base::Base;
use underpass_crypto::{Provider, Secret};
use underpass_keys::{Format, KeyFileError, Passwords, Private, Store, public_of};

/// Where a file has one. keytool wants no spaces.
const PASSWORD: &str = "correct-horse";

/// What a file must give.
struct Sample<'a> {
    /// What it is, for messages and the table.
    what: String,
    bytes: Vec<u8>,
    format: Format,
    key: &'a Base,
    password: Option<&'a str>,
    /// Whether the public half can be seen without the password.
    shows_public: bool,
}

impl Sample<'_> {
    /// Opens it in every way, and damages it.
    fn check(&self) {
        let Self { what, bytes, format, key, password, shows_public } = self;
        assert_eq!(Format::of(bytes), *format, "{what}");
        let open = |password: Option<&str>| key_of(bytes, password);
        let found = open(*password).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(found == key.blob, "{what}: another key");
        match password {
            None => assert!(open(Some("not needed")).is_ok_and(|found| found == key.blob), "{what}"),
            Some(_) => {
                assert_eq!(open(None), Err(KeyFileError::PassphraseMissing), "{what}");
                assert_eq!(open(Some("")), Err(KeyFileError::PassphraseMissing), "{what}");
                assert_eq!(open(Some("wrong horse")), Err(KeyFileError::WrongPassphrase), "{what}");
            }
        }
        match public_of(bytes) {
            Ok(public) => assert!(*shows_public && public.blob() == key.blob, "{what}"),
            Err(error) => {
                assert!(!shows_public && error == KeyFileError::PassphraseMissing, "{what}: {error}");
            }
        }
        let batter = if self.is_terse() { batter::batter_terse } else { batter::batter };
        batter(bytes, password.map(Secret::from).as_ref());
        println!("{:<9} {what}", key.name);
    }

    /// Whether it has but the private half, and no MAC.
    fn is_terse(&self) -> bool {
        let pkcs8 = [Format::Pkcs8, Format::Pkcs8Encrypted].contains(&self.format);
        pkcs8 && ["ed25519", "dsa1024"].contains(&self.key.name) || self.what == "-no_public"
    }
}

/// The public half of the key in a file, after it has signed.
fn key_of(bytes: &[u8], password: Option<&str>) -> Result<Vec<u8>, KeyFileError> {
    let secret = password.map(Secret::from);
    let signer = Store::open(bytes, Passwords::from(secret.as_ref()))?.private_key("*")?.signer;
    for name in signer.algorithms() {
        let signature = signer.sign(name, b"data").unwrap();
        let algorithm = Provider::find(Provider::ALL.signatures, name).unwrap();
        // Short keys are for servers that take them; as a peer's they are refused.
        if *name == "ssh-rsa" || !signer.public_key().starts_with(b"\0\0\0\x07ssh-rsa") {
            assert_eq!((algorithm.verify)(signer.public_key(), &signature, b"data"), Ok(()), "{name}");
        }
    }
    Ok(signer.public_key().to_vec())
}

/// The subjects of the entries, and whether they can sign.
fn listed(store: &Store) -> Vec<(&str, bool)> {
    let ready = |private: &Private| matches!(private, Private::Ready(_));
    store.entries().iter().map(|entry| (entry.subject.as_str(), ready(&entry.private))).collect()
}
