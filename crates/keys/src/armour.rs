//! The textual encoding of RFC 7468: `-----BEGIN LABEL-----`, base64, `-----END LABEL-----`; and before it that of
//! RFC 1421, whose headers OpenSSL writes into encrypted keys.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use zeroize::Zeroizing;

use crate::{KeyFileError, MAX_ENTRIES};

/// A block: what is between BEGIN and END.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    /// Decoded, and wiped when dropped.
    pub(crate) content: Zeroizing<Vec<u8>>,
}

impl Block<'_> {
    /// The value of a header (RFC 1421 section 4.6).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }
}

/// The labels of the blocks. Text before a block is permitted (RFC 7468 section 2).
pub(crate) fn labels(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(text).filter_map(|line| edge(line, BEGIN))
}

/// Every block.
pub(crate) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, KeyFileError> {
    let mut blocks = Vec::new();
    let mut lines = lines(text);
    while let Some(label) = lines.by_ref().find_map(|line| edge(line, BEGIN)) {
        if blocks.len() == MAX_ENTRIES {
            return Err(KeyFileError::TooManyEntries);
        }
        blocks.push(block(label, &mut lines, text.len()).ok_or(CUT_OFF)?);
    }
    Ok(blocks)
}

fn block<'a>(
    label: &'a [u8],
    lines: &mut impl Iterator<Item = &'a [u8]>,
    capacity: usize,
) -> Option<Block<'a>> {
    // Sized in advance, so that growing leaves no copies behind.
    let mut base64 = Zeroizing::new(Vec::with_capacity(capacity));
    let mut headers: Vec<(&str, &str)> = Vec::new();
    loop {
        let line = lines.next()?;
        if edge(line, END) == Some(label) {
            break;
        }
        match header(line).filter(|_| base64.is_empty()) {
            Some(header) => headers.push(header),
            None => base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace())),
        }
    }
    Some(Block { label: str::from_utf8(label).ok()?, headers, content: decode_base64(&base64)? })
}

/// Base64 without white space has no colon.
fn header(line: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = str::from_utf8(line).ok()?.split_once(':')?;
    Some((name, value.trim()))
}

/// Decodes base64 without white space into what is wiped when dropped.
pub(crate) fn decode_base64(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    decode_with(&STANDARD, base64)
}

/// Decodes base64 for URLs, with or without padding (RFC 7515 section 2).
pub(crate) fn decode_base64_url(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    decode_with(&URL_SAFE, base64)
}

fn decode_with(engine: &GeneralPurpose, base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(vec![0; base64::decoded_len_estimate(base64.len())]);
    let len = engine.decode_slice(base64, &mut decoded).ok()?;
    decoded.truncate(len);
    Some(decoded)
}

/// Decodes base64 in lines.
pub(crate) fn decode_lines<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    capacity: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut base64 = Zeroizing::new(Vec::with_capacity(capacity));
    for line in lines {
        base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
    }
    decode_base64(&base64)
}

/// The bytes after a byte order mark and white space.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start()
}

/// Lines without what ends them.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    trim_start(text).split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii_end)
}

/// The label of a line that begins or ends a block.
fn edge<'a>(line: &'a [u8], edge: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(edge)?.strip_suffix(DASHES)
}

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Some editors put it in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const CUT_OFF: KeyFileError =
    KeyFileError::Malformed("it is cut off, or what is between BEGIN and END is not base64");

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
            "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\naGVsbG8=\n-----END X-----",
        ] {
            assert_eq!(labels(text.as_bytes()).next(), Some(&b"X"[..]), "{text:?}");
            assert_eq!(*blocks(text.as_bytes()).unwrap()[0].content, b"hello", "{text:?}");
        }
    }

    #[test]
    fn every_block_is_found_with_its_headers() {
        let text = "-----BEGIN A-----\nK: v\n\naGVs\n-----END A-----\nnote\n-----BEGIN B-----\nbG8=\n-----END B-----";
        let blocks = blocks(text.as_bytes()).unwrap();
        let found: Vec<_> = blocks.iter().map(|block| (block.label, &block.content[..])).collect();
        assert_eq!(found, [("A", &b"hel"[..]), ("B", b"lo")]);
        assert_eq!((blocks[0].header("K"), blocks[1].header("K")), (Some("v"), None));
    }

    #[test]
    fn damaged_blocks_are_refused() {
        assert!(blocks(b"").unwrap().is_empty());
        for text in [
            "-----BEGIN X-----",
            "-----BEGIN X-----\naGVsbG8=\n",
            "-----BEGIN X-----\naGVsbG8=\n-----END Y-----\n",
            "-----BEGIN X-----\naGVsbG8\n-----END X-----\n",
            "-----BEGIN X-----\na*Vs\n-----END X-----\n",
        ] {
            assert!(blocks(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
