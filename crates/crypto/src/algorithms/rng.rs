//! [`Entropy`] in the shape that the arithmetic crates ask for.

use std::convert::Infallible;

use p256::elliptic_curve::{Curve, SecretKey, array::Array};
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::Entropy;

/// Draws from an [`Entropy`].
pub(super) struct Rng<'a>(pub(super) &'a mut dyn Entropy);

impl Rng<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl TryRng for Rng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

// `Entropy` promises cryptographic strength.
impl TryCryptoRng for Rng<'_> {}

/// A private key on a curve whose order has `order_bits` bits: uniform, by rejection.
///
/// The crate's own generator does not mask, so on P-521 it would throw 127 of 128 draws away.
pub(super) fn secret_key<C: Curve>(order_bits: usize, entropy: &mut dyn Entropy) -> SecretKey<C> {
    let mut scalar = Zeroizing::new(Array::default());
    let spare_bits = 8 * scalar.len() - order_bits;
    loop {
        entropy.fill(&mut scalar);
        scalar[0] &= 0xff >> spare_bits;
        if let Ok(key) = SecretKey::from_bytes(&scalar) {
            return key;
        }
    }
}
