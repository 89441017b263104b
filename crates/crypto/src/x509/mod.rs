//! X.509 certificates (RFC 5280): what is in one, what a peer shows of them in SSH, and whether that leads to a root.
//!
//! `x509-cert` takes certificates apart, `webpki` verifies the path. Both are wanted: what is shown to people and put on
//! record is in neither's verdict, and a verdict is nothing to write twice.

mod chain;
mod error;
mod key;
mod roots;
mod subject;

use std::fmt;

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use x509_cert::der::Decode as _;

pub use chain::{Chain, MAX_CERTIFICATES, is_algorithm, is_x509};
pub use error::X509Error;
pub(crate) use key::integers;
pub use roots::{MAX_ROOTS, Roots};
pub use subject::find_by_name;

/// A certificate, taken apart and not verified.
#[derive(Clone)]
pub struct X509Certificate {
    der: Vec<u8>,
    inner: x509_cert::Certificate,
}

impl X509Certificate {
    /// Takes a certificate apart.
    ///
    /// # Errors
    /// [`X509Error::Malformed`], also for one that is longer than [`MAX_CERTIFICATE_LEN`].
    pub fn from_der(der: &[u8]) -> Result<Self, X509Error> {
        if der.len() > MAX_CERTIFICATE_LEN {
            return Err(X509Error::Malformed);
        }
        let inner = x509_cert::Certificate::from_der(der).map_err(|_| X509Error::Malformed)?;
        Ok(Self { der: der.to_vec(), inner })
    }

    /// The certificates of a file: one as DER, or any number in PEM blocks among other text (RFC 7468).
    ///
    /// # Errors
    /// [`X509Error::Malformed`], also where there is none; [`X509Error::TooMany`] beyond `most`.
    pub fn all_from(file: &[u8], most: usize) -> Result<Vec<Self>, X509Error> {
        if file.first() == Some(&SEQUENCE) {
            return Ok(vec![Self::from_der(file)?]);
        }
        let mut certificates = Vec::new();
        for block in CertificateDer::pem_slice_iter(file) {
            if certificates.len() == most {
                return Err(X509Error::TooMany { most });
            }
            certificates.push(Self::from_der(&block.map_err(|_| X509Error::Malformed)?)?);
        }
        if certificates.is_empty() { Err(X509Error::Malformed) } else { Ok(certificates) }
    }

    /// The certificate as it was given.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whom it is about, as a string (RFC 4514). Its maker chose the text: escape it before showing it.
    pub fn subject(&self) -> String {
        self.inner.tbs_certificate().subject().to_string()
    }

    /// Who made it, as a string (RFC 4514). Its maker chose the text: escape it before showing it.
    pub fn issuer(&self) -> String {
        self.inner.tbs_certificate().issuer().to_string()
    }

    /// Whether it is, by the names, that of the authority that made `other`, which is not itself.
    pub fn is_above(&self, other: &Self) -> bool {
        self.inner.tbs_certificate().subject() == other.inner.tbs_certificate().issuer()
            && self.der != other.der
    }

    /// From one certificate of `all` upwards, by the names, as far as the authorities are among them, and no more than
    /// `most`. What the signatures are worth is a question to [`Chain`].
    pub fn chain(own: usize, all: &[&Self], most: usize) -> Vec<usize> {
        let mut chain = vec![own];
        let mut last = own;
        while chain.len() < most {
            let above = (0..all.len()).find(|at| !chain.contains(at) && all[*at].is_above(all[last]));
            let Some(above) = above.filter(|_| !all[last].is_root()) else { break };
            chain.push(above);
            last = above;
        }
        chain
    }

    /// Whether it is a root, by the names.
    fn is_root(&self) -> bool {
        let inside = self.inner.tbs_certificate();
        inside.subject() == inside.issuer()
    }

    /// Whether it holds at this time (seconds since 1970).
    ///
    /// # Errors
    /// [`X509Error::Expired`] or [`X509Error::NotYet`].
    pub fn check_time(&self, now: u64) -> Result<(), X509Error> {
        let validity = self.inner.tbs_certificate().validity();
        let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
        let (from, to) = (seconds(validity.not_before), seconds(validity.not_after));
        match now {
            _ if now < from => Err(X509Error::NotYet(from - now)),
            _ if now > to => Err(X509Error::Expired(now - to)),
            _ => Ok(()),
        }
    }

    /// The key that is certified, as a plain key blob (RFC 4253 section 6.6).
    ///
    /// # Errors
    /// [`X509Error::Key`]: SSH has no such keys.
    pub fn key(&self) -> Result<Vec<u8>, X509Error> {
        key::of(self.inner.tbs_certificate().subject_public_key_info())
    }
}

impl fmt::Debug for X509Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X509Certificate({:?})", self.subject())
    }
}

/// The longest certificate that is read, in bytes: what `webpki` reads. Common ones have one or two KiB.
pub const MAX_CERTIFICATE_LEN: usize = 64 * 1024;

/// How a certificate begins as DER: no other blob or text in SSH does.
const SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests;
