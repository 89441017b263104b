use rustls_pki_types::CertificateDer;

use super::{X509Certificate, X509Error};

/// The authorities that are trusted, because somebody says so. Of a root only its name, its key and the names that it
/// may certify count (RFC 5280 section 6.1.1), not its time.
#[derive(Debug, Clone, Default)]
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Adds the certificates of a file: one as DER, or any number in PEM blocks.
    ///
    /// # Errors
    /// [`X509Error::Malformed`], also where there is none; [`X509Error::TooMany`] beyond [`MAX_ROOTS`].
    pub fn add(&mut self, file: &[u8]) -> Result<(), X509Error> {
        for certificate in X509Certificate::all_from(file, MAX_ROOTS - self.0.len())? {
            let der = CertificateDer::from(certificate.der);
            webpki::anchor_from_trusted_cert(&der).map_err(|_| X509Error::Malformed)?;
            self.0.push(der);
        }
        Ok(())
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }
}

/// The most roots that are read. Operating systems come with about 150.
pub const MAX_ROOTS: usize = 1000;
