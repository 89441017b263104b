//! The frames around public keys and signatures (RFC 4253 section 6.6).

use underpass_wire::{DecodeError, Put as _, Reader};

use crate::SignatureError;

/// Reads the inside of a public key blob of `format`; nothing may follow what `read` takes.
pub(super) fn public_key<'a, T>(
    blob: &'a [u8],
    format: &str,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<T, SignatureError> {
    let mut reader = Reader::new(blob);
    let named = reader.string().is_ok_and(|name| name == format.as_bytes());
    let inside = read(&mut reader).map_err(|_| SignatureError::Key)?;
    match reader.finish() {
        Ok(()) if named => Ok(inside),
        _ => Err(SignatureError::Key),
    }
}

/// The inside of a signature blob that names `algorithm`; nothing may follow it.
///
/// # Errors
/// It is malformed, or names another algorithm.
pub fn signature<'a>(blob: &'a [u8], algorithm: &str) -> Result<&'a [u8], SignatureError> {
    let mut reader = Reader::new(blob);
    let malformed = |_| SignatureError::Malformed;
    let name = reader.string().map_err(malformed)?;
    let inside = reader.string().map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    if name == algorithm.as_bytes() { Ok(inside) } else { Err(SignatureError::Malformed) }
}

/// A signature blob.
pub fn write_signature(algorithm: &str, inside: &[u8]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(8 + algorithm.len() + inside.len());
    blob.put_string(algorithm.as_bytes());
    blob.put_string(inside);
    blob
}
