//! Keys in DER: PKCS#1 (RFC 8017 appendix A), PKCS#8 (RFC 5958), SEC 1 (RFC 5915), OpenSSL's own form of DSA keys, and
//! public keys (RFC 5280 section 4.1.2.7).

use der::asn1::ObjectIdentifier;
use underpass_crypto::algorithms::{ecdsa::Curve, rsa::RsaNumbers};
use underpass_wire::Put as _;

use crate::{
    KeyFileError, PublicKey,
    asn1::{Algorithm, Fields, unknown},
    private::{Key, Numbers},
};

/// RSAPrivateKey (RFC 8017 appendix A.1.2).
pub(crate) fn pkcs1(bytes: &[u8]) -> Key {
    let mut fields = Fields::of_sequence(bytes)?;
    // Version 1 has more than two primes.
    if fields.count()? != 0 {
        return Err(KeyFileError::UnsupportedKeyType("RSA with more than two primes".to_owned()));
    }
    let (n, e, d) = (fields.number()?, fields.number()?, fields.number()?);
    let (p, q) = (fields.number()?, fields.number()?);
    let (_dp, _dq, iqmp) = (fields.number()?, fields.number()?, fields.number()?);
    fields.finish()?;
    Numbers::Rsa(RsaNumbers { n, e, d, iqmp, p, q }).signer()
}

/// What OpenSSL calls DSAPrivateKey.
pub(crate) fn dsa(bytes: &[u8]) -> Key {
    let mut fields = Fields::of_sequence(bytes)?;
    fields.count()?;
    let (p, q, g) = (fields.number()?, fields.number()?, fields.number()?);
    let (y, x) = (fields.number()?, fields.number()?);
    fields.finish()?;
    Numbers::Dsa { p, q, g, y: Some(y), x }.signer()
}

/// ECPrivateKey (RFC 5915 section 3).
pub(crate) fn sec1(bytes: &[u8]) -> Key {
    ec_private_key(bytes, None)
}

/// The curve may stand inside, or outside where PKCS#8 has it.
fn ec_private_key(bytes: &[u8], outside: Option<Curve>) -> Key {
    let mut fields = Fields::of_sequence(bytes)?;
    fields.count()?;
    let scalar = fields.octets()?;
    let inside = match fields.context(0)? {
        Some(context) => Some(curve(&mut context.fields()?)?),
        None => None,
    };
    let mut point = fields.context(1)?.map(|context| context.fields()).transpose()?;
    let point = point.as_mut().map(Fields::bits).transpose()?;
    fields.finish()?;
    let curve = outside.or(inside).ok_or(KeyFileError::Malformed("it does not name its curve"))?;
    Numbers::Ecdsa { curve, scalar, point }.signer()
}

/// PrivateKeyInfo and OneAsymmetricKey (RFC 5958 section 2).
pub(crate) fn pkcs8(bytes: &[u8]) -> Key {
    let mut fields = Fields::of_sequence(bytes)?;
    fields.count()?;
    let algorithm = Algorithm::read(&mut fields)?;
    let key = fields.octets()?;
    // Attributes are of no use here, and the public half is checked where it follows.
    fields.context(0)?;
    let public = fields.context(1)?.map(|context| context.implicit_bits()).transpose()?;
    fields.finish()?;
    match algorithm.oid {
        RSA => pkcs1(key),
        DSA => {
            let [p, q, g] = dsa_parameters(&algorithm)?;
            let mut number = Fields::new(key)?;
            let x = number.number()?;
            number.finish()?;
            Numbers::Dsa { p, q, g, y: None, x }.signer()
        }
        EC => ec_private_key(key, Some(named_curve(&algorithm)?)),
        ED25519 => {
            let mut seed = Fields::new(key)?;
            let bytes = seed.octets()?;
            seed.finish()?;
            Numbers::Ed25519 { seed: bytes, public }.signer()
        }
        other => Err(KeyFileError::UnsupportedKeyType(name_of(other))),
    }
}

/// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) as the blob of SSH.
pub(crate) fn public(bytes: &[u8]) -> Result<PublicKey, KeyFileError> {
    let mut fields = Fields::of_sequence(bytes)?;
    let algorithm = Algorithm::read(&mut fields)?;
    let key = fields.bits()?;
    fields.finish()?;
    match algorithm.oid {
        RSA => public_pkcs1(key),
        DSA => {
            let [p, q, g] = dsa_parameters(&algorithm)?;
            dsa_public(p, q, g, Fields::new(key)?.number()?)
        }
        EC => PublicKey::from_blob(&named_curve(&algorithm)?.public_key(key)?),
        ED25519 => ed25519_public(key),
        other => Err(KeyFileError::UnsupportedKeyType(name_of(other))),
    }
}

/// RSAPublicKey (RFC 8017 appendix A.1.1).
pub(crate) fn public_pkcs1(bytes: &[u8]) -> Result<PublicKey, KeyFileError> {
    let mut fields = Fields::of_sequence(bytes)?;
    let (n, e) = (fields.number()?, fields.number()?);
    fields.finish()?;
    rsa_public(e, n)
}

/// The blob of RFC 4253 section 6.6.
pub(crate) fn rsa_public(e: &[u8], n: &[u8]) -> Result<PublicKey, KeyFileError> {
    from_parts("ssh-rsa", |blob| [e, n].into_iter().for_each(|number| blob.put_mpint(number)))
}

/// The blob of RFC 4253 section 6.6.
pub(crate) fn dsa_public(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<PublicKey, KeyFileError> {
    from_parts("ssh-dss", |blob| [p, q, g, y].into_iter().for_each(|number| blob.put_mpint(number)))
}

/// The blob of RFC 8709 section 4.
pub(crate) fn ed25519_public(key: &[u8]) -> Result<PublicKey, KeyFileError> {
    if key.len() != ED25519_LEN {
        return Err(KeyFileError::Malformed("its public key has the wrong length"));
    }
    from_parts("ssh-ed25519", |blob| blob.put_string(key))
}

fn from_parts(key_type: &str, put: impl FnOnce(&mut Vec<u8>)) -> Result<PublicKey, KeyFileError> {
    let mut blob = Vec::new();
    blob.put_text(key_type);
    put(&mut blob);
    PublicKey::from_blob(&blob)
}

fn dsa_parameters<'a>(algorithm: &Algorithm<'a>) -> Result<[&'a [u8]; 3], KeyFileError> {
    let mut fields = algorithm.fields()?;
    let parameters = [fields.number()?, fields.number()?, fields.number()?];
    fields.finish()?;
    Ok(parameters)
}

fn named_curve(algorithm: &Algorithm<'_>) -> Result<Curve, KeyFileError> {
    let parameters = algorithm.parameters.ok_or(KeyFileError::Malformed("it does not name its curve"))?;
    let oid = parameters.decode_as().map_err(|_| EXPLICIT_CURVE)?;
    curve_of(oid)
}

fn curve(fields: &mut Fields<'_>) -> Result<Curve, KeyFileError> {
    if fields.next_is(der::Tag::Sequence) {
        return Err(EXPLICIT_CURVE);
    }
    curve_of(fields.oid()?)
}

fn curve_of(oid: ObjectIdentifier) -> Result<Curve, KeyFileError> {
    Curve::from_object_identifier(oid.as_bytes())
        .ok_or_else(|| KeyFileError::UnsupportedKeyType(format!("ECDSA on the curve {}", name_of(oid))))
}

/// What people call a type that SSH has no name for, or the identifier.
fn name_of(oid: ObjectIdentifier) -> String {
    let row = NAMES.iter().find(|(row, _)| *row == oid);
    row.map_or_else(|| unknown(oid), |(_, name)| (*name).to_owned())
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const ED25519_LEN: usize = 32;

const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const DSA: ObjectIdentifier = oid("1.2.840.10040.4.1");
const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = oid("1.3.101.112");

/// What is met in practice.
const NAMES: [(ObjectIdentifier, &str); 7] = [
    (oid("1.2.840.113549.1.1.10"), "RSASSA-PSS"),
    (oid("1.3.101.110"), "X25519"),
    (oid("1.3.101.111"), "X448"),
    (oid("1.3.101.113"), "Ed448"),
    (oid("1.3.132.0.10"), "secp256k1"),
    (oid("1.3.36.3.3.2.8.1.1.7"), "brainpoolP256r1"),
    (oid("1.2.840.113549.1.3.1"), "Diffie-Hellman"),
];

const EXPLICIT_CURVE: KeyFileError = KeyFileError::Malformed(
    "it describes its curve instead of naming it, which RFC 5480 section 2.1.1 forbids",
);
