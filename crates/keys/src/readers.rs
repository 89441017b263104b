//! Which module reads which format, and what the types of stores are.

use std::fmt;

use crate::{
    Entry, Format, KeyFileError, bcfks, certificate, certificate::Certificate, der_key, java, jwk,
    limits::Unlock, openssh, pem, pkcs7, pkcs12, ppk, private::Key, public, rfc4716, ssh_com, store::Opened,
    xml,
};

/// Reads one format, whose content has been unwrapped.
type Read = fn(&[u8], &Unlock<'_>) -> Result<Opened, KeyFileError>;

/// The module that reads a format, if any does.
pub(crate) fn of(format: Format) -> Option<Read> {
    READERS.iter().find(|(row, _)| *row == format).map(|(_, read)| *read)
}

const READERS: &[(Format, Read)] = &[
    (Format::OpenSsh, |bytes, unlock| pem::or_der(bytes, unlock, openssh::open)),
    (Format::Pkcs1, |bytes, unlock| pem::or_der(bytes, unlock, |der, _| plain(der_key::pkcs1(der)))),
    (Format::Sec1, |bytes, unlock| pem::or_der(bytes, unlock, |der, _| plain(der_key::sec1(der)))),
    (Format::Dsa, |bytes, unlock| pem::or_der(bytes, unlock, |der, _| plain(der_key::dsa(der)))),
    (Format::Pkcs8, |bytes, unlock| pem::or_der(bytes, unlock, |der, _| plain(der_key::pkcs8(der)))),
    (Format::Pkcs8Encrypted, |bytes, unlock| pem::or_der(bytes, unlock, pem::encrypted_pkcs8)),
    (Format::PublicKeyBlock, |bytes, unlock| pem::or_der(bytes, unlock, public_key)),
    (Format::X509, |bytes, unlock| pem::or_der(bytes, unlock, x509)),
    (Format::Pkcs7, |bytes, unlock| pem::or_der(bytes, unlock, pkcs7::open)),
    (Format::Pkcs12, |bytes, unlock| pem::or_der(bytes, unlock, pkcs12::open)),
    (Format::PublicKey, |bytes, _| public::open(bytes)),
    (Format::Certificate, |bytes, _| public::open(bytes)),
    (Format::Rfc4716, |bytes, _| rfc4716::open(bytes)),
    (Format::SshCom, ssh_com::open),
    (Format::Ppk, ppk::open),
    (Format::Jks, java::open),
    (Format::Jceks, java::open),
    (Format::Bcfks, bcfks::open),
    (Format::Xml, |bytes, _| xml::open(bytes)),
    (Format::Jwk, |bytes, _| jwk::open(bytes)),
];

fn plain(key: Key) -> Result<Opened, KeyFileError> {
    Ok(Opened::plain(vec![Entry::of_key(key)]))
}

fn public_key(der: &[u8], _: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let public = der_key::public(der).or_else(|error| der_key::public_pkcs1(der).map_err(|_| error))?;
    Ok(Opened::plain(vec![Entry::of_public(public)]))
}

fn x509(der: &[u8], _: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    Ok(Opened::plain(certificate::attach(Vec::new(), vec![Certificate::parse(der)?])))
}

/// What a store is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StoreType {
    /// Whatever its content shows.
    #[default]
    Auto,
    /// PKCS#12.
    Pfx,
    /// A key store of Java, JCEKS included.
    Jks,
    /// A private key as PEM or DER, with certificates perhaps.
    PrivateKey,
    /// An X.509 certificate or public key as PEM or DER.
    Certificate,
    /// A public key of SSH: one line, or RFC 4716.
    SshPublicKey,
    /// PKCS#7.
    Pkcs7,
    /// A key of PuTTY.
    Ppk,
    /// XML.
    Xml,
    /// A JSON Web Key or a set of them.
    Jwk,
    /// A store of Bouncy Castle's FIPS module.
    Bcfks,
}

impl StoreType {
    /// Whether a store of this type can have that format.
    pub fn takes(self, format: Format) -> bool {
        self == Self::Auto || self.row().2.contains(&format)
    }

    fn row(self) -> &'static (Self, &'static str, &'static [Format]) {
        TYPES.iter().find(|(row, _, _)| *row == self).expect("every type has a row, as a test checks")
    }
}

/// With an article: `a PKCS#12 store (PFX)`.
impl fmt::Display for StoreType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

const TYPES: &[(StoreType, &str, &[Format])] = &[
    (StoreType::Auto, "a key or a store of keys", &[]),
    (StoreType::Pfx, "a PKCS#12 store (PFX)", &[Format::Pkcs12]),
    (StoreType::Jks, "a Java key store", &[Format::Jks, Format::Jceks]),
    (
        StoreType::PrivateKey,
        "a private key in PEM or DER",
        &[
            Format::Pkcs1,
            Format::Sec1,
            Format::Dsa,
            Format::Pkcs8,
            Format::Pkcs8Encrypted,
            Format::OpenSsh,
            Format::SshCom,
        ],
    ),
    (
        StoreType::Certificate,
        "an X.509 certificate or public key in PEM or DER",
        &[Format::X509, Format::PublicKeyBlock],
    ),
    (
        StoreType::SshPublicKey,
        "a public key of SSH",
        &[Format::PublicKey, Format::Certificate, Format::Rfc4716],
    ),
    (StoreType::Pkcs7, "a PKCS#7 file of certificates", &[Format::Pkcs7]),
    (StoreType::Ppk, "a PuTTY private key (PPK)", &[Format::Ppk]),
    (StoreType::Xml, "a key or certificate in XML", &[Format::Xml]),
    (StoreType::Jwk, "a JSON Web Key", &[Format::Jwk]),
    (StoreType::Bcfks, "a Bouncy Castle FIPS key store (BCFKS)", &[Format::Bcfks]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_that_is_read_belongs_to_one_type() {
        for (format, _) in READERS {
            let types = TYPES.iter().filter(|(_, _, formats)| formats.contains(format)).count();
            assert_eq!(types, 1, "{format:?}");
            assert!(StoreType::Auto.takes(*format));
        }
        for (row, name, _) in TYPES {
            assert_eq!(&row.to_string(), name);
        }
    }
}
