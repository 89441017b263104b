use std::fmt;

use underpass_wire::KexFamily;

use crate::{Derivation, Digest, Entropy, Hash, KeyHasher, Secret, Strength};

/// A key exchange method (RFC 4253 section 7): a hash and a way to agree on a secret.
pub struct Kex {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it is fit for today.
    pub strength: Strength,
    /// The hash of the exchange and of the key derivation.
    pub hash: Hash,
    /// Who hashes: the library that does the rest.
    pub hasher: &'static dyn KeyHasher,
    /// How the secret is agreed on.
    pub method: KexMethod,
    /// How the server proves that it took part.
    pub proof: Proof,
}

/// How the server of a key exchange proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its host key signs the exchange (RFC 4253 section 8).
    HostKey,
    /// A GSS-API mechanism vouches for it (RFC 4462 section 2). It needs no host key.
    Gss,
}

/// The message flows a key exchange can have. The engine has one module for each.
#[derive(Clone, Copy)]
pub enum KexMethod {
    /// One message each way: RFC 4253 section 8, RFC 5656 section 4, RFC 8731 and the hybrids.
    Agreement(&'static dyn Agreement),
    /// The server picks a [group](crate::algorithms::dh::DhGroup), in which an agreement follows (RFC 4419).
    GroupExchange,
}

impl Kex {
    /// The hash of `parts`, one behind the other.
    ///
    /// # Errors
    /// An internal fault only.
    pub fn digest(&self, parts: &[&[u8]]) -> Result<Digest, KexError> {
        self.hasher.digest(self.hash, parts)
    }

    /// Keys out of the agreed secret (RFC 4253 section 7.2).
    ///
    /// # Errors
    /// An internal fault only.
    pub fn derive(&self, from: &Derivation<'_>, letter: u8, len: usize) -> Result<Secret, KexError> {
        self.hasher.derive(self.hash, from, letter, len)
    }

    /// What the message numbers 30 to 49 mean while this method runs.
    pub fn family(&self) -> KexFamily {
        match (self.method, self.proof) {
            (KexMethod::Agreement(agreement), Proof::HostKey) => match agreement.public_encoding() {
                Encoding::String => KexFamily::Ecdh,
                Encoding::Mpint => KexFamily::Dh,
            },
            (KexMethod::GroupExchange, Proof::HostKey) => KexFamily::GroupExchange,
            (KexMethod::Agreement(_), Proof::Gss) => KexFamily::Gss,
            (KexMethod::GroupExchange, Proof::Gss) => KexFamily::GssGroupExchange,
        }
    }
}

/// How a value enters messages and the exchange hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is, a string (RFC 4251 section 5).
    String,
    /// As an unsigned number (RFC 4251 section 5).
    Mpint,
}

/// A way to agree on a secret with one message each way.
pub trait Agreement: Sync {
    /// How the public values travel and are hashed.
    fn public_encoding(&self) -> Encoding;

    /// How the secret is hashed.
    fn secret_encoding(&self) -> Encoding;

    /// The client's first step.
    ///
    /// # Errors
    /// An internal fault only.
    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError>;

    /// The server's only step.
    ///
    /// # Errors
    /// The client's public value is not acceptable.
    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError>;
}

/// A client in the middle of an agreement.
pub trait Initiator: Send {
    /// What is sent to the server.
    fn public(&self) -> &[u8];

    /// The client's last step.
    ///
    /// # Errors
    /// The server's public value is not acceptable.
    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError>;
}

/// What a server sends, and the secret it then shares with the client.
#[derive(Debug)]
pub struct Response {
    /// What is sent to the client.
    pub public: Vec<u8>,
    /// The agreed secret, big-endian where it is a number.
    pub secret: Secret,
}

/// Why no secret could be agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KexError {
    /// A public value has the wrong length.
    Length {
        /// Bytes the method requires.
        expected: usize,
        /// Bytes that came.
        actual: usize,
    },
    /// A public value is not a point, not in range, or would give a predictable secret.
    InvalidPublic,
    /// The secret is all zero (RFC 8731 section 3).
    ZeroSecret,
    /// The server picked a group of a size that was not asked for.
    GroupSize {
        /// Bits of its modulus.
        bits: u32,
    },
    /// The server picked a group whose modulus is even or whose generator is trivial.
    InvalidGroup,
    /// The client asks for groups of which there is none, or contradicts itself.
    GroupRange {
        /// The smallest size that it takes, in bits.
        min: u32,
        /// The largest size that it takes, in bits.
        max: u32,
    },
    /// The arithmetic failed for a reason of ours.
    Internal,
}

impl fmt::Display for KexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, actual } => {
                write!(f, "the peer's public value has {actual} bytes instead of {expected}")
            }
            Self::InvalidPublic => f.write_str("the peer's public value is not valid"),
            Self::ZeroSecret => f.write_str("the agreed secret is zero"),
            Self::GroupSize { bits } => {
                write!(f, "the server picked a group of {bits} bits, which is not a size that was asked for")
            }
            Self::InvalidGroup => f.write_str("the server picked a group that is not valid"),
            Self::GroupRange { min, max } => {
                write!(f, "the client asks for a group of {min} to {max} bits, and there is none")
            }
            Self::Internal => f.write_str("internal failure of the key exchange"),
        }
    }
}

impl std::error::Error for KexError {}

impl fmt::Debug for Kex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
