//! OpenSSH certificates (its PROTOCOL.certkeys): a key, what it is for, and an authority's signature over both.

use std::fmt;

use underpass_wire::{DecodeError, Put as _, Reader};

use crate::{Provider, SignatureError, Strength, key_type};

/// A certificate, taken apart and not verified.
#[derive(Debug, Clone)]
pub struct Certificate<'a> {
    key: Vec<u8>,
    purpose: u32,
    key_id: &'a [u8],
    principals: Vec<&'a [u8]>,
    /// Seconds since 1970.
    valid_after: u64,
    valid_before: u64,
    /// Whether it makes conditions.
    critical: bool,
    authority: &'a [u8],
    signed: &'a [u8],
    signature: &'a [u8],
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// It is not what its format asks for.
    Malformed,
    /// It is for hosts where users are asked for, or the other way round, or for nothing known.
    Purpose,
    /// Its time is over, for so many seconds.
    Expired(u64),
    /// Its time begins in so many seconds.
    NotYet(u64),
    /// It does not name this host, or this user.
    Principal,
    /// It makes a condition that is not known here.
    Critical,
    /// The authority's signature is wrong.
    Signature(SignatureError),
    /// The authority signed with an algorithm that is weak, unknown, or does not fit its key.
    Algorithm,
    /// It certifies another key.
    Key,
}

impl<'a> Certificate<'a> {
    /// Takes a certificate apart.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`].
    pub fn parse(blob: &'a [u8]) -> Result<Self, CertificateError> {
        let format = key_type(blob).and_then(|name| FORMATS.iter().find(|format| format.certificate == name));
        let format = format.ok_or(CertificateError::Malformed)?;
        let certificate = Self::read(blob, format).map_err(|_| CertificateError::Malformed)?;
        // An authority is a plain key: chains do not exist.
        match key_type(certificate.authority) {
            Some(name) if !is_certificate(name) && certificate.principals.len() <= MAX_PRINCIPALS => {
                Ok(certificate)
            }
            _ => Err(CertificateError::Malformed),
        }
    }

    fn read(blob: &'a [u8], format: &Format) -> Result<Self, DecodeError> {
        let mut fields = Reader::new(blob);
        let at = |fields: &Reader<'_>| blob.len() - fields.remaining();
        fields.string()?;
        // Random, so that nobody can choose what the authority signs.
        fields.string()?;
        let begin = at(&fields);
        for _ in 0..format.fields {
            fields.string()?;
        }
        let inside = &blob[begin..at(&fields)];
        let mut key = Vec::with_capacity(4 + format.plain.len() + inside.len());
        key.put_text(format.plain);
        key.put_bytes(inside);
        // The serial number: authorities revoke by it, which is not done here.
        fields.u64()?;
        let (purpose, key_id) = (fields.u32()?, fields.string()?);
        let mut principals = Vec::new();
        let mut names = fields.nested()?;
        // One more than is accepted shows that there are too many.
        while !names.is_empty() && principals.len() <= MAX_PRINCIPALS {
            principals.push(names.string()?);
        }
        let (valid_after, valid_before) = (fields.u64()?, fields.u64()?);
        // None are known here, so what they say does not matter.
        let critical = !fields.string()?.is_empty();
        // Extensions permit something to users; what is reserved means nothing yet.
        fields.string()?;
        fields.string()?;
        let authority = fields.string()?;
        let signed = &blob[..at(&fields)];
        let signature = fields.string()?;
        fields.finish()?;
        Ok(Self {
            key,
            purpose,
            key_id,
            principals,
            valid_after,
            valid_before,
            critical,
            authority,
            signed,
            signature,
        })
    }

    /// The key that is certified, as a plain key blob.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The authority's key, a plain key blob.
    pub fn authority(&self) -> &[u8] {
        self.authority
    }

    /// What the authority calls the certificate. It chose the text: escape it before showing it.
    pub fn key_id(&self) -> &[u8] {
        self.key_id
    }

    /// Whether the certificate is a host's, for this name, at this time (seconds since 1970), and the authority's.
    /// Whether the authority is to be trusted is the caller's business.
    ///
    /// A certificate that names nobody is good for nobody.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn check_host(&self, host: &str, now: u64) -> Result<(), CertificateError> {
        if self.purpose != HOST {
            return Err(CertificateError::Purpose);
        }
        self.check_time(now)?;
        if !self.principals.iter().any(|name| name.eq_ignore_ascii_case(host.as_bytes())) {
            return Err(CertificateError::Principal);
        }
        // None are defined for hosts.
        if self.critical {
            return Err(CertificateError::Critical);
        }
        self.verify()
    }

    /// Whether a server may let this user in with the certificate, at this time (seconds since 1970), as far as its holder
    /// can tell. Servers may know a user by other names.
    ///
    /// # Errors
    /// The first that does not hold: it is a user's, in time, and names this one.
    pub fn check_user(&self, user: &str, now: u64) -> Result<(), CertificateError> {
        if self.purpose != USER {
            return Err(CertificateError::Purpose);
        }
        self.check_time(now)?;
        match self.principals.contains(&user.as_bytes()) {
            true => Ok(()),
            false => Err(CertificateError::Principal),
        }
    }

    fn check_time(&self, now: u64) -> Result<(), CertificateError> {
        if now < self.valid_after {
            return Err(CertificateError::NotYet(self.valid_after - now));
        }
        match now.checked_sub(self.valid_before) {
            Some(since) => Err(CertificateError::Expired(since)),
            None => Ok(()),
        }
    }

    /// Verifies the authority's signature.
    fn verify(&self) -> Result<(), CertificateError> {
        let name = Reader::new(self.signature).text().map_err(|_| CertificateError::Malformed)?;
        let algorithm = Provider::find(Provider::ALL.signatures, name)
            .filter(|algorithm| algorithm.strength == Strength::Modern)
            .filter(|algorithm| key_type(self.authority) == Some(algorithm.key_format))
            .ok_or(CertificateError::Algorithm)?;
        (algorithm.verify)(self.authority, self.signature, self.signed).map_err(CertificateError::Signature)
    }
}

/// Whether a key format is a certificate's.
pub fn is_certificate(format: &str) -> bool {
    format.ends_with(SUFFIX)
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("it is malformed"),
            Self::Purpose => f.write_str("it is not a host's certificate"),
            Self::Expired(seconds) => write!(f, "it expired {} ago", Span(*seconds)),
            Self::NotYet(seconds) => write!(f, "it is valid only in {}", Span(*seconds)),
            Self::Principal => f.write_str("it does not name this host"),
            Self::Critical => f.write_str("it makes a condition that is not known"),
            Self::Signature(error) => write!(f, "the authority's signature is wrong: {error}"),
            Self::Algorithm => f.write_str("the authority signed it with a weak or unknown algorithm"),
            Self::Key => f.write_str("it certifies another key"),
        }
    }
}

impl std::error::Error for CertificateError {}

/// A time for people: in its largest whole unit.
pub(crate) struct Span(pub(crate) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let (count, unit) = UNITS
            .iter()
            .map(|(length, unit)| (self.0 / length, *unit))
            .find(|(count, _)| *count > 0)
            .unwrap_or((self.0, "second"));
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

/// A kind of certificate.
struct Format {
    certificate: &'static str,
    plain: &'static str,
    /// How many fields the plain key has behind its name; each is framed like a string.
    fields: usize,
}

const FORMATS: &[Format] = &[
    Format { certificate: "ssh-ed25519-cert-v01@openssh.com", plain: "ssh-ed25519", fields: 1 },
    Format {
        certificate: "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        plain: "ecdsa-sha2-nistp256",
        fields: 2,
    },
    Format {
        certificate: "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        plain: "ecdsa-sha2-nistp384",
        fields: 2,
    },
    Format {
        certificate: "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        plain: "ecdsa-sha2-nistp521",
        fields: 2,
    },
    Format {
        certificate: "sk-ssh-ed25519-cert-v01@openssh.com",
        plain: "sk-ssh-ed25519@openssh.com",
        fields: 2,
    },
    Format {
        certificate: "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        plain: "sk-ecdsa-sha2-nistp256@openssh.com",
        fields: 3,
    },
    Format { certificate: "ssh-rsa-cert-v01@openssh.com", plain: "ssh-rsa", fields: 2 },
    Format { certificate: "ssh-dss-cert-v01@openssh.com", plain: "ssh-dss", fields: 4 },
];

const SUFFIX: &str = "-cert-v01@openssh.com";

/// The purpose of users' certificates.
const USER: u32 = 1;

/// The purpose of hosts' certificates.
const HOST: u32 = 2;

/// As many as OpenSSH takes.
const MAX_PRINCIPALS: usize = 256;

#[cfg(test)]
mod tests;
