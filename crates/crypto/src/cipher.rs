use std::fmt;

use crate::Strength;

/// A cipher of RFC 4253 section 6.3, or one with an integrated tag (RFC 5647 and OpenSSH's forms).
pub struct Cipher {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it is fit for today.
    pub strength: Strength,
    /// Bytes of key taken from the key exchange.
    pub key_len: usize,
    /// Bytes of initial vector taken from the key exchange.
    pub iv_len: usize,
    /// The unit to which packets are padded; 8 for stream ciphers (RFC 4253 section 6).
    pub block_len: usize,
    /// How it is built.
    pub kind: CipherKind,
}

/// The two shapes of ciphers.
#[derive(Clone, Copy)]
pub enum CipherKind {
    /// Encrypts and authenticates; the negotiated MAC is ignored.
    Aead {
        /// Bytes of tag after the packet.
        tag_len: usize,
        /// Takes `key_len` and `iv_len` bytes.
        new: NewAead,
    },
    /// Only encrypts; a [`crate::Mac`] authenticates.
    Plain {
        /// Takes `key_len` and `iv_len` bytes.
        new: NewKeystream,
        /// Whether a block encrypts differently after each block before it, as in CBC. How a bad packet was bad must
        /// not show then (CVE-2008-5161): see [`packet`](crate::packet).
        chained: bool,
    },
}

/// Makes the state of one direction from a key and an initial vector, each as long as the [`Cipher`] says.
pub type NewAead = fn(key: &[u8], iv: &[u8]) -> Box<dyn Aead>;

/// Makes the state of one direction from a key and an initial vector, each as long as the [`Cipher`] says.
pub type NewKeystream = fn(key: &[u8], iv: &[u8], way: Way) -> Box<dyn Keystream>;

/// Which way a cipher that is not its own inverse runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Plain to cipher text.
    Encrypt,
    /// Cipher to plain text.
    Decrypt,
}

/// The arithmetic failed, through no fault of the input. What it was to transform is not to be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// The state of a cipher that only encrypts, for one direction of a connection. State lives across packets.
pub trait Keystream: Send {
    /// Transforms `bytes`, a multiple of the block length, in place.
    ///
    /// # Errors
    /// `bytes` are not transformed, or not all of them.
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed>;
}

/// The state of a cipher with an integrated tag, for one direction of a connection.
pub trait Aead: Send {
    /// The packet length behind the first four bytes on the wire, which stay as they are.
    fn length(&mut self, sequence: u32, head: [u8; 4]) -> u32;

    /// Encrypts `packet` (length field included) in place and writes its tag.
    ///
    /// # Errors
    /// `packet` is not encrypted, or not all of it.
    fn seal(&mut self, sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed>;

    /// Verifies `tag` over `packet` (length field included) and decrypts in place. The content of `packet` is
    /// unspecified when the tag does not match.
    ///
    /// # Errors
    /// The tag does not match.
    fn open(&mut self, sequence: u32, packet: &mut [u8], tag: &[u8]) -> Result<(), crate::packet::Forged>;
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
