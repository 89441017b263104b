//! Diffie-Hellman in groups of integers modulo a prime: `diffie-hellman-group14-sha256`, `-group16-sha512` and
//! `-group18-sha512` (RFC 8268), and `diffie-hellman-group-exchange-sha256` (RFC 4419). Those with SHA-1 are among the
//! [legacy](super::legacy::diffie_hellman) algorithms.
//!
//! The arithmetic is that of `crypto-bigint`: its exponentiation takes the same time for every exponent.

mod group;
mod primes;
mod sizes;
#[cfg(test)]
mod tests;

pub use group::DhGroup;
pub use sizes::GroupSizes;

use crate::{
    Agreement, Encoding, Entropy, Hash, Initiator, Kex, KexError, KexMethod, OwnHasher, Proof, Response,
    Strength,
};

/// `diffie-hellman-group14-sha256`.
pub static DH_GROUP14_SHA256: Kex =
    modern("diffie-hellman-group14-sha256", Hash::Sha256, KexMethod::Agreement(&GROUP14));

/// `diffie-hellman-group16-sha512`.
pub static DH_GROUP16_SHA512: Kex =
    modern("diffie-hellman-group16-sha512", Hash::Sha512, KexMethod::Agreement(&GROUP16));

/// `diffie-hellman-group18-sha512`.
pub static DH_GROUP18_SHA512: Kex =
    modern("diffie-hellman-group18-sha512", Hash::Sha512, KexMethod::Agreement(&GROUP18));

/// `diffie-hellman-group-exchange-sha256`.
pub static DH_GROUP_EXCHANGE_SHA256: Kex =
    modern("diffie-hellman-group-exchange-sha256", Hash::Sha256, KexMethod::GroupExchange);

const fn modern(name: &'static str, hash: Hash, method: KexMethod) -> Kex {
    Kex { name, strength: Strength::Modern, hash, hasher: &OwnHasher, method, proof: Proof::HostKey }
}

/// Oakley group 2, which RFC 4253 section 8.1 calls group 1.
pub(super) static GROUP1: FixedGroup = FixedGroup(&primes::MODP_1024);
pub(super) static GROUP14: FixedGroup = FixedGroup(&primes::MODP_2048);
static GROUP16: FixedGroup = FixedGroup(&primes::MODP_4096);
static GROUP18: FixedGroup = FixedGroup(&primes::MODP_8192);

/// What a server in a group exchange picks from, the smallest first.
const OFFERED: [&[u8]; 5] =
    [&primes::MODP_2048, &primes::MODP_3072, &primes::MODP_4096, &primes::MODP_6144, &primes::MODP_8192];

/// A group that the method's name stands for: its prime; the generator is 2.
pub(super) struct FixedGroup(&'static [u8]);

impl Agreement for FixedGroup {
    fn public_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    fn secret_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        DhGroup::with_generator_2(self.0)?.initiate(entropy)
    }

    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError> {
        DhGroup::with_generator_2(self.0)?.respond(client_public, entropy)
    }
}
