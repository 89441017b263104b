//! What the post-quantum hybrids have in common: each public value is that of the KEM with an X25519 one behind it.

use zeroize::Zeroizing;

use super::x25519::X25519_LEN;
use crate::{Hash, KexError, Secret};

/// Divides a public value into its halves, whose lengths are fixed.
pub(super) fn split(public: &[u8], kem_len: usize) -> Result<(&[u8], &[u8]), KexError> {
    let expected = kem_len + X25519_LEN;
    if public.len() == expected {
        Ok(public.split_at(kem_len))
    } else {
        Err(KexError::Length { expected, actual: public.len() })
    }
}

/// The hash of both secrets, the post-quantum one first.
pub(super) fn combine(hash: Hash, kem_secret: &[u8], classical_secret: &Secret) -> Secret {
    let secret = Zeroizing::new(hash.over(&[kem_secret, classical_secret.expose()]));
    Secret::new(secret.to_vec())
}
