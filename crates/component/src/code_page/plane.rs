//! Sets of 94 by 94 characters, which several encodings carry in their own ways.

use super::table::Table;

/// One such set, as a part of a page. Its bytes are from 0x21 to 0x7E.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plane {
    page: Table,
    /// Whether the second byte has its top bit set in the page. The first one always has.
    trail_bit: u8,
    /// The last first byte: the page may have characters of its own behind.
    last_row: u8,
}

impl Plane {
    pub(super) fn gb2312() -> Option<Self> {
        Self::of(936, 0x80, 0x77)
    }

    pub(super) fn ks_x_1001() -> Option<Self> {
        Self::of(949, 0x80, 0x7D)
    }

    pub(super) fn jis_x_0208() -> Option<Self> {
        Self::of(51932, 0x80, 0x7E)
    }

    pub(super) fn jis_x_0212() -> Option<Self> {
        Self::of(20932, 0, 0x7E)
    }

    /// Plane 1 of CNS 11643.
    pub(super) fn cns_1() -> Option<Self> {
        Self::of(20000, 0x80, 0x7E)
    }

    /// Plane 2 of CNS 11643.
    pub(super) fn cns_2() -> Option<Self> {
        Self::of(20000, 0, 0x7E)
    }

    fn of(page: u32, trail_bit: u8, last_row: u8) -> Option<Self> {
        Table::of(page).map(|page| Self { page, trail_bit, last_row })
    }

    pub(super) fn encode(&self, char: char) -> Option<[u8; 2]> {
        // Room for what users define is no part of the standards.
        if matches!(char, '\u{E000}'..='\u{F8FF}') {
            return None;
        }
        let [lead, trail] = self.page.code(char)?.to_be_bytes();
        let bytes = [lead ^ 0x80, trail ^ self.trail_bit];
        (self.has(bytes) && self.page.char(self.code(bytes)) == Some(char)).then_some(bytes)
    }

    pub(super) fn decode(&self, bytes: [u8; 2]) -> Option<char> {
        if self.has(bytes) { self.page.char(self.code(bytes)) } else { None }
    }

    fn has(&self, [lead, trail]: [u8; 2]) -> bool {
        (0x21..=self.last_row).contains(&lead) && (0x21..=0x7E).contains(&trail)
    }

    fn code(&self, [lead, trail]: [u8; 2]) -> u16 {
        u16::from_be_bytes([lead | 0x80, trail | self.trail_bit])
    }
}
