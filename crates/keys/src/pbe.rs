//! Encryption with passwords as ASN.1 describes it: PBES1 and PBES2 (RFC 8018), those of PKCS#12 (RFC 7292 appendix C)
//! and that of Java.

pub(crate) mod cipher;
pub(crate) mod digest;
pub(crate) mod kdf;
pub(crate) mod password;

use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::{
    KeyFileError,
    asn1::{Algorithm, Fields, unknown},
    limits::Unlock,
};
use cipher::Kind;
use digest::Digest;
use kdf::Kdf;
pub(crate) use password::Password;

/// How something is encrypted with a password.
pub(crate) struct Scheme<'a> {
    kdf: Kdf<'a>,
    cipher: Kind,
    /// Where it is not derived from the password, too.
    iv: Option<&'a [u8]>,
}

impl<'a> Scheme<'a> {
    pub(crate) fn read(fields: &mut Fields<'a>) -> Result<Self, KeyFileError> {
        let algorithm = Algorithm::read(fields)?;
        if algorithm.oid == PBES2 {
            let mut fields = algorithm.fields()?;
            let kdf = Kdf::of(&Algorithm::read(&mut fields)?)?;
            let (cipher, iv) = Kind::of(&Algorithm::read(&mut fields)?)?;
            return Ok(Self { kdf, cipher, iv: Some(iv) });
        }
        let row = DERIVED.iter().find(|(oid, _, _)| *oid == algorithm.oid);
        let Some((_, cipher, kdf)) = row else {
            return Err(KeyFileError::UnsupportedCipher(unknown(algorithm.oid)));
        };
        let mut parameters = algorithm.fields()?;
        let kdf = kdf(parameters.octets()?, parameters.count()?);
        Ok(Self { kdf, cipher: *cipher, iv: None })
    }

    /// Decrypts. [`KeyFileError::WrongPassphrase`] is what damage looks like, too.
    pub(crate) fn open(
        &self,
        bytes: &[u8],
        password: &Password,
        unlock: &Unlock<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let (key_len, iv_len) = (self.cipher.key_len(), self.cipher.iv_len());
        let derived_iv_len = if self.iv.is_some() { 0 } else { iv_len };
        let material = self.kdf.derive(password, key_len, derived_iv_len, unlock)?;
        let (key, derived_iv) = material.split_at(key_len);
        self.cipher.decrypt(key, self.iv.unwrap_or(derived_iv), bytes)
    }
}

/// EncryptedPrivateKeyInfo (RFC 5958 section 3) and others of its shape: how, and what.
pub(crate) fn open_encrypted(
    bytes: &[u8],
    password: &Password,
    unlock: &Unlock<'_>,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let mut fields = Fields::of_sequence(bytes)?;
    let scheme = Scheme::read(&mut fields)?;
    let encrypted = fields.octets()?;
    fields.finish()?;
    scheme.open(encrypted, password, unlock)
}

/// An error in what was decrypted has mostly one reason, and always may have.
pub(crate) fn as_wrong_passphrase(error: KeyFileError) -> KeyFileError {
    match error {
        KeyFileError::Malformed(_) => KeyFileError::WrongPassphrase,
        other => other,
    }
}

const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

type WithSalt = for<'a> fn(salt: &'a [u8], rounds: u32) -> Kdf<'a>;

/// The schemes that derive the initial vector from the password, too.
const DERIVED: &[(ObjectIdentifier, Kind, WithSalt)] = &[
    // PBES1 (RFC 8018 appendix A.3).
    (oid("1.2.840.113549.1.5.3"), Kind::Des, |salt, rounds| Kdf::Pbkdf1(&Digest::MD5, salt, rounds)),
    (oid("1.2.840.113549.1.5.6"), Kind::Rc2 { len: 8, bits: 64 }, |salt, rounds| {
        Kdf::Pbkdf1(&Digest::MD5, salt, rounds)
    }),
    (oid("1.2.840.113549.1.5.10"), Kind::Des, |salt, rounds| Kdf::Pbkdf1(&Digest::SHA1, salt, rounds)),
    (oid("1.2.840.113549.1.5.11"), Kind::Rc2 { len: 8, bits: 64 }, |salt, rounds| {
        Kdf::Pbkdf1(&Digest::SHA1, salt, rounds)
    }),
    // PKCS#12, all with SHA-1.
    (oid("1.2.840.113549.1.12.1.1"), Kind::Rc4 { len: 16 }, pkcs12),
    (oid("1.2.840.113549.1.12.1.2"), Kind::Rc4 { len: 5 }, pkcs12),
    (oid("1.2.840.113549.1.12.1.3"), Kind::TripleDes, pkcs12),
    (oid("1.2.840.113549.1.12.1.4"), Kind::TwoKeyTripleDes, pkcs12),
    (oid("1.2.840.113549.1.12.1.5"), Kind::Rc2 { len: 16, bits: 128 }, pkcs12),
    (oid("1.2.840.113549.1.12.1.6"), Kind::Rc2 { len: 5, bits: 40 }, pkcs12),
    // Java's PBEWithMD5AndTripleDES, in JCEKS.
    (oid("1.3.6.1.4.1.42.2.19.1"), Kind::TripleDes, |salt, rounds| Kdf::Java { salt, rounds }),
];

fn pkcs12(salt: &[u8], rounds: u32) -> Kdf<'_> {
    Kdf::Pkcs12 { digest: &Digest::SHA1, salt, rounds }
}
