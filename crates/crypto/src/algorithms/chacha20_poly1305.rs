//! `chacha20-poly1305@openssh.com` (OpenSSH PROTOCOL.chacha20poly1305).
//!
//! aws-lc-rs: 1.7 GB/s. The construction cannot use a fused implementation of RFC 8439 (2.3 GB/s), because the tag
//! covers the bare packet without RFC 8439's padding and length block, and putting it together from
//! RustCrypto's `chacha20` (2.2) and `poly1305` (4.3) is slower.

use aws_lc_rs::aead::chacha20_poly1305_openssh::{KEY_LEN, OpeningKey, SealingKey, TAG_LEN};

use crate::{Aead, Cipher, CipherKind, Failed, Strength, packet::Forged};

/// `chacha20-poly1305@openssh.com`.
pub static CHACHA20_POLY1305: Cipher = Cipher {
    name: "chacha20-poly1305@openssh.com",
    strength: Strength::Modern,
    key_len: KEY_LEN,
    iv_len: 0,
    block_len: 8,
    kind: CipherKind::Aead { tag_len: TAG_LEN, new },
};

fn new(key: &[u8], _iv: &[u8]) -> Box<dyn Aead> {
    let key = key.try_into().expect("the key is as long as the cipher asks");
    Box::new(ChaCha20Poly1305 { sealing: SealingKey::new(key), opening: OpeningKey::new(key) })
}

/// Stateless: the nonce is the packet's sequence number.
struct ChaCha20Poly1305 {
    sealing: SealingKey,
    opening: OpeningKey,
}

impl Aead for ChaCha20Poly1305 {
    fn length(&mut self, sequence: u32, head: [u8; 4]) -> u32 {
        u32::from_be_bytes(self.opening.decrypt_packet_length(sequence, head))
    }

    fn seal(&mut self, sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed> {
        let tag = tag.try_into().expect("the tag is as long as the cipher says");
        self.sealing.seal_in_place(sequence, packet, tag);
        Ok(())
    }

    fn open(&mut self, sequence: u32, packet: &mut [u8], tag: &[u8]) -> Result<(), Forged> {
        let tag = tag.try_into().map_err(|_| Forged)?;
        self.opening.open_in_place(sequence, packet, tag).map(drop).map_err(|_| Forged)
    }
}
