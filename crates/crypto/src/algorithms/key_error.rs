use std::fmt;

/// Why numbers do not make a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// A number is of the wrong length or out of range.
    Invalid,
    /// The private and the public half do not belong together.
    HalvesDiffer,
    /// The key's size is outside the accepted range.
    Size {
        /// Bits of the key.
        bits: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("the private key holds an impossible number"),
            Self::HalvesDiffer => f.write_str("the private key does not belong to its public key"),
            Self::Size { bits } => write!(f, "a key of {bits} bits is not accepted"),
        }
    }
}

impl std::error::Error for KeyError {}
