//! `3des-ctr` (RFC 4344 section 4).

use ctr::{
    Ctr64BE,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use des::TdesEde3;

use crate::{Cipher, CipherKind, Failed, Keystream, Strength, Way};

/// `3des-ctr`.
pub static TRIPLE_DES_CTR: Cipher = Cipher {
    name: "3des-ctr",
    strength: Strength::Legacy,
    key_len: 24,
    iv_len: BLOCK_LEN,
    block_len: BLOCK_LEN,
    kind: CipherKind::Plain { new, chained: false },
};

fn new(key: &[u8], iv: &[u8], _way: Way) -> Box<dyn Keystream> {
    Box::new(Ctr(Ctr64BE::new_from_slices(key, iv).expect("key and vector are as long as the cipher asks")))
}

/// One direction of a connection. The counter, 64 bits big-endian, lives on across packets.
struct Ctr(Ctr64BE<TdesEde3>);

impl Keystream for Ctr {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.0.apply_keystream(bytes);
        Ok(())
    }
}

const BLOCK_LEN: usize = 8;
