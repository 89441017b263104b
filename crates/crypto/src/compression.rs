use std::fmt;

use crate::Strength;

/// A compression method (RFC 4253 section 6.2).
pub struct Compression {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it is fit for today.
    pub strength: Strength,
    /// Whether it starts only after authentication (`zlib@openssh.com`).
    pub delayed: bool,
    /// Makes the two halves; `None` for a method that changes nothing.
    pub new: Option<NewCompression>,
}

/// Makes the two halves, each with an empty dictionary.
pub type NewCompression = fn() -> (Box<dyn Compress>, Box<dyn Decompress>);

/// The compressing half of one direction; its dictionary lives across packets.
pub trait Compress: Send {
    /// Appends `payload`, compressed and flushed, to `out`.
    fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>);
}

/// The expanding half of one direction.
pub trait Decompress: Send {
    /// Appends the expanded `payload` to `out`, which may grow by at most `limit` bytes.
    ///
    /// # Errors
    /// The data is damaged, or expands beyond the limit.
    fn decompress(&mut self, payload: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError>;
}

/// Why a compressed payload could not be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// Not a valid stream.
    Damaged,
    /// Expands beyond what a packet may hold.
    TooLarge,
}

/// No compression.
pub(crate) static NONE: Compression =
    Compression { name: "none", strength: Strength::Modern, delayed: false, new: None };

impl fmt::Debug for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
