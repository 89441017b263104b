//! The textual encoding of RFC 7468: `-----BEGIN LABEL-----`, base64, `-----END LABEL-----`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// The label of the first block, if there is one. Text before a block is permitted (RFC 7468 section 2).
pub(crate) fn label(text: &[u8]) -> Option<&[u8]> {
    lines(text).find_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(DASHES))
}

/// The decoded content of the first block with `label`, wiped when dropped. `None` when it is cut off or not base64.
pub(crate) fn decode(text: &[u8], label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let edge = |start: &[u8], line: &[u8]| {
        line.strip_prefix(start).and_then(|line| line.strip_suffix(DASHES)) == Some(label.as_bytes())
    };
    let mut lines = lines(text).skip_while(|line| !edge(BEGIN, line));
    lines.next()?;
    // Sized in advance, so that growing leaves no copies behind.
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.len()));
    for line in lines {
        if edge(END, line) {
            let mut decoded = Zeroizing::new(vec![0; base64::decoded_len_estimate(base64.len())]);
            let len = STANDARD.decode_slice(&*base64, &mut decoded).ok()?;
            decoded.truncate(len);
            return Some(decoded);
        }
        base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
    }
    None
}

/// The bytes after a byte order mark and white space.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start()
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    trim_start(text).split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii_end)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Some editors put it in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive_what_editors_and_mailers_do() {
        for text in [
            "-----BEGIN X-----\naGVs\nbG8=\n-----END X-----\n",
            "-----BEGIN X-----\r\naGVs\r\nbG8=\r\n-----END X-----\r\n",
            "\u{feff}\n\n-----BEGIN X-----\naGVsbG8=\n-----END X-----",
            "a note\n-----BEGIN X-----\n  aGVs bG8=\t\n\n-----END X-----\ntrailing",
        ] {
            assert_eq!(label(text.as_bytes()), Some(&b"X"[..]), "{text:?}");
            assert_eq!(
                decode(text.as_bytes(), "X").map(|found| found.to_vec()),
                Some(b"hello".to_vec()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn damaged_blocks_are_refused() {
        for text in [
            "",
            "-----BEGIN X-----",
            "-----BEGIN X-----\naGVsbG8=\n",
            "-----BEGIN X-----\naGVsbG8=\n-----END Y-----\n",
            "-----BEGIN X-----\naGVsbG8\n-----END X-----\n",
            "-----BEGIN X-----\na*Vs\n-----END X-----\n",
        ] {
            assert_eq!(decode(text.as_bytes(), "X"), None, "{text:?}");
        }
    }
}
