//! The relay that pays for one encryption.

use std::io;
use std::net::SocketAddr;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use tokio::net::TcpStream;

use super::plain::relay_through;

/// Passes bytes between `client` and a new connection to `to`, each sealed once.
pub(super) async fn relay(client: TcpStream, to: SocketAddr) -> io::Result<()> {
    relay_through(client, to, || {
        let mut sealer = Sealer::new();
        move |bytes: &mut [u8]| sealer.seal(bytes)
    })
    .await
}

struct Sealer {
    key: LessSafeKey,
    packets: u64,
}

impl Sealer {
    fn new() -> Self {
        // Directions need keys that differ: with one key stream, what an echo returns would come back unsealed.
        let mut key = [0; 16];
        rand::fill(&mut key).expect("the operating system has random bytes");
        let key = UnboundKey::new(&AES_128_GCM, &key).expect("AES-128 keys have 16 bytes");
        Self { key: LessSafeKey::new(key), packets: 0 }
    }

    fn seal(&mut self, bytes: &mut [u8]) {
        for packet in bytes.chunks_mut(PACKET) {
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&self.packets.to_be_bytes());
            self.packets += 1;
            // Nobody will open the packet, so its tag is not kept.
            let _tag = self
                .key
                .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), packet)
                .expect("a packet is far below the limit of AES-GCM");
        }
    }
}

/// The usual maximum packet size of an SSH channel (RFC 4253 §6.1).
const PACKET: usize = 32 * 1024;
