//! Verifying signatures.

use std::ffi::CStr;

use underpass_crypto::{
    Hash, SignatureError,
    algorithms::{
        blob,
        ecdsa::{Curve, to_der},
        ed25519,
        rsa::{MIN_MODULUS_BITS, RsaPublic},
    },
};

use crate::ffi::{Key, Params, Parts};
use crate::hashing::name;
use crate::module::Chosen;

type Verdict = Result<(), SignatureError>;

/// `rsa-sha2-256` and `rsa-sha2-512` (RFC 8332).
pub(crate) fn rsa<M: Chosen>(
    algorithm: &str,
    hash: Hash,
    key: &[u8],
    signature: &[u8],
    data: &[u8],
) -> Verdict {
    let public = RsaPublic::parse(key, MIN_MODULUS_BITS)?;
    let signature = public.signature(signature, algorithm)?;
    let numbers = Params::default().number(c"n", public.n).number(c"e", public.e);
    verify::<M>(RSA, numbers, Some(name(hash)), &signature, data)
}

/// `ecdsa-sha2-*` (RFC 5656 section 3).
pub(crate) fn ecdsa<M: Chosen>(curve: Curve, key: &[u8], signature: &[u8], data: &[u8]) -> Verdict {
    let point = curve.point(key)?;
    let signature = to_der(&curve.signature(signature)?).ok_or(SignatureError::Malformed)?;
    let numbers = Params::default().text(c"group", group(curve)).bytes(c"pub", point);
    verify::<M>(EC, numbers, Some(name(curve.hash())), &signature, data)
}

/// `ssh-ed25519` (RFC 8709).
pub(crate) fn ed25519<M: Chosen>(key: &[u8], signature: &[u8], data: &[u8]) -> Verdict {
    let numbers = Params::default().bytes(c"pub", ed25519::point(key)?);
    verify::<M>(ED25519, numbers, None, blob::signature(signature, "ssh-ed25519")?, data)
}

fn verify<M: Chosen>(
    kind: &CStr,
    numbers: Params,
    hash: Option<&CStr>,
    signature: &[u8],
    data: &[u8],
) -> Verdict {
    // The library refuses points that are not on the curve (RFC 5656 section 3.1). Whether a modulus is one would take it
    // seconds to find out; a server that has a bad one harms itself.
    let key = Key::import(M::context(), kind, Parts::Public, numbers);
    match key.and_then(|key| key.verify(hash, signature, data)) {
        Some(true) => Ok(()),
        Some(false) => Err(SignatureError::Mismatch),
        None => Err(SignatureError::Key),
    }
}

/// How the library calls a curve.
pub(crate) const fn group(curve: Curve) -> &'static CStr {
    match curve {
        Curve::Nistp256 => c"P-256",
        Curve::Nistp384 => c"P-384",
        Curve::Nistp521 => c"P-521",
    }
}

/// How the library calls keys; those of RSA and Ed25519 bear the name of their signatures.
pub(crate) const RSA: &CStr = c"RSA";
pub(crate) const EC: &CStr = c"EC";
pub(crate) const ED25519: &CStr = c"ED25519";
/// How it calls signatures with keys on curves.
pub(crate) const ECDSA: &CStr = c"ECDSA";
