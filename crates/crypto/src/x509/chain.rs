//! What a peer shows: its certificate, perhaps with those of authorities, and whether that leads to a root.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use underpass_wire::{DecodeError, Reader};
use webpki::{
    EndEntityCert, Error as PathError, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter,
    KeyUsage as PathUsage, RequiredEkuNotFoundContext, VerifiedPath, aws_lc_rs as algorithms,
};
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{KeyUsage, SubjectAltName},
};

use super::{Roots, SEQUENCE, X509Certificate, X509Error};
use crate::key_type;

/// A certificate and what its holder sends with it, taken apart and not verified.
#[derive(Debug)]
pub struct Chain<'a> {
    /// The name that the blob bears; the older ones bear none.
    format: Option<&'a str>,
    holder: X509Certificate,
    /// Certificates of authorities.
    others: Vec<CertificateDer<'a>>,
    key: Vec<u8>,
}

/// Whether a key blob is, or begins with, an X.509 certificate.
pub fn is_x509(blob: &[u8]) -> bool {
    blob.first() == Some(&SEQUENCE) || key_type(blob).is_some_and(is_algorithm)
}

/// Whether an algorithm's keys come with X.509 certificates.
pub fn is_algorithm(name: &str) -> bool {
    name.starts_with(PREFIX)
}

impl<'a> Chain<'a> {
    /// Takes a key blob apart: that of RFC 6187 section 2.1, or a bare certificate, as goes with the names of
    /// draft-ietf-secsh-x509. OCSP responses are counted and passed over: nothing depends on them.
    ///
    /// # Errors
    /// [`X509Error::Malformed`], [`X509Error::TooMany`], or [`X509Error::Key`].
    pub fn parse(blob: &'a [u8]) -> Result<Self, X509Error> {
        let (format, mut certificates) = match blob.first() {
            Some(&SEQUENCE) => (None, vec![blob]),
            _ => read(blob).map_err(|error| match error {
                DecodeError::TooMany { limit, .. } => X509Error::TooMany { most: limit },
                _ => X509Error::Malformed,
            })?,
        };
        if certificates.is_empty() || format.is_some_and(|name| !is_algorithm(name)) {
            return Err(X509Error::Malformed);
        }
        let holder = X509Certificate::from_der(certificates.remove(0))?;
        let key = holder.key()?;
        let others = certificates.into_iter().map(CertificateDer::from).collect();
        Ok(Self { format, holder, others, key })
    }

    /// The algorithm that the blob names; `None` for a bare certificate.
    pub fn format(&self) -> Option<&'a str> {
        self.format
    }

    /// The certificate of whoever shows it.
    pub fn holder(&self) -> &X509Certificate {
        &self.holder
    }

    /// The key that is certified, as a plain key blob.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether the certificate is a host's, for this name or address, at this time (seconds since 1970), and a path leads
    /// from it to one of `roots`: RFC 5280 section 6.1 with the purposes of RFC 6187 section 2.2, without policies
    /// (a critical one is a condition that is not known) and without revocation.
    ///
    /// Gives the keys of the authorities on the path as plain key blobs, the root's last, as far as SSH has such keys:
    /// for those who know of revoked ones.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_host(&self, host: &str, now: u64, roots: &Roots) -> Result<Vec<Vec<u8>>, X509Error> {
        // First, to tell the holder's time from that of an authority.
        self.holder.check_time(now)?;
        let der = CertificateDer::from(self.holder.der());
        let certificate = EndEntityCert::try_from(&der).map_err(in_our_words)?;
        self.check_purpose()?;
        let anchors: Result<Vec<_>, _> =
            roots.certificates().iter().map(webpki::anchor_from_trusted_cert).collect();
        let anchors = anchors.map_err(in_our_words)?;
        let path = certificate.verify_for_usage(
            ALGORITHMS,
            &anchors,
            &self.others,
            UnixTime::since_unix_epoch(Duration::from_secs(now)),
            ForSshServers,
            None,
            Some(&authorities_may_certify),
        );
        let path = path.map_err(|error| match in_our_words(error) {
            X509Error::Expired(seconds) => X509Error::AuthorityExpired(seconds),
            X509Error::NotYet(seconds) => X509Error::AuthorityNotYet(seconds),
            other => other,
        })?;
        self.check_name(host, &certificate)?;
        let keys = path.intermediate_certificates().map(|authority| authority.subject_public_key_info());
        let keys = keys.chain([webpki::spki_for_anchor(path.anchor())]);
        Ok(keys.filter_map(|key| super::key::of(&Decode::from_der(&key).ok()?).ok()).collect())
    }

    /// RFC 6187 section 2.2.1. The extended usage is looked at along the path.
    fn check_purpose(&self) -> Result<(), X509Error> {
        match usage(&self.holder.inner)? {
            Some(usage) if !usage.digital_signature() => Err(X509Error::Purpose),
            _ => Ok(()),
        }
    }

    /// A certificate without alternative names is good for its common name, as it was before there were others.
    fn check_name(&self, host: &str, certificate: &EndEntityCert<'_>) -> Result<(), X509Error> {
        let inside = self.holder.inner.tbs_certificate();
        let alternatives = inside.get_extension::<SubjectAltName>().map_err(|_| X509Error::Malformed)?;
        if alternatives.is_some() {
            let name = ServerName::try_from(host).map_err(|_| X509Error::Name)?;
            return certificate.verify_is_valid_for_subject_name(&name).map_err(in_our_words);
        }
        let common = inside.subject().common_name().map_err(|_| X509Error::Malformed)?;
        let names_host = common.is_some_and(|name| name.value().eq_ignore_ascii_case(host));
        if names_host { Ok(()) } else { Err(X509Error::Name) }
    }
}

/// RFC 6187 section 2.1.
fn read(blob: &[u8]) -> Result<(Option<&str>, Vec<&[u8]>), DecodeError> {
    let mut fields = Reader::new(blob);
    let format = fields.text()?;
    let count = fields.u32()? as usize;
    if count > MAX_CERTIFICATES {
        return Err(DecodeError::TooMany { what: "certificates", limit: MAX_CERTIFICATES });
    }
    let certificates = (0..count).map(|_| fields.string()).collect::<Result<_, _>>()?;
    let responses = fields.u32()? as usize;
    if responses > count {
        return Err(DecodeError::Invalid { what: "number of OCSP responses" });
    }
    (0..responses).try_for_each(|_| fields.string().map(|_| ()))?;
    fields.finish()?;
    Ok((Some(format), certificates))
}

fn usage(certificate: &Certificate) -> Result<Option<KeyUsage>, X509Error> {
    let usage = certificate.tbs_certificate().get_extension::<KeyUsage>();
    Ok(usage.map_err(|_| X509Error::Malformed)?.map(|(_, usage)| usage))
}

/// What `webpki` leaves out (RFC 5280 section 6.1.4 (n)).
fn authorities_may_certify(path: &VerifiedPath<'_>) -> Result<(), PathError> {
    for authority in path.intermediate_certificates() {
        let certificate = Certificate::from_der(&authority.der()).map_err(|_| PathError::BadDer)?;
        if usage(&certificate).map_err(|_| PathError::BadDer)?.is_some_and(|usage| !usage.key_cert_sign()) {
            return Err(PathError::EndEntityUsedAsCa);
        }
    }
    Ok(())
}

/// RFC 6187 section 2.2.2: any purpose where none is named, else that of SSH servers.
struct ForSshServers;

impl ExtendedKeyUsageValidator for ForSshServers {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        let mut present = Vec::new();
        for purpose in purposes {
            let purpose = purpose?;
            if [SSH_SERVERS, ANY].iter().any(|good| KeyPurposeId::new(good) == purpose) {
                return Ok(());
            }
            present.push(purpose.to_decoded_oid());
        }
        if present.is_empty() {
            return Ok(());
        }
        let required = PathUsage::required(SSH_SERVERS);
        Err(PathError::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext { required, present }))
    }
}

fn in_our_words(error: PathError) -> X509Error {
    match error {
        PathError::CertExpired { time, not_after } => {
            X509Error::Expired(time.as_secs().saturating_sub(not_after.as_secs()))
        }
        PathError::CertNotValidYet { time, not_before } => {
            X509Error::NotYet(not_before.as_secs().saturating_sub(time.as_secs()))
        }
        PathError::UnknownIssuer => X509Error::Issuer,
        PathError::CertNotValidForName(_) => X509Error::Name,
        PathError::RequiredEkuNotFoundContext(_) | PathError::CaUsedAsEndEntity => X509Error::Purpose,
        PathError::EndEntityUsedAsCa => X509Error::Authority,
        PathError::PathLenConstraintViolated
        | PathError::MaximumPathDepthExceeded
        | PathError::MaximumPathBuildCallsExceeded
        | PathError::MaximumSignatureChecksExceeded
        | PathError::MaximumNameConstraintComparisonsExceeded => X509Error::Depth,
        PathError::NameConstraintViolation => X509Error::Constraint,
        PathError::UnsupportedCriticalExtension => X509Error::Critical,
        PathError::InvalidSignatureForPublicKey => X509Error::Signature,
        PathError::UnsupportedSignatureAlgorithmContext(_)
        | PathError::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => X509Error::Algorithm,
        _ => X509Error::Malformed,
    }
}

/// The most certificates in a chain: the holder's, the six authorities that `webpki` follows, and a root, which may be
/// sent and is not looked at.
pub const MAX_CERTIFICATES: usize = 8;

/// How the names of algorithms with X.509 certificates begin.
const PREFIX: &str = "x509v3-";

/// `id-kp-secureShellServer` (RFC 6187 section 2.2.2).
const SSH_SERVERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 22];
/// `anyExtendedKeyUsage` (RFC 5280 section 4.2.1.12).
const ANY: &[u8] = &[0x55, 0x1d, 0x25, 0];

/// With what authorities may sign. SHA-1, DSA and short keys are no proof of anything.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P256_SHA512,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ECDSA_P384_SHA512,
    algorithms::ECDSA_P521_SHA256,
    algorithms::ECDSA_P521_SHA384,
    algorithms::ECDSA_P521_SHA512,
    algorithms::ED25519,
];
