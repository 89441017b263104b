//! The forms of Unicode.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::REPLACEMENT;

/// How the units of UTF-16 and UTF-32 lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn encode16(self, text: &str) -> Vec<u8> {
        let bytes = match self {
            Self::Little => u16::to_le_bytes,
            Self::Big => u16::to_be_bytes,
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    pub(super) fn decode16(self, bytes: &[u8]) -> String {
        let (pairs, rest) = bytes.as_chunks();
        let units = pairs.iter().map(|pair| match self {
            Self::Little => u16::from_le_bytes(*pair),
            Self::Big => u16::from_be_bytes(*pair),
        });
        let chars = char::decode_utf16(units).map(|char| char.unwrap_or(REPLACEMENT));
        chars.chain((!rest.is_empty()).then_some(REPLACEMENT)).collect()
    }

    pub(super) fn encode32(self, text: &str) -> Vec<u8> {
        let bytes = match self {
            Self::Little => u32::to_le_bytes,
            Self::Big => u32::to_be_bytes,
        };
        text.chars().flat_map(|char| bytes(u32::from(char))).collect()
    }

    pub(super) fn decode32(self, bytes: &[u8]) -> String {
        let (groups, rest) = bytes.as_chunks();
        let units = groups.iter().map(|group| match self {
            Self::Little => u32::from_le_bytes(*group),
            Self::Big => u32::from_be_bytes(*group),
        });
        let chars = units.map(|unit| char::from_u32(unit).unwrap_or(REPLACEMENT));
        chars.chain((!rest.is_empty()).then_some(REPLACEMENT)).collect()
    }
}

/// UTF-7 (RFC 2152), with nothing but set D, rule 3's white space and NUL left as it is.
pub(super) fn encode7(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|char| is_direct(char) != is_direct(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        rest = after;
        if is_direct(first) {
            out.extend(run.bytes());
        } else if run.chars().all(|char| char == '+') {
            out.extend(b"+-".repeat(run.len()));
        } else {
            out.push(b'+');
            out.extend(BASE64.encode(Order::Big.encode16(run)).bytes());
            out.push(b'-');
        }
    }
    out
}

pub(super) fn decode7(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while let Some((first, rest)) = bytes.split_first() {
        bytes = rest;
        if *first != b'+' {
            text.push(if first.is_ascii() { char::from(*first) } else { REPLACEMENT });
            continue;
        }
        let length =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)).count();
        let (encoded, rest) = rest.split_at(length);
        bytes = rest.strip_prefix(b"-").unwrap_or(rest);
        match BASE64.decode(encoded) {
            Ok(_) if encoded.is_empty() => text.push('+'),
            Ok(units) => text.push_str(&Order::Big.decode16(&units)),
            Err(_) => text.push(REPLACEMENT),
        }
    }
    text
}

fn is_direct(char: char) -> bool {
    char.is_ascii_alphanumeric() || "'(),-./:? \t\r\n\0".contains(char)
}

/// What is left of the last digit is not looked at; some do not leave it zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);
