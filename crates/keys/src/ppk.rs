//! Private keys of PuTTY, versions 2 and 3 (appendix C of its manual): lines of headers, and two blocks of base64.
//!
//! ```text
//! PuTTY-User-Key-File-3: type | Encryption | Comment | Public-Lines | …
//! Key-Derivation | Argon2-…          version 3, if encrypted
//! Private-Lines | … | Private-MAC
//! ```

use std::collections::HashMap;

use argon2::Argon2;
use underpass_crypto::algorithms::{ecdsa::Curve, rsa::RsaNumbers};
use underpass_wire::{Put as _, Reader};
use zeroize::Zeroizing;

use crate::{
    Entry, KeyFileError, PublicKey, armour,
    limits::Unlock,
    pbe::{
        cipher::Kind,
        digest::{self, Digest},
    },
    pem::hex,
    private::{Key, Numbers},
    store::Opened,
};

/// Reads a key. Its public half is in clear.
pub(crate) fn open(bytes: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let text = str::from_utf8(bytes).map_err(|_| KeyFileError::Malformed("it is not UTF-8"))?;
    let file = File::parse(text)?;
    let public = PublicKey::from_blob(&file.public)?.with_comment(file.comment);
    if public.key_type() != file.key_type {
        return Err(KeyFileError::Malformed("its public key is of another type than it says"));
    }
    let entry = Entry::of_key(file.key(unlock));
    let entry = Entry { public: Some(public), comment: file.comment.to_owned(), ..entry };
    Ok(Opened { encrypted: file.encrypted()?, entries: vec![entry] })
}

/// The lines of a file.
struct File<'a> {
    version: Version,
    key_type: &'a str,
    encryption: &'a str,
    comment: &'a str,
    public: Zeroizing<Vec<u8>>,
    private: Zeroizing<Vec<u8>>,
    mac: Vec<u8>,
    headers: HashMap<&'a str, &'a str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    Two,
    Three,
}

/// What comes of the passphrase.
struct Material {
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
    mac_key: Zeroizing<Vec<u8>>,
}

impl<'a> File<'a> {
    fn parse(text: &'a str) -> Result<Self, KeyFileError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        let mut headers = HashMap::new();
        let (mut public, mut private) = (None, None);
        while let Some((name, value)) = lines.next().and_then(|line| line.split_once(": ")) {
            match name {
                "Public-Lines" => public = Some(block(&mut lines, value)?),
                "Private-Lines" => private = Some(block(&mut lines, value)?),
                _ if headers.len() < MAX_HEADERS => {
                    headers.insert(name, value);
                }
                _ => return Err(CUT_OFF),
            }
        }
        let header = |name: &str| headers.get(name).copied().ok_or(CUT_OFF);
        let (version, key_type) = match (header(VERSION_2), header(VERSION_3)) {
            (Ok(key_type), Err(_)) => (Version::Two, key_type),
            (Err(_), Ok(key_type)) => (Version::Three, key_type),
            _ => return Err(KeyFileError::Malformed("its version is not 2 or 3")),
        };
        Ok(Self {
            version,
            key_type,
            encryption: header("Encryption")?,
            comment: header("Comment")?,
            public: public.ok_or(CUT_OFF)?,
            private: private.ok_or(CUT_OFF)?,
            mac: hex(header("Private-MAC")?).ok_or(CUT_OFF)?,
            headers,
        })
    }

    fn encrypted(&self) -> Result<bool, KeyFileError> {
        match self.encryption {
            "none" => Ok(false),
            "aes256-cbc" => Ok(true),
            other => Err(KeyFileError::UnsupportedCipher(other.to_owned())),
        }
    }

    fn key(&self, unlock: &Unlock<'_>) -> Key {
        let encrypted = self.encrypted()?;
        let material = if encrypted { self.material(unlock)? } else { self.no_material() };
        let private = match encrypted {
            true => Kind::Aes256.decrypt_padded(&material.key, &material.iv, &self.private)?,
            false => self.private.clone(),
        };
        let mut covered = Zeroizing::new(Vec::with_capacity(self.private.len() + self.public.len() + 4096));
        [self.key_type, self.encryption, self.comment].iter().for_each(|text| covered.put_text(text));
        covered.put_string(&self.public);
        covered.put_string(&private);
        let digest = self.digest();
        if !digest::matches(&(digest.hmac)(&material.mac_key, &[&covered]), &self.mac) {
            // Where there is a passphrase, that is the likeliest reason.
            return Err(if encrypted {
                KeyFileError::WrongPassphrase
            } else {
                KeyFileError::Malformed("its MAC does not match")
            });
        }
        numbers(&self.public, &private)
    }

    fn digest(&self) -> Digest {
        match self.version {
            Version::Two => Digest::SHA1,
            Version::Three => Digest::SHA256,
        }
    }

    /// The MAC is there without a passphrase, too.
    fn no_material(&self) -> Material {
        let mac_key = match self.version {
            Version::Two => (Digest::SHA1.hash)(&[MAC_KEY]),
            Version::Three => Zeroizing::default(),
        };
        Material { key: Zeroizing::default(), iv: Zeroizing::default(), mac_key }
    }

    fn material(&self, unlock: &Unlock<'_>) -> Result<Material, KeyFileError> {
        let passphrase = unlock.required()?.expose();
        match self.version {
            Version::Two => {
                let half = |number: u8| (Digest::SHA1.hash)(&[&[0, 0, 0, number], passphrase]);
                let mut key = Zeroizing::new([half(0).as_slice(), &half(1)].concat());
                key.truncate(Kind::Aes256.key_len());
                let mac_key = (Digest::SHA1.hash)(&[MAC_KEY, passphrase]);
                Ok(Material { key, iv: Zeroizing::new(vec![0; Kind::Aes256.iv_len()]), mac_key })
            }
            Version::Three => {
                let mut out = Zeroizing::new([0; 80]);
                self.argon2(passphrase, out.as_mut_slice(), unlock)?;
                let part = |range: std::ops::Range<usize>| Zeroizing::new(out[range].to_vec());
                Ok(Material { key: part(0..32), iv: part(32..48), mac_key: part(48..80) })
            }
        }
    }

    fn argon2(&self, passphrase: &[u8], out: &mut [u8], unlock: &Unlock<'_>) -> Result<(), KeyFileError> {
        let impossible = KeyFileError::Malformed("its key derivation has impossible parameters");
        let header = |name: &str| self.headers.get(name).copied().ok_or(CUT_OFF);
        let number = |name| header(name)?.parse::<u32>().map_err(|_| CUT_OFF);
        let name = header("Key-Derivation")?;
        let row = ALGORITHMS.iter().find(|(row, _)| *row == name);
        let (_, algorithm) = row.ok_or_else(|| KeyFileError::UnsupportedKdf(name.to_owned()))?;
        let (memory, passes) = (number("Argon2-Memory")?, number("Argon2-Passes")?);
        let lanes = number("Argon2-Parallelism")?;
        let salt = hex(header("Argon2-Salt")?).ok_or(CUT_OFF)?;
        Unlock::allow_memory("Argon2", u64::from(memory) * 1024)?;
        // A kibibyte takes about as long as three hashes.
        unlock.spend("Argon2", u64::from(memory) * u64::from(passes), 3)?;
        let parameters = argon2::Params::new(memory, passes, lanes, Some(out.len()));
        let parameters = parameters.map_err(|_| impossible.clone())?;
        Argon2::new(*algorithm, argon2::Version::V0x13, parameters)
            .hash_password_into(passphrase, &salt, out)
            .map_err(|_| impossible)
    }
}

/// As many lines of base64 as `count` says.
fn block<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    count: &str,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let count: usize = count.parse().map_err(|_| CUT_OFF)?;
    if count > MAX_LINES {
        return Err(CUT_OFF);
    }
    let lines: Vec<&[u8]> = lines.take(count).map(str::as_bytes).collect();
    if lines.len() != count {
        return Err(CUT_OFF);
    }
    let capacity = lines.iter().map(|line| line.len()).sum();
    armour::decode_lines(lines, capacity).ok_or(CUT_OFF)
}

/// The private numbers stand in their own blob, the others in the public one.
fn numbers(public: &[u8], private: &[u8]) -> Key {
    let (mut public, mut private) = (Reader::new(public), Reader::new(private));
    match public.text()? {
        "ssh-rsa" => {
            let (e, n) = (public.mpint()?.as_bytes(), public.mpint()?.as_bytes());
            let (d, p) = (private.mpint()?.as_bytes(), private.mpint()?.as_bytes());
            let (q, iqmp) = (private.mpint()?.as_bytes(), private.mpint()?.as_bytes());
            Numbers::Rsa(RsaNumbers { n, e, d, iqmp, p, q }).signer()
        }
        "ssh-dss" => {
            let (p, q) = (public.mpint()?.as_bytes(), public.mpint()?.as_bytes());
            let (g, y) = (public.mpint()?.as_bytes(), public.mpint()?.as_bytes());
            Numbers::Dsa { p, q, g, y: Some(y), x: private.mpint()?.as_bytes() }.signer()
        }
        "ssh-ed25519" => {
            // Little-endian, and without the zeros at its end.
            let (half, shown) = (public.string()?, private.string()?);
            let mut seed = Zeroizing::new([0; 32]);
            seed.get_mut(..shown.len()).ok_or(CUT_OFF)?.copy_from_slice(shown);
            Numbers::Ed25519 { seed: &*seed, public: Some(half) }.signer()
        }
        ecdsa if ecdsa.starts_with("ecdsa-sha2-") => {
            let curve = Curve::from_name(public.string()?);
            let curve = curve.ok_or_else(|| KeyFileError::UnsupportedKeyType(ecdsa.to_owned()))?;
            let (point, scalar) = (public.string()?, private.mpint()?.as_bytes());
            Numbers::Ecdsa { curve, scalar, point: Some(point) }.signer()
        }
        other => Err(KeyFileError::UnsupportedKeyType(other.to_owned())),
    }
}

const VERSION_2: &str = "PuTTY-User-Key-File-2";
const VERSION_3: &str = "PuTTY-User-Key-File-3";

/// What version 2 puts in front of the passphrase for the MAC's key.
const MAC_KEY: &[u8] = b"putty-private-key-file-mac-key";

const ALGORITHMS: [(&str, argon2::Algorithm); 3] = [
    ("Argon2id", argon2::Algorithm::Argon2id),
    ("Argon2i", argon2::Algorithm::Argon2i),
    ("Argon2d", argon2::Algorithm::Argon2d),
];

/// There are ten kinds.
const MAX_HEADERS: usize = 16;

/// Lines of 64 characters: a 16,384-bit RSA key fills 160.
const MAX_LINES: usize = 1024;

const CUT_OFF: KeyFileError = KeyFileError::Malformed("a line is missing or damaged");
