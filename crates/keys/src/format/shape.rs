//! Telling formats of ASN.1 apart by the types of their first fields.

use super::Format;

/// What DER is, if its shape is known.
pub(super) fn of(der: &[u8]) -> Option<Format> {
    let shape = describe(der);
    SHAPES.iter().find(|(begin, _)| shape.starts_with(begin)).map(|(_, format)| *format)
}

/// One letter for each of the first fields, with `(` and `)` around a SEQUENCE.
fn describe(der: &[u8]) -> String {
    let mut shape = String::new();
    elements(der, 0, &mut shape);
    shape
}

fn elements(mut der: &[u8], depth: usize, shape: &mut String) {
    while shape.len() < MAX_SHAPE
        && let Some((tag, content, rest)) = element(der)
    {
        match tag {
            SEQUENCE if depth < MAX_DEPTH => {
                shape.push('(');
                elements(content, depth + 1, shape);
                shape.push(')');
            }
            SEQUENCE => shape.push('s'),
            INTEGER => shape.push('i'),
            BIT_STRING => shape.push('b'),
            OCTET_STRING => shape.push('o'),
            OBJECT_IDENTIFIER => shape.push('d'),
            SET => shape.push('t'),
            CONTEXT_0 => shape.push('0'),
            _ => shape.push('x'),
        }
        der = rest;
    }
}

/// The tag, the content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match usize::from(*first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
            if bytes.len() > 4 {
                return None;
            }
            (bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((*tag, content, rest))
}

/// How each format begins, the more particular one first.
pub(super) const SHAPES: &[(&str, Format)] = &[
    ("(iiiiiiiii", Format::Pkcs1),
    ("(iiiiii)", Format::Dsa),
    // Version 1 of the key, then the scalar.
    ("(io", Format::Sec1),
    // Its content comes under a tag, and a private key's in a string.
    ("(i(d0)", Format::Pkcs12),
    ("(i(d", Format::Pkcs8),
    // A salt, or the algorithms of PBES2.
    ("((d(o", Format::Pkcs8Encrypted),
    ("((d((", Format::Pkcs8Encrypted),
    ("((d", Format::PublicKeyBlock),
    ("(ii)", Format::PublicKeyBlock),
    // The version is left out of old certificates; behind it come the serial number and an algorithm.
    ("((0i(d", Format::X509),
    ("((i(d", Format::X509),
    ("((i(t", Format::X509Request),
    ("((i()", Format::X509Request),
    ("(d0)", Format::Pkcs7),
    // The data, encrypted, then an algorithm, a key derivation and a MAC.
    ("(((d", Format::Bcfks),
];

pub(super) const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const OCTET_STRING: u8 = 4;
const OBJECT_IDENTIFIER: u8 = 6;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;

/// The longest shape above.
const MAX_SHAPE: usize = 10;

/// The deepest structure that tells formats apart.
const MAX_DEPTH: usize = 4;
