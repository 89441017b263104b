//! HMACs with old hashes, and with a tag cut to 96 bits: `hmac-sha1`, `hmac-md5` and their `-96` forms (RFC 4253
//! section 6.4); OpenSSH's encrypt-then-MAC form of the first; `hmac-ripemd160` and the `-96` forms of it and of the SHA-2 family, which no RFC defines and which
//! follow the same pattern.
//!
//! SHA-1 by aws-lc-rs like SHA-2. It has neither MD5 nor RIPEMD-160, which are RustCrypto's.

use aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
use hmac::{EagerHash, Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use ripemd::Ripemd160;

use crate::{
    Failed, Mac, MacKey, Strength,
    algorithms::hmac::{HMAC_SHA2_256, HMAC_SHA2_512, new_aws_lc},
};

/// `hmac-sha1`.
pub static HMAC_SHA1: Mac = mac("hmac-sha1", 20, 20, |key| new_aws_lc(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key));

/// `hmac-sha1-etm@openssh.com`.
pub static HMAC_SHA1_ETM: Mac = Mac {
    encrypt_then_mac: true,
    ..mac("hmac-sha1-etm@openssh.com", HMAC_SHA1.key_len, HMAC_SHA1.tag_len, HMAC_SHA1.new)
};

/// `hmac-sha1-96`.
pub static HMAC_SHA1_96: Mac = mac("hmac-sha1-96", 20, CUT_LEN, HMAC_SHA1.new);

/// `hmac-md5`.
pub static HMAC_MD5: Mac = mac("hmac-md5", 16, 16, new::<Md5>);

/// `hmac-md5-96`.
pub static HMAC_MD5_96: Mac = mac("hmac-md5-96", 16, CUT_LEN, HMAC_MD5.new);

/// `hmac-ripemd160`.
pub static HMAC_RIPEMD160: Mac = mac("hmac-ripemd160", 20, 20, new::<Ripemd160>);

/// `hmac-ripemd160-96`.
pub static HMAC_RIPEMD160_96: Mac = mac("hmac-ripemd160-96", 20, CUT_LEN, HMAC_RIPEMD160.new);

/// `hmac-sha2-256-96`.
pub static HMAC_SHA2_256_96: Mac = mac("hmac-sha2-256-96", 32, CUT_LEN, HMAC_SHA2_256.new);

/// `hmac-sha2-512-96`.
pub static HMAC_SHA2_512_96: Mac = mac("hmac-sha2-512-96", 64, CUT_LEN, HMAC_SHA2_512.new);

const fn mac(name: &'static str, key_len: usize, tag_len: usize, new: fn(&[u8]) -> Box<dyn MacKey>) -> Mac {
    Mac { name, strength: Strength::Legacy, key_len, tag_len, encrypt_then_mac: false, new }
}

fn new<D>(key: &[u8]) -> Box<dyn MacKey>
where
    D: EagerHash + 'static,
    Hmac<D>: Clone + Send,
{
    Box::new(Keyed(Hmac::<D>::new_from_slice(key).expect("HMAC takes keys of any length")))
}

/// The key's two blocks are hashed once, here; a packet starts from a copy of that state.
struct Keyed<D: EagerHash>(Hmac<D>);

impl<D: EagerHash> MacKey for Keyed<D>
where
    Hmac<D>: Clone + Send,
{
    fn sign(&mut self, sequence: u32, packet: &[u8], tag: &mut [u8]) -> Result<(), Failed> {
        let mut state = self.0.clone();
        // RFC 4253 section 6.4: the sequence number comes first and is not sent.
        state.update(&sequence.to_be_bytes());
        state.update(packet);
        tag.copy_from_slice(&state.finalize().into_bytes()[..tag.len()]);
        Ok(())
    }
}

/// Bytes of a tag that is cut to 96 bits.
const CUT_LEN: usize = 12;
