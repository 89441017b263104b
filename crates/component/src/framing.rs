//! From the bytes of one direction to the pieces that `on_data_in` is given.
//!
//! Bytes are pushed as they come and pieces are pulled one by one, each under the rules of that moment: a handler may
//! change them between two pieces, from a line with a length to a record of that length, say.

use memchr::{memchr2, memmem};

/// Where a stream is cut. The defaults cut nothing: data are passed on as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// `client_eol`: what ends a line. May be of several bytes, of any value. Empty: data are passed on as they came.
    pub(crate) eol: Vec<u8>,
    /// `client_single_line_mode`: lines end with CR, LF or CRLF, and `eol` does not count.
    pub(crate) single_line: bool,
    /// `client_record_length`: pieces have this many bytes. 0: there are no records. It wins over both kinds of lines,
    /// which the description leaves open.
    pub(crate) record_length: usize,
    /// `MaxLineLength`: so many bytes without an end of the line are a piece by themselves.
    pub(crate) max_line: usize,
    /// Whether the end of a line is part of its piece.
    pub(crate) keep_eol: bool,
}

/// What one `on_data_in` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// Whether it is whole: a line with its end found, a full record, or data that no rule cuts. A piece of a line that
    /// was too long, and what is left at the end of the stream, are not.
    pub(crate) eol: bool,
}

/// Cuts a stream into pieces.
///
/// [`next`](Self::next) is to be called until it has none before more is [pushed](Self::push). What is kept is then
/// shorter than a record or the longest line, besides one push.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    buffer: Vec<u8>,
    /// How much of the buffer's front has been passed on. Moving the rest at each piece would be quadratic.
    passed: usize,
    /// How much behind `passed` is known to hold no end of a line, of the kind that was looked for last.
    scanned: usize,
    looked_for: Cut,
    /// The last line ended with a CR, so that an LF right behind it belongs to that end.
    after_cr: bool,
}

/// The rule that counts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Cut {
    #[default]
    Nowhere,
    Records(usize),
    Lines,
    Separator(Vec<u8>),
}

/// An end of a line: where it starts and how long it is.
struct End {
    at: usize,
    length: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { eol: Vec::new(), single_line: false, record_length: 0, max_line: MAX_LINE, keep_eol: false }
    }
}

impl Rules {
    /// The rules of `ChannelDataEOL` and `MaxChannelDataLength`, which count only together. What comes out goes on to
    /// the rules of a client, so that the separator, which is not said to be dropped here, stays.
    pub(crate) fn of_channel(eol: &[u8], max_length: usize) -> Self {
        if max_length == 0 {
            return Self::default();
        }
        Self { eol: eol.to_vec(), max_line: max_length, keep_eol: true, ..Self::default() }
    }

    fn cut(&self) -> Cut {
        match self {
            Self { record_length: 1.., .. } => Cut::Records(self.record_length),
            Self { single_line: true, .. } => Cut::Lines,
            Self { eol, .. } if eol.is_empty() => Cut::Nowhere,
            Self { eol, .. } => Cut::Separator(eol.clone()),
        }
    }
}

impl Framer {
    /// Adds what has come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.passed);
        self.passed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next piece under these rules, if there is a whole one.
    pub(crate) fn next(&mut self, rules: &Rules) -> Option<Piece> {
        self.end_crlf();
        let cut = rules.cut();
        if cut != self.looked_for {
            self.scanned = 0;
            self.looked_for = cut;
        }
        let kept = self.kept().len();
        match &self.looked_for {
            Cut::Nowhere => (kept > 0).then(|| self.take(kept, 0, true)),
            Cut::Records(length) => {
                (kept >= *length).then_some(*length).map(|length| self.take(length, 0, true))
            }
            Cut::Lines | Cut::Separator(_) => self.next_line(rules),
        }
    }

    /// What is left when the stream has ended and [`next`](Self::next) has no more: the beginning of a line or a
    /// record. The description speaks of whole ones only, yet nothing that came may be lost.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        self.end_crlf();
        let kept = self.kept().len();
        (kept > 0).then(|| self.take(kept, 0, false))
    }

    /// The description has events both for lines "as well as in packet boundaries" and for what fills the buffer of
    /// `MaxLineLength`. The latter is the exact one: a part of a line comes out when there are that many bytes, with
    /// no end of a line among them, and never because a packet ended.
    fn next_line(&mut self, rules: &Rules) -> Option<Piece> {
        let max = rules.max_line.max(1);
        let window = &self.kept()[..self.kept().len().min(max)];
        if let Some(End { at, length }) = self.looked_for.find(window, self.scanned) {
            let cr = window[at] == b'\r';
            self.after_cr = cr && self.looked_for == Cut::Lines;
            let (text, dropped) = if rules.keep_eol { (at + length, 0) } else { (at, length) };
            return Some(self.take(text, dropped, true));
        }
        // The beginning of an end may stand last. It is neither forgotten nor torn.
        let begun = self.looked_for.begun(window);
        let without = window.len() - begun;
        if window.len() < max {
            self.scanned = without;
            return None;
        }
        Some(self.take(if without > 0 { without } else { max }, 0, false))
    }

    /// An LF behind the CR that ended the last line is no piece of anything, whatever rule is in force by now.
    fn end_crlf(&mut self) {
        if self.after_cr && !self.kept().is_empty() {
            self.after_cr = false;
            if self.kept()[0] == b'\n' {
                self.passed += 1;
            }
        }
    }

    fn take(&mut self, length: usize, dropped: usize, eol: bool) -> Piece {
        let bytes = self.kept()[..length].to_vec();
        self.passed += length + dropped;
        self.scanned = 0;
        Piece { bytes, eol }
    }

    fn kept(&self) -> &[u8] {
        &self.buffer[self.passed..]
    }
}

impl Cut {
    /// The first end of a line that does not start before `from`.
    fn find(&self, bytes: &[u8], from: usize) -> Option<End> {
        let rest = bytes.get(from..)?;
        let (at, length) = match self {
            Self::Lines => (memchr2(b'\r', b'\n', rest)?, 1),
            Self::Separator(eol) => (memmem::find(rest, eol)?, eol.len()),
            Self::Nowhere | Self::Records(_) => return None,
        };
        Some(End { at: from + at, length })
    }

    /// How many of the last bytes may be the beginning of a separator.
    fn begun(&self, bytes: &[u8]) -> usize {
        let Self::Separator(eol) = self else { return 0 };
        (1..eol.len()).rev().find(|length| bytes.ends_with(&eol[..*length])).unwrap_or(0)
    }
}

/// The default of `MaxLineLength`.
const MAX_LINE: usize = 2048;

#[cfg(test)]
mod tests;
