//! Keys with X.509 certificates: the algorithms of the key, under other names, with certificates in its place.
//!
//! The names of RFC 6187, and the older `x509v3-sign-rsa` and `x509v3-sign-dss`. The drafts left the latter's formats
//! open; here they are what the implementations in use have: a key blob is a bare certificate, a signature bears the
//! algorithm's name, and a DSA signature is ASN.1 (some send the two numbers as `ssh-dss` has them, and are understood).
//!
//! Only that the holder of the certified key signed is verified here. Whether the certificate is good for anything is a
//! question to [`Chain`].

use std::sync::Arc;

use underpass_wire::Put as _;
use x509_cert::der::{Encode as _, asn1::UintRef};

use super::legacy::{ssh_dss, ssh_rsa};
use super::{blob, ecdsa, rsa};
use crate::x509::{Chain, X509Certificate, X509Error, integers};
use crate::{SignError, Signature, SignatureError, Signer, Strength, key_type};

/// An algorithm, and what it is made of.
struct Row {
    algorithm: &'static Signature,
    /// That of the plain key.
    plain: &'static Signature,
    key: KeyFormat,
}

/// How a key blob is made.
#[derive(Clone, Copy, PartialEq)]
enum KeyFormat {
    /// RFC 6187 section 2.1.
    Chain,
    /// One certificate and nothing else.
    Bare,
}

macro_rules! x509 {
    ($($(#[$doc:meta])* $name:ident = $strength:ident, $wire:literal, $plain:path, $signature:literal, $key:ident;)+) => {
        $(
            $(#[$doc])*
            pub static $name: Signature = Signature {
                name: $wire,
                strength: Strength::$strength,
                key_format: $wire,
                signature_format: $signature,
                verify: |key, signature, data| verify($wire, key, signature, data),
            };
        )+

        /// All of them, best first.
        const ALL: &[Row] = &[$(
            Row { algorithm: &$name, plain: &$plain, key: KeyFormat::$key },
        )+];
    };
}

x509! {
    /// `x509v3-ecdsa-sha2-nistp256` (RFC 6187 section 3.4).
    ECDSA_SHA2_NISTP256_X509 = Modern, "x509v3-ecdsa-sha2-nistp256", ecdsa::ECDSA_SHA2_NISTP256, "ecdsa-sha2-nistp256",
        Chain;
    /// `x509v3-ecdsa-sha2-nistp384` (RFC 6187 section 3.4).
    ECDSA_SHA2_NISTP384_X509 = Modern, "x509v3-ecdsa-sha2-nistp384", ecdsa::ECDSA_SHA2_NISTP384, "ecdsa-sha2-nistp384",
        Chain;
    /// `x509v3-ecdsa-sha2-nistp521` (RFC 6187 section 3.4).
    ECDSA_SHA2_NISTP521_X509 = Modern, "x509v3-ecdsa-sha2-nistp521", ecdsa::ECDSA_SHA2_NISTP521, "ecdsa-sha2-nistp521",
        Chain;
    /// `x509v3-rsa2048-sha256` (RFC 6187 section 3.3).
    RSA2048_SHA256_X509 = Modern, "x509v3-rsa2048-sha256", rsa::RSA_SHA2_256, "rsa2048-sha256", Chain;
    /// `x509v3-ssh-rsa`, signing with SHA-1 (RFC 6187 section 3.2).
    SSH_RSA_X509 = Legacy, "x509v3-ssh-rsa", ssh_rsa::SSH_RSA, "ssh-rsa", Chain;
    /// `x509v3-ssh-dss` (RFC 6187 section 3.1).
    SSH_DSS_X509 = Legacy, "x509v3-ssh-dss", ssh_dss::SSH_DSS, "ssh-dss", Chain;
    /// `x509v3-sign-rsa`, signing with SHA-1 (draft-ietf-secsh-x509).
    SIGN_RSA = Legacy, "x509v3-sign-rsa", ssh_rsa::SSH_RSA, "x509v3-sign-rsa", Bare;
    /// `x509v3-sign-dss` (draft-ietf-secsh-x509).
    SIGN_DSS = Legacy, "x509v3-sign-dss", ssh_dss::SSH_DSS, "x509v3-sign-dss", Bare;
}

fn verify(algorithm: &str, key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), SignatureError> {
    let row = ALL.iter().find(|row| row.algorithm.name == algorithm).ok_or(SignatureError::Key)?;
    let chain = Chain::parse(key).map_err(|_| SignatureError::Key)?;
    let named = match row.key {
        KeyFormat::Chain => chain.format() == Some(algorithm),
        KeyFormat::Bare => chain.format().is_none(),
    };
    if !named || key_type(chain.key()) != Some(row.plain.key_format) {
        return Err(SignatureError::Key);
    }
    let inside = blob::signature(signature, row.algorithm.signature_format)?;
    let inside = if row.is_asn1() { dsa_from_asn1(inside)? } else { inside.to_vec() };
    (row.plain.verify)(chain.key(), &blob::write_signature(row.plain.name, &inside), data)
}

impl Row {
    /// Whether signatures are ASN.1.
    fn is_asn1(&self) -> bool {
        self.algorithm.name == SIGN_DSS.name
    }

    /// The key blob.
    fn blob(&self, certificates: &[X509Certificate]) -> Vec<u8> {
        if self.key == KeyFormat::Bare {
            return certificates[0].der().to_vec();
        }
        let mut blob = Vec::new();
        blob.put_text(self.algorithm.name);
        blob.put_u32(certificates.len() as u32);
        certificates.iter().for_each(|certificate| blob.put_string(certificate.der()));
        // No OCSP responses.
        blob.put_u32(0);
        blob
    }
}

/// What a key shows instead of its public half under one algorithm: which one makes a difference to the key blob.
#[derive(Clone)]
pub struct X509Identity {
    row: &'static Row,
    blob: Vec<u8>,
}

impl X509Identity {
    /// The identities of the key in the first certificate, which is followed by those of authorities: one for each
    /// algorithm of keys of its kind, best first.
    ///
    /// # Errors
    /// [`X509Error::Key`]: SSH has no such keys. [`X509Error::Malformed`]: there is no certificate.
    pub fn each(certificates: &[X509Certificate]) -> Result<Vec<Self>, X509Error> {
        let key = certificates.first().ok_or(X509Error::Malformed)?.key()?;
        let fits = |row: &&Row| key_type(&key) == Some(row.plain.key_format);
        let show = |row: &'static Row| Self { row, blob: row.blob(certificates) };
        Ok(ALL.iter().filter(fits).map(show).collect())
    }

    /// The name of the algorithm.
    pub fn algorithm(&self) -> &'static str {
        self.row.algorithm.name
    }

    /// The name of the algorithm of the plain key that signs.
    pub fn plain_algorithm(&self) -> &'static str {
        self.row.plain.name
    }

    /// The key blob.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// What the plain key's signature becomes.
    ///
    /// # Errors
    /// [`SignError::Failed`]: it is by another algorithm than the [plain](Self::plain_algorithm) one, or malformed.
    pub fn signature(&self, plain: &[u8]) -> Result<Vec<u8>, SignError> {
        let inside = blob::signature(plain, self.row.plain.name).map_err(|_| SignError::Failed)?;
        let inside = if self.row.is_asn1() { dsa_to_asn1(inside)? } else { inside.to_vec() };
        Ok(blob::write_signature(self.row.algorithm.signature_format, &inside))
    }
}

impl std::fmt::Debug for X509Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "X509Identity({})", self.algorithm())
    }
}

/// Both numbers at their full length, one after the other, as `ssh-dss` has them, from a `Dss-Sig-Value` (RFC 3279
/// section 2.2.2) or from just that.
fn dsa_from_asn1(signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
    if signature.len() == ssh_dss::SIGNATURE_LEN {
        return Ok(signature.to_vec());
    }
    let numbers: [UintRef<'_>; 2] = integers(signature).map_err(|_| SignatureError::Malformed)?;
    let mut both = Vec::with_capacity(ssh_dss::SIGNATURE_LEN);
    for number in numbers.map(|number| number.as_bytes()) {
        let zeros =
            (ssh_dss::SIGNATURE_LEN / 2).checked_sub(number.len()).ok_or(SignatureError::Malformed)?;
        both.resize(both.len() + zeros, 0);
        both.extend_from_slice(number);
    }
    Ok(both)
}

fn dsa_to_asn1(both: &[u8]) -> Result<Vec<u8>, SignError> {
    let halves = both.chunks(ssh_dss::SIGNATURE_LEN / 2).map(UintRef::new);
    let numbers: Vec<UintRef<'_>> = halves.collect::<Result<_, _>>().map_err(|_| SignError::Failed)?;
    numbers.to_der().map_err(|_| SignError::Failed)
}

/// A private key with one of its [identities](X509Identity).
pub struct X509Key {
    key: Arc<dyn Signer>,
    identity: X509Identity,
    algorithms: [&'static str; 1],
}

impl X509Key {
    /// Joins a key and its certificate, which comes first, followed by those of authorities: once for each algorithm that
    /// the key is good for, best first.
    ///
    /// # Errors
    /// [`X509Error::Key`]: the certificate is another key's. [`X509Error::Malformed`]: there is none.
    pub fn each(key: &Arc<dyn Signer>, certificates: &[X509Certificate]) -> Result<Vec<Self>, X509Error> {
        if certificates.first().ok_or(X509Error::Malformed)?.key()? != key.public_key() {
            return Err(X509Error::Key);
        }
        let fits = |identity: &X509Identity| key.algorithms().contains(&identity.plain_algorithm());
        let join =
            |identity: X509Identity| Self { key: key.clone(), algorithms: [identity.algorithm()], identity };
        Ok(X509Identity::each(certificates)?.into_iter().filter(fits).map(join).collect())
    }
}

impl Signer for X509Key {
    fn public_key(&self) -> &[u8] {
        self.identity.blob()
    }

    fn algorithms(&self) -> &[&'static str] {
        &self.algorithms
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        if algorithm != self.identity.algorithm() {
            return Err(SignError::UnsupportedAlgorithm);
        }
        self.identity.signature(&self.key.sign(self.identity.plain_algorithm(), data)?)
    }

    fn may_ask(&self) -> bool {
        self.key.may_ask()
    }
}

impl std::fmt::Debug for X509Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "X509Key({}, ***)", self.algorithms[0])
    }
}
