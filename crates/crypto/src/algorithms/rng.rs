//! [`Entropy`] in the shape that the arithmetic crates ask for.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

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
