//! Private keys of SSH.com (SSH Tectia and its ancestors): the frame of RFC 4716 around
//!
//! ```text
//! magic u32 | length u32 | type | cipher | sealed string      sealed: length u32 | numbers | padding
//! ```
//!
//! There is no public description; this follows what `puttygen` writes and reads.

use underpass_crypto::algorithms::rsa::RsaNumbers;
use underpass_wire::{DecodeError, Reader};
use zeroize::Zeroizing;

use crate::{
    Entry, KeyFileError,
    limits::Unlock,
    pbe::{as_wrong_passphrase, cipher::Kind, digest::Digest},
    private::{Key, Numbers},
    rfc4716::Frame,
    store::Opened,
};

/// Reads a key.
pub(crate) fn open(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let frame = Frame::parse(bytes)?;
    let mut fields = Reader::new(&frame.content);
    if fields.u32()? != MAGIC {
        return Err(KeyFileError::Malformed("its first bytes are wrong"));
    }
    fields.u32()?;
    let (key_type, cipher, sealed) = (fields.text()?, fields.text()?, fields.string()?);
    let encrypted = cipher != "none";
    let key = match cipher {
        "none" => key(key_type, sealed),
        "3des-cbc" => {
            decrypt(sealed, unlock).and_then(|section| key(key_type, &section).map_err(as_wrong_passphrase))
        }
        other => Err(KeyFileError::UnsupportedCipher(other.to_owned())),
    };
    let entry = Entry { comment: frame.comment, ..Entry::of_key(key) };
    Ok(Opened { encrypted, entries: vec![entry] })
}

/// The key is MD5 over the passphrase, then over that as well.
fn decrypt(sealed: &[u8], unlock: &Unlock<'_>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let passphrase = unlock.required()?.expose();
    let first = (Digest::MD5.hash)(&[passphrase]);
    let second = (Digest::MD5.hash)(&[passphrase, &first]);
    let key = Zeroizing::new([&first[..], &second[..8]].concat());
    Kind::TripleDes.decrypt_padded(&key, &[0; 8], sealed)
}

fn key(key_type: &str, section: &[u8]) -> Key {
    let mut numbers = Reader::new(section).nested()?;
    if key_type.starts_with("if-modn{sign{rsa") {
        let (e, d, n) = (number(&mut numbers)?, number(&mut numbers)?, number(&mut numbers)?);
        let (u, p, q) = (number(&mut numbers)?, number(&mut numbers)?, number(&mut numbers)?);
        // `u` is the inverse of the first prime, so they change places.
        return Numbers::Rsa(RsaNumbers { n, e, d, iqmp: u, p: q, q: p }).signer();
    }
    if key_type.starts_with("dl-modp{sign{dsa") {
        if numbers.u32()? != 0 {
            return Err(KeyFileError::UnsupportedKeyType("DSA with a predefined group".to_owned()));
        }
        let (p, g, q) = (number(&mut numbers)?, number(&mut numbers)?, number(&mut numbers)?);
        let (y, x) = (number(&mut numbers)?, number(&mut numbers)?);
        return Numbers::Dsa { p, q, g, y: Some(y), x }.signer();
    }
    Err(KeyFileError::UnsupportedKeyType(key_type.to_owned()))
}

/// Its length is in bits.
fn number<'a>(fields: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    let bits = fields.u32()?;
    fields.bytes(bits.div_ceil(8) as usize)
}

const MAGIC: u32 = 0x3f6f_f9eb;
