//! How much a file may ask for.

use std::cell::Cell;

use underpass_crypto::Secret;

use crate::KeyFileError;

/// The longest file that is read, in bytes. A 16,384-bit RSA key, the largest in use, fills 13 KiB; stores of
/// authorities' certificates, such as Java's, have some 200 KiB.
pub const MAX_FILE_LEN: usize = 1024 * 1024;

/// The most keys and certificates in a file. Stores of authorities' certificates have about 150.
pub const MAX_ENTRIES: usize = 1024;

/// The longest chain of a certificate. Real ones have two or three links.
pub const MAX_CHAIN: usize = 16;

/// The most work that the key derivations of a file may ask for, all together, in computations of a hash: at a third of
/// a microsecond each, some ten seconds. Programs set from a thousand to a million rounds.
///
/// A fuzzer has no use for waiting.
pub const MAX_WORK: u64 = if cfg!(fuzzing) { 50_000 } else { 30_000_000 };

/// The most memory that a key derivation may ask for, in bytes. PuTTY's default is 8 MiB, that of OpenSSL's scrypt 16.
pub const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// What opens a file, and how much work may be put into that.
pub(crate) struct Unlock<'a> {
    /// Of the whole. An empty one is none.
    password: Option<&'a Secret>,
    /// Of the keys in it, where that is another.
    key_password: Option<&'a Secret>,
    work: Cell<u64>,
}

impl<'a> Unlock<'a> {
    pub(crate) fn new(password: Option<&'a Secret>, key_password: Option<&'a Secret>) -> Self {
        let given = |secret: &&Secret| !secret.is_empty();
        Self {
            password: password.filter(given),
            key_password: key_password.filter(given),
            work: Cell::new(MAX_WORK),
        }
    }

    pub(crate) fn password(&self) -> Option<&'a Secret> {
        self.password
    }

    /// The password of a key inside: its own, or else that of the whole.
    pub(crate) fn key_password(&self) -> Option<&'a Secret> {
        self.key_password.or(self.password)
    }

    /// For a file that is wrapped in nothing else.
    pub(crate) fn required(&self) -> Result<&'a Secret, KeyFileError> {
        self.password.ok_or(KeyFileError::PassphraseMissing)
    }

    /// Takes `rounds` of `kdf`, which are worth `each` computations of a hash.
    pub(crate) fn spend(&self, kdf: &'static str, rounds: u64, each: u64) -> Result<(), KeyFileError> {
        let left = rounds.checked_mul(each).and_then(|work| self.work.get().checked_sub(work));
        match left {
            Some(left) if rounds > 0 => {
                self.work.set(left);
                Ok(())
            }
            _ => Err(KeyFileError::Cost { kdf, asked: rounds, most: MAX_WORK / each.max(1) }),
        }
    }

    /// Whether `bytes` of memory are too many for `kdf`.
    pub(crate) fn allow_memory(kdf: &'static str, bytes: u64) -> Result<(), KeyFileError> {
        if bytes <= MAX_MEMORY {
            Ok(())
        } else {
            Err(KeyFileError::Memory { kdf, asked: bytes, most: MAX_MEMORY })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_limited_for_all_keys_of_a_file_together() {
        let unlock = Unlock::new(None, None);
        assert_eq!(unlock.spend("test", MAX_WORK / 2, 1), Ok(()));
        assert_eq!(unlock.spend("test", MAX_WORK / 4, 2), Ok(()));
        let most = MAX_WORK;
        assert_eq!(unlock.spend("test", 1, 1), Err(KeyFileError::Cost { kdf: "test", asked: 1, most }));
        assert!(Unlock::new(None, None).spend("test", u64::MAX, 3).is_err());
        assert!(Unlock::new(None, None).spend("test", 0, 3).is_err());
        assert!(Unlock::allow_memory("test", MAX_MEMORY).is_ok());
        assert!(Unlock::allow_memory("test", MAX_MEMORY + 1).is_err());
    }
}
