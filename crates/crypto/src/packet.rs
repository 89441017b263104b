//! The binary packet (RFC 4253 section 6): a cipher and a MAC become one [`Sealer`] and one [`Opener`].
//!
//! ```text
//! | length u32 | padding length u8 | payload | padding | tag |
//! ```
//!
//! Both work in place on a whole packet, so a packet is written, encrypted and sent from one buffer, and received,
//! decrypted and lent from another.
//!
//! A chained cipher beside a MAC of the plain packet needs care: the length must be decrypted before anything is
//! authenticated, and whoever sees by when or how a packet is refused what its length was reads 32 bits of any block
//! (CVE-2008-5161). So every bad packet under such a cipher ends in the same way, whatever is wrong with it: the work
//! of decrypting and authenticating the largest packet is done, as many bytes as the largest packet has are awaited,
//! and the error is [`PacketError::Forged`].

use std::{fmt, ops::Range};

use subtle::ConstantTimeEq;

use crate::{Aead, Cipher, CipherKind, Entropy, Failed, Keystream, Mac, MacKey, Way};

/// Bytes before the payload: the packet length and the padding length.
pub const HEADER_LEN: usize = 5;

/// The largest value of the packet length field that is accepted. RFC 4253 section 6.1 demands 35,000; the most
/// common server sends no more than 256 KiB.
pub const MAX_PACKET_LENGTH: usize = 256 * 1024;

/// The longest tag of any algorithm: HMAC-SHA-512's.
pub const MAX_TAG_LEN: usize = 64;

/// Padding is at least this long (RFC 4253 section 6).
const MIN_PADDING: usize = 4;

/// The unit of padding before keys are in use (RFC 4253 section 6).
const CLEAR_BLOCK: usize = 8;

/// A tag did not match: the packet was damaged or forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forged;

/// Why bytes are not an acceptable packet. All are fatal to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketError {
    /// The packet length is out of bounds or not a multiple of the block length.
    Length(u32),
    /// Less than four bytes of padding, or more than the packet holds.
    Padding(u8),
    /// The tag did not match.
    Forged,
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "a packet claims the impossible length {length}"),
            Self::Padding(padding) => write!(f, "a packet claims the impossible padding {padding}"),
            Self::Forged => f.write_str("a packet was damaged or forged on the way: its tag does not match"),
        }
    }
}

impl std::error::Error for PacketError {}

impl From<Forged> for PacketError {
    fn from(_: Forged) -> Self {
        Self::Forged
    }
}

/// What could not be verified or decrypted is as good as forged.
impl From<Failed> for PacketError {
    fn from(_: Failed) -> Self {
        Self::Forged
    }
}

/// Protects packets of one direction.
pub struct Sealer {
    protection: Protection,
    /// The arithmetic failed, so that nothing can be sent any more.
    failed: bool,
}

/// Checks and uncovers packets of the other direction.
pub struct Opener {
    protection: Protection,
    /// A packet under a chained cipher was bad; it is refused once as many bytes have come as the largest one has.
    doomed: bool,
}

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is good. Here stands its payload.
    Payload(Range<usize>),
    /// Nothing can be said before this many bytes, counted from the beginning of the packet, have come. It is to be
    /// opened again then.
    Withheld(usize),
}

enum Protection {
    /// Before the first key exchange.
    Clear,
    Aead {
        cipher: Box<dyn Aead>,
        block: usize,
        tag: usize,
    },
    /// The tag covers the plain packet (RFC 4253 section 6.4).
    EncryptAndMac {
        cipher: Box<dyn Keystream>,
        chained: bool,
        mac: Box<dyn MacKey>,
        block: usize,
        tag: usize,
    },
    /// The tag covers the encrypted packet and its length, which is sent in clear (OpenSSH PROTOCOL 1.5).
    EncryptThenMac {
        cipher: Box<dyn Keystream>,
        mac: Box<dyn MacKey>,
        block: usize,
        tag: usize,
    },
}

/// The keys of one direction (RFC 4253 section 7.2), each as long as its algorithm asks.
#[derive(Debug)]
pub struct Keys<'a> {
    /// Initial vector.
    pub iv: &'a [u8],
    /// Encryption key.
    pub key: &'a [u8],
    /// Integrity key; empty beside an AEAD cipher.
    pub mac_key: &'a [u8],
}

impl Sealer {
    /// No protection: the state before the first key exchange.
    pub fn clear() -> Self {
        Self { protection: Protection::Clear, failed: false }
    }

    /// Protection by `cipher` and, unless it has a tag of its own, `mac`.
    pub fn new(cipher: &Cipher, mac: Option<&Mac>, keys: &Keys<'_>) -> Self {
        Self { protection: Protection::new(cipher, mac, keys, Way::Encrypt), failed: false }
    }

    /// Whether a library has failed, so that what is sealed is zeros: the connection is to end.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Bytes on the wire of a packet with this much payload.
    pub fn packet_len(&self, payload_len: usize) -> usize {
        HEADER_LEN + payload_len + self.padding(payload_len) + self.protection.tag_len()
    }

    /// The most payload whose packet fits into `space` bytes on the wire; 0 when none does.
    pub fn payload_within(&self, space: usize) -> usize {
        let block = self.protection.block();
        let aligned =
            space.saturating_sub(self.protection.tag_len() + self.protection.unaligned()) / block * block;
        (aligned + self.protection.unaligned()).saturating_sub(HEADER_LEN + MIN_PADDING)
    }

    /// Completes and protects the packet whose payload stands at [`HEADER_LEN`]: writes length, padding and tag and
    /// encrypts in place. `packet` must be of [`Sealer::packet_len`] bytes.
    ///
    /// Should a library fail, this packet and all that follow are zeros: no peer takes them, and none of them is in clear.
    pub fn seal(&mut self, sequence: u32, packet: &mut [u8], payload_len: usize, entropy: &mut dyn Entropy) {
        debug_assert_eq!(packet.len(), self.packet_len(payload_len));
        let padding = self.padding(payload_len);
        let body = packet.len() - self.protection.tag_len();
        packet[..4].copy_from_slice(&((body - 4) as u32).to_be_bytes());
        packet[4] = padding as u8;
        entropy.fill(&mut packet[body - padding..body]);
        let (packet, tag) = packet.split_at_mut(body);
        self.failed = self.failed || self.protection.cover(sequence, packet, tag).is_err();
        if self.failed {
            packet.fill(0);
            tag.fill(0);
        }
    }

    fn padding(&self, payload_len: usize) -> usize {
        let block = self.protection.block();
        let filled = (HEADER_LEN - self.protection.unaligned() + payload_len) % block;
        let padding = block - filled;
        if padding < MIN_PADDING { padding + block } else { padding }
    }
}

impl Opener {
    /// No protection: the state before the first key exchange.
    pub fn clear() -> Self {
        Self { protection: Protection::Clear, doomed: false }
    }

    /// Protection by `cipher` and, unless it has a tag of its own, `mac`.
    pub fn new(cipher: &Cipher, mac: Option<&Mac>, keys: &Keys<'_>) -> Self {
        Self { protection: Protection::new(cipher, mac, keys, Way::Decrypt), doomed: false }
    }

    /// Bytes that must have come before [`Opener::length`] can tell the size of the packet.
    pub fn head_len(&self) -> usize {
        match &self.protection {
            Protection::EncryptAndMac { block, .. } => *block,
            _ => 4,
        }
    }

    /// The size on the wire, tag included, of the packet that begins with `head`. May decrypt `head` in place, so it
    /// is called once a packet.
    ///
    /// # Errors
    /// The length is out of bounds, found before anything is allocated or awaited for it.
    pub fn length(&mut self, sequence: u32, head: &mut [u8]) -> Result<usize, PacketError> {
        let clear = |head: &[u8]| [head[0], head[1], head[2], head[3]];
        let length = match &mut self.protection {
            Protection::Aead { cipher, .. } => cipher.length(sequence, clear(head)),
            Protection::EncryptAndMac { cipher, .. } => {
                cipher.apply(head)?;
                u32::from_be_bytes(clear(head))
            }
            Protection::Clear | Protection::EncryptThenMac { .. } => u32::from_be_bytes(clear(head)),
        };
        let protection = &self.protection;
        let size = length as usize;
        let fits = (HEADER_LEN - 4 + MIN_PADDING..=MAX_PACKET_LENGTH).contains(&size)
            && 4 + size >= self.head_len()
            && (size + 4 - protection.unaligned()).is_multiple_of(protection.block());
        if fits {
            return Ok(4 + size + protection.tag_len());
        }
        if !protection.must_not_tell() {
            return Err(PacketError::Length(length));
        }
        // As if the packet ended here, with a wrong tag.
        self.protection.authenticate_in_vain(sequence, head);
        self.doom(sequence, head.len());
        Ok(self.protection.largest())
    }

    /// Verifies and decrypts a whole packet in place and tells where its payload stands. [`Opener::length`] has seen
    /// its head before.
    ///
    /// # Errors
    /// The tag does not match or the padding is impossible.
    pub fn open(&mut self, sequence: u32, packet: &mut [u8]) -> Result<Opened, PacketError> {
        if self.doomed {
            return Err(PacketError::Forged);
        }
        match self.uncover(sequence, packet) {
            Err(_) if self.protection.must_not_tell() => {
                self.doom(sequence, packet.len() - self.protection.tag_len());
                let largest = self.protection.largest();
                if packet.len() < largest { Ok(Opened::Withheld(largest)) } else { Err(PacketError::Forged) }
            }
            payload => payload.map(Opened::Payload),
        }
    }

    fn uncover(&mut self, sequence: u32, packet: &mut [u8]) -> Result<Range<usize>, PacketError> {
        let head = self.head_len();
        let body = packet.len() - self.protection.tag_len();
        let (packet, tag) = packet.split_at_mut(body);
        match &mut self.protection {
            Protection::Clear => {}
            Protection::Aead { cipher, .. } => cipher.open(sequence, packet, tag)?,
            Protection::EncryptAndMac { cipher, mac, .. } => {
                cipher.apply(&mut packet[head..])?;
                verify(mac.as_mut(), sequence, packet, tag)?;
            }
            Protection::EncryptThenMac { cipher, mac, .. } => {
                verify(mac.as_mut(), sequence, packet, tag)?;
                cipher.apply(&mut packet[4..])?;
            }
        }
        let padding = packet[4];
        let end = body.checked_sub(padding.into()).filter(|end| *end >= HEADER_LEN);
        match end {
            Some(end) if usize::from(padding) >= MIN_PADDING => Ok(HEADER_LEN..end),
            _ => Err(PacketError::Padding(padding)),
        }
    }

    /// Does what of the largest packet's work is not done yet, all of it now: neither the time until the refusal nor
    /// that between the last byte and the refusal then tells what was wrong.
    fn doom(&mut self, sequence: u32, done: usize) {
        self.doomed = true;
        let rest = self.protection.largest() - self.protection.tag_len() - done;
        let mut rest = vec![0; rest];
        if let Protection::EncryptAndMac { cipher, .. } = &mut self.protection {
            // Only the time that it takes matters, here and below.
            let _ = cipher.apply(&mut rest);
        }
        self.protection.authenticate_in_vain(sequence, &rest);
    }
}

impl Protection {
    fn new(cipher: &Cipher, mac: Option<&Mac>, keys: &Keys<'_>, way: Way) -> Self {
        // RFC 4253 section 6: the unit is the block length or 8, whichever is larger.
        let block = cipher.block_len.max(CLEAR_BLOCK);
        match (cipher.kind, mac) {
            (CipherKind::Aead { tag_len, new }, _) => {
                Self::Aead { cipher: new(keys.key, keys.iv), block, tag: tag_len }
            }
            (CipherKind::Plain { new, chained }, Some(mac)) => {
                let (cipher, key) = (new(keys.key, keys.iv, way), (mac.new)(keys.mac_key));
                if mac.encrypt_then_mac {
                    Self::EncryptThenMac { cipher, mac: key, block, tag: mac.tag_len }
                } else {
                    Self::EncryptAndMac { cipher, chained, mac: key, block, tag: mac.tag_len }
                }
            }
            (CipherKind::Plain { .. }, None) => {
                unreachable!("negotiation yields a MAC for every cipher without a tag of its own")
            }
        }
    }

    /// Encrypts in place, and writes the tag.
    fn cover(&mut self, sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed> {
        match self {
            Self::Clear => Ok(()),
            Self::Aead { cipher, .. } => cipher.seal(sequence, packet, tag),
            Self::EncryptAndMac { cipher, mac, .. } => {
                mac.sign(sequence, packet, tag)?;
                cipher.apply(packet)
            }
            Self::EncryptThenMac { cipher, mac, .. } => {
                cipher.apply(&mut packet[4..])?;
                mac.sign(sequence, packet, tag)
            }
        }
    }

    /// Whether what is wrong with a packet must not show: see the module's documentation.
    fn must_not_tell(&self) -> bool {
        matches!(self, Self::EncryptAndMac { chained: true, .. })
    }

    /// The size on the wire of the largest packet.
    fn largest(&self) -> usize {
        let whole_blocks = (4 + MAX_PACKET_LENGTH - self.unaligned()) / self.block() * self.block();
        self.unaligned() + whole_blocks + self.tag_len()
    }

    /// Spends the time of verifying a tag over `packet`.
    fn authenticate_in_vain(&mut self, sequence: u32, packet: &[u8]) {
        if let Self::EncryptAndMac { mac, tag, .. } = self {
            let _ = mac.sign(sequence, packet, &mut [0; MAX_TAG_LEN][..*tag]);
        }
    }

    fn block(&self) -> usize {
        match self {
            Self::Clear => CLEAR_BLOCK,
            Self::Aead { block, .. }
            | Self::EncryptAndMac { block, .. }
            | Self::EncryptThenMac { block, .. } => *block,
        }
    }

    fn tag_len(&self) -> usize {
        match self {
            Self::Clear => 0,
            Self::Aead { tag, .. } | Self::EncryptAndMac { tag, .. } | Self::EncryptThenMac { tag, .. } => {
                *tag
            }
        }
    }

    /// Bytes of the header that do not count for the alignment: the length, where it is not encrypted with the rest.
    fn unaligned(&self) -> usize {
        match self {
            Self::Clear | Self::EncryptAndMac { .. } => 0,
            Self::Aead { .. } | Self::EncryptThenMac { .. } => 4,
        }
    }
}

fn verify(mac: &mut dyn MacKey, sequence: u32, packet: &[u8], tag: &[u8]) -> Result<(), Forged> {
    let mut computed = [0; MAX_TAG_LEN];
    let computed = &mut computed[..tag.len()];
    mac.sign(sequence, packet, computed).map_err(|_| Forged)?;
    if computed.ct_eq(tag).into() { Ok(()) } else { Err(Forged) }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}
