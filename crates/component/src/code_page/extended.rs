//! EUC and HZ: ASCII beside one or two sets of double bytes.

use super::REPLACEMENT;
use super::plane::Plane;

/// An EUC: its sets, with the bytes in front of each character. The first that has a character is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Euc(Vec<(&'static [u8], Plane)>);

impl Euc {
    pub(super) fn korean() -> Option<Self> {
        Some(Self(vec![(b"", Plane::ks_x_1001()?)]))
    }

    /// Of the planes of CNS 11643 the two that hold what is in use.
    pub(super) fn taiwanese() -> Option<Self> {
        Some(Self(vec![
            (b"", Plane::cns_1()?),
            (b"\x8E\xA2", Plane::cns_2()?),
            (b"\x8E\xA1", Plane::cns_1()?),
        ]))
    }

    pub(super) fn encode(&self, char: char, out: &mut Vec<u8>) -> Option<()> {
        if char.is_ascii() {
            out.extend(u8::try_from(char));
            return Some(());
        }
        let (prefix, bytes) =
            self.0.iter().find_map(|(prefix, plane)| Some((*prefix, plane.encode(char)?)))?;
        out.extend(prefix);
        out.extend(bytes.map(|byte| byte | 0x80));
        Some(())
    }

    /// The first character of bytes, and how many it takes.
    pub(super) fn decode(&self, bytes: &[u8]) -> (Option<char>, usize) {
        if let [byte @ ..0x80, ..] = bytes {
            return (Some(char::from(*byte)), 1);
        }
        let double = self.0.iter().find_map(|(prefix, plane)| match bytes.strip_prefix(*prefix)? {
            [lead @ 0x80..=0xFF, trail @ 0x80..=0xFF, ..] => {
                Some((plane.decode([lead ^ 0x80, trail ^ 0x80])?, prefix.len() + 2))
            }
            _ => None,
        });
        double.map_or((None, 1), |(char, length)| (Some(char), length))
    }
}

/// HZ (RFC 1843): GB 2312 between `~{` and `~}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hz(Plane);

impl Hz {
    pub(super) fn new() -> Option<Self> {
        Plane::gb2312().map(Self)
    }

    pub(super) fn encode(&self, chars: impl Iterator<Item = char>) -> Result<Vec<u8>, usize> {
        let mut out = Vec::new();
        let mut shifted = false;
        for (at, char) in chars.enumerate() {
            let double = if char.is_ascii() { None } else { Some(self.0.encode(char).ok_or(at)?) };
            if double.is_some() != shifted {
                shifted = !shifted;
                out.extend(if shifted { b"~{" } else { b"~}" });
            }
            match double {
                Some(bytes) => out.extend(bytes),
                None if char == '~' => out.extend(b"~~"),
                None => out.extend(u8::try_from(char)),
            }
        }
        out.extend(if shifted { &b"~}"[..] } else { b"" });
        Ok(out)
    }

    pub(super) fn decode(&self, mut bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut shifted = false;
        while let [first, rest @ ..] = bytes {
            bytes = match (first, rest) {
                (b'~', [b'{', rest @ ..]) if !shifted => {
                    shifted = true;
                    rest
                }
                (b'~', [b'}', rest @ ..]) if shifted => {
                    shifted = false;
                    rest
                }
                (b'~', [b'~', rest @ ..]) if !shifted => {
                    text.push('~');
                    rest
                }
                // A line that goes on.
                (b'~', [b'\n', rest @ ..]) if !shifted => rest,
                // The end of a line ends the shift.
                (b'\n', rest) => {
                    shifted = false;
                    text.push('\n');
                    rest
                }
                (lead, [trail, rest @ ..]) if shifted => {
                    text.push(self.0.decode([*lead, *trail]).unwrap_or(REPLACEMENT));
                    rest
                }
                (byte, rest) => {
                    text.push(if byte.is_ascii() && !shifted { char::from(*byte) } else { REPLACEMENT });
                    rest
                }
            };
        }
        text
    }
}
