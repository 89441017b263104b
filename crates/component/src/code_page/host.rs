//! EBCDIC of IBM's mainframes with double bytes between SO and SI.

use super::table::Table;
use super::{REPLACEMENT, SI, SO};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host(pub(super) Table);

impl Host {
    pub(super) fn encode(&self, chars: impl Iterator<Item = char>) -> Result<Vec<u8>, usize> {
        let mut out = Vec::new();
        let mut shifted = false;
        for (at, char) in chars.enumerate() {
            let [lead, trail] = self.0.code(char).ok_or(at)?.to_be_bytes();
            let double = lead > 0;
            if double != shifted {
                out.push(if double { SO } else { SI });
                shifted = double;
            }
            if double {
                out.push(lead);
            }
            out.push(trail);
        }
        if shifted {
            out.push(SI);
        }
        Ok(out)
    }

    pub(super) fn decode(&self, mut bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut shifted = false;
        while let [first, rest @ ..] = bytes {
            bytes = match (*first, rest) {
                (SO, rest) => {
                    shifted = true;
                    rest
                }
                (SI, rest) => {
                    shifted = false;
                    rest
                }
                (lead, [trail, rest @ ..]) if shifted => {
                    text.push(self.0.char(u16::from_be_bytes([lead, *trail])).unwrap_or(REPLACEMENT));
                    rest
                }
                (byte, rest) => {
                    let char = if shifted { None } else { self.0.char(u16::from(byte)) };
                    text.push(char.unwrap_or(REPLACEMENT));
                    rest
                }
            };
        }
        text
    }
}
