//! Bytes of a packet, as they are shown.

use std::fmt::{self, Write as _};

/// The first bytes of a packet's payload. Shown, they are pairs of hexadecimal digits, with `**` where something is masked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PacketBytes {
    /// `None` for what is masked, of which the length does not show.
    bytes: Vec<Option<u8>>,
    omitted: usize,
}

/// What stands for anything that is masked, whatever its length.
const MASK: [Option<u8>; 8] = [None; 8];

/// Bytes in a line of a dump.
const LINE: usize = 16;

impl PacketBytes {
    /// At most so many bytes of the pieces.
    pub(super) fn collect<'a>(pieces: impl Iterator<Item = Option<&'a [u8]>>, most: usize) -> Self {
        let mut shown = Self::default();
        for piece in pieces {
            let room = most - shown.bytes.len();
            match piece {
                Some(bytes) => {
                    let (first, rest) = bytes.split_at(bytes.len().min(room));
                    shown.bytes.extend(first.iter().copied().map(Some));
                    shown.omitted += rest.len();
                }
                None => shown.bytes.extend(MASK.iter().take(room)),
            }
        }
        shown
    }

    /// The bytes; `None` for what is masked.
    pub fn iter(&self) -> impl Iterator<Item = Option<u8>> {
        self.bytes.iter().copied()
    }

    /// How many bytes more there are, what is masked not counted.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Lines of sixteen bytes each, with their place, as digits and as characters, and one that tells what is omitted.
    pub fn dump(&self) -> String {
        let mut lines: Vec<String> =
            self.bytes.chunks(LINE).enumerate().map(|(at, line)| row(at * LINE, line)).collect();
        if self.omitted > 0 {
            lines.push(format!("  {} more bytes", self.omitted));
        }
        lines.join("\n")
    }
}

impl fmt::Display for PacketBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digits(&self.bytes))
    }
}

fn row(at: usize, bytes: &[Option<u8>]) -> String {
    let text: String = bytes.iter().map(|byte| character(*byte)).collect();
    format!("  {at:04x}  {:<width$}  {text}", digits(bytes), width = LINE * 3 - 1)
}

fn digits(bytes: &[Option<u8>]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        let gap = if digits.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = match byte {
            Some(byte) => write!(digits, "{gap}{byte:02x}"),
            None => write!(digits, "{gap}**"),
        };
    }
    digits
}

/// Only what no terminal takes for anything else.
fn character(byte: Option<u8>) -> char {
    match byte {
        None => '*',
        Some(byte) if byte.is_ascii_graphic() || byte == b' ' => byte.into(),
        Some(_) => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_has_digits_and_characters_and_says_what_it_lacks() {
        let bytes = PacketBytes::collect([Some(&b"\x32me\x1b[2J and more than a line"[..])].into_iter(), 18);
        let lines = "  0000  32 6d 65 1b 5b 32 4a 20 61 6e 64 20 6d 6f 72 65  2me.[2J and more\n  \
                     0010  20 74                                             t\n  \
                     10 more bytes";
        assert_eq!((bytes.dump().as_str(), bytes.omitted()), (lines, 10));
    }

    #[test]
    fn what_is_masked_stands_out_and_has_no_length() {
        let bytes = PacketBytes::collect([Some(&b"*"[..]), None, Some(&b"b"[..])].into_iter(), 100);
        assert_eq!(bytes.to_string(), "2a ** ** ** ** ** ** ** ** 62");
    }

    #[test]
    fn no_more_is_kept_than_is_wanted() {
        for most in 0..12 {
            let bytes = PacketBytes::collect([Some(&b"abc"[..]), None, Some(&b"d"[..])].into_iter(), most);
            assert_eq!(
                (bytes.iter().count(), bytes.omitted()),
                (most.min(12), 3usize.saturating_sub(most) + usize::from(most < 12))
            );
        }
    }
}
