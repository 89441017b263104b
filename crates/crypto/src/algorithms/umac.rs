//! UMAC (RFC 4418) as OpenSSH uses it: `umac-64@openssh.com`, `umac-128@openssh.com` and their encrypt-then-MAC forms.
//!
//! A universal hash of the packet, quick because it multiplies words of 32 bits, under a pad that AES makes from the
//! sequence number, which takes no other part. Written here: no crate that is kept up has it.

mod uhash;

use aes::{
    Aes128,
    cipher::{Array, BlockCipherEncrypt as _, KeyInit as _},
};
use zeroize::Zeroizing;

use self::uhash::{MAX_MESSAGE, Uhash};
use crate::{Failed, Mac, MacKey, Strength, packet::MAX_PACKET_LENGTH};

/// `umac-128-etm@openssh.com`.
pub static UMAC_128_ETM: Mac = mac::<4>("umac-128-etm@openssh.com", Strength::Modern, true);

/// `umac-128@openssh.com`.
pub static UMAC_128: Mac = mac::<4>("umac-128@openssh.com", Strength::Modern, false);

/// `umac-64-etm@openssh.com`. A tag of 64 bits is too short for today.
pub static UMAC_64_ETM: Mac = mac::<2>("umac-64-etm@openssh.com", Strength::Legacy, true);

/// `umac-64@openssh.com`.
pub static UMAC_64: Mac = mac::<2>("umac-64@openssh.com", Strength::Legacy, false);

const fn mac<const WORDS: usize>(name: &'static str, strength: Strength, encrypt_then_mac: bool) -> Mac {
    Mac { name, strength, key_len: BLOCK_LEN, tag_len: 4 * WORDS, encrypt_then_mac, new: new::<WORDS> }
}

fn new<const WORDS: usize>(key: &[u8]) -> Box<dyn MacKey> {
    Box::new(Umac::<WORDS>::new(key))
}

/// A keyed code with a tag of `WORDS` words of 32 bits: 2 or 4.
struct Umac<const WORDS: usize> {
    hash: Uhash<WORDS>,
    pad: Aes128,
}

impl<const WORDS: usize> MacKey for Umac<WORDS> {
    fn sign(&mut self, sequence: u32, packet: &[u8], tag: &mut [u8]) -> Result<(), Failed> {
        self.tag(sequence.into(), packet, tag);
        Ok(())
    }
}

impl<const WORDS: usize> Umac<WORDS> {
    fn new(key: &[u8]) -> Self {
        let cipher = Aes128::new_from_slice(key).expect("the key is as long as the MAC asks");
        let mut pad_key = Zeroizing::new([0; BLOCK_LEN]);
        derive(&cipher, PAD_KEY, pad_key.as_mut_slice());
        let hash = Uhash::new(|index, key| derive(&cipher, index, key));
        Self { hash, pad: Aes128::new((&*pad_key).into()) }
    }

    /// OpenSSH's nonce has 8 bytes.
    fn tag(&self, nonce: u64, message: &[u8], tag: &mut [u8]) {
        // RFC 4418 section 3.3: a block of AES serves as many nonces as it holds tags.
        let index = nonce % (4 / WORDS as u64);
        let mut pad = Array::from([0; BLOCK_LEN]);
        pad[..8].copy_from_slice(&(nonce - index).to_be_bytes());
        self.pad.encrypt_block(&mut pad);
        let pad = &pad[4 * WORDS * index as usize..];
        let words = self.hash.of(message).map(u32::to_be_bytes);
        for ((tag, hash), pad) in tag.iter_mut().zip(words.as_flattened()).zip(pad) {
            *tag = hash ^ pad;
        }
    }
}

/// The key derivation (RFC 4418 section 3.2): fills `key` with the key of this index.
fn derive(cipher: &Aes128, index: u8, key: &mut [u8]) {
    for (part, counter) in key.chunks_mut(BLOCK_LEN).zip(1_u64..) {
        let mut block = Array::from([0; BLOCK_LEN]);
        block[BLOCK_LEN / 2 - 1] = index;
        block[BLOCK_LEN / 2..].copy_from_slice(&counter.to_be_bytes());
        cipher.encrypt_block(&mut block);
        part.copy_from_slice(&block[..part.len()]);
    }
}

const BLOCK_LEN: usize = 16;

/// The index under which the key of the pad is derived.
const PAD_KEY: u8 = 0;

// What is signed is a packet and its length field.
const _: () = assert!(4 + MAX_PACKET_LENGTH <= MAX_MESSAGE);

#[cfg(test)]
mod tests;
