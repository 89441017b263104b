use zeroize::Zeroizing;

use crate::hash::MAX_DIGEST;
use crate::{Digest, Hash, KexError, Secret};

/// What keys are made of (RFC 4253 section 7.2).
#[derive(Debug, Clone, Copy)]
pub struct Derivation<'a> {
    /// The agreed secret, as it enters hashes.
    pub secret: &'a Secret,
    /// The hash of the exchange.
    pub exchange: &'a Digest,
    /// The session identifier, which is the hash of the connection's first exchange.
    pub session: &'a Digest,
}

/// Who hashes in a key exchange. The methods of this crate have [`OwnHasher`]; those of another library bring its own.
pub trait KeyHasher: Sync {
    /// The hash of `parts`, one behind the other.
    ///
    /// # Errors
    /// An internal fault only.
    fn digest(&self, hash: Hash, parts: &[&[u8]]) -> Result<Digest, KexError>;

    /// The key of `len` bytes that a letter stands for (RFC 4253 section 7.2).
    ///
    /// # Errors
    /// An internal fault only.
    fn derive(&self, hash: Hash, from: &Derivation<'_>, letter: u8, len: usize) -> Result<Secret, KexError>;
}

/// Hashes with this crate's [`Hash`], and never fails.
#[derive(Debug, Clone, Copy)]
pub struct OwnHasher;

impl KeyHasher for OwnHasher {
    fn digest(&self, hash: Hash, parts: &[&[u8]]) -> Result<Digest, KexError> {
        Ok(hash.over(parts))
    }

    fn derive(&self, hash: Hash, from: &Derivation<'_>, letter: u8, len: usize) -> Result<Secret, KexError> {
        let Derivation { secret, exchange, session } = *from;
        // Room for the last digest, so that no part of the key is left behind by growth.
        let mut key = Vec::with_capacity(len + MAX_DIGEST);
        while key.len() < len {
            let before: &[&[u8]] = if key.is_empty() { &[&[letter], session] } else { &[&key] };
            let digest = Zeroizing::new(hash.over(&[&[secret.expose(), exchange], before].concat()));
            key.extend_from_slice(&digest);
        }
        key.truncate(len);
        Ok(Secret::new(key))
    }
}
