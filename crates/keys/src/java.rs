//! Java's own key stores, JKS and JCEKS. There is no standard; this follows what `keytool` writes and reads.
//!
//! ```text
//! magic u32 | version u32 | count u32 | entries | SHA-1 over the password, a phrase and all before
//! key: 1 u32 | alias | date u64 | encrypted key | certificates       certificate: 2 u32 | alias | date u64 | certificate
//! ```

use der::asn1::ObjectIdentifier;
use underpass_wire::Reader;
use zeroize::Zeroizing;

use crate::{
    Entry, KeyFileError, MAX_CHAIN, MAX_ENTRIES,
    asn1::{Algorithm, Fields},
    certificate::{Certificate, certify},
    der_key,
    limits::Unlock,
    pbe::{
        self, Password,
        digest::{self, Digest},
        password::utf16,
    },
    private::Key,
    store::Opened,
};

/// The names and certificates are in clear; the password proves that nobody has changed them.
pub(crate) fn open(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let (content, digest) = bytes.split_last_chunk::<DIGEST_LEN>().ok_or(CUT_OFF)?;
    if let Some(password) = unlock.password() {
        let expected = (Digest::SHA1.hash)(&[&utf16(password.expose()), PHRASE, content]);
        if !digest::matches(&expected, digest) {
            return Err(KeyFileError::WrongPassphrase);
        }
    }
    let mut fields = Reader::new(content);
    fields.u32()?;
    let version = fields.u32()?;
    if !(1..=2).contains(&version) {
        return Err(KeyFileError::Malformed("its version is not 1 or 2"));
    }
    let count = fields.u32()?;
    if count as usize > MAX_ENTRIES {
        return Err(KeyFileError::TooManyEntries);
    }
    let mut opened = Opened::plain(Vec::new());
    for left in (0..count).rev() {
        let (tag, name) = (fields.u32()?, short_text(&mut fields)?);
        fields.u64()?;
        match tag {
            KEY => {
                opened.encrypted = true;
                opened.entries.push(key_entry(name, version, &mut fields, unlock)?);
            }
            CERTIFICATE => {
                let mut entry = Entry { name, ..Entry::default() };
                certify(&mut entry, &[certificate(version, &mut fields)?]);
                opened.entries.push(entry);
            }
            SECRET => skip_secret(version, left, &mut fields)?,
            _ => return Err(KeyFileError::Malformed("it holds an entry of an unknown kind")),
        }
    }
    Ok(opened)
}

fn key_entry(
    name: String,
    version: u32,
    fields: &mut Reader<'_>,
    unlock: &Unlock<'_>,
) -> Result<Entry, KeyFileError> {
    let encrypted = fields.string()?;
    let links = fields.u32()? as usize;
    if links > MAX_CHAIN {
        return Err(KeyFileError::TooManyEntries);
    }
    let mut chain = Vec::new();
    for _ in 0..links {
        chain.push(certificate(version, fields)?);
    }
    let mut entry = Entry { name, ..Entry::of_key(key(encrypted, unlock)) };
    certify(&mut entry, &chain);
    Ok(entry)
}

/// A secret is a Java object that does not tell its length. The next entry begins where the rest comes out even.
fn skip_secret(version: u32, left: u32, fields: &mut Reader<'_>) -> Result<(), KeyFileError> {
    let rest = fields.rest();
    if left == 0 {
        return Ok(());
    }
    let mut steps = MAX_STEPS;
    let next = (0..rest.len()).find(|at| comes_out_even(version, left, &rest[*at..], &mut steps));
    *fields = Reader::new(&rest[next.ok_or(CUT_OFF)?..]);
    Ok(())
}

/// Whether `bytes` are that many entries and nothing else, or some and then a secret.
fn comes_out_even(version: u32, left: u32, bytes: &[u8], steps: &mut usize) -> bool {
    let mut fields = Reader::new(bytes);
    for _ in 0..left {
        match skip_entry(version, &mut fields) {
            Some(SECRET) => return fields.bytes(OBJECT.len()) == Ok(OBJECT),
            Some(_) if *steps > 0 => *steps -= 1,
            _ => return false,
        }
    }
    fields.is_empty()
}

/// The kind of the next entry, and what follows it; the object of a secret is left where it is.
fn skip_entry(version: u32, fields: &mut Reader<'_>) -> Option<u32> {
    let tag = fields.u32().ok().filter(|tag| (KEY..=SECRET).contains(tag))?;
    short_text(fields).ok()?;
    fields.u64().ok()?;
    if tag == KEY {
        fields.string().ok()?;
    }
    let certificates = match tag {
        KEY => fields.u32().ok().filter(|links| *links as usize <= MAX_CHAIN)?,
        CERTIFICATE => 1,
        _ => 0,
    };
    for _ in 0..certificates {
        if version == 2 {
            short_text(fields).ok()?;
        }
        fields.string().ok()?;
    }
    Some(tag)
}

/// EncryptedPrivateKeyInfo with algorithms of Java.
fn key(encrypted: &[u8], unlock: &Unlock<'_>) -> Key {
    let password = unlock.key_password().ok_or(KeyFileError::PassphraseMissing)?;
    let algorithm = Algorithm::read(&mut Fields::of_sequence(encrypted)?)?;
    let opened = if algorithm.oid == PROTECTOR {
        let mut fields = Fields::of_sequence(encrypted)?;
        Algorithm::read(&mut fields)?;
        unprotect(fields.octets()?, &utf16(password.expose()))
    } else {
        pbe::open_encrypted(encrypted, &Password::new(password), unlock)
    };
    let key = opened.and_then(|key| der_key::pkcs8(&key).map_err(pbe::as_wrong_passphrase));
    key.map_err(|error| match error {
        // The store's own has proved right.
        KeyFileError::WrongPassphrase => KeyFileError::WrongKeyPassword,
        other => other,
    })
}

/// The protection of JKS: a key stream of SHA-1 over the password and what came before, and SHA-1 over the key.
///
/// ```text
/// salt 20 | key xor stream | SHA-1 over password and key
/// ```
fn unprotect(bytes: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let (salt, rest) = bytes.split_first_chunk::<DIGEST_LEN>().ok_or(CUT_OFF)?;
    let (encrypted, check) = rest.split_last_chunk::<DIGEST_LEN>().ok_or(CUT_OFF)?;
    let mut key = Zeroizing::new(encrypted.to_vec());
    let mut stream = Zeroizing::new(salt.to_vec());
    for block in key.chunks_mut(DIGEST_LEN) {
        stream = (Digest::SHA1.hash)(&[password, &stream]);
        block.iter_mut().zip(stream.iter()).for_each(|(byte, mask)| *byte ^= mask);
    }
    let expected = (Digest::SHA1.hash)(&[password, &key]);
    if digest::matches(&expected, check) { Ok(key) } else { Err(KeyFileError::WrongPassphrase) }
}

fn certificate(version: u32, fields: &mut Reader<'_>) -> Result<Certificate, KeyFileError> {
    if version == 2 && short_text(fields)? != "X.509" {
        return Err(KeyFileError::Malformed("it holds a certificate of an unknown kind"));
    }
    Certificate::parse(fields.string()?)
}

/// Text with a length of two bytes. Java's own UTF-8 differs from the real one in what nobody puts into names.
fn short_text(fields: &mut Reader<'_>) -> Result<String, KeyFileError> {
    let len = u16::from_be_bytes(fields.array()?);
    Ok(String::from_utf8_lossy(fields.bytes(len.into())?).into_owned())
}

const PHRASE: &[u8] = b"Mighty Aphrodite";

const DIGEST_LEN: usize = 20;

const KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
const SECRET: u32 = 3;

/// How a serialised object of Java begins.
const OBJECT: &[u8] = &[0xac, 0xed, 0, 5];

/// The most entries that are looked at in search of the next one: each once, and many false starts.
const MAX_STEPS: usize = 16 * MAX_ENTRIES;

const PROTECTOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.42.2.17.1.1");

const CUT_OFF: KeyFileError = KeyFileError::Malformed("it is cut off");
