//! Keys that a program holds itself: for [`Builder::key`](crate::Builder::key), and for a gateway's host keys and users.
//! Out of any store, by subject:
//!
//! ```no_run
//! use underpass::keys::{self, Passwords};
//!
//! let password = "secret".into();
//! let store = keys::open_file("certificate.pfx", Passwords::from(Some(&password)))?;
//! let key = store.private_key("CN=me").expect("the store has my key");
//! let builder = underpass::Builder::new("bastion").key(key);
//! # Ok::<(), underpass::Error>(())
//! ```
//!
//! A tunnel reads the files named by [`Builder::identity_file`](crate::Builder::identity_file), which may have any of
//! these formats, without any of this.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use underpass_keys::MAX_FILE_LEN;
pub use underpass_keys::{
    Entry, Format, KeyFileError, Passwords, Private, PrivateKey, PublicKey, Store, StoreType, load,
    public_of, select,
};
use zeroize::Zeroizing;

use crate::Error;
pub use crate::store::{StoredKey, SystemStore};

/// Opens a file of keys or certificates in any [`Format`]. Blocks on the disk and on key derivation.
///
/// # Errors
/// The file cannot be read or opened: an [`ErrorKind::Identity`](crate::ErrorKind::Identity) with advice, whose source
/// is a [`KeyFileError`] or what the system says.
pub fn open_file(path: impl AsRef<Path>, passwords: Passwords<'_>) -> Result<Store, Error> {
    let path = path.as_ref();
    Store::open(&read(path)?, passwords).map_err(|error| problem(path, &error))
}

/// The key in `FILE.pub`, which ssh-keygen puts beside each key.
pub(crate) fn public_half_beside(path: &Path) -> Option<Vec<u8>> {
    Some(public_of(&read(&beside(path)).ok()?).ok()?.blob().to_vec())
}

/// `FILE.pub`.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Reads a little more than what is accepted, so that too large a file is noticed and not read whole.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    read_some(path).map_err(|error| Error::identity(path, error.to_string()).with_source(error))
}

fn read_some(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    File::open(path)?.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a key file is of no use, with what to do.
pub(crate) fn problem(path: &Path, error: &KeyFileError) -> Error {
    let advice = error.advice().replace("FILE", &path.display().to_string());
    Error::identity(path, error.to_string()).with_advice(advice).with_source(error.clone())
}
