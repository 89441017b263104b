//! Diffie-Hellman with SHA-1: `diffie-hellman-group1-sha1` and `-group14-sha1` (RFC 4253 section 8),
//! `diffie-hellman-group-exchange-sha1` (RFC 4419). RFC 9142 advises against all of them.

use crate::{
    Hash, Kex, KexMethod, OwnHasher, Proof, Strength,
    algorithms::dh::{GROUP1, GROUP14},
};

/// `diffie-hellman-group1-sha1`. Its group has 1,024 bits, within reach of states.
pub static DH_GROUP1_SHA1: Kex = legacy("diffie-hellman-group1-sha1", KexMethod::Agreement(&GROUP1));

/// `diffie-hellman-group14-sha1`.
pub static DH_GROUP14_SHA1: Kex = legacy("diffie-hellman-group14-sha1", KexMethod::Agreement(&GROUP14));

/// `diffie-hellman-group-exchange-sha1`.
pub static DH_GROUP_EXCHANGE_SHA1: Kex =
    legacy("diffie-hellman-group-exchange-sha1", KexMethod::GroupExchange);

const fn legacy(name: &'static str, method: KexMethod) -> Kex {
    let (strength, hash, proof) = (Strength::Legacy, Hash::Sha1, Proof::HostKey);
    Kex { name, strength, hash, hasher: &OwnHasher, method, proof }
}
