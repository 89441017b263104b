//! Hashes of key exchanges, and the derivation of keys from them.

use std::ffi::CStr;
use std::marker::PhantomData;

use underpass_crypto::{Derivation, Digest, Hash, KexError, KeyHasher, Secret};
use zeroize::Zeroizing;

use crate::ffi::{Kdf, Md, Params, derive, digest};
use crate::module::Chosen;

/// The library's hashes, and its own derivation of SSH's keys, which is part of what is validated.
pub(crate) struct Hasher<M>(pub(crate) PhantomData<fn() -> M>);

impl<M: Chosen> KeyHasher for Hasher<M> {
    fn digest(&self, hash: Hash, parts: &[&[u8]]) -> Result<Digest, KexError> {
        let md = M::context().fetch::<Md>(name(hash)).ok_or(KexError::Internal)?;
        digest(&md, parts).ok_or(KexError::Internal)
    }

    fn derive(&self, hash: Hash, from: &Derivation<'_>, letter: u8, len: usize) -> Result<Secret, KexError> {
        if len == 0 {
            return Ok(Secret::default());
        }
        let kdf = M::context().fetch::<Kdf>(SSHKDF).ok_or(KexError::Internal)?;
        let letter = [letter, 0];
        let params = Params::default()
            .text(c"digest", name(hash))
            .bytes(c"key", from.secret.expose())
            .bytes(c"xcghash", from.exchange)
            .bytes(c"session_id", from.session)
            .text(c"type", CStr::from_bytes_with_nul(&letter).map_err(|_| KexError::Internal)?);
        let mut key = Zeroizing::new(vec![0; len]);
        derive(&kdf, params, &mut key).ok_or(KexError::Internal)?;
        Ok(Secret::new(std::mem::take(&mut *key)))
    }
}

/// How the library calls a hash.
pub(crate) const fn name(hash: Hash) -> &'static CStr {
    match hash {
        Hash::Sha1 => c"SHA1",
        Hash::Sha256 => c"SHA2-256",
        Hash::Sha384 => c"SHA2-384",
        Hash::Sha512 => c"SHA2-512",
    }
}

/// RFC 4253 section 7.2.
pub(crate) const SSHKDF: &CStr = c"SSHKDF";
