use std::fmt;
use std::path::PathBuf;

use cryptoki::error::{Error, RvError};

/// Why a token gave no key or no signature. [`fmt::Display`] says what is wrong, [`TokenError::advice`] what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The module cannot be loaded, or refuses to start.
    Module {
        /// Its path.
        path: PathBuf,
        /// What went wrong.
        problem: String,
    },
    /// No token that fits is there.
    NoToken,
    /// The tokens that are there hold no key that fits.
    NoKey,
    /// The token wants its PIN.
    PinMissing {
        /// The token's label.
        token: String,
    },
    /// The PIN is wrong.
    WrongPin {
        /// The token's label.
        token: String,
        /// Whether the next wrong one locks the token.
        last_try: bool,
    },
    /// Too many wrong PINs: the token takes none any more.
    PinLocked {
        /// The token's label.
        token: String,
    },
    /// The token was there and is gone.
    Removed {
        /// The token's label.
        token: String,
    },
    /// The key cannot sign with that algorithm.
    UnsupportedAlgorithm,
    /// What the token gave is no signature of the key.
    WrongSignature {
        /// The token's label.
        token: String,
    },
    /// The module reports another failure.
    Failed {
        /// The token's label; empty where it is about all of them.
        token: String,
        /// What the module says.
        problem: String,
    },
}

impl TokenError {
    pub(crate) fn from_module(token: &str, error: &Error) -> Self {
        let token = token.to_owned();
        match error {
            Error::Pkcs11(RvError::PinLocked, _) => Self::PinLocked { token },
            Error::Pkcs11(
                RvError::DeviceRemoved
                | RvError::TokenNotPresent
                | RvError::SessionHandleInvalid
                | RvError::SessionClosed,
                _,
            ) => Self::Removed { token },
            Error::Pkcs11(problem, function) => {
                Self::Failed { token, problem: format!("{function}: {problem:?}") }
            }
            other => Self::Failed { token, problem: other.to_string() },
        }
    }

    /// Whether another PIN may help.
    pub fn wants_pin(&self) -> bool {
        matches!(self, Self::PinMissing { .. } | Self::WrongPin { .. })
    }

    /// What to do, as an imperative sentence without a full stop.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Module { .. } => {
                "check the path of the PKCS#11 module; common ones are opensc-pkcs11.so and libsofthsm2.so"
            }
            Self::NoToken => {
                "insert the token; pkcs11-tool --module MODULE -L lists those that the module sees"
            }
            Self::NoKey => "pkcs11-tool --module MODULE -O lists what is on the token",
            Self::PinMissing { .. } => {
                "run it where somebody can type the PIN, or name a file with it: pkcs11:...?pin-source=file:/path"
            }
            Self::WrongPin { .. } => {
                "try again with the right PIN; a token counts wrong ones and locks itself"
            }
            Self::PinLocked { .. } => "unlock the token with its PUK or SO-PIN",
            Self::Removed { .. } => "insert the token again",
            Self::UnsupportedAlgorithm => "allow another algorithm with PubkeyAcceptedAlgorithms",
            Self::WrongSignature { .. } | Self::Failed { .. } => {
                "pkcs11-tool --module MODULE --login --test tells whether the token works"
            }
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module { path, problem } => {
                write!(f, "the PKCS#11 module {} cannot be used: {problem}", path.display())
            }
            Self::NoToken => f.write_str("no such token is there"),
            Self::NoKey => f.write_str("no such key is on a token"),
            Self::PinMissing { token } => write!(f, "the token {token:?} wants its PIN"),
            Self::WrongPin { token, last_try: false } => write!(f, "the PIN of the token {token:?} is wrong"),
            Self::WrongPin { token, last_try: true } => {
                write!(f, "the PIN of the token {token:?} is wrong; another wrong one locks it")
            }
            Self::PinLocked { token } => write!(f, "the token {token:?} is locked after too many wrong PINs"),
            Self::Removed { token } => write!(f, "the token {token:?} was removed"),
            Self::UnsupportedAlgorithm => {
                f.write_str("the key on the token cannot sign with the chosen algorithm")
            }
            Self::WrongSignature { token } => {
                write!(f, "what the token {token:?} gave is no signature of the key")
            }
            Self::Failed { token, problem } if token.is_empty() => {
                write!(f, "the PKCS#11 module failed: {problem}")
            }
            Self::Failed { token, problem } => write!(f, "the token {token:?} failed: {problem}"),
        }
    }
}

impl std::error::Error for TokenError {}
