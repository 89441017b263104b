use std::fmt;

use zeroize::Zeroizing;

use crate::{armour, asn1::ber};

mod shape;

/// What a file looks like by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// An OpenSSH private key (`openssh-key-v1`).
    OpenSsh,
    /// A private key of PuTTY (PPK).
    Ppk,
    /// An RSA private key (PKCS#1, RFC 8017 appendix A.1.2), as PEM or DER like the next ones.
    Pkcs1,
    /// An elliptic-curve private key (SEC 1, RFC 5915).
    Sec1,
    /// A DSA private key.
    Dsa,
    /// A private key (PKCS#8, RFC 5958).
    Pkcs8,
    /// An encrypted private key (PKCS#8, RFC 5958).
    Pkcs8Encrypted,
    /// A private key of SSH Tectia and its ancestors.
    SshCom,
    /// A private key for version 1 of the protocol.
    Ssh1,
    /// A public key, one line as in `id_ed25519.pub`.
    PublicKey,
    /// A public key of X.509 (RFC 5280 section 4.1.2.7) or PKCS#1, as PEM or DER.
    PublicKeyBlock,
    /// A public key as RFC 4716 has it.
    Rfc4716,
    /// An OpenSSH certificate, one line as in `id_ed25519-cert.pub`.
    Certificate,
    /// An X.509 certificate (RFC 5280), as PEM or DER.
    X509,
    /// A request for an X.509 certificate.
    X509Request,
    /// Certificates (PKCS#7, RFC 2315), as PEM or DER.
    Pkcs7,
    /// Keys and certificates (PKCS#12, RFC 7292): `.p12`, `.pfx`.
    Pkcs12,
    /// A key store of Java (JKS).
    Jks,
    /// A key store of Java's cryptography extension (JCEKS).
    Jceks,
    /// A key store of Bouncy Castle's FIPS module.
    Bcfks,
    /// A key of .NET, or a certificate, as XML (W3C's XML Signature).
    Xml,
    /// A JSON Web Key or a set of them (RFC 7517).
    Jwk,
    /// An OpenPGP key.
    Pgp,
    /// Another PEM file.
    OtherPem,
    /// Other binary ASN.1.
    Der,
    /// Other binary data.
    Binary,
    /// Other text.
    Text,
    /// Nothing but white space.
    Empty,
}

impl Format {
    /// Recognises a format, also within base64. Never fails: what is unknown is [`Format::Text`] or
    /// [`Format::Binary`].
    pub fn of(bytes: &[u8]) -> Self {
        unwrap(bytes).1
    }

    /// What to do about a file of this format where a private key is wanted. `FILE` stands for its path.
    pub fn advice(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        ROWS.iter().find(|(format, _, _)| *format == self).expect("every format has a row, as a test checks")
    }
}

/// What the file is, with an article: `a PuTTY private key (PPK)`.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

/// The content without the base64 that some programs wrap around any format, and with all of ASN.1 as DER has it.
pub(crate) fn unwrap(bytes: &[u8]) -> (Zeroizing<Vec<u8>>, Format) {
    let (content, format) = as_der(bytes);
    if format != Format::Text || !bytes.iter().all(|byte| is_base64(*byte)) {
        return (content, format);
    }
    let inside = armour::decode_lines([bytes], bytes.len()).map(|decoded| as_der(&decoded));
    // Words can pass for base64.
    let unknown = [Format::Text, Format::Binary, Format::Der, Format::Empty];
    inside.filter(|(_, format)| !unknown.contains(format)).unwrap_or((content, format))
}

fn as_der(bytes: &[u8]) -> (Zeroizing<Vec<u8>>, Format) {
    let der = if bytes.first() == Some(&shape::SEQUENCE) { ber::to_der(bytes).ok() } else { None };
    let format = match &der {
        Some(der) => shape::of(der).unwrap_or(Format::Der),
        None => recognise(bytes),
    };
    (der.unwrap_or_else(|| Zeroizing::new(bytes.to_vec())), format)
}

fn recognise(bytes: &[u8]) -> Format {
    let text = armour::trim_start(bytes);
    if text.is_empty() {
        return Format::Empty;
    }
    if let Some((_, format)) = PREFIXES.iter().find(|(prefix, _)| bytes.starts_with(prefix)) {
        return *format;
    }
    if let Some(format) = labelled(text) {
        return format;
    }
    if let Some((_, format)) = TEXT_PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix.as_bytes())) {
        return *format;
    }
    if let Some((_, _, format)) =
        MARKUP.iter().find(|(start, word, _)| text[0] == *start && contains(text, word.as_bytes()))
    {
        return *format;
    }
    let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    match std::str::from_utf8(word) {
        Ok(word) if word.ends_with(CERTIFICATE_SUFFIX) => Format::Certificate,
        Ok(word) if KEY_TYPE_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) => Format::PublicKey,
        _ if text.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) => Format::Binary,
        _ if std::str::from_utf8(text).is_err() => Format::Binary,
        _ => Format::Text,
    }
}

/// By the labels of PEM: a private key counts more than what comes with it.
fn labelled(text: &[u8]) -> Option<Format> {
    let mut formats =
        armour::labels(text).map(|label| str::from_utf8(label).map_or(Format::OtherPem, label_format));
    let first = formats.next()?;
    let private = |format: &Format| PRIVATE_LABELS.contains(format);
    Some(if private(&first) { first } else { formats.find(private).unwrap_or(first) })
}

/// What a block with that label is.
pub(crate) fn label_format(label: &str) -> Format {
    let row = LABELS.iter().find(|(known, _)| *known == label);
    row.map_or(Format::OtherPem, |(_, format)| *format)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(&byte)
}

/// The labels of PEM files (RFC 7468 section 2 calls them so).
const LABELS: &[(&str, Format)] = &[
    ("OPENSSH PRIVATE KEY", Format::OpenSsh),
    ("RSA PRIVATE KEY", Format::Pkcs1),
    // OpenSSL writes the curve in a block of its own before the key.
    ("EC PARAMETERS", Format::Sec1),
    ("EC PRIVATE KEY", Format::Sec1),
    ("DSA PRIVATE KEY", Format::Dsa),
    ("PRIVATE KEY", Format::Pkcs8),
    ("ENCRYPTED PRIVATE KEY", Format::Pkcs8Encrypted),
    ("PUBLIC KEY", Format::PublicKeyBlock),
    ("RSA PUBLIC KEY", Format::PublicKeyBlock),
    ("CERTIFICATE", Format::X509),
    ("X509 CERTIFICATE", Format::X509),
    ("TRUSTED CERTIFICATE", Format::X509),
    ("CERTIFICATE REQUEST", Format::X509Request),
    ("NEW CERTIFICATE REQUEST", Format::X509Request),
    ("PKCS7", Format::Pkcs7),
    ("CMS", Format::Pkcs7),
    ("PKCS #7 SIGNED DATA", Format::Pkcs7),
    ("PKCS12", Format::Pkcs12),
    ("PGP PRIVATE KEY BLOCK", Format::Pgp),
    ("PGP PUBLIC KEY BLOCK", Format::Pgp),
];

/// What is looked for behind other blocks.
const PRIVATE_LABELS: [Format; 6] =
    [Format::OpenSsh, Format::Pkcs1, Format::Sec1, Format::Dsa, Format::Pkcs8, Format::Pkcs8Encrypted];

/// How binary formats begin. What is ASN.1 is told by its [shape].
const PREFIXES: &[(&[u8], Format)] = &[
    (b"\xfe\xed\xfe\xed", Format::Jks),
    (b"\xce\xce\xce\xce", Format::Jceks),
    // A SEQUENCE that is cut off or broken.
    (b"\x30\x80", Format::Der),
    (b"\x30\x81", Format::Der),
    (b"\x30\x82", Format::Der),
    (b"\x30\x83", Format::Der),
];

/// How text formats without PEM armour begin.
const TEXT_PREFIXES: &[(&str, Format)] = &[
    ("PuTTY-User-Key-File-", Format::Ppk),
    ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", Format::SshCom),
    ("---- BEGIN SSH2 PUBLIC KEY", Format::Rfc4716),
    ("SSH PRIVATE KEY FILE FORMAT 1", Format::Ssh1),
];

/// How JSON and XML begin, and a word that is in those that hold keys.
const MARKUP: &[(u8, &str, Format)] = &[
    (b'{', "\"kty\"", Format::Jwk),
    (b'<', "KeyValue", Format::Xml),
    (b'<', "X509Certificate", Format::Xml),
];

const KEY_TYPE_PREFIXES: &[&str] = &["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "x509v3-"];

const CERTIFICATE_SUFFIX: &str = "-cert-v01@openssh.com";

const PRIVATE: &str = "check that it holds the key that is wanted: underpass keys inspect FILE";
const NAME_PRIVATE: &str = "name the private key file instead, usually the same path without .pub";
const NAME_OTHER: &str = "name the private key file that belongs to it instead";
const CHECK_PATH: &str = "check the path; ssh-keygen -t ed25519 makes a new key";
const FOR_SSH: &str = "use a key made for SSH: ssh-keygen -t ed25519";

/// Every format, what it is called, and what to do where a private key is wanted and it has none.
const ROWS: &[(Format, &str, &str)] = &[
    (Format::OpenSsh, "an OpenSSH private key", PRIVATE),
    (Format::Ppk, "a PuTTY private key (PPK)", PRIVATE),
    (Format::Pkcs1, "an RSA private key (PKCS#1)", PRIVATE),
    (Format::Sec1, "an elliptic-curve private key (SEC 1)", PRIVATE),
    (Format::Dsa, "a DSA private key", PRIVATE),
    (Format::Pkcs8, "a private key (PKCS#8)", PRIVATE),
    (Format::Pkcs8Encrypted, "an encrypted private key (PKCS#8)", PRIVATE),
    (Format::SshCom, "an SSH.com private key", PRIVATE),
    (
        Format::Ssh1,
        "a key for SSH version 1",
        "version 1 is no longer safe; make a new key: ssh-keygen -t ed25519",
    ),
    (Format::PublicKey, "a public key", NAME_PRIVATE),
    (Format::PublicKeyBlock, "a public key", "name the private key file instead"),
    (Format::Rfc4716, "a public key (RFC 4716)", "name the private key file instead"),
    (Format::Certificate, "an OpenSSH certificate", NAME_OTHER),
    (Format::X509, "an X.509 certificate", NAME_OTHER),
    (Format::X509Request, "a request for an X.509 certificate", NAME_OTHER),
    (Format::Pkcs7, "a PKCS#7 file of certificates", NAME_OTHER),
    (Format::Pkcs12, "a PKCS#12 store (PFX)", PRIVATE),
    (Format::Jks, "a Java key store (JKS)", PRIVATE),
    (Format::Jceks, "a Java key store (JCEKS)", PRIVATE),
    (Format::Bcfks, "a Bouncy Castle FIPS key store (BCFKS)", PRIVATE),
    (Format::Xml, "a key or certificate in XML", PRIVATE),
    (Format::Jwk, "a JSON Web Key", PRIVATE),
    (Format::Pgp, "an OpenPGP key", FOR_SSH),
    (Format::OtherPem, "a PEM file without a key", CHECK_PATH),
    (Format::Der, "binary ASN.1 that is no key", CHECK_PATH),
    (Format::Binary, "binary data that is no key", CHECK_PATH),
    (Format::Text, "a text file that is no key", CHECK_PATH),
    (Format::Empty, "an empty file", CHECK_PATH),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_recognised_by_its_content() {
        let cases: &[(&[u8], Format)] = &[
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz", Format::OpenSsh),
            (b"\xef\xbb\xbf\r\n -----BEGIN OPENSSH PRIVATE KEY-----\r\n", Format::OpenSsh),
            (b"PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n", Format::Ppk),
            (b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", Format::Pkcs1),
            (b"-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n", Format::Sec1),
            (b"-----BEGIN DSA PRIVATE KEY-----\n", Format::Dsa),
            (b"-----BEGIN PRIVATE KEY-----\nMC4CAQ", Format::Pkcs8),
            (
                b"Bag Attributes\n    localKeyID: 01\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
                Format::Pkcs8Encrypted,
            ),
            (b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", Format::SshCom),
            (b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0\0\0", Format::Ssh1),
            (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here\n", Format::PublicKey),
            (b"sk-ssh-ed25519@openssh.com AAAA me@here\n", Format::PublicKey),
            (b"ssh-rsa-cert-v01@openssh.com AAAA me@here\n", Format::Certificate),
            (b"---- BEGIN SSH2 PUBLIC KEY ----\n", Format::Rfc4716),
            (b"-----BEGIN CERTIFICATE-----\n", Format::X509),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", Format::Pgp),
            (b"-----BEGIN X9.42 DH PARAMETERS-----\n", Format::OtherPem),
            (b"\x30\x82\x0a\x3d\x02\x01\x03", Format::Der),
            (b"-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n", Format::Pkcs8),
            (b"-----BEGIN PKCS7-----\n", Format::Pkcs7),
            (b"{\"keys\":[{\"kty\":\"RSA\"}]}", Format::Jwk),
            (b"<RSAKeyValue><Modulus>", Format::Xml),
            (b"<html>", Format::Text),
            (b"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", Format::PublicKeyBlock),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", Format::Jks),
            (b"\x7fELF\x02\x01\x01\0", Format::Binary),
            (b"caf\xe9", Format::Binary),
            (b"Host bastion\n  User me\n", Format::Text),
            (b" \r\n\t", Format::Empty),
            (b"", Format::Empty),
        ];
        for (bytes, format) in cases {
            assert_eq!(Format::of(bytes), *format, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn every_format_that_can_be_recognised_has_a_name_and_advice() {
        let labelled = LABELS.iter().map(|(_, format)| *format);
        let prefixed = PREFIXES.iter().map(|(_, format)| *format);
        let worded = TEXT_PREFIXES.iter().map(|(_, format)| *format);
        let marked = MARKUP.iter().map(|(_, _, format)| *format);
        let shaped = shape::SHAPES.iter().map(|(_, format)| *format);
        let fallbacks = [
            Format::PublicKey,
            Format::Certificate,
            Format::OtherPem,
            Format::Binary,
            Format::Text,
            Format::Empty,
        ];
        for format in labelled.chain(prefixed).chain(worded).chain(marked).chain(shaped).chain(fallbacks) {
            assert!(!format.to_string().is_empty() && !format.advice().is_empty(), "{format:?}");
        }
    }
}
