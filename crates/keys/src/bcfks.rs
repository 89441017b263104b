//! Key stores of Bouncy Castle's FIPS module (BCFKS), as its documentation describes them: entries in an encrypted
//! object, with a MAC over that, and keys encrypted once more.
//!
//! ```text
//! store: encrypted objects | MAC algorithm, derivation, MAC
//! objects: version | MAC algorithm | two dates | entries         entry: type | alias | two dates | content
//! ```

use underpass_crypto::Secret;
use zeroize::Zeroizing;

use crate::{
    Entry, KeyFileError, MAX_CHAIN, MAX_ENTRIES,
    asn1::{Algorithm, Fields, unknown},
    certificate::{Certificate, certify},
    der_key,
    limits::Unlock,
    pbe::{
        self, Password,
        digest::{self, Digest},
        kdf::Kdf,
    },
    store::Opened,
};

pub(crate) fn open(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let password = unlock.required()?;
    let mut store = Fields::of_sequence(bytes)?;
    let data = store.whole()?;
    if !verify(data, store.sequence()?, password, unlock)? {
        return Err(KeyFileError::WrongPassphrase);
    }
    store.finish()?;
    let objects = pbe::open_encrypted(data, &password_for(password, "STORE_ENCRYPTION"), unlock)?;
    let mut fields = Fields::of_sequence(&objects)?;
    // Version, MAC algorithm, when it was made and changed.
    fields.count()?;
    fields.sequence()?;
    fields.any()?;
    fields.any()?;
    let mut objects = fields.sequence()?;
    let mut entries = Vec::new();
    while !objects.is_empty() {
        if entries.len() == MAX_ENTRIES {
            return Err(KeyFileError::TooManyEntries);
        }
        entries.extend(entry(objects.sequence()?, unlock)?);
    }
    Ok(Opened { encrypted: true, entries })
}

/// PbkdMacIntegrityCheck.
fn verify(
    data: &[u8],
    mut check: Fields<'_>,
    password: &Secret,
    unlock: &Unlock<'_>,
) -> Result<bool, KeyFileError> {
    let mac = Algorithm::read(&mut check)?.oid;
    let digest = Digest::find_hmac(mac).ok_or_else(|| KeyFileError::UnsupportedKdf(unknown(mac)))?;
    let kdf = Kdf::of(&Algorithm::read(&mut check)?)?;
    let len = kdf.key_len().unwrap_or(digest.len);
    if len > MAX_MAC_KEY {
        return Err(KeyFileError::Malformed("the key of its MAC is too long"));
    }
    let key = kdf.derive(&password_for(password, "INTEGRITY_CHECK"), len, 0, unlock)?;
    Ok(digest::matches(&(digest.hmac)(&key, &[data]), check.octets()?))
}

/// Keys and certificates. Secrets are of no use for logging on.
fn entry(mut object: Fields<'_>, unlock: &Unlock<'_>) -> Result<Option<Entry>, KeyFileError> {
    let (kind, name) = (object.count()?, object.text()?);
    object.any()?;
    object.any()?;
    let content = object.octets()?;
    let mut entry = match kind {
        CERTIFICATE => {
            let mut entry = Entry::default();
            certify(&mut entry, &[Certificate::parse(content)?]);
            entry
        }
        PRIVATE_KEY | PROTECTED_PRIVATE_KEY => key_entry(content, unlock)?,
        _ => return Ok(None),
    };
    entry.name = name;
    Ok(Some(entry))
}

/// EncryptedPrivateKeyData: the key, then its certificates.
fn key_entry(content: &[u8], unlock: &Unlock<'_>) -> Result<Entry, KeyFileError> {
    let mut fields = Fields::of_sequence(content)?;
    let encrypted = fields.whole()?;
    let mut certificates = fields.sequence()?;
    let mut chain = Vec::new();
    while !certificates.is_empty() {
        if chain.len() == MAX_CHAIN {
            return Err(KeyFileError::TooManyEntries);
        }
        chain.push(Certificate::parse(certificates.whole()?)?);
    }
    let password = unlock.key_password().ok_or(KeyFileError::PassphraseMissing)?;
    let key = pbe::open_encrypted(encrypted, &password_for(password, "PRIVATE_KEY_ENCRYPTION"), unlock);
    let key = key.and_then(|key| der_key::pkcs8(&key).map_err(pbe::as_wrong_passphrase));
    let mut entry = Entry::of_key(key.map_err(|error| match error {
        // The store's own has proved right.
        KeyFileError::WrongPassphrase => KeyFileError::WrongKeyPassword,
        other => other,
    }));
    certify(&mut entry, &chain);
    Ok(entry)
}

/// The password, then what the key is for, both as PKCS#12 has passwords.
fn password_for(password: &Secret, purpose: &str) -> Password {
    let (password, purpose) = (Password::new(password), Password::from_bytes(purpose.as_bytes()));
    let both = Zeroizing::new([password.utf16_with_zero(), purpose.utf16_with_zero()].concat());
    Password::from_bytes(&both)
}

const CERTIFICATE: u32 = 0;
const PRIVATE_KEY: u32 = 1;
const PROTECTED_PRIVATE_KEY: u32 = 3;

/// Longer keys are hashed by HMAC itself.
const MAX_MAC_KEY: usize = 128;
