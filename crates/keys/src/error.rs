use std::fmt;

use underpass_crypto::algorithms::KeyError;
use underpass_wire::{DecodeError, untrusted};

use crate::{Format, MAX_ENTRIES, MAX_FILE_LEN, MAX_ROUNDS, StoreType};

/// Why a file gave no key. [`fmt::Display`] says what is wrong, [`KeyFileError::advice`] what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file is something that has no private key.
    Format(Format),
    /// The store is of another type than it is said to be.
    NotA {
        /// What it should be.
        wanted: StoreType,
        /// What it looks like.
        found: Format,
    },
    /// Nothing in the store has that subject or name.
    NoSuchEntry(String),
    /// The file holds more keys and certificates than [`MAX_ENTRIES`].
    TooManyEntries,
    /// The file is longer than [`MAX_FILE_LEN`].
    TooLarge {
        /// Its length in bytes.
        len: usize,
    },
    /// The file is encrypted and no passphrase was given.
    PassphraseMissing,
    /// The passphrase does not open the file. Damage to the encrypted part looks the same.
    WrongPassphrase,
    /// The store opens, but not the key in it, which has a password of its own.
    WrongKeyPassword,
    /// The file is encrypted with a cipher that is not supported.
    UnsupportedCipher(String),
    /// The file's encryption key is derived by an unknown function.
    UnsupportedKdf(String),
    /// The key derivation of an OpenSSH key asks for more rounds than [`MAX_ROUNDS`], or for none.
    Rounds(u32),
    /// The key derivations of the file ask for more work than [`crate::MAX_WORK`], or for none.
    Cost {
        /// The one that is too much.
        kdf: &'static str,
        /// Its rounds, or what comes to them.
        asked: u64,
        /// As many would be accepted if there were no others.
        most: u64,
    },
    /// A key derivation asks for more memory than [`crate::MAX_MEMORY`].
    Memory {
        /// The key derivation.
        kdf: &'static str,
        /// Bytes that it asks for.
        asked: u64,
        /// Bytes that are accepted.
        most: u64,
    },
    /// The key is of a type that is not supported.
    UnsupportedKeyType(String),
    /// The file holds several keys, or none.
    KeyCount(u32),
    /// The file is damaged or was made by a faulty program.
    Malformed(&'static str),
    /// The numbers in the file are not a key.
    Key(KeyError),
}

impl KeyFileError {
    /// What to do, as an imperative sentence without a full stop. `FILE` stands for the path.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Format(format) => format.advice(),
            Self::TooLarge { .. } => "check the path; key files are far smaller",
            Self::NotA { .. } => "say what type it is, or leave the type open",
            Self::NoSuchEntry(_) => "underpass keys inspect FILE lists the subjects",
            Self::TooManyEntries => "export the key that is wanted to a file of its own",
            Self::PassphraseMissing => "give the passphrase, or load the key without one",
            Self::WrongPassphrase => "try again, with the passphrase that the file was made with",
            Self::WrongKeyPassword => "give the password of the key as well as that of the store",
            Self::UnsupportedCipher(_) | Self::UnsupportedKdf(_) => {
                "protect a copy of it anew with AES and PBKDF2, with the program that made it"
            }
            Self::Cost { .. } | Self::Memory { .. } => {
                "protect a copy of it anew with lower numbers, with the program that made it"
            }
            Self::Rounds(_) => "set a lower number of rounds: ssh-keygen -p -a 100 -f FILE",
            Self::UnsupportedKeyType(name) if name.starts_with("sk-") => {
                "a key on a security device signs through an agent; load it with ssh-add FILE"
            }
            Self::UnsupportedKeyType(_) => "make a key of a modern type: ssh-keygen -t ed25519",
            Self::KeyCount(_) => "keep one key in a file",
            Self::Key(KeyError::Size { .. }) => "make a key of an accepted size: ssh-keygen -t ed25519",
            Self::Malformed(_) | Self::Key(_) => {
                "restore the file from a copy, or make it anew with the program that made it"
            }
        }
    }

    /// Whether another passphrase may help.
    pub fn wants_passphrase(&self) -> bool {
        matches!(self, Self::PassphraseMissing | Self::WrongPassphrase | Self::WrongKeyPassword)
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(Format::Empty) => f.write_str("the file is empty"),
            Self::Format(format @ (Format::Der | Format::Binary | Format::Text)) => {
                write!(f, "it is {format}")
            }
            Self::Format(format) => write!(f, "it is {format}, which holds no private key"),
            Self::NotA { wanted, found } => write!(f, "the content is {found}, not {wanted}"),
            Self::NoSuchEntry(subject) => {
                write!(f, "nothing in the store has the subject {}", untrusted(subject.as_bytes()))
            }
            Self::TooManyEntries => {
                write!(f, "the file holds more than {MAX_ENTRIES} keys and certificates")
            }
            Self::TooLarge { len } => {
                write!(f, "the file has {len} bytes; a key file has at most {MAX_FILE_LEN}")
            }
            Self::PassphraseMissing => f.write_str("the key is encrypted and no passphrase was given"),
            Self::WrongPassphrase => f.write_str("the passphrase is wrong"),
            Self::WrongKeyPassword => f.write_str("the store opens, but its key has another password"),
            Self::UnsupportedCipher(name) => {
                write!(f, "the key is encrypted with {}, which is not supported", untrusted(name.as_bytes()))
            }
            Self::UnsupportedKdf(name) => {
                write!(f, "the encryption uses the unknown key derivation {}", untrusted(name.as_bytes()))
            }
            Self::Rounds(rounds) => {
                write!(f, "the key derivation asks for {rounds} rounds; 1 to {MAX_ROUNDS} are accepted")
            }
            Self::Cost { kdf, asked, most } => {
                write!(f, "{kdf} asks for {asked} rounds; 1 to {most} are accepted in a file")
            }
            Self::Memory { kdf, asked, most } => {
                write!(f, "{kdf} asks for {asked} bytes of memory; at most {most} are accepted")
            }
            Self::UnsupportedKeyType(name) => {
                write!(f, "keys of type {} are not supported", untrusted(name.as_bytes()))
            }
            Self::KeyCount(count) => write!(f, "the file holds {count} keys instead of one"),
            Self::Malformed(what) => write!(f, "the key file is damaged: {what}"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyFileError {}

impl From<DecodeError> for KeyFileError {
    /// Every length in the file is checked by the reader, so all its complaints come to the same.
    fn from(_: DecodeError) -> Self {
        Self::Malformed("a field is cut off or has an impossible value")
    }
}

impl From<der::Error> for KeyFileError {
    fn from(_: der::Error) -> Self {
        Self::Malformed("a field of its ASN.1 is cut off or has an impossible value")
    }
}

impl From<KeyError> for KeyFileError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
