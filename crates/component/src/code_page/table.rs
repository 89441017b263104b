//! Pages whose characters have one or two bytes each, from the text in which they are written down.
//!
//! A page starts with its number in brackets. Then each line says what codes stand for, one after the other, where codes
//! go through the `trails` of a lead byte before the next one:
//!
//! ```text
//! 80 ÇüéâäàåçêëèïîìÄÅ      these characters
//! 00-7F U+0000             the characters from this one on
//! A440-C67E big5 A440      those that the WHATWG's encoding has, from its own code on
//! double 50930             the double bytes of another page
//! <A2CC-A2CC big5 A451     as above, but not for encoding
//! ```

use std::ops::RangeInclusive;

/// What codes stand for, and the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// In order. A code below 256 is of one byte.
    by_code: Vec<(u16, char)>,
    by_char: Vec<(char, u16)>,
}

/// The second bytes that there are.
type Trails = Vec<RangeInclusive<u8>>;

impl Table {
    /// The page of this number, if it is written down.
    pub(super) fn of(number: u32) -> Option<Self> {
        let mut entries = Vec::new();
        let mut decoded = Vec::new();
        read(number, &mut |code, char, both| {
            if both { &mut entries } else { &mut decoded }.push((code, char));
        })?;
        let mut by_char: Vec<_> = entries.iter().map(|(code, char)| (*char, *code)).collect();
        by_char.sort_unstable();
        by_char.dedup_by_key(|(char, _)| *char);
        entries.extend(decoded);
        entries.sort_unstable();
        Some(Self { by_code: entries, by_char })
    }

    /// The character of a code.
    pub(super) fn char(&self, code: u16) -> Option<char> {
        let at = self.by_code.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        Some(self.by_code[at].1)
    }

    /// The code of a character.
    pub(super) fn code(&self, char: char) -> Option<u16> {
        let at = self.by_char.binary_search_by_key(&char, |(char, _)| *char).ok()?;
        Some(self.by_char[at].1)
    }

    /// The bytes of a character.
    pub(super) fn encode(&self, char: char, out: &mut Vec<u8>) -> Option<()> {
        let [lead, trail] = self.code(char)?.to_be_bytes();
        if lead > 0 {
            out.push(lead);
        }
        out.push(trail);
        Some(())
    }

    /// The first character of bytes, and how many it takes. `None` stands for a byte that means nothing.
    pub(super) fn decode(&self, bytes: &[u8]) -> (Option<char>, usize) {
        let double = match bytes {
            // A lead byte of zero would be a code of one byte.
            [lead @ 1..=0xFF, trail, ..] => self.char(u16::from_be_bytes([*lead, *trail])),
            _ => None,
        };
        match double {
            Some(char) => (Some(char), 2),
            None => (bytes.first().and_then(|byte| self.char(u16::from(*byte))), 1),
        }
    }
}

/// Goes through the entries of a page: code, character, and whether it is for encoding as well.
fn read(number: u32, entry: &mut dyn FnMut(u16, char, bool)) -> Option<()> {
    let mut trails = Trails::new();
    for line in lines(number)? {
        let (word, what) = line.split_once(' ').expect(WELL_FORMED);
        match word {
            "trails" => trails = what.split(' ').map(range).collect(),
            "double" => {
                let other = what.parse().expect(WELL_FORMED);
                read(other, &mut |code, char, both| {
                    if code > 0xFF {
                        entry(code, char, both);
                    }
                })?;
            }
            _ => {
                let (both, codes) = word.strip_prefix('<').map_or((true, word), |codes| (false, codes));
                let (first, last) = codes.split_once('-').unwrap_or((codes, codes));
                let mut code = hex(first);
                for char in chars(what, codes.contains('-'), code, hex(last), &trails) {
                    entry(code, char, both);
                    code = following(code, &trails);
                }
            }
        }
    }
    Some(())
}

fn lines(number: u32) -> Option<impl Iterator<Item = &'static str>> {
    let head = format!("[{number}]\n");
    let (_, page) = TABLES.iter().find_map(|table| table.split_once(&head))?;
    Some(page.lines().take_while(|line| !line.starts_with('[')))
}

/// What the codes from `first` to `last`, or those of a row of characters, stand for.
fn chars(what: &str, run: bool, first: u16, last: u16, trails: &Trails) -> Vec<char> {
    if !run {
        return what.chars().collect();
    }
    let length = std::iter::successors(Some(first), |code| Some(following(*code, trails)))
        .take_while(|code| *code <= last)
        .count();
    if let Some(start) = what.strip_prefix("U+") {
        let start = u32::from_str_radix(start, 16).expect(WELL_FORMED);
        return (start..).take(length).map(|char| char::from_u32(char).expect(WELL_FORMED)).collect();
    }
    let (base, start) = what.split_once(' ').expect(WELL_FORMED);
    let base = BASES.iter().find(|row| row.name == base).expect(WELL_FORMED);
    let trails = base.trails.to_vec();
    std::iter::successors(Some(hex(start)), |code| Some(following(*code, &trails)))
        .take(length)
        .map(|code| base.char(code).expect("the encodings of the WHATWG do not change"))
        .collect()
}

fn following(code: u16, trails: &Trails) -> u16 {
    let [lead, trail] = code.to_be_bytes();
    if lead == 0 {
        return code + 1;
    }
    let next = trails.iter().find(|range| trail < *range.end());
    let first = trails.first().map_or(0, |range| *range.start());
    match next {
        Some(range) => u16::from_be_bytes([lead, (*range.start()).max(trail + 1)]),
        None => u16::from_be_bytes([lead + 1, first]),
    }
}

fn range(text: &str) -> RangeInclusive<u8> {
    let (first, last) = text.split_once('-').expect(WELL_FORMED);
    let byte = |text| u8::from_str_radix(text, 16).expect(WELL_FORMED);
    byte(first)..=byte(last)
}

fn hex(text: &str) -> u16 {
    u16::from_str_radix(text, 16).expect(WELL_FORMED)
}

/// An encoding of the WHATWG that pages copy from.
struct Base {
    name: &'static str,
    encoding: &'static encoding_rs::Encoding,
    trails: &'static [RangeInclusive<u8>],
}

impl Base {
    fn char(&self, code: u16) -> Option<char> {
        let bytes = code.to_be_bytes();
        let (text, damaged) = self.encoding.decode_without_bom_handling(&bytes);
        let mut chars = text.chars();
        chars.next().filter(|_| !damaged && chars.next().is_none())
    }
}

const BASES: &[Base] = &[
    Base { name: "sjis", encoding: encoding_rs::SHIFT_JIS, trails: &[0x40..=0x7E, 0x80..=0xFC] },
    Base { name: "gbk", encoding: encoding_rs::GBK, trails: &[0x40..=0x7E, 0x80..=0xFE] },
    Base { name: "uhc", encoding: encoding_rs::EUC_KR, trails: &[0x41..=0x5A, 0x61..=0x7A, 0x81..=0xFE] },
    Base { name: "big5", encoding: encoding_rs::BIG5, trails: &[0x40..=0x7E, 0xA1..=0xFE] },
];

/// Written by `tables/generate.py`.
const TABLES: [&str; 3] =
    [include_str!("tables/single.txt"), include_str!("tables/double.txt"), include_str!("tables/host.txt")];

const WELL_FORMED: &str = "a test reads every page";
