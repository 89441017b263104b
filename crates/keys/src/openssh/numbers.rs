//! The numbers of each key type, as the private section lists them.

use std::sync::Arc;

use underpass_crypto::{
    Signer,
    algorithms::{ecdsa::Curve, rsa::RsaNumbers},
};
use underpass_wire::Reader;

use super::HALVES_DIFFER;
use crate::{KeyFileError, private::Numbers};

/// Reads the numbers of a key of `key_type`.
pub(super) fn read(key_type: &str, fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let row = TYPES.iter().find(|(name, _)| *name == key_type);
    let (_, read) = row.ok_or_else(|| KeyFileError::UnsupportedKeyType(key_type.to_owned()))?;
    read(fields)
}

type Read = fn(&mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError>;

const TYPES: &[(&str, Read)] = &[
    ("ssh-ed25519", ed25519),
    ("ecdsa-sha2-nistp256", ecdsa),
    ("ecdsa-sha2-nistp384", ecdsa),
    ("ecdsa-sha2-nistp521", ecdsa),
    ("ssh-rsa", rsa),
    ("ssh-dss", dsa),
];

fn ed25519(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let public = fields.string()?;
    let mut private = fields.nested()?;
    let seed = private.bytes(ED25519_SEED_LEN)?;
    if private.rest() != public {
        return Err(HALVES_DIFFER);
    }
    Numbers::Ed25519 { seed, public: Some(public) }.signer()
}

fn ecdsa(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let curve = fields.string()?;
    let point = fields.string()?;
    let scalar = fields.mpint()?;
    let curve = Curve::from_name(curve).ok_or(KeyFileError::Malformed("it names an unknown curve"))?;
    Numbers::Ecdsa { curve, scalar: scalar.as_bytes(), point: Some(point) }.signer()
}

fn rsa(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let mut number = || fields.mpint().map(|number| number.as_bytes());
    let (n, e, d) = (number()?, number()?, number()?);
    let (iqmp, p, q) = (number()?, number()?, number()?);
    Numbers::Rsa(RsaNumbers { n, e, d, iqmp, p, q }).signer()
}

fn dsa(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let mut number = || fields.mpint().map(|number| number.as_bytes());
    let (p, q, g) = (number()?, number()?, number()?);
    let (y, x) = (number()?, number()?);
    Numbers::Dsa { p, q, g, y: Some(y), x }.signer()
}

const ED25519_SEED_LEN: usize = 32;
