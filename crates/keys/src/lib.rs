//! Keys for SSH from the files that hold them: bytes in, signers out. Nothing here opens a file or a socket.
//!
//! [`load`] recognises the format by its content ([`Format`]) and hands over to the one module that reads it. What
//! cannot be used is named in the error, with advice ([`KeyFileError::advice`]).

mod armour;
mod error;
mod format;
mod openssh;
pub mod public;

use std::sync::Arc;

pub use error::KeyFileError;
pub use format::Format;
pub use openssh::MAX_ROUNDS;
pub use public::PublicKey;
use underpass_crypto::{Secret, Signer};

/// The longest key file that is read, in bytes. A 16,384-bit RSA key, the largest in use, fills 13 KiB.
pub const MAX_FILE_LEN: usize = 256 * 1024;

/// A private key that is ready to sign.
#[derive(Debug, Clone)]
pub struct PrivateKey {
    /// Signs, and knows the public half.
    pub signer: Arc<dyn Signer>,
    /// The comment in the file, often `user@host`. Whoever wrote the file chose it: escape it before showing it.
    pub comment: String,
    /// Whether the file is protected by a passphrase.
    pub encrypted: bool,
}

/// Reads a private key file. A passphrase that the file does not need is ignored; an empty one counts as none.
///
/// For an encrypted file this takes as long as the file's key derivation asks: a tenth of a second by default, a
/// quarter of a minute at [`MAX_ROUNDS`].
///
/// # Errors
/// [`KeyFileError::PassphraseMissing`] and [`KeyFileError::WrongPassphrase`] are worth another try with another
/// passphrase; all others are final for this file.
pub fn load(bytes: &[u8], passphrase: Option<&Secret>) -> Result<PrivateKey, KeyFileError> {
    match recognise(bytes)? {
        Format::OpenSsh => openssh::load(bytes, passphrase.filter(|secret| !secret.is_empty())),
        other => Err(KeyFileError::Format(other)),
    }
}

/// The public half of a private key file, encrypted or not, without its passphrase: enough to offer the key to a
/// server before asking for the passphrase. Reads public key files (`.pub`) too.
///
/// # Errors
/// The file is not a key, or not one whose public half is in clear.
pub fn public_of(bytes: &[u8]) -> Result<PublicKey, KeyFileError> {
    match recognise(bytes)? {
        Format::OpenSsh => openssh::public_of(bytes),
        Format::PublicKey | Format::Certificate => public::parse_file(bytes),
        other => Err(KeyFileError::Format(other)),
    }
}

fn recognise(bytes: &[u8]) -> Result<Format, KeyFileError> {
    if bytes.len() > MAX_FILE_LEN {
        return Err(KeyFileError::TooLarge { len: bytes.len() });
    }
    Ok(Format::of(bytes))
}
