use std::fmt;

use crate::armour;

/// What a file looks like by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// An OpenSSH private key (`openssh-key-v1`): the format that is read.
    OpenSsh,
    /// A private key of PuTTY (PPK).
    Ppk,
    /// An RSA private key as PEM (PKCS#1, RFC 8017 appendix A.1.2).
    Pkcs1,
    /// An elliptic-curve private key as PEM (SEC 1, RFC 5915).
    Sec1,
    /// A DSA private key as PEM.
    Dsa,
    /// A private key as PEM (PKCS#8, RFC 5958).
    Pkcs8,
    /// An encrypted private key as PEM (PKCS#8, RFC 5958).
    Pkcs8Encrypted,
    /// A private key of SSH Tectia and its ancestors.
    SshCom,
    /// A private key for version 1 of the protocol.
    Ssh1,
    /// A public key, one line as in `id_ed25519.pub`.
    PublicKey,
    /// A public key as PEM (PKCS#1 or PKCS#8) or as RFC 4716 has it.
    PublicKeyBlock,
    /// An OpenSSH certificate, one line as in `id_ed25519-cert.pub`.
    Certificate,
    /// An X.509 certificate or request as PEM.
    X509,
    /// An OpenPGP key.
    Pgp,
    /// Another PEM file.
    OtherPem,
    /// Binary ASN.1: PKCS#12 (`.p12`, `.pfx`) or a key or certificate as DER.
    Der,
    /// A Java key store (JKS or JCEKS).
    JavaKeyStore,
    /// Other binary data.
    Binary,
    /// Other text.
    Text,
    /// Nothing but white space.
    Empty,
}

impl Format {
    /// Recognises a format. Never fails: what is unknown is [`Format::Text`] or [`Format::Binary`].
    pub fn of(bytes: &[u8]) -> Self {
        let text = armour::trim_start(bytes);
        if text.is_empty() {
            return Self::Empty;
        }
        if let Some(label) = armour::label(text) {
            let row = LABELS.iter().find(|(known, _)| known.as_bytes() == label);
            return row.map_or(Self::OtherPem, |(_, format)| *format);
        }
        if let Some((_, format)) = PREFIXES.iter().find(|(prefix, _)| bytes.starts_with(prefix)) {
            return *format;
        }
        if let Some((_, format)) =
            TEXT_PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix.as_bytes()))
        {
            return *format;
        }
        let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        match std::str::from_utf8(word) {
            Ok(word) if word.ends_with(CERTIFICATE_SUFFIX) => Self::Certificate,
            Ok(word) if KEY_TYPE_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) => Self::PublicKey,
            _ if text.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) => {
                Self::Binary
            }
            _ if std::str::from_utf8(text).is_err() => Self::Binary,
            _ => Self::Text,
        }
    }

    /// What to do about a file of this format where an OpenSSH private key is wanted. `FILE` stands for its path.
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
    ("TRUSTED CERTIFICATE", Format::X509),
    ("CERTIFICATE REQUEST", Format::X509),
    ("PGP PRIVATE KEY BLOCK", Format::Pgp),
    ("PGP PUBLIC KEY BLOCK", Format::Pgp),
];

/// How binary formats begin.
const PREFIXES: &[(&[u8], Format)] = &[
    (b"\xfe\xed\xfe\xed", Format::JavaKeyStore),
    (b"\xce\xce\xce\xce", Format::JavaKeyStore),
    // A SEQUENCE with a length of one, two or three bytes.
    (b"\x30\x81", Format::Der),
    (b"\x30\x82", Format::Der),
    (b"\x30\x83", Format::Der),
    (b"\x30\x80", Format::Der),
];

/// How text formats without PEM armour begin.
const TEXT_PREFIXES: &[(&str, Format)] = &[
    ("PuTTY-User-Key-File-", Format::Ppk),
    ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", Format::SshCom),
    ("---- BEGIN SSH2 PUBLIC KEY", Format::PublicKeyBlock),
    ("SSH PRIVATE KEY FILE FORMAT 1", Format::Ssh1),
];

const KEY_TYPE_PREFIXES: &[&str] = &["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "x509v3-"];

const CERTIFICATE_SUFFIX: &str = "-cert-v01@openssh.com";

const CONVERT: &str = "convert a copy of it in place: ssh-keygen -p -f FILE";
const NAME_PRIVATE: &str = "name the private key file instead, usually the same path without .pub";
const CHECK_PATH: &str = "check the path; ssh-keygen -t ed25519 makes a new key";

/// Every format, what it is called, and what to do where an OpenSSH private key is wanted.
const ROWS: &[(Format, &str, &str)] = &[
    (Format::OpenSsh, "an OpenSSH private key", "use it as it is"),
    (
        Format::Ppk,
        "a PuTTY private key (PPK)",
        "convert it: puttygen FILE -O private-openssh-new -o NEW-FILE, or Conversions > Export in PuTTYgen",
    ),
    (Format::Pkcs1, "an RSA private key in PEM format (PKCS#1)", CONVERT),
    (Format::Sec1, "an elliptic-curve private key in PEM format (SEC 1)", CONVERT),
    (Format::Dsa, "a DSA private key", "DSA is no longer safe; make a new key: ssh-keygen -t ed25519"),
    (Format::Pkcs8, "a private key in PEM format (PKCS#8)", CONVERT),
    (Format::Pkcs8Encrypted, "an encrypted private key in PEM format (PKCS#8)", CONVERT),
    (Format::SshCom, "an SSH.com private key", "convert it: ssh-keygen -i -f FILE > NEW-FILE"),
    (
        Format::Ssh1,
        "a key for SSH version 1",
        "version 1 is no longer safe; make a new key: ssh-keygen -t ed25519",
    ),
    (Format::PublicKey, "a public key", NAME_PRIVATE),
    (Format::PublicKeyBlock, "a public key", "name the private key file instead"),
    (Format::Certificate, "an OpenSSH certificate", "name the private key file that belongs to it instead"),
    (Format::X509, "an X.509 certificate", "name the private key file that belongs to it instead"),
    (Format::Pgp, "an OpenPGP key", "use a key made for SSH: ssh-keygen -t ed25519"),
    (Format::OtherPem, "a PEM file without a private key", CHECK_PATH),
    (
        Format::Der,
        "a binary ASN.1 file (PKCS#12 or DER)",
        "extract the key, then convert it: openssl pkcs12 -in FILE -nocerts -out NEW-FILE; ssh-keygen -p -f NEW-FILE",
    ),
    (
        Format::JavaKeyStore,
        "a Java key store",
        "extract the key: keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12; \
         openssl pkcs12 -in NEW.p12 -nocerts -out NEW-FILE; ssh-keygen -p -f NEW-FILE",
    ),
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
            (b"---- BEGIN SSH2 PUBLIC KEY ----\n", Format::PublicKeyBlock),
            (b"-----BEGIN CERTIFICATE-----\n", Format::X509),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", Format::Pgp),
            (b"-----BEGIN X9.42 DH PARAMETERS-----\n", Format::OtherPem),
            (b"\x30\x82\x0a\x3d\x02\x01\x03", Format::Der),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", Format::JavaKeyStore),
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
        let fallbacks = [
            Format::PublicKey,
            Format::Certificate,
            Format::OtherPem,
            Format::Binary,
            Format::Text,
            Format::Empty,
        ];
        for format in labelled.chain(prefixed).chain(worded).chain(fallbacks) {
            assert!(!format.to_string().is_empty() && !format.advice().is_empty(), "{format:?}");
        }
    }
}
