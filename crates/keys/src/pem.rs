//! PEM files: keys, certificates and whole stores, one block after the other; and the encryption of OpenSSL's
//! traditional keys.

use zeroize::Zeroizing;

use crate::{
    Entry, Format, KeyFileError,
    armour::{self, Block},
    asn1::{Fields, ber},
    certificate::{Certificate, attach},
    der_key,
    format::label_format,
    limits::Unlock,
    openssh,
    pbe::{self, Password, cipher::Kind, digest::Digest},
    pkcs7, pkcs12,
    private::Key,
    store::Opened,
};

/// Reads all blocks of a PEM file, or hands DER over to `read`.
pub(crate) fn or_der(
    bytes: &[u8],
    unlock: &Unlock<'_>,
    read: impl FnOnce(&[u8], &Unlock<'_>) -> Result<Opened, KeyFileError>,
) -> Result<Opened, KeyFileError> {
    if armour::labels(bytes).next().is_some() { open(bytes, unlock) } else { read(bytes, unlock) }
}

fn open(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let mut file = Opened::plain(Vec::new());
    let mut certificates = Vec::new();
    for block in armour::blocks(bytes)? {
        let Opened { encrypted, entries } = match label_format(block.label) {
            Format::X509 => {
                certificates.push(Certificate::parse(x509(&block)?)?);
                continue;
            }
            Format::Pkcs7 => {
                certificates.extend(pkcs7::certificates(&ber::to_der(&block.content)?)?);
                continue;
            }
            Format::OpenSsh => openssh::open(&block.content, unlock)?,
            Format::Pkcs12 => pkcs12::open(&ber::to_der(&block.content)?, unlock)?,
            Format::Pkcs8Encrypted => encrypted_pkcs8(&block.content, unlock)?,
            Format::PublicKeyBlock => match block.label {
                RSA_PUBLIC => Opened::plain(vec![Entry::of_public(der_key::public_pkcs1(&block.content)?)]),
                _ => Opened::plain(vec![Entry::of_public(der_key::public(&block.content)?)]),
            },
            Format::Pkcs1 => traditional(&block, unlock, der_key::pkcs1)?,
            Format::Sec1 if block.label == EC_PARAMETERS => continue,
            Format::Sec1 => traditional(&block, unlock, der_key::sec1)?,
            Format::Dsa => traditional(&block, unlock, der_key::dsa)?,
            Format::Pkcs8 => traditional(&block, unlock, der_key::pkcs8)?,
            // Requests, parameters and lists that stand beside a key.
            _ => continue,
        };
        file.encrypted |= encrypted;
        file.entries.extend(entries);
    }
    file.entries = attach(file.entries, certificates);
    Ok(file)
}

/// The certificate in a block. What OpenSSL calls a trusted one has attributes behind it.
fn x509<'a>(block: &'a Block<'_>) -> Result<&'a [u8], KeyFileError> {
    Fields::new(&block.content)?.whole()
}

/// EncryptedPrivateKeyInfo (RFC 5958 section 3).
pub(crate) fn encrypted_pkcs8(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let key = unlock.required().and_then(|password| {
        let key = pbe::open_encrypted(bytes, &Password::new(password), unlock)?;
        der_key::pkcs8(&key).map_err(pbe::as_wrong_passphrase)
    });
    Ok(Opened { encrypted: true, entries: vec![Entry::of_key(key)] })
}

/// A key in clear, or encrypted as its headers say (RFC 1421 section 4.6.1).
fn traditional(
    block: &Block<'_>,
    unlock: &Unlock<'_>,
    read: fn(&[u8]) -> Key,
) -> Result<Opened, KeyFileError> {
    let encrypted = block.header("Proc-Type").is_some_and(|value| value.ends_with("ENCRYPTED"));
    if !encrypted {
        return Ok(Opened::plain(vec![Entry::of_key(read(&block.content))]));
    }
    let key = decrypt(block, unlock).and_then(|key| read(&key).map_err(pbe::as_wrong_passphrase));
    Ok(Opened { encrypted, entries: vec![Entry::of_key(key)] })
}

fn decrypt(block: &Block<'_>, unlock: &Unlock<'_>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let info = block.header("DEK-Info").and_then(|info| info.split_once(','));
    let (name, iv) = info.ok_or(KeyFileError::Malformed("it does not say how it is encrypted"))?;
    let row = CIPHERS.iter().find(|(row, _)| *row == name);
    let (_, cipher) = row.ok_or_else(|| KeyFileError::UnsupportedCipher(name.to_owned()))?;
    let iv = hex(iv).filter(|iv| iv.len() == cipher.iv_len());
    let iv = iv.ok_or(KeyFileError::Malformed("its initial vector is damaged"))?;
    let password = unlock.required()?;
    let salt = &iv[..SALT_LEN];
    // The derivation of OpenSSL's EVP_BytesToKey: MD5, once, over what was made before.
    let mut key = Zeroizing::new(Vec::with_capacity(cipher.key_len() + Digest::MD5.len));
    let mut block_key = Zeroizing::new(Vec::new());
    while key.len() < cipher.key_len() {
        block_key = (Digest::MD5.hash)(&[&block_key, password.expose(), salt]);
        key.extend_from_slice(&block_key);
    }
    cipher.decrypt(&key[..cipher.key_len()], &iv, &block.content)
}

/// Bytes from hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8);
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(pair).collect()).flatten()
}

/// What DEK-Info may name.
const CIPHERS: [(&str, Kind); 5] = [
    ("AES-128-CBC", Kind::Aes128),
    ("AES-192-CBC", Kind::Aes192),
    ("AES-256-CBC", Kind::Aes256),
    ("DES-EDE3-CBC", Kind::TripleDes),
    ("DES-CBC", Kind::Des),
];

/// The salt is the beginning of the initial vector.
const SALT_LEN: usize = 8;

const EC_PARAMETERS: &str = "EC PARAMETERS";
const RSA_PUBLIC: &str = "RSA PUBLIC KEY";
