//! From a token's attributes of a public key to its blob (RFC 4253 section 6.6).

use cryptoki::object::KeyType;
use underpass_crypto::{algorithms::ecdsa::Curve, outside::KeyKind};
use underpass_wire::Put as _;

pub(crate) fn type_of(kind: KeyKind) -> KeyType {
    match kind {
        KeyKind::Rsa => KeyType::RSA,
        KeyKind::Ecdsa(_) => KeyType::EC,
        KeyKind::Ed25519 => KeyType::EC_EDWARDS,
    }
}

/// An RSA key: CKA_MODULUS and CKA_PUBLIC_EXPONENT, big-endian.
pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    blob.put_string(b"ssh-rsa");
    blob.put_mpint(exponent);
    blob.put_mpint(modulus);
    blob
}

/// A key on a NIST curve: CKA_EC_PARAMS and CKA_EC_POINT. `None` for other curves, and for points in other forms than the
/// uncompressed one, which SSH has.
pub(crate) fn ecdsa(parameters: &[u8], point: &[u8]) -> Option<(Curve, Vec<u8>)> {
    let [6, _, name @ ..] = parameters else { return None };
    let curve = Curve::from_object_identifier(name)?;
    let len = 1 + 2 * curve.field_len();
    let point = unwrapped(point, len).filter(|point| point.first() == Some(&4))?;
    let mut blob = Vec::new();
    blob.put_string(curve.algorithm().as_bytes());
    blob.put_string(curve.name().as_bytes());
    blob.put_string(point);
    Some((curve, blob))
}

/// A key on Ed25519: CKA_EC_PARAMS as the curve's name or its object identifier (RFC 8410), and CKA_EC_POINT.
pub(crate) fn ed25519(parameters: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"\x13\x0cedwards25519";
    const OID: &[u8] = b"\x06\x03\x2b\x65\x70";
    if ![NAME, OID].contains(&parameters) {
        return None;
    }
    let mut blob = Vec::new();
    blob.put_string(b"ssh-ed25519");
    blob.put_string(unwrapped(point, 32)?);
    Some(blob)
}

/// A point of `len` bytes. PKCS#11 wants it in an OCTET STRING; some tokens give it bare.
fn unwrapped(point: &[u8], len: usize) -> Option<&[u8]> {
    match point {
        bare if bare.len() == len => Some(bare),
        [4, length, rest @ ..] if usize::from(*length) == rest.len() && *length < 0x80 => Some(rest),
        [4, 0x81, length, rest @ ..] if usize::from(*length) == rest.len() => Some(rest),
        _ => None,
    }
    .filter(|point| point.len() == len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

    #[test]
    fn a_point_is_taken_bare_or_in_an_octet_string() {
        let mut bare = vec![7; 65];
        bare[0] = 4;
        let wrapped = [&[4, 65][..], &bare].concat();
        let (curve, blob) = ecdsa(P256, &bare).unwrap();
        assert_eq!((curve.algorithm(), &blob), ("ecdsa-sha2-nistp256", &ecdsa(P256, &wrapped).unwrap().1));
        assert!(blob.ends_with(&bare));
    }

    #[test]
    fn a_long_point_has_a_long_length() {
        let mut bare = vec![7; 133];
        bare[0] = 4;
        let wrapped = [&[4, 0x81, 133][..], &bare].concat();
        assert!(ecdsa(b"\x06\x05\x2b\x81\x04\x00\x23", &wrapped).unwrap().1.ends_with(&bare));
    }

    #[test]
    fn what_ssh_has_no_name_for_is_no_key() {
        let compressed = [&[2][..], &[7; 32]].concat();
        assert!(ecdsa(P256, &compressed).is_none());
        assert!(ecdsa(P256, &[2; 65]).is_none());
        assert!(ecdsa(P256, &[]).is_none());
        assert!(ecdsa(b"\x06\x05\x2b\x81\x04\x00\x0a", &[4; 65]).is_none());
        assert!(ed25519(b"\x13\x0aedwards448", &[1; 32]).is_none());
        assert!(ed25519(b"\x06\x03\x2b\x65\x70", &[1; 31]).is_none());
    }
}
