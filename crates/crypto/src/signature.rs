use std::fmt;

use crate::{PrivateNumbers, Strength};

/// A signature algorithm: for host keys (RFC 4253 section 6.6) and for public-key authentication (RFC 4252 section 7).
pub struct Signature {
    /// The name on the wire, e.g. `rsa-sha2-256`.
    pub name: &'static str,
    /// Whether it is fit for today.
    pub strength: Strength,
    /// The format of the key blob, e.g. `ssh-rsa`: one key format can serve several algorithms (RFC 8332).
    pub key_format: &'static str,
    /// The name that signatures bear: another one where the key comes with a certificate.
    pub signature_format: &'static str,
    /// Verifies a signature.
    pub verify: Verify,
}

/// Verifies a signature blob (algorithm name and signature, as on the wire) over `data`. The blob must name the
/// algorithm and the key must be of its key format.
pub type Verify = fn(key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), SignatureError>;

/// Something that signs: a private key in memory, or [outside](crate::outside) of the process.
pub trait Signer: Send + Sync {
    /// The public key blob (RFC 4253 section 6.6).
    fn public_key(&self) -> &[u8];

    /// The signature algorithms it can use, best first.
    fn algorithms(&self) -> &[&'static str];

    /// Signs `data` and gives the signature blob (algorithm name and signature, as on the wire).
    ///
    /// # Errors
    /// The algorithm is not one of [`Signer::algorithms`], the arithmetic failed, or whoever holds the key refused.
    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError>;

    /// Whether signing may take a person's while, so that a server is better asked first whether it wants the key.
    fn may_ask(&self) -> bool {
        false
    }

    /// The numbers of the key itself, so that another library can sign with it. `None` for keys that are elsewhere, and
    /// for those that show a certificate: it is the key inside that has the numbers.
    fn private_numbers(&self) -> Option<PrivateNumbers> {
        None
    }
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// The key blob is malformed, of another format, or of a size outside the accepted range.
    Key,
    /// The signature blob is malformed or names another algorithm.
    Malformed,
    /// The signature does not belong to this data and key.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the public key is malformed or of an unaccepted type or size",
            Self::Malformed => "the signature is malformed or made with another algorithm",
            Self::Mismatch => "the signature does not match",
        })
    }
}

impl std::error::Error for SignatureError {}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignError {
    /// The key cannot sign with that algorithm.
    UnsupportedAlgorithm,
    /// The arithmetic failed.
    Failed,
    /// What holds the key did not sign, and this is why.
    Refused(String),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnsupportedAlgorithm => "the key cannot sign with the chosen algorithm",
            Self::Failed => "signing failed",
            Self::Refused(why) => why,
        })
    }
}

impl std::error::Error for SignError {}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for dyn Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.algorithms().join(","))
    }
}
