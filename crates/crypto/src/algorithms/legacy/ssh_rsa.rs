//! `ssh-rsa`: RSA with SHA-1 (RFC 4253 section 6.6), for which RFC 8332 has successors. Keys may have 1,024 bits here.
//!
//! aws-lc-rs verifies. The [keys](crate::algorithms::rsa::RsaKey) sign.

use aws_lc_rs::signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;

use crate::{
    Signature, Strength,
    algorithms::rsa::{FORMAT, verify},
};

/// `ssh-rsa`.
pub static SSH_RSA: Signature = Signature {
    name: NAME,
    strength: Strength::Legacy,
    key_format: FORMAT,
    signature_format: NAME,
    verify: |key, signature, data| {
        let parameters = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
        verify(NAME, MIN_MODULUS_BITS, parameters, key, signature, data)
    },
};

/// The name of the algorithm.
pub(in crate::algorithms) const NAME: &str = "ssh-rsa";

/// The smallest modulus accepted, in bits: what old servers have, and what the library takes.
pub const MIN_MODULUS_BITS: usize = 1024;
