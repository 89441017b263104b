//! Packets as `on_ssh_custom_auth` has them: in hexadecimal, and field by field.
//!
//! What is read comes back in the form in which [`set_ssh_param`] takes it. Whatever the payload holds, reading it ends
//! with a value or an error.

mod integer;

use std::fmt;

use underpass_wire::{DecodeError, Number, Put, Reader};

use crate::code_page::{Encoding, Unencodable};
use crate::model::WireType;
use crate::table::{PACKET_FIELDS, PARAM_TYPES};

/// Why a packet cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PacketError {
    /// Something is no hexadecimal.
    Hex,
    /// No type of fields has these letters.
    UnknownType(String),
    /// A value is none of its type: what such a value looks like.
    Value(&'static str),
    /// Text has a character that the code page has not.
    Unencodable(Unencodable),
    /// A string has bytes that mean nothing in the code page.
    NotText,
    /// A field is asked for by a name that no channel request has.
    UnknownField(String),
    /// The payload has no fields with names.
    NotAChannelRequest,
    /// The channel request is of a type that has no such field.
    NoSuchField(&'static str),
    /// The payload ends too early, or is otherwise not what it should be.
    Payload(DecodeError),
}

/// A packet in hexadecimal, with capital letters.
pub(crate) fn encode_packet(packet: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    packet
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}

/// The packet that stands there in hexadecimal, with letters of either case.
pub(crate) fn decode_packet(text: &str) -> Result<Vec<u8>, PacketError> {
    let digits: Vec<u8> = text
        .chars()
        .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or(PacketError::Hex)?;
    match digits.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => Err(PacketError::Hex),
    }
}

/// The payload with one more field at its end. Text is written in the code page.
pub(crate) fn set_ssh_param(
    mut payload: Vec<u8>,
    field_type: &str,
    value: &str,
    code_page: &Encoding,
) -> Result<Vec<u8>, PacketError> {
    match wire_type(field_type)? {
        WireType::Text => payload.put_string(&code_page.encode(value).map_err(PacketError::Unencodable)?),
        WireType::Hex => payload.put_string(&decode_packet(value)?),
        WireType::Mpint => payload.put_string(&integer::mpint(value)?),
        WireType::Uint32 => payload.put_bytes(&integer::fixed::<4>(value)?),
        WireType::Uint64 => payload.put_bytes(&integer::fixed::<8>(value)?),
        WireType::Byte => payload.put_bytes(&integer::fixed::<1>(value)?),
        WireType::Boolean => payload.put_bool(boolean(value)?),
    }
    Ok(payload)
}

/// A field in the form in which it is set. `field` is a name, for channel requests, or `%` and the types of all fields
/// from the start of the payload, its message number included, to the one that is wanted: `%b,s,f`.
pub(crate) fn get_ssh_param(
    payload: &[u8],
    field: &str,
    code_page: &Encoding,
) -> Result<String, PacketError> {
    let (wire, bytes) = find(payload, field)?;
    Ok(match wire {
        WireType::Text => {
            let text = code_page.decode(bytes);
            // It must be possible to set what was got.
            if code_page.encode(&text).as_deref() != Ok(bytes) {
                return Err(PacketError::NotText);
            }
            text
        }
        WireType::Hex => encode_packet(bytes),
        WireType::Mpint => integer::mpint_text(bytes)?,
        WireType::Uint32 | WireType::Uint64 | WireType::Byte => integer::fixed_text(bytes),
        WireType::Boolean => bytes.iter().any(|byte| *byte != 0).to_string(),
    })
}

/// The bytes of a field: the contents of a string or an mpint, without their length, and of all else what is in the
/// packet.
pub(crate) fn get_ssh_param_bytes(payload: &[u8], field: &str) -> Result<Vec<u8>, PacketError> {
    find(payload, field).map(|(_, bytes)| bytes.to_vec())
}

fn find<'a>(payload: &'a [u8], field: &str) -> Result<(WireType, &'a [u8]), PacketError> {
    let mut reader = Reader::new(payload);
    match field.strip_prefix('%') {
        Some(types) => {
            let mut last = Err(PacketError::UnknownType(String::new()));
            for letters in types.split(',') {
                let wire = wire_type(letters)?;
                last = Ok((wire, take(&mut reader, wire)?));
            }
            last
        }
        None => named(&mut reader, field),
    }
}

/// A field of a channel request (RFC 4254 section 5.4), which starts with its message number.
fn named<'a>(reader: &mut Reader<'a>, name: &str) -> Result<(WireType, &'a [u8]), PacketError> {
    let wanted = PACKET_FIELDS
        .iter()
        .find(|row| row.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| PacketError::UnknownField(name.to_owned()))?;
    if reader.u8()? != Number::CHANNEL_REQUEST.0 {
        return Err(PacketError::NotAChannelRequest);
    }
    let mut request: &[u8] = b"";
    for row in PACKET_FIELDS {
        if !row.request.is_empty() && row.request.as_bytes() != request {
            continue;
        }
        let bytes = take(reader, row.wire)?;
        if row == wanted {
            return Ok((row.wire, bytes));
        }
        if row.name == REQUEST_TYPE {
            request = bytes;
        }
    }
    Err(PacketError::NoSuchField(wanted.request))
}

fn take<'a>(reader: &mut Reader<'a>, wire: WireType) -> Result<&'a [u8], DecodeError> {
    match wire {
        WireType::Text | WireType::Hex | WireType::Mpint => reader.string(),
        WireType::Uint32 => reader.bytes(4),
        WireType::Uint64 => reader.bytes(8),
        WireType::Byte | WireType::Boolean => reader.bytes(1),
    }
}

fn wire_type(letters: &str) -> Result<WireType, PacketError> {
    let letters = letters.trim();
    let row = PARAM_TYPES.iter().find(|(known, _)| *known == letters);
    row.map(|(_, wire)| *wire).ok_or_else(|| PacketError::UnknownType(letters.to_owned()))
}

fn boolean(value: &str) -> Result<bool, PacketError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(PacketError::Value("`true` or `false`")),
    }
}

impl From<DecodeError> for PacketError {
    fn from(error: DecodeError) -> Self {
        Self::Payload(error)
    }
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hex => f.write_str("give pairs of hexadecimal digits, such as A1B23C"),
            Self::UnknownType(letters) => {
                write!(f, "`{}` is no type of fields: use s, sb, m, i, l, b or f", letters.escape_debug())
            }
            Self::Value(expected) => write!(f, "the field takes {expected}"),
            Self::Unencodable(error) => error.fmt(f),
            Self::NotText => f.write_str(
                "the string is no text in the code page: read it with `sb`, or with get_ssh_param_bytes",
            ),
            Self::UnknownField(name) => write!(
                f,
                "no field is called `{}`: give the name of a channel request's field, or `%` and the types up to the \
                 field, as in %b,s,s",
                name.escape_debug()
            ),
            Self::NotAChannelRequest => f.write_str(
                "the packet is no channel request: give `%` and the types up to the field, as in %b,s,s",
            ),
            Self::NoSuchField(request) => write!(f, "only a channel request `{request}` has this field"),
            Self::Payload(error) => write!(f, "the packet cannot be read up to the field: {error}"),
        }
    }
}

impl std::error::Error for PacketError {}

/// The field that says which fields follow.
const REQUEST_TYPE: &str = "RequestType";

#[cfg(test)]
mod tests;
