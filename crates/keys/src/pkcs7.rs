//! Certificates in PKCS#7 (RFC 2315; RFC 5652 section 5.1): signed data that nobody signed.

use der::asn1::ObjectIdentifier;

use crate::{
    KeyFileError, MAX_ENTRIES, asn1::Fields, certificate::Certificate, certificate::attach, limits::Unlock,
    store::Opened,
};

pub(crate) fn open(bytes: &[u8], _: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    Ok(Opened::plain(attach(Vec::new(), certificates(bytes)?)))
}

/// The certificates, in the order of the file.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, KeyFileError> {
    let mut fields = Fields::of_sequence(bytes)?;
    if fields.oid()? != SIGNED_DATA {
        return Err(KeyFileError::Malformed("it is another kind of PKCS#7 than a list of certificates"));
    }
    let mut signed = fields.expect_context(0)?.fields()?.sequence()?;
    // Version, digest algorithms, what is signed.
    signed.count()?;
    signed.set()?;
    signed.sequence()?;
    let mut certificates = Vec::new();
    let Some(context) = signed.context(0)? else { return Ok(certificates) };
    let mut listed = context.fields()?;
    while !listed.is_empty() {
        if certificates.len() == MAX_ENTRIES {
            return Err(KeyFileError::TooManyEntries);
        }
        certificates.push(Certificate::parse(listed.whole()?)?);
    }
    Ok(certificates)
}

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
