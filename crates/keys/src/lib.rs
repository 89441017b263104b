//! Keys and certificates for SSH from the files that hold them: bytes in, signers out. Nothing here opens a file or a
//! socket.
//!
//! ```text
//! bytes ─▶ Format (what the content shows) ─▶ the one module that reads it ─▶ Store of entries
//!                                               │ ASN.1: asn1, der_key       an entry: private and public half,
//!                                               │ passwords: pbe, limits     certificates, subject, name, comment
//!                                               └ numbers to signer: private
//! ```
//!
//! [`Store::open`] reads everything, [`Store::select`] finds an entry by its subject; [`load`] and [`public_of`] are the
//! short way for a file with one key. Which formats there are and which module reads them is a table (`readers.rs`);
//! how they are told apart is another (`format.rs`). What cannot be used is named in the error, with advice
//! ([`KeyFileError::advice`]). All that a file can ask for is bounded ([`MAX_WORK`] and its neighbours).

mod armour;
mod asn1;
mod bcfks;
mod certificate;
mod der_key;
mod error;
mod format;
mod java;
mod jwk;
mod limits;
mod openssh;
mod pbe;
mod pem;
mod pkcs12;
mod pkcs7;
mod ppk;
mod private;
pub mod public;
mod readers;
mod rfc4716;
mod ssh_com;
mod store;
mod subject;
mod xml;

use std::sync::Arc;

pub use error::KeyFileError;
pub use format::Format;
pub use limits::{MAX_CHAIN, MAX_ENTRIES, MAX_FILE_LEN, MAX_MEMORY, MAX_WORK};
pub use openssh::MAX_ROUNDS;
pub use public::PublicKey;
pub use readers::StoreType;
pub use store::{Entry, Passwords, Private, Store};
pub use subject::select;
use underpass_crypto::{Secret, Signer};

/// A private key that is ready to sign.
#[derive(Debug, Clone)]
pub struct PrivateKey {
    /// Signs, and knows the public half.
    pub signer: Arc<dyn Signer>,
    /// The comment in the file, often `user@host`. Whoever wrote the file chose it: escape it before showing it.
    pub comment: String,
    /// Whether the file is protected by a passphrase.
    pub encrypted: bool,
    /// X.509 certificates in DER that the file has for it: its own, then those of the authorities above.
    pub certificates: Vec<Vec<u8>>,
}

/// Reads a private key of any format: the first one in the file that can sign. A passphrase that the file does not need
/// is ignored; an empty one counts as none.
///
/// For an encrypted file this takes as long as the file's key derivation asks: a tenth of a second by default, a
/// quarter of a minute at the [bounds](MAX_WORK).
///
/// # Errors
/// [`KeyFileError::wants_passphrase`] tells those that are worth another try with another passphrase; all others are
/// final for this file.
pub fn load(bytes: &[u8], passphrase: Option<&Secret>) -> Result<PrivateKey, KeyFileError> {
    Store::open(bytes, passphrase.into())?.private_key(ANY)
}

/// The public half of a private key file, encrypted or not, without its passphrase: enough to offer the key to a
/// server before asking for the passphrase. Reads public key files (`.pub`) and certificates too.
///
/// # Errors
/// The file is not a key. [`KeyFileError::PassphraseMissing`] is for those that hide the public half, too.
pub fn public_of(bytes: &[u8]) -> Result<PublicKey, KeyFileError> {
    let store = Store::open(bytes, Passwords::default())?;
    let entry = store.select(ANY).ok_or(KeyFileError::Format(store.format()))?;
    match (&entry.public, &entry.private) {
        (Some(public), _) => Ok(public.clone().with_comment(&entry.comment)),
        (None, Private::Unusable(error)) => Err(error.clone()),
        (None, _) => Err(KeyFileError::Format(store.format())),
    }
}

/// What [`Store::select`] takes for any entry.
const ANY: &str = "*";
