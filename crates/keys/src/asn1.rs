//! Walks through DER, field by field. The crate `der` reads each of them and insists on its rules.

use der::{
    AnyRef, Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _,
    asn1::{BitStringRef, ObjectIdentifier, OctetStringRef, UintRef},
};
use underpass_wire::untrusted;

use crate::KeyFileError;

pub(crate) mod ber;

type Result<T> = std::result::Result<T, KeyFileError>;

/// The fields of a structure, one after the other.
#[derive(Clone)]
pub(crate) struct Fields<'a>(SliceReader<'a>);

impl<'a> Fields<'a> {
    /// What follows is in `bytes`, one field after the other.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        Ok(Self(SliceReader::new(bytes)?))
    }

    /// The fields of the SEQUENCE that fills `bytes`.
    pub(crate) fn of_sequence(bytes: &'a [u8]) -> Result<Self> {
        let mut outer = Self::new(bytes)?;
        let fields = outer.sequence()?;
        outer.finish()?;
        Ok(fields)
    }

    /// Whatever comes next.
    pub(crate) fn any(&mut self) -> Result<AnyRef<'a>> {
        Ok(AnyRef::decode(&mut self.0)?)
    }

    /// What comes next with its header.
    pub(crate) fn whole(&mut self) -> Result<&'a [u8]> {
        Ok(self.0.tlv_bytes()?)
    }

    pub(crate) fn sequence(&mut self) -> Result<Self> {
        self.tagged(Tag::Sequence)
    }

    pub(crate) fn set(&mut self) -> Result<Self> {
        self.tagged(Tag::Set)
    }

    fn tagged(&mut self, tag: Tag) -> Result<Self> {
        let field = self.any()?;
        field.tag().assert_eq(tag)?;
        Self::new(field.value())
    }

    pub(crate) fn oid(&mut self) -> Result<ObjectIdentifier> {
        Ok(ObjectIdentifier::decode(&mut self.0)?)
    }

    pub(crate) fn octets(&mut self) -> Result<&'a [u8]> {
        Ok(<&OctetStringRef>::decode(&mut self.0)?.as_bytes())
    }

    pub(crate) fn bits(&mut self) -> Result<&'a [u8]> {
        whole_bytes(BitStringRef::decode(&mut self.0)?)
    }

    /// A number that is not negative, without leading zeros.
    pub(crate) fn number(&mut self) -> Result<&'a [u8]> {
        Ok(UintRef::decode(&mut self.0)?.as_bytes())
    }

    /// A number for counting.
    pub(crate) fn count(&mut self) -> Result<u32> {
        Ok(u32::decode(&mut self.0)?)
    }

    /// The text of a string of any type that certificates and stores use.
    pub(crate) fn text(&mut self) -> Result<String> {
        let field = self.any()?;
        Ok(match field.tag() {
            Tag::BmpString => utf16(field.value()),
            _ => String::from_utf8_lossy(field.value()).into_owned(),
        })
    }

    /// Whether a field with `tag` comes next.
    pub(crate) fn next_is(&self, tag: Tag) -> bool {
        Tag::peek(&self.0).is_ok_and(|next| next == tag)
    }

    /// The content of `[number]`, if that comes next.
    pub(crate) fn context(&mut self, number: u32) -> Result<Option<Context<'a>>> {
        let Ok(tag) = Tag::peek(&self.0) else { return Ok(None) };
        let Tag::ContextSpecific { constructed, number: found } = tag else { return Ok(None) };
        if found != TagNumber(number) {
            return Ok(None);
        }
        Ok(Some(Context { constructed, value: self.any()?.value() }))
    }

    /// The content of `[number]`, which must come next.
    pub(crate) fn expect_context(&mut self, number: u32) -> Result<Context<'a>> {
        self.context(number)?.ok_or(INCOMPLETE)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_finished()
    }

    /// Nothing may follow.
    pub(crate) fn finish(self) -> Result<()> {
        Ok(self.0.finish()?)
    }
}

/// The content of a context-specific tag.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    constructed: bool,
    value: &'a [u8],
}

impl<'a> Context<'a> {
    /// What an EXPLICIT tag holds.
    pub(crate) fn fields(self) -> Result<Fields<'a>> {
        Fields::new(self.value)
    }

    /// The bytes of an IMPLICIT OCTET STRING, which BER may have cut into pieces.
    pub(crate) fn octets(self) -> Result<Vec<u8>> {
        if !self.constructed {
            return Ok(self.value.to_vec());
        }
        let (mut pieces, mut bytes) = (self.fields()?, Vec::new());
        while !pieces.is_empty() {
            bytes.extend_from_slice(pieces.octets()?);
        }
        Ok(bytes)
    }

    /// The bytes of an IMPLICIT BIT STRING.
    pub(crate) fn implicit_bits(self) -> Result<&'a [u8]> {
        match self.value.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(INCOMPLETE),
        }
    }
}

/// An algorithm and its parameters (RFC 5280 section 4.1.1.2).
#[derive(Clone)]
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: ObjectIdentifier,
    /// Nothing is left of absent parameters and of NULL.
    pub(crate) parameters: Option<AnyRef<'a>>,
}

impl<'a> Algorithm<'a> {
    pub(crate) fn read(fields: &mut Fields<'a>) -> Result<Self> {
        let mut fields = fields.sequence()?;
        let oid = fields.oid()?;
        let parameters = if fields.is_empty() { None } else { Some(fields.any()?) };
        fields.finish()?;
        Ok(Self { oid, parameters: parameters.filter(|parameters| !parameters.is_null()) })
    }

    /// The fields of the parameters, which must be a SEQUENCE.
    pub(crate) fn fields(&self) -> Result<Fields<'a>> {
        let parameters = self.parameters.ok_or(INCOMPLETE)?;
        parameters.tag().assert_eq(Tag::Sequence)?;
        Fields::new(parameters.value())
    }

    /// The parameters as an OCTET STRING: an initial vector, mostly.
    pub(crate) fn octets(&self) -> Result<&'a [u8]> {
        let parameters = self.parameters.ok_or(INCOMPLETE)?;
        parameters.tag().assert_eq(Tag::OctetString)?;
        Ok(parameters.value())
    }
}

/// UTF-16 in network order, as in a BMPString. A zero at its end is left out.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}

/// How an identifier is shown that nobody here knows.
pub(crate) fn unknown(oid: ObjectIdentifier) -> String {
    untrusted(oid.to_string().as_bytes()).to_string()
}

fn whole_bytes(bits: BitStringRef<'_>) -> Result<&[u8]> {
    if bits.has_unused_bits() { Err(INCOMPLETE) } else { Ok(bits.raw_bytes()) }
}

pub(crate) const INCOMPLETE: KeyFileError =
    KeyFileError::Malformed("a field is missing or is not what its place asks for");
