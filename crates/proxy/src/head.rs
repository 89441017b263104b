//! The head of an HTTP message (RFC 9112), request or answer.

use crate::limits::{MAX_HEAD, MAX_HEADERS};
use crate::reader::{Reader, Stop};

/// Lets `parse` read a head, which must end within [`MAX_HEAD`] bytes however they arrive.
pub(crate) fn within<'a, T, E>(
    reader: &mut Reader<'a>,
    too_long: E,
    parse: impl FnOnce(&mut Reader<'a>) -> Result<T, Stop<E>>,
) -> Result<T, Stop<E>> {
    let rest = reader.rest();
    let mut head = Reader::new(&rest[..rest.len().min(MAX_HEAD)]);
    match parse(&mut head) {
        Err(Stop::More) if is_too_long(rest) => Err(Stop::Failed(too_long)),
        result => {
            reader.skip(head.consumed());
            result
        }
    }
}

/// Whether the head is already too long, given that it does not end in what has arrived.
pub(crate) fn is_too_long(bytes: &[u8]) -> bool {
    bytes.len() >= MAX_HEAD
}

/// The headers behind the first line, by name and value.
pub(crate) struct Headers<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Headers<'a> {
    /// Reads up to the empty line; an error says what is wrong.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Stop<&'static str>> {
        let mut headers = Vec::new();
        loop {
            let line = reader.line()?;
            if line.is_empty() {
                return Ok(Self(headers));
            }
            if headers.len() == MAX_HEADERS {
                return Err(Stop::Failed("it has too many headers"));
            }
            headers.push(header(line).map_err(Stop::Failed)?);
        }
    }

    /// The values under `name`, which is in lower case.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        let same = move |(key, _): &&(&[u8], &[u8])| key.eq_ignore_ascii_case(name.as_bytes());
        self.0.iter().filter(same).map(|&(_, value)| value)
    }
}

/// RFC 9112 section 5. A line that is folded begins with a space, so its name is no token.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or("a header has no colon")?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !is_token(name) {
        return Err("the name of a header is no token");
    }
    if !is_value(value) {
        return Err("a header holds a control character");
    }
    Ok((name, value.trim_ascii()))
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_part)
}

/// RFC 9110 section 5.5: anything but control characters, the tab excepted.
pub(crate) fn is_value(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &[u8]) -> Result<Headers<'_>, Stop<&'static str>> {
        Headers::read(&mut Reader::new(head))
    }

    #[test]
    fn names_are_found_whatever_their_case_and_values_trimmed() {
        let headers = read(b"Via: a\r\nvia:\tb \nX-Via: c\r\n\r\n").ok().unwrap();
        assert_eq!(headers.all("via").collect::<Vec<_>>(), [b"a", b"b"]);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for head in ["no colon\n", "a : b\n", " folded: x\n", ": x\n", "a: \x07\n", "a: b\rc: d\n", "ä: x\n"]
        {
            assert!(matches!(read(head.as_bytes()), Err(Stop::Failed(_))), "{head:?}");
        }
        assert!(matches!(read("a: b\n".repeat(129).as_bytes()), Err(Stop::Failed(_))));
        assert!(matches!(read("a: b\n".repeat(128).as_bytes()), Err(Stop::More)));
    }
}
