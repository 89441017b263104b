//! Reads a message that may not be complete yet.

/// The message goes on in bytes that have not arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct More;

/// Why a parser stopped without a result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop<E> {
    More,
    Failed(E),
}

impl<E> From<More> for Stop<E> {
    fn from(_: More) -> Self {
        Self::More
    }
}

/// A place in the bytes that have arrived.
///
/// Parsers read from the front and judge what they have read before they ask for more. So the verdict depends
/// on the bytes alone, and not on how they were split on the way.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(crate) fn consumed(&self) -> usize {
        self.at
    }

    /// Passes over the next `n` bytes, or what there is of them.
    pub(crate) fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.bytes.len());
    }

    /// The next byte, which stays.
    pub(crate) fn peek(&self) -> Result<u8, More> {
        self.rest().first().copied().ok_or(More)
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Result<&'a [u8], More> {
        let taken = self.rest().get(..n).ok_or(More)?;
        self.at += n;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], More> {
        let taken = *self.rest().first_chunk().ok_or(More)?;
        self.at += N;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, More> {
        self.array().map(|[byte]| byte)
    }

    /// A number in network order.
    pub(crate) fn u16(&mut self) -> Result<u16, More> {
        self.array().map(u16::from_be_bytes)
    }

    /// Bytes after their length in one byte.
    pub(crate) fn short(&mut self) -> Result<&'a [u8], More> {
        let len = self.u8()?;
        self.bytes(len.into())
    }

    /// At most `max` bytes up to a NUL, which is read too; `None` when there are more.
    pub(crate) fn terminated(&mut self, max: usize) -> Result<Option<&'a [u8]>, More> {
        let rest = self.rest();
        let window = &rest[..rest.len().min(max + 1)];
        match window.iter().position(|&byte| byte == 0) {
            Some(end) => {
                self.at += end + 1;
                Ok(Some(&window[..end]))
            }
            None if window.len() > max => Ok(None),
            None => Err(More),
        }
    }

    /// A line without its end, which is LF or CR LF (RFC 9112 section 2.2).
    pub(crate) fn line(&mut self) -> Result<&'a [u8], More> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or(More)?;
        self.at += end + 1;
        let line = &rest[..end];
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_arrived_is_waited_for() {
        let mut reader = Reader::new(&[3, 1, 2]);
        assert_eq!(reader.short(), Err(More));
        assert_eq!(Reader::new(b"abc\r").line(), Err(More));
        assert_eq!(Reader::new(&[1]).u16(), Err(More));
    }

    #[test]
    fn a_text_may_fill_its_bound_and_no_more() {
        assert_eq!(Reader::new(b"abc\0").terminated(3), Ok(Some(&b"abc"[..])));
        assert_eq!(Reader::new(b"abc").terminated(3), Err(More));
        assert_eq!(Reader::new(b"abcd").terminated(3), Ok(None));
        assert_eq!(Reader::new(b"abcd\0").terminated(3), Ok(None));
    }

    #[test]
    fn both_ends_of_a_line_are_taken() {
        let mut reader = Reader::new(b"a\r\nb\n\r\n");
        let lines: Vec<_> = std::iter::from_fn(|| reader.line().ok()).collect();
        assert_eq!(lines, [&b"a"[..], b"b", b""]);
        assert_eq!(reader.consumed(), 7);
    }
}
