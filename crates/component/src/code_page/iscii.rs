//! ISCII (IS 13194:1991): one code for the scripts of India, which Unicode has laid out alike.

use super::REPLACEMENT;

/// A script: the number that selects it behind ATR, its first character, and which of the 128 from there on there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Script {
    selector: u8,
    block: u32,
    assigned: u128,
}

impl Script {
    /// That of a page from 57002 to 57011.
    pub(super) fn of(page: u32) -> Option<Self> {
        let index = usize::try_from(page.checked_sub(57002)?).ok()?;
        SCRIPTS.get(index).copied()
    }

    /// The character of this script that corresponds to one of Devanagari.
    fn char(self, offset: u8) -> Option<char> {
        if offset == DANDA || offset == DANDA + 1 {
            // All scripts share them.
            return char::from_u32(DEVANAGARI + u32::from(offset));
        }
        let assigned = self.assigned.checked_shr(u32::from(offset)).is_some_and(|bits| bits & 1 == 1);
        char::from_u32(self.block + u32::from(offset)).filter(|_| assigned)
    }

    /// Where a character is in the block of this script.
    fn offset(self, char: char) -> Option<u8> {
        let block = if matches!(char, '\u{964}' | '\u{965}') { DEVANAGARI } else { self.block };
        let offset = u32::from(char).checked_sub(block)?;
        u8::try_from(offset).ok().filter(|offset| self.char(*offset) == Some(char))
    }
}

pub(super) fn encode(text: &str, mut script: Script) -> Result<Vec<u8>, usize> {
    let mut out = Vec::new();
    let mut after_halant = false;
    for (at, char) in text.chars().enumerate() {
        let bytes = match char {
            char if char.is_ascii() => [u8::try_from(char).map_err(|_| at)?, 0],
            // Behind a halant: one that shows, and one that does not join.
            '\u{200C}' if after_halant => [HALANT, 0],
            '\u{200D}' if after_halant => [NUKTA, 0],
            '\u{200D}' => [INVISIBLE, 0],
            char => {
                let (owner, offset) = std::iter::once(script)
                    .chain(SCRIPTS)
                    .find_map(|owner| Some((owner, owner.offset(char)?)))
                    .ok_or(at)?;
                if owner != script {
                    out.extend([ATR, owner.selector]);
                    script = owner;
                }
                bytes_of(offset).ok_or(at)?
            }
        };
        after_halant = bytes == [HALANT, 0] && !char.is_ascii() && char != '\u{200C}';
        out.push(bytes[0]);
        out.extend((bytes[1] > 0).then_some(bytes[1]));
    }
    Ok(out)
}

pub(super) fn decode(mut bytes: &[u8], mut script: Script) -> String {
    let mut text = String::new();
    while let [first, rest @ ..] = bytes {
        let mut taken = 1;
        let char = match (*first, rest) {
            (byte @ ..0x80, _) => Some(char::from(byte)),
            (ATR, [selector, rest @ ..]) => {
                // Selectors of typefaces are not text.
                script = SCRIPTS.into_iter().find(|other| other.selector == *selector).unwrap_or(script);
                bytes = rest;
                continue;
            }
            (HALANT, [mark @ (HALANT | NUKTA), ..]) => {
                text.extend(offset_of(HALANT).and_then(|offset| script.char(offset)));
                taken = 2;
                Some(if *mark == HALANT { '\u{200C}' } else { '\u{200D}' })
            }
            (byte, [NUKTA, ..]) if with_nukta(byte).and_then(|offset| script.char(offset)).is_some() => {
                taken = 2;
                with_nukta(byte).and_then(|offset| script.char(offset))
            }
            (INVISIBLE, _) => Some('\u{200D}'),
            (byte, _) => offset_of(byte).and_then(|offset| script.char(offset)),
        };
        text.push(char.unwrap_or(REPLACEMENT));
        bytes = &bytes[taken..];
    }
    text
}

/// One or two bytes; the second is 0 if there is none.
fn bytes_of(offset: u8) -> Option<[u8; 2]> {
    let byte = |at: usize| u8::try_from(at).ok().map(|at| at + FIRST);
    if let Some((byte, _)) = WITH_NUKTA.iter().find(|(_, with)| *with == offset) {
        return Some([*byte, NUKTA]);
    }
    OFFSETS.iter().position(|known| *known == offset).and_then(byte).map(|byte| [byte, 0])
}

fn offset_of(byte: u8) -> Option<u8> {
    let offset = OFFSETS.get(usize::from(byte.checked_sub(FIRST)?))?;
    (*offset != NONE).then_some(*offset)
}

fn with_nukta(byte: u8) -> Option<u8> {
    WITH_NUKTA.iter().find(|(known, _)| *known == byte).map(|(_, offset)| *offset)
}

const ATR: u8 = 0xEF;
const HALANT: u8 = 0xE8;
/// A consonant that is not there, to be joined with.
const INVISIBLE: u8 = 0xD9;
const NUKTA: u8 = 0xE9;

const DEVANAGARI: u32 = 0x900;
const DANDA: u8 = 0x64;

/// The first byte that is of a script.
const FIRST: u8 = 0xA1;
const NONE: u8 = 0xFF;

/// Bytes from 0xA1 to 0xFA, as places in the block of Devanagari.
const OFFSETS: &[u8; 90] = &[
    0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0E, 0x0F, 0x10, 0x0D, 0x12, // A1
    0x13, 0x14, 0x11, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x20,
    0x21, // B0
    0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x5F,
    0x30, // C0
    0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, NONE, 0x3E, 0x3F, 0x40, 0x41, 0x42,
    0x43, // D0
    0x46, 0x47, 0x48, 0x45, 0x4A, 0x4B, 0x4C, 0x49, 0x4D, 0x3C, 0x64, NONE, NONE, NONE, NONE,
    NONE, // E0
    NONE, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, // F0
];

/// What a nukta behind a byte makes of it.
const WITH_NUKTA: &[(u8, u8)] = &[
    (0xA1, 0x50),
    (0xA6, 0x0C),
    (0xA7, 0x61),
    (0xAA, 0x60),
    (0xB3, 0x58),
    (0xB4, 0x59),
    (0xB5, 0x5A),
    (0xBA, 0x5B),
    (0xBF, 0x5C),
    (0xC0, 0x5D),
    (0xC9, 0x5E),
    (0xDB, 0x62),
    (0xDC, 0x63),
    (0xDF, 0x44),
    (0xEA, 0x3D),
];

/// In the order of their pages.
const SCRIPTS: [Script; 10] = [
    script(0x42, 0x900, u128::MAX),
    script(0x43, 0x980, BENGALI),
    script(0x44, 0xB80, 0x7FFFFC000813DC7C3FFC718D63DC7EC),
    script(0x45, 0xC00, 0xFF80FFCF27603DDFF3FFFDFFFFFDDFFF),
    script(0x46, 0x980, BENGALI),
    script(0x47, 0xB00, 0xFFFFCFB0E0399FF3EDFDFFFFF99FEE),
    script(0x48, 0xC80, 0x6FFCF60603DDFF3EFFDFFFFFDDFFF),
    script(0x49, 0xD00, 0xFFFFFFCFFFF0FDDFFFFFFFFFFFFDDFFF),
    script(0x4A, 0xA80, 0xFE03FFCF00013BBFF3EDFDFFFFFBBFEE),
    script(0x4B, 0xA00, 0x7FFFC05E023987D36DFDFFFFF987EE),
];

/// Assamese is written with it as well.
const BENGALI: u128 = 0x7FFFFFCFB080799FF3C5FDFFFFF99FEF;

const fn script(selector: u8, block: u32, assigned: u128) -> Script {
    Script { selector, block, assigned }
}
