//! Signing without the library, which neither signs with SHA-1 nor with keys of fewer than 2048 or more than 8192 bits.
//!
//! On the constant-time exponentiation of `crypto-bigint`, with the whole private exponent: using the primes would be
//! four times as fast, and leave them behind in memory that is not wiped.

use crypto_bigint::{
    BoxedUint, ConcatenatingMul as _, NonZero, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use zeroize::Zeroizing;

use super::RsaNumbers;
use crate::{
    Hash, PrivateNumbers, Secret, SignError,
    algorithms::{KeyError, number::bit_len},
};

/// The exponents and the modulus of a private key.
pub(super) struct PlainSigner {
    modulus: BoxedMontyParams,
    modulus_len: usize,
    public_exponent: BoxedUint,
    private_exponent: Zeroizing<BoxedUint>,
}

impl PlainSigner {
    /// From numbers without leading zeros.
    pub(super) fn new(n: &[u8], e: &[u8], d: &[u8]) -> Result<Self, KeyError> {
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

    pub(super) fn numbers(&self) -> PrivateNumbers {
        PrivateNumbers::Rsa {
            n: self.modulus.modulus().as_ref().to_be_bytes_trimmed_vartime().into_vec(),
            e: self.public_exponent.to_be_bytes_trimmed_vartime().into_vec(),
            d: Secret::new(self.private_exponent.to_be_bytes()),
        }
    }

    /// The signature over `data` (RFC 8017 section 8.2.1).
    pub(super) fn sign(&self, hash: Hash, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let padded = self.pad(hash, data).ok_or(SignError::Failed)?;
        let bits = 8 * self.modulus_len as u32;
        let message = BoxedUint::from_be_slice(&padded, bits).map_err(|_| SignError::Failed)?;
        let signature = BoxedMontyForm::new(message.clone(), &self.modulus).pow(&self.private_exponent);
        // A wrong signature can give the key away.
        if signature.pow(&self.public_exponent).retrieve() != message {
            return Err(SignError::Failed);
        }
        let bytes = signature.retrieve().to_be_bytes();
        Ok(bytes[bytes.len() - self.modulus_len..].to_vec())
    }

    /// RFC 8017 section 9.2. `None` for a modulus that is too short.
    fn pad(&self, hash: Hash, data: &[u8]) -> Option<Vec<u8>> {
        let (info, digest) = (hash.digest_info(), hash.of(data));
        let filling = self.modulus_len.checked_sub(3 + info.len() + digest.len())?;
        Some([&[0, 1], &vec![0xff; filling][..], &[0], info, &digest].concat())
    }
}

/// Whether the numbers of a key, which have no leading zeros, belong together: RFC 8017 section 3.2, but for whether
/// the factors are primes.
pub(super) fn check(numbers: &RsaNumbers<'_>) -> Result<(), KeyError> {
    let bits = 8 * numbers.n.len() as u32;
    let number =
        |bytes| BoxedUint::from_be_slice(bytes, bits).map(Zeroizing::new).map_err(|_| KeyError::Invalid);
    let (e, d, iqmp) = (number(numbers.e)?, number(numbers.d)?, number(numbers.iqmp)?);
    let (p, q) = (number(numbers.p)?, number(numbers.q)?);
    // Whether a product is 1 modulo another number.
    let inverse = |a: &BoxedUint, b: &BoxedUint, modulus: BoxedUint| {
        let modulus = NonZero::new(modulus).into_option().map(Zeroizing::new).ok_or(KeyError::Invalid)?;
        let product = Zeroizing::new(a.concatenating_mul(b));
        Ok(bool::from(Zeroizing::new(product.rem(&*modulus)).is_one()))
    };
    let less_one = |prime: &BoxedUint| prime.wrapping_sub(BoxedUint::one());
    let product = Zeroizing::new(p.concatenating_mul(&*q));
    let together = *product.to_be_bytes_trimmed_vartime() == *numbers.n
        && inverse(&iqmp, &q, (*p).clone())?
        && inverse(&d, &e, less_one(&p))?
        && inverse(&d, &e, less_one(&q))?;
    if together { Ok(()) } else { Err(KeyError::HalvesDiffer) }
}
