//! ISO 2022: escape sequences that say which set the bytes of seven bits are of.

use super::plane::Plane;
use super::{REPLACEMENT, SI, SO};

/// ISO-2022-KR (RFC 1557) and ISO-2022-CN (RFC 1922): ASCII, and sets that an escape sequence makes known and a shift
/// puts in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shifting {
    /// In order of preference.
    sets: Vec<Designated>,
    /// Whether each line has to make known its sets.
    per_line: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Designated {
    escape: &'static [u8],
    shift: Shift,
    plane: Plane,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift {
    /// With SO, until SI.
    Locking,
    /// With SS2 (`ESC N`), for one character.
    Single,
}

/// Which sets are known, by their index, and whether SO is in force.
#[derive(Default)]
struct State {
    locking: Option<usize>,
    single: Option<usize>,
    shifted: bool,
}

impl Shifting {
    pub(super) fn korean() -> Option<Self> {
        let sets = vec![Designated { escape: b"\x1B$)C", shift: Shift::Locking, plane: Plane::ks_x_1001()? }];
        Some(Self { sets, per_line: false })
    }

    pub(super) fn simplified_chinese() -> Option<Self> {
        let [gb, cns_1, cns_2] = Self::chinese()?;
        Some(Self { sets: vec![gb, cns_1, cns_2], per_line: true })
    }

    pub(super) fn traditional_chinese() -> Option<Self> {
        let [gb, cns_1, cns_2] = Self::chinese()?;
        Some(Self { sets: vec![cns_1, cns_2, gb], per_line: true })
    }

    fn chinese() -> Option<[Designated; 3]> {
        Some([
            Designated { escape: b"\x1B$)A", shift: Shift::Locking, plane: Plane::gb2312()? },
            Designated { escape: b"\x1B$)G", shift: Shift::Locking, plane: Plane::cns_1()? },
            Designated { escape: b"\x1B$*H", shift: Shift::Single, plane: Plane::cns_2()? },
        ])
    }

    pub(super) fn encode(&self, chars: impl Iterator<Item = char>) -> Result<Vec<u8>, usize> {
        let mut out = Vec::new();
        let mut state = State::default();
        for (at, char) in chars.enumerate() {
            if char.is_ascii() {
                // What has a meaning of its own here cannot be text.
                let byte = u8::try_from(char).ok().filter(|byte| ![SO, SI, ESC].contains(byte)).ok_or(at)?;
                state.shift(false, &mut out);
                out.push(byte);
                self.end_line(&mut state, byte);
                continue;
            }
            let encoded =
                self.sets.iter().enumerate().find_map(|(set, row)| Some((set, row.plane.encode(char)?)));
            let (set, bytes) = encoded.ok_or(at)?;
            let Designated { escape, shift, .. } = self.sets[set];
            let known = state.known(shift);
            if known.replace(set) != Some(set) {
                out.extend(escape);
            }
            match shift {
                Shift::Locking => state.shift(true, &mut out),
                Shift::Single => out.extend(SS2),
            }
            out.extend(bytes);
        }
        state.shift(false, &mut out);
        Ok(out)
    }

    pub(super) fn decode(&self, mut bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut state = State::default();
        while let [first, rest @ ..] = bytes {
            let escape = self.sets.iter().position(|set| bytes.starts_with(set.escape));
            bytes = if let Some(set) = escape {
                *state.known(self.sets[set].shift) = Some(set);
                &bytes[self.sets[set].escape.len()..]
            } else if let Some(rest) = bytes.strip_prefix(SS2) {
                self.double(state.single, rest, &mut text)
            } else if [SO, SI].contains(first) {
                state.shifted = *first == SO;
                rest
            } else if state.shifted && *first > b' ' {
                self.double(state.locking, bytes, &mut text)
            } else {
                text.push(if first.is_ascii() { char::from(*first) } else { REPLACEMENT });
                self.end_line(&mut state, *first);
                rest
            };
        }
        text
    }

    /// Takes a character of the set off the front.
    fn double<'a>(&self, set: Option<usize>, bytes: &'a [u8], text: &mut String) -> &'a [u8] {
        let [lead, trail, rest @ ..] = bytes else {
            text.push(REPLACEMENT);
            return b"";
        };
        text.push(set.and_then(|set| self.sets[set].plane.decode([*lead, *trail])).unwrap_or(REPLACEMENT));
        rest
    }

    fn end_line(&self, state: &mut State, byte: u8) {
        if byte == b'\n' && self.per_line {
            *state = State::default();
        }
    }
}

impl State {
    /// Puts SO or SI where it is needed.
    fn shift(&mut self, shifted: bool, out: &mut Vec<u8>) {
        if self.shifted != shifted {
            self.shifted = shifted;
            out.push(if shifted { SO } else { SI });
        }
    }

    fn known(&mut self, shift: Shift) -> &mut Option<usize> {
        match shift {
            Shift::Locking => &mut self.locking,
            Shift::Single => &mut self.single,
        }
    }
}

/// ISO-2022-JP (RFC 1468, for decoding with JIS X 0212 of RFC 2237), and what pages do with halfwidth katakana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Japanese {
    kana: Kana,
    jis_x_0208: Plane,
    jis_x_0212: Plane,
}

/// How halfwidth katakana are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kana {
    /// As those of full width.
    Full,
    /// As a set of their own.
    Escaped,
    /// Between SO and SI.
    Shifted,
}

/// A set and what is in force, which is the same thing but for SO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Kana,
    Jis0208,
    Jis0212,
}

impl Japanese {
    pub(super) fn new(kana: Kana) -> Option<Self> {
        Some(Self { kana, jis_x_0208: Plane::jis_x_0208()?, jis_x_0212: Plane::jis_x_0212()? })
    }

    pub(super) fn encode(&self, text: &str) -> Result<Vec<u8>, usize> {
        let mut out = Vec::new();
        let mut set = Set::Ascii;
        let mut chars = text.chars().enumerate().peekable();
        while let Some((at, char)) = chars.next() {
            if let Some(kana) = halfwidth(char).filter(|_| self.kana != Kana::Full) {
                self.change(&mut set, Set::Kana, &mut out);
                out.push(kana);
                continue;
            }
            let char = match halfwidth(char) {
                Some(kana) => {
                    let mark = chars.peek().and_then(|(_, next)| halfwidth(*next));
                    let (full, marked) = fullwidth(kana, mark);
                    if marked {
                        chars.next();
                    }
                    full
                }
                None => char,
            };
            if char.is_ascii() {
                let byte = u8::try_from(char).ok().filter(|byte| ![SO, SI, ESC].contains(byte)).ok_or(at)?;
                self.change(&mut set, Set::Ascii, &mut out);
                out.push(byte);
            } else {
                let bytes = self.jis_x_0208.encode(char).ok_or(at)?;
                self.change(&mut set, Set::Jis0208, &mut out);
                out.extend(bytes);
            }
        }
        self.change(&mut set, Set::Ascii, &mut out);
        Ok(out)
    }

    fn change(&self, set: &mut Set, to: Set, out: &mut Vec<u8>) {
        if *set == to {
            return;
        }
        let shifted = self.kana == Kana::Shifted;
        if shifted && *set == Set::Kana {
            out.push(SI);
            // Below SO, ASCII is in force.
            *set = Set::Ascii;
        }
        if shifted && to == Set::Kana {
            self.change(set, Set::Ascii, out);
            out.push(SO);
        } else if *set != to {
            let escape = ESCAPES.iter().find(|(_, known)| *known == to).map(|(escape, _)| *escape);
            out.extend(escape.unwrap_or_default());
        }
        *set = to;
    }

    /// All three ways of katakana, whatever the page, and that of 8 bits.
    pub(super) fn decode(&self, mut bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut set = Set::Ascii;
        let mut shifted = false;
        while let [first, rest @ ..] = bytes {
            if let Some((escape, to)) = ESCAPES.iter().find(|(escape, _)| bytes.starts_with(escape)) {
                set = *to;
                bytes = &bytes[escape.len()..];
                continue;
            }
            let current = if shifted { Set::Kana } else { set };
            let (char, length) = match (*first, current) {
                (SO | SI, _) => {
                    shifted = *first == SO;
                    bytes = rest;
                    continue;
                }
                (byte @ 0xA1..=0xDF, _) => (from_halfwidth(byte ^ 0x80), 1),
                (byte @ 0x21..=0x5F, Set::Kana) => (from_halfwidth(byte), 1),
                (lead @ 0x21..=0x7E, Set::Jis0208 | Set::Jis0212) => {
                    let plane = if current == Set::Jis0208 { &self.jis_x_0208 } else { &self.jis_x_0212 };
                    (rest.first().and_then(|trail| plane.decode([lead, *trail])), 2)
                }
                (byte, _) => (byte.is_ascii().then(|| char::from(byte)), 1),
            };
            text.push(char.unwrap_or(REPLACEMENT));
            bytes = bytes.get(length..).unwrap_or_default();
        }
        text
    }
}

/// The byte of a halfwidth katakana in JIS X 0201.
fn halfwidth(char: char) -> Option<u8> {
    let offset = u32::from(char).checked_sub(u32::from(FIRST_HALFWIDTH))?;
    u8::try_from(offset).ok().filter(|offset| *offset < 63).map(|offset| offset + 0x21)
}

fn from_halfwidth(byte: u8) -> Option<char> {
    char::from_u32(u32::from(FIRST_HALFWIDTH) + u32::from(byte) - 0x21)
}

/// The katakana of full width, and whether the mark behind it has become a part of it.
fn fullwidth(kana: u8, mark: Option<u8>) -> (char, bool) {
    let full = FULLWIDTH.chars().nth(usize::from(kana - 0x21)).unwrap_or(REPLACEMENT);
    let next = |by: u32| char::from_u32(u32::from(full) + by).unwrap_or(full);
    match (full, mark) {
        ('ウ', Some(VOICED)) => ('ヴ', true),
        ('カ'..='ト' | 'ハ'..='ホ', Some(VOICED)) => (next(1), true),
        ('ハ'..='ホ', Some(SEMI_VOICED)) => (next(2), true),
        _ => (full, false),
    }
}

/// What comes first for a set is what is written. The Roman set of JIS is ASCII for all that Windows cares.
const ESCAPES: &[(&[u8], Set)] = &[
    (b"\x1B(B", Set::Ascii),
    (b"\x1B(J", Set::Ascii),
    (b"\x1B(I", Set::Kana),
    (b"\x1B$B", Set::Jis0208),
    (b"\x1B$@", Set::Jis0208),
    (b"\x1B$(D", Set::Jis0212),
];

const FIRST_HALFWIDTH: char = '\u{FF61}';

/// From 0x21 to 0x5F in JIS X 0201.
const FULLWIDTH: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
const VOICED: u8 = 0x5E;
const SEMI_VOICED: u8 = 0x5F;

const ESC: u8 = 0x1B;
const SS2: &[u8] = b"\x1BN";
