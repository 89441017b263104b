//! `ssh-dss`: DSA with SHA-1 (RFC 4253 section 6.6), of 1,024 bits with a subgroup of 160, the only size of FIPS 186-2.
//!
//! The crate `dsa` does the arithmetic, with the nonces of RFC 6979, which need no generator and cannot be biased.

use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use dsa::{
    Components, Signature as RawSignature, SigningKey, VerifyingKey, signature::hazmat::PrehashVerifier as _,
};
use sha1::Sha1;
use underpass_wire::{Mpint, Put as _};
use zeroize::Zeroizing;

use crate::{
    Hash, SignError, Signature, SignatureError, Signer, Strength,
    algorithms::{KeyError, blob, number::bit_len},
};

/// `ssh-dss`.
pub static SSH_DSS: Signature =
    Signature { name: NAME, strength: Strength::Legacy, key_format: NAME, signature_format: NAME, verify };

/// The numbers of a DSA private key, big-endian, named as in FIPS 186 and in the order of an OpenSSH private key.
#[derive(Clone, Copy)]
pub struct DsaNumbers<'a> {
    /// The prime modulus.
    pub p: &'a [u8],
    /// The prime order of the subgroup.
    pub q: &'a [u8],
    /// The generator of the subgroup.
    pub g: &'a [u8],
    /// The public number.
    pub y: &'a [u8],
    /// The private number.
    pub x: &'a [u8],
}

impl std::fmt::Debug for DsaNumbers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DsaNumbers(***)")
    }
}

/// A DSA private key. Wiped when dropped.
pub struct DsaKey {
    key: SigningKey,
    public: Vec<u8>,
}

impl DsaKey {
    /// From its numbers, which are checked to belong together.
    ///
    /// # Errors
    /// A number is out of range, or they do not belong together.
    pub fn new(numbers: &DsaNumbers<'_>) -> Result<Self, KeyError> {
        let [p, q, g, y, x] = [numbers.p, numbers.q, numbers.g, numbers.y, numbers.x]
            .map(|number| Mpint::from_magnitude(number).as_bytes());
        let bits = bit_len(p);
        if bits != MODULUS_BITS as usize {
            return Err(KeyError::Size { bits });
        }
        let verifying = public_key(p, q, g, y).ok_or(KeyError::Invalid)?;
        let private = BoxedUint::from_be_slice(x, SUBGROUP_BITS).map_err(|_| KeyError::Invalid)?;
        let key = SigningKey::from_components(verifying, private).map_err(|_| KeyError::Invalid)?;
        let mut public = Vec::new();
        public.put_string(NAME.as_bytes());
        [p, q, g, y].into_iter().for_each(|number| public.put_mpint(number));
        let key = Self { key, public };
        // The library does not compare the halves; a signature does.
        let signature = key.sign(NAME, b"").map_err(|_| KeyError::Invalid)?;
        verify(&key.public, &signature, b"").map_err(|_| KeyError::HalvesDiffer)?;
        Ok(key)
    }
}

/// The public number that belongs to a private one, for formats that leave it out. In constant time.
///
/// # Errors
/// A number is out of range, or the modulus is of another size.
pub fn public_number(p: &[u8], g: &[u8], x: &[u8]) -> Result<Vec<u8>, KeyError> {
    let [p, g, x] = [p, g, x].map(|number| Mpint::from_magnitude(number).as_bytes());
    let bits = bit_len(p);
    if bits != MODULUS_BITS as usize {
        return Err(KeyError::Size { bits });
    }
    let number = |bytes, bits| BoxedUint::from_be_slice(bytes, bits).map_err(|_| KeyError::Invalid);
    let modulus = Odd::new(number(p, MODULUS_BITS)?).into_option().ok_or(KeyError::Invalid)?;
    let x = Zeroizing::new(number(x, SUBGROUP_BITS)?);
    let generator = BoxedMontyForm::new(number(g, MODULUS_BITS)?, &BoxedMontyParams::new_vartime(modulus));
    Ok(generator.pow(&x).retrieve().to_be_bytes().into())
}

impl Signer for DsaKey {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn algorithms(&self) -> &[&'static str] {
        &[NAME]
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        if algorithm != NAME {
            return Err(SignError::UnsupportedAlgorithm);
        }
        let digest = Hash::Sha1.of(data);
        let signature = self.key.sign_prehashed_rfc6979::<Sha1>(&digest).map_err(|_| SignError::Failed)?;
        // RFC 4253 section 6.6: both numbers at their full length, one after the other.
        let mut inside = [0; SIGNATURE_LEN];
        for (half, number) in inside.chunks_mut(SIGNATURE_LEN / 2).zip([signature.r(), signature.s()]) {
            let bytes = number.to_be_bytes();
            half.copy_from_slice(&bytes[bytes.len() - half.len()..]);
        }
        Ok(blob::write_signature(NAME, &inside))
    }
}

impl std::fmt::Debug for DsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DsaKey(***)")
    }
}

fn verify(key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), SignatureError> {
    let [p, q, g, y] = blob::public_key(key, NAME, |fields| {
        Ok([fields.mpint()?, fields.mpint()?, fields.mpint()?, fields.mpint()?])
    })?;
    let key =
        public_key(p.as_bytes(), q.as_bytes(), g.as_bytes(), y.as_bytes()).ok_or(SignatureError::Key)?;
    let inside = blob::signature(signature, NAME)?;
    if inside.len() != SIGNATURE_LEN {
        return Err(SignatureError::Malformed);
    }
    let (r, s) = inside.split_at(SIGNATURE_LEN / 2);
    let half = |bytes| BoxedUint::from_be_slice(bytes, SUBGROUP_BITS).map_err(|_| SignatureError::Malformed);
    // Zero is excluded here, and what is not below q by the library.
    let signature = RawSignature::from_components(half(r)?, half(s)?).ok_or(SignatureError::Mismatch)?;
    key.verify_prehash(&Hash::Sha1.of(data), &signature).map_err(|_| SignatureError::Mismatch)
}

/// `None` for numbers without leading zeros that are of other sizes, or make no key. The sizes are looked at first, so
/// that a hostile key costs no more than an honest one.
fn public_key(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Option<VerifyingKey> {
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    let sized = bit_len(p) == MODULUS_BITS as usize && bit_len(q) == SUBGROUP_BITS as usize;
    if !sized || !odd(p) || !odd(q) || bit_len(g) < 2 {
        return None;
    }
    let number = |bytes, bits| BoxedUint::from_be_slice(bytes, bits).ok();
    let (p, q, g) = (number(p, MODULUS_BITS)?, number(q, SUBGROUP_BITS)?, number(g, MODULUS_BITS)?);
    let y = number(y, MODULUS_BITS).filter(|y| *y < p)?;
    let components = Components::from_components(p, q, g).ok()?;
    VerifyingKey::from_components(components, y).ok()
}

const NAME: &str = "ssh-dss";
const MODULUS_BITS: u32 = 1024;
const SUBGROUP_BITS: u32 = 160;
/// Bytes of a signature: two numbers below the order of the subgroup.
pub(in crate::algorithms) const SIGNATURE_LEN: usize = 40;
