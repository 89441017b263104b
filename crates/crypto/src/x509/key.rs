//! Public keys, from the format of X.509 to that of SSH.

use underpass_wire::Put as _;
use x509_cert::{
    der::{
        Decode as _, Encode as _,
        asn1::{ObjectIdentifier, UintRef},
    },
    spki::SubjectPublicKeyInfoOwned,
};

use super::X509Error;
use crate::algorithms::ecdsa::Curve;

/// The plain key blob (RFC 4253 section 6.6) of a key.
pub(super) fn of(info: &SubjectPublicKeyInfoOwned) -> Result<Vec<u8>, X509Error> {
    let algorithm = &info.algorithm;
    let bits = info.subject_public_key.as_bytes().ok_or(X509Error::Malformed)?;
    let parameters = || algorithm.parameters.as_ref().ok_or(X509Error::Malformed);
    let mut blob = Vec::new();
    match algorithm.oid {
        RSA => {
            let [n, e] = integers(bits)?;
            blob.put_text("ssh-rsa");
            [e, n].into_iter().for_each(|number| blob.put_mpint(number.as_bytes()));
        }
        DSA => {
            let parameters = parameters()?.to_der().map_err(|_| X509Error::Malformed)?;
            let [p, q, g] = integers(&parameters)?;
            let y = UintRef::from_der(bits).map_err(|_| X509Error::Malformed)?;
            blob.put_text("ssh-dss");
            [p, q, g, y].into_iter().for_each(|number| blob.put_mpint(number.as_bytes()));
        }
        EC => {
            let curve: ObjectIdentifier = parameters()?.decode_as().map_err(|_| X509Error::Key)?;
            let curve = Curve::from_object_identifier(curve.as_bytes()).ok_or(X509Error::Key)?;
            blob.put_text(curve.algorithm());
            blob.put_text(curve.name());
            blob.put_string(bits);
        }
        ED25519 => {
            blob.put_text("ssh-ed25519");
            blob.put_string(bits);
        }
        _ => return Err(X509Error::Key),
    }
    Ok(blob)
}

/// A SEQUENCE of so many numbers, none of them negative.
pub(crate) fn integers<const N: usize>(der: &[u8]) -> Result<[UintRef<'_>; N], X509Error> {
    let numbers = Vec::<UintRef<'_>>::from_der(der).map_err(|_| X509Error::Malformed)?;
    numbers.try_into().map_err(|_| X509Error::Malformed)
}

/// RFC 3279 section 2.3.1.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 3279 section 2.3.2.
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
/// RFC 5480 section 2.1.1.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
