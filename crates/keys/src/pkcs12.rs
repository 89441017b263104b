//! PKCS#12 stores (RFC 7292): bags in safes in a store, each layer of which may be encrypted, and a MAC over all.
//!
//! ```text
//! PFX: version | content: safes | MAC
//! safe: bags, in clear or encrypted       bag: key | encrypted key | certificate | safe, with attributes
//! ```

use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::{
    Entry, KeyFileError, MAX_ENTRIES, Private,
    asn1::{Algorithm, Fields, ber, unknown},
    certificate::{Certificate, attach},
    der_key,
    limits::Unlock,
    pbe::{
        self, Password, Scheme,
        digest::{self, Digest},
        kdf::{Kdf, Purpose, pkcs12},
    },
    private::Key,
    store::Opened,
};

/// Reads a store. Without a password, an empty one is tried in both of the forms that programs give it.
pub(crate) fn open(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let store = Pfx::parse(bytes)?;
    let passwords = match unlock.password() {
        Some(secret) => vec![Password::new(secret)],
        None => vec![Password::from_bytes(b""), Password::none()],
    };
    let mut last = Err(KeyFileError::WrongPassphrase);
    for password in passwords {
        match store.open(&password, unlock) {
            Err(error) if !error.wants_passphrase() => return Err(error),
            Ok(opened) if !opened.entries.iter().any(is_locked) => return Ok(opened),
            // Without a MAC, only the keys tell that a password is wrong.
            locked => last = last.or(locked),
        }
    }
    if unlock.password().is_some() {
        return last;
    }
    let mut opened = last.map_err(|_| KeyFileError::PassphraseMissing)?;
    for entry in opened.entries.iter_mut().filter(|entry| is_locked(entry)) {
        entry.private = Private::Unusable(KeyFileError::PassphraseMissing);
    }
    Ok(opened)
}

fn is_locked(entry: &Entry) -> bool {
    matches!(entry.private, Private::Unusable(KeyFileError::WrongPassphrase))
}

/// A store as it is on the disk.
struct Pfx<'a> {
    safes: &'a [u8],
    mac: Option<MacData<'a>>,
}

impl<'a> Pfx<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, KeyFileError> {
        let mut fields = Fields::of_sequence(bytes)?;
        if fields.count()? != VERSION {
            return Err(KeyFileError::Malformed("its version is not 3"));
        }
        let mut content = fields.sequence()?;
        if content.oid()? != DATA {
            return Err(KeyFileError::UnsupportedCipher("a public key".to_owned()));
        }
        let safes = content.expect_context(0)?.fields()?.octets()?;
        let mac = if fields.is_empty() { None } else { Some(MacData::read(&mut fields)?) };
        fields.finish()?;
        Ok(Self { safes, mac })
    }

    fn open(&self, password: &Password, unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
        if let Some(mac) = &self.mac
            && !mac.verify(self.safes, password, unlock)?
        {
            return Err(KeyFileError::WrongPassphrase);
        }
        let mut contents = Contents { encrypted: false, keys: Vec::new(), certificates: Vec::new() };
        let safes = ber::to_der(self.safes)?;
        let mut safes = Fields::of_sequence(&safes)?;
        while !safes.is_empty() {
            contents.read_safe(safes.sequence()?, password, unlock)?;
        }
        let Contents { encrypted, keys, certificates } = contents;
        Ok(Opened { encrypted, entries: attach(keys, certificates) })
    }
}

/// What proves that the store is whole.
struct MacData<'a> {
    algorithm: Algorithm<'a>,
    mac: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
}

impl<'a> MacData<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, KeyFileError> {
        let mut fields = fields.sequence()?;
        let mut digest = fields.sequence()?;
        let algorithm = Algorithm::read(&mut digest)?;
        let mac = digest.octets()?;
        let salt = fields.octets()?;
        let rounds = if fields.is_empty() { 1 } else { fields.count()? };
        Ok(Self { algorithm, mac, salt, rounds })
    }

    fn verify(&self, content: &[u8], password: &Password, unlock: &Unlock<'_>) -> Result<bool, KeyFileError> {
        let (digest, key) = if self.algorithm.oid == PBMAC1 {
            // RFC 9579.
            let mut fields = self.algorithm.fields()?;
            let kdf = Kdf::of(&Algorithm::read(&mut fields)?)?;
            let mac = Algorithm::read(&mut fields)?.oid;
            let digest = Digest::find_hmac(mac).ok_or_else(|| KeyFileError::UnsupportedKdf(unknown(mac)))?;
            let len = kdf.key_len().unwrap_or(digest.len);
            if len > MAX_MAC_KEY {
                return Err(KeyFileError::Malformed("the key of its MAC is too long"));
            }
            (digest, kdf.derive(password, len, 0, unlock)?)
        } else {
            let oid = self.algorithm.oid;
            let digest = Digest::find(oid).ok_or_else(|| KeyFileError::UnsupportedKdf(unknown(oid)))?;
            let mut key = Zeroizing::new(vec![0; digest.len]);
            pkcs12(digest, Purpose::Mac, password, self.salt, self.rounds, &mut key, unlock)?;
            (digest, key)
        };
        Ok(digest::matches(&(digest.hmac)(&key, &[content]), self.mac))
    }
}

/// What has been found so far.
struct Contents {
    encrypted: bool,
    keys: Vec<Entry>,
    certificates: Vec<Certificate>,
}

impl Contents {
    /// ContentInfo: bags, perhaps encrypted.
    fn read_safe(
        &mut self,
        mut safe: Fields<'_>,
        password: &Password,
        unlock: &Unlock<'_>,
    ) -> Result<(), KeyFileError> {
        let content_type = safe.oid()?;
        let mut content = safe.expect_context(0)?.fields()?;
        match content_type {
            DATA => self.read_bags(content.octets()?, password, unlock, 0),
            ENCRYPTED_DATA => {
                self.encrypted = true;
                let mut fields = content.sequence()?;
                fields.count()?;
                let mut info = fields.sequence()?;
                info.oid()?;
                let scheme = Scheme::read(&mut info)?;
                let encrypted = info.expect_context(0)?.octets()?;
                let bags = scheme.open(&encrypted, password, unlock)?;
                self.read_bags(&bags, password, unlock, 0).map_err(pbe::as_wrong_passphrase)
            }
            other => Err(KeyFileError::UnsupportedCipher(unknown(other))),
        }
    }

    /// SafeContents.
    fn read_bags(
        &mut self,
        bytes: &[u8],
        password: &Password,
        unlock: &Unlock<'_>,
        depth: usize,
    ) -> Result<(), KeyFileError> {
        let der = ber::to_der(bytes)?;
        let mut bags = Fields::of_sequence(&der)?;
        while !bags.is_empty() {
            if self.keys.len() + self.certificates.len() >= MAX_ENTRIES {
                return Err(KeyFileError::TooManyEntries);
            }
            let mut bag = bags.sequence()?;
            let bag_type = bag.oid()?;
            let mut value = bag.expect_context(0)?.fields()?;
            let name = if bag.is_empty() { String::new() } else { friendly_name(bag.set()?)? };
            match bag_type {
                KEY_BAG => self.key(name, der_key::pkcs8(value.whole()?)),
                SHROUDED_KEY_BAG => {
                    self.encrypted = true;
                    let key = pbe::open_encrypted(value.whole()?, password, unlock);
                    let key = key.and_then(|key| {
                        der_key::pkcs8(&ber::to_der(&key)?).map_err(pbe::as_wrong_passphrase)
                    });
                    self.key(name, key);
                }
                CERTIFICATE_BAG => self.certificate(name, value.sequence()?)?,
                SAFE_BAG if depth < MAX_DEPTH => {
                    self.read_bags(value.whole()?, password, unlock, depth + 1)?;
                }
                SAFE_BAG => return Err(KeyFileError::Malformed("its safes are nested too deeply")),
                // Revocation lists and secrets are of no use for logging on.
                _ => {}
            }
        }
        Ok(())
    }

    fn key(&mut self, name: String, key: Key) {
        self.keys.push(Entry { name, ..Entry::of_key(key) });
    }

    /// CertBag (RFC 7292 section 4.2.3).
    fn certificate(&mut self, name: String, mut bag: Fields<'_>) -> Result<(), KeyFileError> {
        if bag.oid()? == X509_CERTIFICATE {
            let mut certificate = Certificate::parse(bag.expect_context(0)?.fields()?.octets()?)?;
            certificate.name = name;
            self.certificates.push(certificate);
        }
        Ok(())
    }
}

/// Among the attributes of a bag.
fn friendly_name(mut attributes: Fields<'_>) -> Result<String, KeyFileError> {
    while !attributes.is_empty() {
        let mut attribute = attributes.sequence()?;
        if attribute.oid()? == FRIENDLY_NAME {
            return attribute.set()?.text();
        }
    }
    Ok(String::new())
}

const VERSION: u32 = 3;

/// Programs write safes side by side and never inside one another.
const MAX_DEPTH: usize = 4;

/// Longer keys are hashed by HMAC itself.
const MAX_MAC_KEY: usize = 128;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.6");
const PBMAC1: ObjectIdentifier = oid("1.2.840.113549.1.5.14");
const KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.3");
const SAFE_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.6");
const X509_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = oid("1.2.840.113549.1.9.20");
