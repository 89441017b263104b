//! JSON Web Keys and sets of them (RFC 7517) with the numbers of RFC 7518 section 6 and RFC 8037.

use serde_json::{Map, Value};
use underpass_crypto::algorithms::{ecdsa::Curve, rsa::RsaNumbers};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    Entry, KeyFileError, MAX_CHAIN, MAX_ENTRIES, PublicKey, armour,
    certificate::{Certificate, certify},
    der_key,
    private::{Key, Numbers},
    store::Opened,
};

pub(crate) fn open(bytes: &[u8]) -> Result<Opened, KeyFileError> {
    let text = armour::trim_start(bytes);
    // The parser bounds how deep it goes.
    let mut value: Value =
        serde_json::from_slice(text).map_err(|_| KeyFileError::Malformed("it is not well-formed JSON"))?;
    let entries = match value.get("keys").and_then(Value::as_array) {
        Some(keys) if keys.len() > MAX_ENTRIES => Err(KeyFileError::TooManyEntries),
        Some(keys) => keys.iter().map(entry).collect(),
        None => entry(&value).map(|entry| vec![entry]),
    };
    wipe(&mut value);
    Ok(Opened::plain(entries?))
}

/// One key. What it is for and with which algorithm does not matter to SSH.
fn entry(value: &Value) -> Result<Entry, KeyFileError> {
    let members = Members(value.as_object().ok_or(KeyFileError::Malformed("a key in it is no object"))?);
    let private = members.0.contains_key("d");
    let (key, public) = match members.text("kty")? {
        "RSA" => (private.then(|| rsa(&members)), rsa_public(&members)),
        "EC" => (private.then(|| ecdsa(&members)), ecdsa_public(&members)),
        "OKP" => (private.then(|| ed25519(&members)), ed25519_public(&members)),
        other => {
            let error = KeyFileError::UnsupportedKeyType(other.to_owned());
            (Some(Err(error.clone())), Err(error))
        }
    };
    let mut entry = match (key, public) {
        (Some(key), public) => Entry { public: public.ok(), ..Entry::of_key(key) },
        (None, public) => Entry::of_public(public?),
    };
    entry.name = members.text("kid").unwrap_or_default().to_owned();
    let chain = members.0.get("x5c").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let certificates: Result<Vec<_>, _> = chain.iter().take(MAX_CHAIN).map(certificate).collect();
    certify(&mut entry, &certificates?);
    Ok(entry)
}

/// Not the base64 of the rest (RFC 7517 section 4.7).
fn certificate(value: &Value) -> Result<Certificate, KeyFileError> {
    let der = value.as_str().and_then(|text| armour::decode_base64(text.as_bytes()));
    Certificate::parse(&der.ok_or(KeyFileError::Malformed("a certificate in it is not base64"))?)
}

fn rsa(members: &Members<'_>) -> Key {
    let (n, e, d) = (members.number("n")?, members.number("e")?, members.number("d")?);
    let (p, q, iqmp) = (members.number("p")?, members.number("q")?, members.number("qi")?);
    Numbers::Rsa(RsaNumbers { n: &n, e: &e, d: &d, iqmp: &iqmp, p: &p, q: &q }).signer()
}

fn rsa_public(members: &Members<'_>) -> Result<PublicKey, KeyFileError> {
    der_key::rsa_public(&members.number("e")?, &members.number("n")?)
}

fn ecdsa(members: &Members<'_>) -> Key {
    let (curve, point) = point(members)?;
    let scalar = members.number("d")?;
    Numbers::Ecdsa { curve, scalar: &scalar, point: Some(&point) }.signer()
}

fn ecdsa_public(members: &Members<'_>) -> Result<PublicKey, KeyFileError> {
    let (curve, point) = point(members)?;
    PublicKey::from_blob(&curve.public_key(&point)?)
}

/// Uncompressed (SEC 1 section 2.3.3). Each coordinate has its full length (RFC 7518 section 6.2.1.2).
fn point(members: &Members<'_>) -> Result<(Curve, Vec<u8>), KeyFileError> {
    let name = members.text("crv")?;
    let row = CURVES.iter().find(|(row, _)| *row == name);
    let (_, curve) = row.ok_or_else(|| KeyFileError::UnsupportedKeyType(format!("EC on {name}")))?;
    Ok((*curve, [&[4][..], &members.number("x")?, &members.number("y")?].concat()))
}

fn ed25519(members: &Members<'_>) -> Key {
    of_ed25519(members)?;
    let (seed, public) = (members.number("d")?, members.number("x")?);
    Numbers::Ed25519 { seed: &seed, public: Some(&public) }.signer()
}

fn ed25519_public(members: &Members<'_>) -> Result<PublicKey, KeyFileError> {
    of_ed25519(members)?;
    der_key::ed25519_public(&members.number("x")?)
}

fn of_ed25519(members: &Members<'_>) -> Result<(), KeyFileError> {
    match members.text("crv")? {
        "Ed25519" => Ok(()),
        other => Err(KeyFileError::UnsupportedKeyType(other.to_owned())),
    }
}

/// The members of a key.
struct Members<'a>(&'a Map<String, Value>);

impl Members<'_> {
    fn text(&self, name: &str) -> Result<&str, KeyFileError> {
        self.0.get(name).and_then(Value::as_str).ok_or(MISSING)
    }

    fn number(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        armour::decode_base64_url(self.text(name)?.as_bytes()).ok_or(MISSING)
    }
}

/// The parser has copied the text of the private numbers.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const CURVES: [(&str, Curve); 3] =
    [("P-256", Curve::Nistp256), ("P-384", Curve::Nistp384), ("P-521", Curve::Nistp521)];

const MISSING: KeyFileError = KeyFileError::Malformed("a number of the key is missing or is not base64");
