//! Text and bytes in the encodings that `CodePage` names.
//!
//! | Pages | From |
//! |---|---|
//! | Unicode | [`unicode`]: UTF-7, 8, 16 and 32 |
//! | 54936 | the crate `encoding_rs` |
//! | one or two bytes a character | [`table`]: what they share with encodings of the WHATWG from `encoding_rs`, the rest written down |
//! | mainframes of East Asia | [`host`]: the same, with shifts |
//! | EUC, HZ, ISO 2022 | [`extended`], [`iso2022`]: sets of 94 by 94 characters, taken from the pages above |
//! | India | [`iscii`] |
//!
//! All but two of the numbers have an encoding: nobody has written down what 709 and 710 are. Characters are taken as they
//! are and never replaced by similar ones, as systems like to do; nobody wants another password than the one given.

mod extended;
mod host;
mod iscii;
mod iso2022;
mod plane;
mod table;
mod unicode;

use std::fmt;

use encoding_rs::{EncoderResult, GB18030};

use crate::model::Platform;
use crate::table::CODE_PAGES;

use extended::{Euc, Hz};
use host::Host;
use iscii::Script;
use iso2022::{Japanese, Kana, Shifting};
use table::Table;
use unicode::Order;

/// An encoding, ready for use. To make one takes about a millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoding {
    number: u32,
    scheme: Scheme,
}

/// Why there is no encoding of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// No code page has the number.
    Unknown(u32),
    /// The page has the number, but what its bytes mean is not known.
    Undescribed(u32),
    /// The number is one of macOS.
    Platform(u32),
}

/// A text has a character that the code page has not. The character is not told, for the text may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unencodable {
    /// The code page.
    pub(crate) page: u32,
    /// How many characters come before the one.
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    Utf7,
    Utf8,
    Utf16(Order),
    Utf32(Order),
    Gb18030,
    Table(Table),
    Host(Host),
    Euc(Euc),
    Hz(Hz),
    Shifting(Shifting),
    Japanese(Japanese),
    Indian(Script),
}

impl Encoding {
    /// The encoding of a number that `CodePage` takes.
    pub(crate) fn of(number: u32) -> Result<Self, Unavailable> {
        let mut rows = CODE_PAGES.iter().filter(|page| page.number == number);
        let row = rows.next().ok_or(Unavailable::Unknown(number))?;
        let page = match row.platform {
            None => number,
            Some(Platform::MacOs) if cfg!(target_os = "macos") => {
                mac_page(number).ok_or(Unavailable::Undescribed(number))?
            }
            Some(_) => return Err(Unavailable::Platform(number)),
        };
        let scheme = Scheme::of(page).ok_or(Unavailable::Undescribed(number))?;
        Ok(Self { number, scheme })
    }

    /// The bytes of a text.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u8>, Unencodable> {
        let chars = text.chars();
        let bytes = match &self.scheme {
            Scheme::Utf7 => Ok(unicode::encode7(text)),
            Scheme::Utf8 => Ok(text.as_bytes().to_vec()),
            Scheme::Utf16(order) => Ok(order.encode16(text)),
            Scheme::Utf32(order) => Ok(order.encode32(text)),
            Scheme::Gb18030 => gb18030(text),
            Scheme::Table(table) => each(chars, |char, out| table.encode(char, out)),
            Scheme::Euc(euc) => each(chars, |char, out| euc.encode(char, out)),
            Scheme::Host(host) => host.encode(chars),
            Scheme::Hz(hz) => hz.encode(chars),
            Scheme::Shifting(shifting) => shifting.encode(chars),
            Scheme::Japanese(japanese) => japanese.encode(text),
            Scheme::Indian(script) => iscii::encode(text, *script),
        };
        bytes.map_err(|at| Unencodable { page: self.number, at })
    }

    /// The text that bytes are. What means nothing becomes U+FFFD.
    pub(crate) fn decode(&self, bytes: &[u8]) -> String {
        match &self.scheme {
            Scheme::Utf7 => unicode::decode7(bytes),
            Scheme::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Scheme::Utf16(order) => order.decode16(bytes),
            Scheme::Utf32(order) => order.decode32(bytes),
            Scheme::Gb18030 => GB18030.decode_without_bom_handling(bytes).0.into_owned(),
            Scheme::Table(table) => one_by_one(bytes, |bytes| table.decode(bytes)),
            Scheme::Euc(euc) => one_by_one(bytes, |bytes| euc.decode(bytes)),
            Scheme::Host(host) => host.decode(bytes),
            Scheme::Hz(hz) => hz.decode(bytes),
            Scheme::Shifting(shifting) => shifting.decode(bytes),
            Scheme::Japanese(japanese) => japanese.decode(bytes),
            Scheme::Indian(script) => iscii::decode(bytes, *script),
        }
    }
}

impl Scheme {
    fn of(page: u32) -> Option<Self> {
        Some(match page {
            1200 => Self::Utf16(Order::Little),
            1201 => Self::Utf16(Order::Big),
            12000 => Self::Utf32(Order::Little),
            12001 => Self::Utf32(Order::Big),
            65000 => Self::Utf7,
            65001 => Self::Utf8,
            54936 => Self::Gb18030,
            // GB 2312 in EUC is a part of 936, as which it is read and written in practice.
            51936 => Self::Table(Table::of(936)?),
            20936 => Self::Table(Table::of(10008)?),
            // The order of what is shown is not that of what is written.
            38598 => Self::Table(Table::of(28598)?),
            51949 => Self::Euc(Euc::korean()?),
            51950 => Self::Euc(Euc::taiwanese()?),
            52936 => Self::Hz(Hz::new()?),
            50220 => Self::Japanese(Japanese::new(Kana::Full)?),
            50221 => Self::Japanese(Japanese::new(Kana::Escaped)?),
            50222 => Self::Japanese(Japanese::new(Kana::Shifted)?),
            50225 => Self::Shifting(Shifting::korean()?),
            50227 => Self::Shifting(Shifting::simplified_chinese()?),
            50229 => Self::Shifting(Shifting::traditional_chinese()?),
            // Chinese without the letters that 50935 adds; those it has are at the same places.
            50936 => Self::Host(Host(Table::of(50935)?)),
            50930..=50939 => Self::Host(Host(Table::of(page)?)),
            57002..=57011 => Self::Indian(Script::of(page)?),
            _ => Self::Table(Table::of(page)?),
        })
    }
}

/// The page that a number of macOS's own stands for. Of NEXTSTEP, Symbol, NonLossyASCII and Proprietary there is none.
fn mac_page(number: u32) -> Option<u32> {
    Some(match number {
        1 => 20127,
        3 => 51932,
        4 => 65001,
        5 => 28591,
        8 => 932,
        9 => 28592,
        10 | 0x9400_0100 => 1200,
        11 => 1251,
        12 => 1252,
        13 => 1253,
        14 => 1254,
        15 => 1250,
        21 => 50221,
        30 => 10000,
        0x9000_0100 => 1201,
        0x8c00_0100 | 0x9c00_0100 => 12000,
        0x9800_0100 => 12001,
        _ => return None,
    })
}

/// Bytes, or the place of the first character that has none.
fn each(
    chars: impl Iterator<Item = char>,
    encode: impl Fn(char, &mut Vec<u8>) -> Option<()>,
) -> Result<Vec<u8>, usize> {
    let mut out = Vec::new();
    for (at, char) in chars.enumerate() {
        encode(char, &mut out).ok_or(at)?;
    }
    Ok(out)
}

fn one_by_one(mut bytes: &[u8], decode: impl Fn(&[u8]) -> (Option<char>, usize)) -> String {
    let mut text = String::new();
    while !bytes.is_empty() {
        let (char, length) = decode(bytes);
        text.push(char.unwrap_or(REPLACEMENT));
        bytes = &bytes[length..];
    }
    text
}

fn gb18030(text: &str) -> Result<Vec<u8>, usize> {
    let mut encoder = GB18030.new_encoder();
    let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
    let mut out = Vec::with_capacity(room.unwrap_or_default());
    let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut out, true);
    match result {
        EncoderResult::InputEmpty => Ok(out),
        // The character in question has been read.
        _ => Err(text[..read].chars().count().saturating_sub(1)),
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(number) => {
                write!(f, "{number} is no code page: use one that is listed, such as 65001 for UTF-8")
            }
            Self::Undescribed(number) => {
                write!(f, "there is no table of code page {number}, on any platform: use another one")
            }
            Self::Platform(number) => write!(
                f,
                "{number} is a code page on macOS only: use the number that its encoding has elsewhere, such as 65001 for \
                 UTF-8"
            ),
        }
    }
}

impl std::error::Error for Unavailable {}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, at } = self;
        write!(
            f,
            "character {} of the text is not in code page {page}: set CodePage to one that has it",
            at + 1
        )
    }
}

impl std::error::Error for Unencodable {}

/// What stands for bytes that mean nothing.
pub(crate) const REPLACEMENT: char = '\u{FFFD}';

/// Shift out: what follows is of the other set.
const SO: u8 = 0x0E;
/// Shift in: what follows is of the first set again.
const SI: u8 = 0x0F;

#[cfg(test)]
mod tests;
