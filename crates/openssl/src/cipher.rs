//! AES in GCM and in counter mode, and ChaCha20 with Poly1305.

use std::ffi::CStr;

use subtle::ConstantTimeEq as _;
use underpass_crypto::{Aead, Failed, Keystream, Way, packet::Forged};
use zeroize::Zeroizing;

use crate::ffi::{Cipher, CipherState, KeyedState, Mac, Params};
use crate::module::Chosen;

/// `aes*-gcm@openssh.com`: RFC 5647, where the cipher alone decides.
pub(crate) fn gcm<M: Chosen>(name: &CStr, key: &[u8], iv: &[u8]) -> Box<dyn Aead> {
    Box::new(Gcm { state: state::<M>(name, key, Some(iv), Way::Encrypt), nonce: Nonce::new(iv) })
}

/// `aes*-ctr` (RFC 4344 section 4).
pub(crate) fn ctr<M: Chosen>(name: &CStr, key: &[u8], iv: &[u8], way: Way) -> Box<dyn Keystream> {
    Box::new(Ctr(state::<M>(name, key, Some(iv), way)))
}

/// `chacha20-poly1305@openssh.com` (OpenSSH PROTOCOL.chacha20poly1305): two keys, that of the packets first.
pub(crate) fn chacha20_poly1305<M: Chosen>(key: &[u8]) -> Box<dyn Aead> {
    let (packets, lengths) = key.split_at(key.len() / 2);
    let mac = M::context().fetch::<Mac>(POLY1305).and_then(|mac| KeyedState::new(&mac, Params::default()));
    Box::new(ChaCha20Poly1305 {
        packets: state::<M>(CHACHA20, packets, None, Way::Encrypt),
        lengths: state::<M>(CHACHA20, lengths, None, Way::Encrypt),
        mac,
    })
}

/// `None`: there is no such cipher, or the library fails. Nothing is sealed or opened then.
fn state<M: Chosen>(name: &CStr, key: &[u8], iv: Option<&[u8]>, way: Way) -> Option<CipherState> {
    CipherState::new(&M::context().fetch::<Cipher>(name)?, key, iv, way)
}

/// One direction of a connection.
struct Gcm {
    state: Option<CipherState>,
    nonce: Nonce,
}

impl Aead for Gcm {
    fn length(&mut self, _sequence: u32, head: [u8; 4]) -> u32 {
        u32::from_be_bytes(head)
    }

    fn seal(&mut self, _sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed> {
        // RFC 5647 section 7.3: the packet length is authenticated and stays in clear.
        let (length, body) = packet.split_at_mut(LENGTH_LEN);
        let nonce = self.nonce.take();
        self.state.as_mut().and_then(|state| state.seal(&nonce, length, body, tag)).ok_or(Failed)
    }

    fn open(&mut self, _sequence: u32, packet: &mut [u8], tag: &[u8]) -> Result<(), Forged> {
        // The library would take a shorter one, too.
        if tag.len() != TAG_LEN {
            return Err(Forged);
        }
        let (length, body) = packet.split_at_mut(LENGTH_LEN);
        let nonce = self.nonce.take();
        self.state.as_mut().and_then(|state| state.open(&nonce, length, body, tag)).ok_or(Forged)
    }
}

/// RFC 5647 section 7.1: a fixed field, then an invocation counter that counts packets and wraps within itself.
struct Nonce {
    next: [u8; NONCE_LEN],
}

impl Nonce {
    fn new(iv: &[u8]) -> Self {
        Self { next: iv.try_into().expect("the vector is as long as the cipher asks") }
    }

    fn take(&mut self) -> [u8; NONCE_LEN] {
        let nonce = self.next;
        let counter = self.next.last_chunk_mut().expect("it has a counter");
        *counter = u64::from_be_bytes(*counter).wrapping_add(1).to_be_bytes();
        nonce
    }
}

/// One direction of a connection. The counter, 128 bits big-endian, lives on across packets.
struct Ctr(Option<CipherState>);

impl Keystream for Ctr {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.0.as_mut().and_then(|state| state.apply(bytes)).ok_or(Failed)
    }
}

/// One direction of a connection. The nonce is the packet's sequence number.
struct ChaCha20Poly1305 {
    packets: Option<CipherState>,
    lengths: Option<CipherState>,
    mac: Option<KeyedState>,
}

impl ChaCha20Poly1305 {
    /// The code of an encrypted packet. Its key is the beginning of the packet's first block, which encrypts nothing.
    fn code(&mut self, sequence: u32, packet: &[u8]) -> Option<[u8; TAG_LEN]> {
        let (mut key, mut code) = (Zeroizing::new([0; 32]), [0; TAG_LEN]);
        self.packets.as_mut()?.apply_from(&start(0, sequence), key.as_mut_slice())?;
        self.mac.as_mut()?.sign(key.as_slice(), &[packet], &mut code).ok()?;
        Some(code)
    }

    /// Encrypts or decrypts a packet length.
    fn cover_length(&mut self, sequence: u32, length: &mut [u8]) -> Option<()> {
        self.lengths.as_mut()?.apply_from(&start(0, sequence), length)
    }

    /// Encrypts or decrypts a packet.
    fn cover(&mut self, sequence: u32, packet: &mut [u8]) -> Option<()> {
        let (length, body) = packet.split_at_mut(LENGTH_LEN);
        self.cover_length(sequence, length)?;
        self.packets.as_mut()?.apply_from(&start(1, sequence), body)
    }

    fn seal(&mut self, sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Option<()> {
        self.cover(sequence, packet)?;
        tag.copy_from_slice(&self.code(sequence, packet)?);
        Some(())
    }

    fn open(&mut self, sequence: u32, packet: &mut [u8], tag: &[u8]) -> Option<()> {
        match self.code(sequence, packet)?.ct_eq(tag).into() {
            true => self.cover(sequence, packet),
            false => None,
        }
    }
}

impl Aead for ChaCha20Poly1305 {
    fn length(&mut self, sequence: u32, mut head: [u8; 4]) -> u32 {
        match self.cover_length(sequence, &mut head) {
            Some(()) => u32::from_be_bytes(head),
            // No packet has that length.
            None => 0,
        }
    }

    fn seal(&mut self, sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed> {
        self.seal(sequence, packet, tag).ok_or(Failed)
    }

    fn open(&mut self, sequence: u32, packet: &mut [u8], tag: &[u8]) -> Result<(), Forged> {
        self.open(sequence, packet, tag).ok_or(Forged)
    }
}

/// Where the library is to start: a counter of blocks in 64 bits, little-endian, then the nonce, big-endian.
fn start(block: u8, sequence: u32) -> [u8; 16] {
    let mut start = [0; 16];
    start[0] = block;
    start[12..].copy_from_slice(&sequence.to_be_bytes());
    start
}

/// How the library calls them.
pub(crate) const CHACHA20: &CStr = c"ChaCha20";
pub(crate) const POLY1305: &CStr = c"POLY1305";

const LENGTH_LEN: usize = 4;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
