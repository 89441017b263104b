//! The data types of RFC 4251 section 5: a bounded [`Reader`] and the [`Put`] writers.

use std::fmt;

/// Longest name accepted in a name-list, in bytes. RFC 4251 section 6 allows 64; names of private
/// extensions that carry a domain or a hash go beyond it, none comes near this.
pub const MAX_NAME_LEN: usize = 256;

/// Most names accepted in one name-list. Full-featured peers offer fewer than 100; the rest keeps
/// negotiation cheap.
pub const MAX_NAMES: usize = 1024;

/// Longest mpint accepted, in bytes of magnitude: 16,384 bits, the largest RSA key and
/// Diffie-Hellman group that any common implementation handles.
pub const MAX_MPINT_LEN: usize = 2048;

/// Takes values off the front of a byte slice. Every value is checked against what is left, nothing
/// is copied and nothing is allocated.
#[derive(Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A boolean: "all non-zero values MUST be interpreted as TRUE" (RFC 4251 section 5).
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        self.u8().map(|byte| byte != 0)
    }

    /// A big-endian `uint32`.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A big-endian `uint64`.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Exactly `count` bytes, without a length in front.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated { needed: count, available: self.rest.len() })?;
        self.rest = rest;
        Ok(taken)
    }

    /// Exactly `N` bytes, without a length in front.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated { needed: N, available: self.rest.len() })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A `string`: a `uint32` length and that many bytes.
    pub fn string(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.u32()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A `string` that must be UTF-8.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.string()?).map_err(|_| DecodeError::InvalidUtf8)
    }

    /// A `name-list`.
    pub fn name_list(&mut self) -> Result<NameList<'a>, DecodeError> {
        NameList::from_bytes(self.string()?)
    }

    /// An `mpint` that is not negative and has no superfluous leading zeros.
    pub fn mpint(&mut self) -> Result<Mpint<'a>, DecodeError> {
        Mpint::from_contents(self.string()?)
    }

    /// A reader bounded to the contents of a `string`.
    pub fn nested(&mut self) -> Result<Reader<'a>, DecodeError> {
        self.string().map(Reader::new)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends reading; bytes left over are an error.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes { count }),
        }
    }
}

impl fmt::Debug for Reader<'_> {
    /// Shows how much is left, not what: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("remaining", &self.rest.len()).finish()
    }
}

/// Why bytes are not the SSH value or message that they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A value reaches beyond the end of what holds it.
    Truncated {
        /// Bytes that the value needs.
        needed: usize,
        /// Bytes that are left.
        available: usize,
    },
    /// Bytes follow the last field.
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A text is not UTF-8.
    InvalidUtf8,
    /// A name-list holds an empty name, or a byte that is not printable US-ASCII.
    NotAName,
    /// An mpint is negative where only naturals make sense.
    NegativeMpint,
    /// An mpint has unnecessary leading zeros (forbidden by RFC 4251 section 5).
    NonMinimalMpint,
    /// No message has this number, at least not in the present context.
    UnknownMessage {
        /// The number.
        number: u8,
    },
    /// A count or a length is over its limit.
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
    },
    /// A field has a value that its definition excludes.
    Invalid {
        /// Which field.
        what: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, available } => {
                write!(f, "truncated: {needed} bytes needed, {available} left")
            }
            Self::TrailingBytes { count } => write!(f, "{count} bytes after the last field"),
            Self::InvalidUtf8 => f.write_str("text is not UTF-8"),
            Self::NotAName => f.write_str("name-list with an empty name or a forbidden character"),
            Self::NegativeMpint => f.write_str("negative mpint"),
            Self::NonMinimalMpint => f.write_str("mpint with unnecessary leading zeros"),
            Self::UnknownMessage { number } => write!(f, "message number {number} is unknown here"),
            Self::TooMany { what, limit } => write!(f, "too many {what}: the limit is {limit}"),
            Self::Invalid { what } => write!(f, "invalid {what}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A checked `name-list` (RFC 4251 section 5): printable US-ASCII, separated by commas, no empty names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NameList<'a>(&'a str);

impl<'a> NameList<'a> {
    /// A list without names.
    pub const EMPTY: NameList<'static> = NameList("");

    /// Checks a comma-separated list.
    pub fn new(list: &'a str) -> Result<Self, DecodeError> {
        if list.is_empty() {
            return Ok(Self::EMPTY);
        }
        for (index, name) in list.split(',').enumerate() {
            if index == MAX_NAMES {
                return Err(DecodeError::TooMany { what: "names in a name-list", limit: MAX_NAMES });
            }
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(DecodeError::NotAName);
            }
            if name.len() > MAX_NAME_LEN {
                return Err(DecodeError::TooMany { what: "bytes in a name", limit: MAX_NAME_LEN });
            }
        }
        Ok(Self(list))
    }

    /// Checks a comma-separated list that came as bytes.
    pub fn from_bytes(list: &'a [u8]) -> Result<Self, DecodeError> {
        std::str::from_utf8(list).map_err(|_| DecodeError::NotAName).and_then(Self::new)
    }

    /// The names, in order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(',').filter(|name| !name.is_empty())
    }

    /// Whether `name` is listed.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|listed| listed == name)
    }

    /// The most preferred name.
    pub fn first(&self) -> Option<&'a str> {
        self.iter().next()
    }

    /// The list as it is on the wire.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether no name is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for NameList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A natural number: its magnitude, big-endian, without leading zeros; zero is empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mpint<'a>(&'a [u8]);

impl<'a> Mpint<'a> {
    /// The number with this big-endian magnitude; leading zeros are dropped.
    pub fn from_magnitude(bytes: &'a [u8]) -> Self {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        Self(&bytes[zeros..])
    }

    /// The number whose encoding has these contents, behind its length.
    ///
    /// # Errors
    /// It is negative, has superfluous leading zeros, or is too long.
    pub fn from_contents(contents: &'a [u8]) -> Result<Self, DecodeError> {
        let magnitude = match contents {
            [first, ..] if first & 0x80 != 0 => return Err(DecodeError::NegativeMpint),
            [0, second, ..] if second & 0x80 == 0 => return Err(DecodeError::NonMinimalMpint),
            [0] => return Err(DecodeError::NonMinimalMpint),
            [0, magnitude @ ..] => magnitude,
            magnitude => magnitude,
        };
        if magnitude.len() > MAX_MPINT_LEN {
            return Err(DecodeError::TooMany { what: "bytes in an mpint", limit: MAX_MPINT_LEN });
        }
        Ok(Self(magnitude))
    }

    /// The magnitude.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Mpint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mpint({} bytes)", self.0.len())
    }
}

/// Bytes that nobody may see: a password or an answer to a prompt. Displayed as their absence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sensitive<'a>(pub &'a [u8]);

impl<'a> From<&'a [u8]> for Sensitive<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Sensitive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(..)")
    }
}

/// Appends values of RFC 4251 section 5.
///
/// # Panics
/// `put_string` and those built on it panic when the contents reach 4 GiB, which no SSH packet holds.
pub trait Put {
    /// One byte.
    fn put_u8(&mut self, value: u8);
    /// A boolean: 0 or 1.
    fn put_bool(&mut self, value: bool);
    /// A big-endian `uint32`.
    fn put_u32(&mut self, value: u32);
    /// A big-endian `uint64`.
    fn put_u64(&mut self, value: u64);
    /// The bytes as they are, without a length.
    fn put_bytes(&mut self, bytes: &[u8]);
    /// A `string`: length and bytes.
    fn put_string(&mut self, bytes: &[u8]);
    /// A `string` of UTF-8.
    fn put_text(&mut self, text: &str);
    /// An `mpint` from an unsigned big-endian magnitude with any number of leading zeros.
    fn put_mpint(&mut self, magnitude: &[u8]);
    /// A `name-list`. The names must be valid ones (see [`NameList`]).
    fn put_name_list(&mut self, names: impl IntoIterator<Item = impl AsRef<str>>);
    /// A `string` whose contents `write` appends.
    fn put_nested(&mut self, write: impl FnOnce(&mut Vec<u8>));
}

impl Put for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_bool(&mut self, value: bool) {
        self.push(u8::from(value));
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn put_string(&mut self, bytes: &[u8]) {
        self.put_u32(string_len(bytes.len()));
        self.put_bytes(bytes);
    }

    fn put_text(&mut self, text: &str) {
        self.put_string(text.as_bytes());
    }

    fn put_mpint(&mut self, magnitude: &[u8]) {
        let magnitude = Mpint::from_magnitude(magnitude).0;
        // A set top bit would read as a negative number.
        let sign = magnitude.first().is_some_and(|first| first & 0x80 != 0);
        self.put_u32(string_len(magnitude.len() + usize::from(sign)));
        if sign {
            self.put_u8(0);
        }
        self.put_bytes(magnitude);
    }

    fn put_name_list(&mut self, names: impl IntoIterator<Item = impl AsRef<str>>) {
        self.put_nested(|out| {
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.put_u8(b',');
                }
                out.put_bytes(name.as_ref().as_bytes());
            }
        });
    }

    fn put_nested(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let length_at = self.len();
        self.put_u32(0);
        let start = self.len();
        write(self);
        let length = string_len(self.len() - start);
        self[length_at..start].copy_from_slice(&length.to_be_bytes());
    }
}

fn string_len(len: usize) -> u32 {
    u32::try_from(len).expect("an SSH string is shorter than 4 GiB")
}
