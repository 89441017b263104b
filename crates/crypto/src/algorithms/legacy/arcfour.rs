//! `arcfour` (RFC 4253 section 6.3), `arcfour128` and `arcfour256` (RFC 4345). RFC 8758 deprecates all three: the
//! keystream is biased.

use rc4::{KeyInit as _, Rc4, StreamCipher as _};

use crate::{Cipher, CipherKind, Failed, Keystream, NewKeystream, Strength};

/// `arcfour`: a key of 128 bits, from the very beginning of the keystream.
pub static ARCFOUR: Cipher = cipher("arcfour", 16, |key, _, _| new(key, 0));

/// `arcfour128`.
pub static ARCFOUR128: Cipher = cipher("arcfour128", 16, |key, _, _| new(key, DISCARDED));

/// `arcfour256`.
pub static ARCFOUR256: Cipher = cipher("arcfour256", 32, |key, _, _| new(key, DISCARDED));

const fn cipher(name: &'static str, key_len: usize, new: NewKeystream) -> Cipher {
    Cipher {
        name,
        strength: Strength::Legacy,
        key_len,
        iv_len: 0,
        block_len: 8,
        kind: CipherKind::Plain { new, chained: false },
    }
}

fn new(key: &[u8], discarded: usize) -> Box<dyn Keystream> {
    let mut stream = Rc4::new_from_slice(key).expect("the key is as long as the cipher asks");
    stream.apply_keystream(&mut [0; DISCARDED][..discarded]);
    Box::new(Arcfour(stream))
}

/// One direction of a connection. The keystream runs on across packets.
struct Arcfour(Rc4);

impl Keystream for Arcfour {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.0.apply_keystream(bytes);
        Ok(())
    }
}

/// RFC 4345 section 4: the first bytes of the keystream tell too much about the key.
const DISCARDED: usize = 1536;
