//! Signing with private keys of this process.

use std::ffi::CStr;
use std::sync::Arc;

use underpass_crypto::{
    Hash, PrivateNumbers, SignError, Signer,
    algorithms::{blob::write_signature, ecdsa::Curve, rsa::MIN_MODULUS_BITS},
    key_bits, key_type,
};

use crate::Mode;
use crate::error::{Cause, Error};
use crate::ffi::{Key, Params, Parts};
use crate::hashing::name;
use crate::module::{self, Chosen};
use crate::verify::{EC, ED25519, RSA, group};

/// The same key in the library.
pub(crate) fn signer<M: Chosen>(key: &dyn Signer) -> Result<Option<Arc<dyn Signer>>, Error> {
    module::load::<M>()?;
    let Some(numbers) = key.private_numbers() else { return Ok(None) };
    let (kind, numbers, schemes) = taken_apart(&numbers);
    let refused = || Error::new(Cause::Key(M::MODE), key.algorithms().first().copied().unwrap_or_default());
    let imported = Key::import(M::context(), kind, Parts::Pair, numbers).ok_or_else(refused)?;
    // Up to 3.3 the FIPS provider refuses by itself; since then it lets what is not approved pass, unless it was installed
    // otherwise.
    let approved = |scheme: &&Scheme| M::MODE == Mode::System || scheme.is_approved(key.public_key());
    let able = |scheme: &&Scheme| approved(scheme) && imported.can_sign(scheme.hash.map(name));
    let schemes: Vec<Scheme> = schemes.iter().filter(able).copied().collect();
    if schemes.is_empty() {
        return Err(refused());
    }
    let algorithms = schemes.iter().map(|scheme| scheme.algorithm).collect();
    Ok(Some(Arc::new(LibraryKey { public: key.public_key().to_vec(), key: imported, schemes, algorithms })))
}

/// How a key signs for an algorithm.
#[derive(Clone, Copy)]
struct Scheme {
    algorithm: &'static str,
    /// `None`: it hashes by itself.
    hash: Option<Hash>,
    /// The library gives both halves of a signature in ASN.1.
    curve: Option<Curve>,
}

impl Scheme {
    /// NIST SP 800-131A rev. 2, sections 3 and 9: neither SHA-1 nor short RSA keys.
    fn is_approved(self, key: &[u8]) -> bool {
        let is_short =
            key_type(key) == Some("ssh-rsa") && key_bits(key).is_none_or(|bits| bits < MIN_MODULUS_BITS);
        self.hash != Some(Hash::Sha1) && !is_short
    }
}

const fn scheme(algorithm: &'static str, hash: Option<Hash>, curve: Option<Curve>) -> Scheme {
    Scheme { algorithm, hash, curve }
}

const fn ecdsa(curve: Curve) -> [Scheme; 1] {
    [scheme(curve.algorithm(), Some(curve.hash()), Some(curve))]
}

/// Best first. Whether the last one is allowed outside of FIPS, too, is for the library to say.
const RSA_SCHEMES: &[Scheme] = &[
    scheme("rsa-sha2-512", Some(Hash::Sha512), None),
    scheme("rsa-sha2-256", Some(Hash::Sha256), None),
    scheme("ssh-rsa", Some(Hash::Sha1), None),
];
const ED25519_SCHEMES: &[Scheme] = &[scheme("ssh-ed25519", None, None)];
const NISTP256_SCHEMES: &[Scheme] = &ecdsa(Curve::Nistp256);
const NISTP384_SCHEMES: &[Scheme] = &ecdsa(Curve::Nistp384);
const NISTP521_SCHEMES: &[Scheme] = &ecdsa(Curve::Nistp521);

/// The kind of the key, its numbers, and how it signs.
fn taken_apart(numbers: &PrivateNumbers) -> (&'static CStr, Params, &'static [Scheme]) {
    let params = Params::default();
    match numbers {
        PrivateNumbers::Rsa { n, e, d } => {
            let params = params.number(c"n", n).number(c"e", e).number(c"d", d.expose());
            (RSA, params, RSA_SCHEMES)
        }
        PrivateNumbers::Ecdsa { curve, scalar, point } => {
            let params =
                params.text(c"group", group(*curve)).number(c"priv", scalar.expose()).bytes(c"pub", point);
            let schemes = match curve {
                Curve::Nistp256 => NISTP256_SCHEMES,
                Curve::Nistp384 => NISTP384_SCHEMES,
                Curve::Nistp521 => NISTP521_SCHEMES,
            };
            (EC, params, schemes)
        }
        PrivateNumbers::Ed25519 { seed } => (ED25519, params.bytes(c"priv", seed.expose()), ED25519_SCHEMES),
    }
}

/// A private key in the library. Wiped there when dropped.
struct LibraryKey {
    public: Vec<u8>,
    key: Key,
    schemes: Vec<Scheme>,
    algorithms: Vec<&'static str>,
}

impl Signer for LibraryKey {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn algorithms(&self) -> &[&'static str] {
        &self.algorithms
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let scheme = self.schemes.iter().find(|scheme| scheme.algorithm == algorithm);
        let scheme = scheme.ok_or(SignError::UnsupportedAlgorithm)?;
        let signature = self.key.sign(scheme.hash.map(name), data).ok_or(SignError::Failed)?;
        match scheme.curve {
            Some(curve) => curve.signature_from_der(&signature).ok_or(SignError::Failed),
            None => Ok(write_signature(algorithm, &signature)),
        }
    }
}
