//! Servers' keys that the program judges itself.

use std::fmt;
use std::sync::Arc;

use underpass_crypto::certificate::{Certificate, CertificateError, is_certificate};
use underpass_crypto::x509::{Chain, is_x509};
use underpass_crypto::{fingerprint, key_type};

use crate::host_key::{name_on_record, seconds_since_1970};
use crate::{CertificateNames, Error, HostKeyVerdict, Settings};

/// A server's key as it was shown, for a program that judges by itself: see
/// [`Builder::host_key_judge`](crate::Builder::host_key_judge). The server has proven that it holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownHostKey {
    /// The server: the [alias](crate::Settings::host_key_alias), if there is one, or the host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The host key algorithm that was agreed on, with which the server has signed, e.g. `rsa-sha2-512`.
    pub algorithm: String,
    /// The type of the key itself, e.g. `ssh-rsa`.
    pub key_type: String,
    /// The blob that was shown (RFC 4253 section 6.6), with the certificate if there is one.
    pub blob: Vec<u8>,
    /// The blob of the key itself: the same, unless it was shown with a certificate.
    pub key: Vec<u8>,
    /// The fingerprint of the key itself, by the hash of
    /// [`Settings::fingerprint_hash`](crate::Settings::fingerprint_hash). [`fingerprint`](crate::fingerprint) gives others.
    pub fingerprint: String,
    /// What it was shown with. Certificates are asked for only if
    /// [`Settings::host_key_algorithms`](crate::Settings::host_key_algorithms) names their algorithms.
    pub certificate: Option<HostCertificate>,
}

/// The certificate that a server's key was shown with. Who made it is for the program to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostCertificate {
    /// OpenSSH's.
    OpenSsh {
        /// The authority's key, a plain blob.
        authority: Vec<u8>,
        /// What the authority calls the certificate. It chose the text: escape it before showing it.
        key_id: Vec<u8>,
        /// Whether it is a host's, for this one, now, without unknown conditions, and signed by that authority. All that
        /// is left to ask then is whether the authority is trusted.
        validity: Result<(), CertificateError>,
    },
    /// X.509, taken apart and not verified: neither its times nor who signed it.
    X509 {
        /// Whom it is about, and who made it.
        names: CertificateNames,
        /// The certificate in DER.
        der: Vec<u8>,
    },
}

impl ShownHostKey {
    /// # Errors
    /// It comes with a certificate that cannot be taken apart.
    pub(crate) fn new(settings: &Settings, blob: &[u8], algorithm: &str) -> Result<Self, Error> {
        let host = name_on_record(settings);
        let (key, certificate) = if is_x509(blob) {
            let chain = Chain::parse(blob).map_err(|problem| malformed(host, &problem))?;
            let holder = chain.holder();
            let names = CertificateNames { subject: holder.subject(), issuer: holder.issuer() };
            (chain.key().to_vec(), Some(HostCertificate::X509 { names, der: holder.der().to_vec() }))
        } else if key_type(blob).is_some_and(is_certificate) {
            let certificate = Certificate::parse(blob).map_err(|problem| malformed(host, &problem))?;
            let shown = HostCertificate::OpenSsh {
                authority: certificate.authority().to_vec(),
                key_id: certificate.key_id().to_vec(),
                validity: certificate.check_host(host, seconds_since_1970()),
            };
            (certificate.key().to_vec(), Some(shown))
        } else {
            (blob.to_vec(), None)
        };
        Ok(Self {
            host: host.to_owned(),
            port: settings.port,
            algorithm: algorithm.to_owned(),
            key_type: key_type(&key).unwrap_or_default().to_owned(),
            blob: blob.to_vec(),
            fingerprint: fingerprint(&key, settings.fingerprint_hash),
            key,
            certificate,
        })
    }
}

fn malformed(host: &str, problem: &impl ToString) -> Error {
    Error::host_certificate(host, problem.to_string())
}

/// Judges servers' keys, see [`Builder::host_key_judge`](crate::Builder::host_key_judge).
#[derive(Clone)]
pub struct HostKeyJudge(Arc<Judge>);

type Judge = dyn Fn(&ShownHostKey) -> bool + Send + Sync;

impl HostKeyJudge {
    /// `judge` says whether the key is the server's. It is called on a thread of its own and may block.
    pub fn new(judge: impl Fn(&ShownHostKey) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }

    /// # Errors
    /// [`ErrorKind::HostKeyRejected`](crate::ErrorKind::HostKeyRejected).
    pub(crate) fn judge(&self, shown: &ShownHostKey) -> Result<HostKeyVerdict, Error> {
        match (self.0)(shown) {
            true => Ok(HostKeyVerdict::Accepted),
            false => Err(Error::host_key_rejected(&shown.host, &shown.key_type, &shown.fingerprint)),
        }
    }
}

impl fmt::Debug for HostKeyJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKeyJudge")
    }
}
