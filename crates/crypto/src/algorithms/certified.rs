//! Keys with an OpenSSH certificate: the algorithms of the key, under other names, with the certificate in its place.
//!
//! Only that the holder of the certified key signed is verified here. Whether the certificate is good for anything is a
//! question to [`Certificate`].

use std::sync::Arc;

use super::legacy::{ssh_dss, ssh_rsa};
use super::{ecdsa, ed25519, rsa, security_key};
use crate::certificate::{Certificate, CertificateError};
use crate::{SignError, Signature, SignatureError, Signer, Strength, key_type};

macro_rules! certified {
    ($($(#[$doc:meta])* $name:ident = $strength:ident, $wire:literal, $format:literal, $plain:path;)+) => {$(
        $(#[$doc])*
        pub static $name: Signature = Signature {
            name: $wire,
            strength: Strength::$strength,
            key_format: $format,
            signature_format: $plain.name,
            verify: |key, signature, data| verify(&$plain, key, signature, data),
        };
    )+};
}

certified! {
    /// `ssh-ed25519-cert-v01@openssh.com`.
    SSH_ED25519_CERT = Modern, "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519-cert-v01@openssh.com",
        ed25519::SSH_ED25519;
    /// `ecdsa-sha2-nistp256-cert-v01@openssh.com`.
    ECDSA_SHA2_NISTP256_CERT = Modern, "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "ecdsa-sha2-nistp256-cert-v01@openssh.com", ecdsa::ECDSA_SHA2_NISTP256;
    /// `ecdsa-sha2-nistp384-cert-v01@openssh.com`.
    ECDSA_SHA2_NISTP384_CERT = Modern, "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384-cert-v01@openssh.com", ecdsa::ECDSA_SHA2_NISTP384;
    /// `ecdsa-sha2-nistp521-cert-v01@openssh.com`.
    ECDSA_SHA2_NISTP521_CERT = Modern, "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        "ecdsa-sha2-nistp521-cert-v01@openssh.com", ecdsa::ECDSA_SHA2_NISTP521;
    /// `sk-ssh-ed25519-cert-v01@openssh.com`.
    SK_SSH_ED25519_CERT = Modern, "sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com",
        security_key::SK_SSH_ED25519;
    /// `sk-ecdsa-sha2-nistp256-cert-v01@openssh.com`.
    SK_ECDSA_SHA2_NISTP256_CERT = Modern, "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", security_key::SK_ECDSA_SHA2_NISTP256;
    /// `rsa-sha2-512-cert-v01@openssh.com`.
    RSA_SHA2_512_CERT = Modern, "rsa-sha2-512-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com", rsa::RSA_SHA2_512;
    /// `rsa-sha2-256-cert-v01@openssh.com`.
    RSA_SHA2_256_CERT = Modern, "rsa-sha2-256-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com", rsa::RSA_SHA2_256;
    /// `ssh-rsa-cert-v01@openssh.com`, signing with SHA-1.
    SSH_RSA_CERT = Legacy, "ssh-rsa-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com", ssh_rsa::SSH_RSA;
    /// `ssh-dss-cert-v01@openssh.com`.
    SSH_DSS_CERT = Legacy, "ssh-dss-cert-v01@openssh.com", "ssh-dss-cert-v01@openssh.com", ssh_dss::SSH_DSS;
}

/// Those of keys that are not in devices, with the algorithm of the plain key.
const ALL: [(&Signature, &Signature); 8] = [
    (&SSH_ED25519_CERT, &ed25519::SSH_ED25519),
    (&ECDSA_SHA2_NISTP256_CERT, &ecdsa::ECDSA_SHA2_NISTP256),
    (&ECDSA_SHA2_NISTP384_CERT, &ecdsa::ECDSA_SHA2_NISTP384),
    (&ECDSA_SHA2_NISTP521_CERT, &ecdsa::ECDSA_SHA2_NISTP521),
    (&RSA_SHA2_512_CERT, &rsa::RSA_SHA2_512),
    (&RSA_SHA2_256_CERT, &rsa::RSA_SHA2_256),
    (&SSH_RSA_CERT, &ssh_rsa::SSH_RSA),
    (&SSH_DSS_CERT, &ssh_dss::SSH_DSS),
];

fn verify(plain: &Signature, key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), SignatureError> {
    let certificate = Certificate::parse(key).map_err(|_| SignatureError::Key)?;
    match key_type(certificate.key()) == Some(plain.key_format) {
        true => (plain.verify)(certificate.key(), signature, data),
        false => Err(SignatureError::Key),
    }
}

/// A private key that shows a certificate instead of its public half.
pub struct CertifiedKey {
    key: Arc<dyn Signer>,
    certificate: Vec<u8>,
    algorithms: Vec<&'static str>,
}

impl CertifiedKey {
    /// Joins a key and its certificate.
    ///
    /// # Errors
    /// The certificate is malformed, or another key's.
    pub fn new(key: Arc<dyn Signer>, certificate: Vec<u8>) -> Result<Self, CertificateError> {
        if Certificate::parse(&certificate)?.key() != key.public_key() {
            return Err(CertificateError::Key);
        }
        let plain = |name: &&str| ALL.iter().find(|(_, plain)| plain.name == *name).map(|row| row.0.name);
        let algorithms = key.algorithms().iter().filter_map(plain).collect();
        Ok(Self { key, certificate, algorithms })
    }
}

impl Signer for CertifiedKey {
    fn public_key(&self) -> &[u8] {
        &self.certificate
    }

    fn algorithms(&self) -> &[&'static str] {
        &self.algorithms
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let row = ALL.iter().find(|(certified, _)| certified.name == algorithm);
        let (_, plain) = row.ok_or(SignError::UnsupportedAlgorithm)?;
        self.key.sign(plain.name, data)
    }

    fn may_ask(&self) -> bool {
        self.key.may_ask()
    }
}

impl std::fmt::Debug for CertifiedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CertifiedKey(***)")
    }
}
