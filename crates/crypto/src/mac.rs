use std::fmt;

use crate::{Failed, Strength};

/// A message authentication code (RFC 4253 section 6.4).
pub struct Mac {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it is fit for today.
    pub strength: Strength,
    /// Bytes of key taken from the key exchange.
    pub key_len: usize,
    /// Bytes of code after each packet.
    pub tag_len: usize,
    /// Whether the code covers the encrypted packet, its length in clear (OpenSSH's `-etm` forms), rather than
    /// the plain text.
    pub encrypt_then_mac: bool,
    /// Takes `key_len` bytes.
    pub new: fn(key: &[u8]) -> Box<dyn MacKey>,
}

/// A keyed code for one direction of a connection.
pub trait MacKey: Send {
    /// Writes the code of `packet`, with its sequence number, to `tag` (of the algorithm's tag length).
    ///
    /// # Errors
    /// `tag` is not the packet's.
    fn sign(&mut self, sequence: u32, packet: &[u8], tag: &mut [u8]) -> Result<(), Failed>;
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
