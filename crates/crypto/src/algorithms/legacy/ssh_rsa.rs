//! `ssh-rsa`: RSA with SHA-1 (RFC 4253 section 6.6), for which RFC 8332 has successors. Keys may have 1,024 bits here.
//!
//! aws-lc-rs verifies. It does not sign with SHA-1, so that is done here, on the constant-time exponentiation of
//! `crypto-bigint`.

use aws_lc_rs::signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
use crypto_bigint::{
    BoxedUint, ConcatenatingMul as _, NonZero, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use zeroize::Zeroizing;

use crate::{
    Hash, SignError, Signature, Strength,
    algorithms::{
        KeyError, blob,
        number::bit_len,
        rsa::{FORMAT, RsaNumbers, verify},
    },
};

/// `ssh-rsa`.
pub static SSH_RSA: Signature = Signature {
    name: NAME,
    strength: Strength::Legacy,
    key_format: FORMAT,
    verify: |key, signature, data| {
        let parameters = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
        verify(NAME, MIN_MODULUS_BITS, parameters, key, signature, data)
    },
};

/// The name of the algorithm.
pub(in crate::algorithms) const NAME: &str = "ssh-rsa";

/// The smallest modulus accepted, in bits: what old servers have, and what the library takes.
pub const MIN_MODULUS_BITS: usize = 1024;

/// The half of an RSA private key that signs with SHA-1.
pub(in crate::algorithms) struct Sha1Signer {
    modulus: BoxedMontyParams,
    modulus_len: usize,
    public_exponent: BoxedUint,
    private_exponent: Zeroizing<BoxedUint>,
}

impl Sha1Signer {
    /// From numbers without leading zeros.
    pub(in crate::algorithms) fn new(n: &[u8], e: &[u8], d: &[u8]) -> Result<Self, KeyError> {
        let bits = 8 * n.len() as u32;
        let number = |bytes| BoxedUint::from_be_slice(bytes, bits).map_err(|_| KeyError::Invalid);
        let modulus = Odd::new(number(n)?).into_option().ok_or(KeyError::Invalid)?;
        Ok(Self {
            modulus: BoxedMontyParams::new_vartime(modulus),
            modulus_len: n.len(),
            public_exponent: BoxedUint::from_be_slice(e, bit_len(e) as u32).map_err(|_| KeyError::Invalid)?,
            private_exponent: Zeroizing::new(number(d)?),
        })
    }

    /// The signature blob over `data` (RFC 8017 section 8.2.1).
    pub(in crate::algorithms) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let padded = self.pad(data).ok_or(SignError::Failed)?;
        let bits = 8 * self.modulus_len as u32;
        let message = BoxedUint::from_be_slice(&padded, bits).map_err(|_| SignError::Failed)?;
        let signature = BoxedMontyForm::new(message.clone(), &self.modulus).pow(&self.private_exponent);
        // A wrong signature can give the key away.
        if signature.pow(&self.public_exponent).retrieve() != message {
            return Err(SignError::Failed);
        }
        let bytes = signature.retrieve().to_be_bytes();
        Ok(blob::write_signature(NAME, &bytes[bytes.len() - self.modulus_len..]))
    }

    /// RFC 8017 section 9.2. `None` for a modulus that is too short.
    fn pad(&self, data: &[u8]) -> Option<Vec<u8>> {
        let digest = Hash::Sha1.of(data);
        let filling = self.modulus_len.checked_sub(3 + DIGEST_INFO.len() + digest.len())?;
        Some([&[0, 1], &vec![0xff; filling][..], &[0], DIGEST_INFO, &digest].concat())
    }
}

/// Whether the numbers of a key belong together that only serves `signer`. They have no leading zeros.
pub(in crate::algorithms) fn check(numbers: &RsaNumbers<'_>, signer: &Sha1Signer) -> Result<(), KeyError> {
    let number = |bytes: &[u8]| {
        let bits = 8 * signer.modulus_len as u32;
        BoxedUint::from_be_slice(bytes, bits).map(Zeroizing::new).map_err(|_| KeyError::Invalid)
    };
    let (p, q, iqmp) = (number(numbers.p)?, number(numbers.q)?, number(numbers.iqmp)?);
    let product = Zeroizing::new(p.concatenating_mul(&*q));
    let p = NonZero::new((*p).clone()).into_option().map(Zeroizing::new).ok_or(KeyError::Invalid)?;
    let one = Zeroizing::new(iqmp.concatenating_mul(&*q).rem(&p));
    let factors = *product.to_be_bytes_trimmed_vartime() == *numbers.n && bool::from(one.is_one());
    // The signer checks what it signs, and with that its exponents.
    if factors && signer.sign(b"").is_ok() { Ok(()) } else { Err(KeyError::HalvesDiffer) }
}

/// What stands before a SHA-1 digest (RFC 8017 section 9.2 note 1).
const DIGEST_INFO: &[u8] =
    &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
