use std::fmt;

use crate::head::{is_token, is_value};
use crate::limits::MAX_HEADERS;
use crate::secret::Password;

/// Headers for an HTTP proxy, such as those of its own ways of authentication. The values count as secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Password)>);

impl Headers {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads lines of `Name: value`, as they stand in a request. Empty lines are skipped.
    pub fn parse(lines: &str) -> Result<Self, HeaderError> {
        let mut headers = Self::new();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line.split_once(':').ok_or(HeaderError::Name)?;
            headers.push(name, value.trim())?;
        }
        Ok(headers)
    }

    /// Appends one. Neither part can end its line, so nothing can be smuggled in.
    pub fn push(&mut self, name: &str, value: impl Into<Password>) -> Result<(), HeaderError> {
        let value = value.into();
        if !is_token(name.as_bytes()) {
            return Err(HeaderError::Name);
        }
        if !is_value(value.expose().as_bytes()) {
            return Err(HeaderError::Value);
        }
        if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            return Err(HeaderError::Reserved);
        }
        if self.0.len() == MAX_HEADERS {
            return Err(HeaderError::TooMany);
        }
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose()))
    }
}

/// Another host, or a body, would make it another request.
const RESERVED: &[&str] = &["Host", "Content-Length", "Transfer-Encoding"];

/// Why a header cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// The name is missing, or no token (RFC 9110 section 5.6.2).
    Name,
    /// The value holds a control character, such as the end of the line.
    Value,
    /// The header belongs to the handshake.
    Reserved,
    /// There are more than [`MAX_HEADERS`].
    TooMany,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("a header is `Name: value`, and its name a word"),
            Self::Value => f.write_str("the value of a header may hold no control character"),
            Self::Reserved => write!(f, "the headers {} cannot be set", RESERVED.join(", ")),
            Self::TooMany => write!(f, "at most {MAX_HEADERS} headers can be sent"),
        }
    }
}

impl std::error::Error for HeaderError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_cannot_smuggle_in_another() {
        let mut headers = Headers::new();
        assert_eq!(headers.push("X-A", "1\r\nX-B: 2"), Err(HeaderError::Value));
        assert_eq!(headers.push("X-A", "1\nX-B: 2"), Err(HeaderError::Value));
        assert_eq!(headers.push("X-A: 1\r\nX-B", "2"), Err(HeaderError::Name));
        assert_eq!(headers.push("", "2"), Err(HeaderError::Name));
        assert_eq!(headers.push("content-length", "7"), Err(HeaderError::Reserved));
        assert_eq!(headers, Headers::new());
    }

    #[test]
    fn headers_are_read_line_by_line_and_their_values_not_shown() {
        let headers = Headers::parse("X-A: hunter2\r\n\r\nX-B:\tb: c\n").unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("X-A", "hunter2"), ("X-B", "b: c")]);
        assert!(!format!("{headers:?}").contains("hunter2"));
        assert_eq!(Headers::parse("X-A"), Err(HeaderError::Name));
    }
}
