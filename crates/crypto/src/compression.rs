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
    /// How it is built; `None` for a method that changes nothing.
    pub streams: Option<Streams>,
}

/// Makes the two halves of a method, each with an empty dictionary. A connection takes new ones into use with every
/// key exchange (RFC 4253 section 6.2).
#[derive(Clone, Copy)]
pub struct Streams {
    /// Makes the compressing half.
    pub compress: fn() -> Box<dyn Compress>,
    /// Makes the expanding half.
    pub decompress: fn() -> Box<dyn Decompress>,
}

/// The compressing half of one direction; its dictionary lives across packets.
pub trait Compress: Send {
    /// Appends `payload`, compressed and flushed, to `out`. It can come out longer than it was.
    fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>);
}

/// The expanding half of one direction.
pub trait Decompress: Send {
    /// Appends the expanded `payload` to `out`, which grows by at most `limit` bytes.
    ///
    /// # Errors
    /// The data is damaged, or expands beyond the limit; no more than about the limit was expanded by then. Neither
    /// the stream nor what was appended is of use any more.
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

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "it is no part of the compressed stream",
            Self::TooLarge => "it expands beyond what a packet may hold",
        })
    }
}

impl std::error::Error for InflateError {}

/// No compression.
pub(crate) static NONE: Compression =
    Compression { name: "none", strength: Strength::Modern, delayed: false, streams: None };

impl fmt::Debug for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
