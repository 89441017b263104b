//! The numbers of each key type, as the private section lists them.

use std::sync::Arc;

use underpass_crypto::{
    Signer,
    algorithms::{
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
        legacy::ssh_dss::{DsaKey, DsaNumbers},
        rsa::{RsaKey, RsaNumbers},
    },
};
use underpass_wire::Reader;

use super::HALVES_DIFFER;
use crate::KeyFileError;

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
    Ok(Arc::new(Ed25519Key::new(seed, public)?))
}

fn ecdsa(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let curve = fields.string()?;
    let point = fields.string()?;
    let scalar = fields.mpint()?;
    let curve = Curve::from_name(curve).ok_or(KeyFileError::Malformed("it names an unknown curve"))?;
    Ok(Arc::new(EcdsaKey::new(curve, scalar.as_bytes(), point)?))
}

fn rsa(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let mut number = || fields.mpint().map(|number| number.as_bytes());
    let (n, e, d) = (number()?, number()?, number()?);
    let (iqmp, p, q) = (number()?, number()?, number()?);
    Ok(Arc::new(RsaKey::new(&RsaNumbers { n, e, d, iqmp, p, q })?))
}

fn dsa(fields: &mut Reader<'_>) -> Result<Arc<dyn Signer>, KeyFileError> {
    let mut number = || fields.mpint().map(|number| number.as_bytes());
    let (p, q, g) = (number()?, number()?, number()?);
    let (y, x) = (number()?, number()?);
    Ok(Arc::new(DsaKey::new(&DsaNumbers { p, q, g, y, x })?))
}

const ED25519_SEED_LEN: usize = 32;
