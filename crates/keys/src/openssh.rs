//! Private keys of OpenSSH (PROTOCOL.key in its sources): PEM armour around
//!
//! ```text
//! "openssh-key-v1\0" | cipher | kdf | kdf options | number of keys u32 | public key | sealed string | tag
//! sealed: check u32 | the same check u32 | key type | numbers | comment | padding 1, 2, 3, …
//! ```

mod cipher;
mod numbers;

use std::sync::Arc;

use bcrypt_pbkdf::bcrypt_pbkdf;
use underpass_crypto::{Cipher, Provider, Signer};
use underpass_wire::Reader;
use zeroize::Zeroizing;

use crate::{Entry, KeyFileError, MAX_WORK, PublicKey, limits::Unlock, store::Opened};

/// The most rounds of bcrypt that a file may ask for. `ssh-keygen` sets 16 or 24 by default and cautious people 100
/// or 1,000. At 7 ms a round this many take a quarter of a minute; more would pass for hanging.
/// A file with several keys has no more for all of them together.
///
/// A fuzzer has no use for waiting.
pub const MAX_ROUNDS: u32 = if cfg!(fuzzing) { 2 } else { 2048 };

/// Reads what is inside the armour. The public half is in clear, whether the private one opens or not.
pub(crate) fn open(blob: &[u8], unlock: &Unlock<'_>) -> Result<Opened, KeyFileError> {
    let container = Container::parse(blob)?;
    let key = container.unseal(unlock).and_then(|section| container.private_key(&section));
    let (key, comment) = match key {
        Ok((signer, comment)) => (Ok(signer), comment),
        Err(error) => (Err(error), String::new()),
    };
    let public = Some(PublicKey::from_blob(container.public)?);
    let entry = Entry { public, comment, ..Entry::of_key(key) };
    Ok(Opened { encrypted: container.protection.is_some(), entries: vec![entry] })
}

/// A key file as it is on the disk.
struct Container<'a> {
    protection: Option<Protection<'a>>,
    public: &'a [u8],
    sealed: &'a [u8],
    tag: &'a [u8],
}

/// How the private half is encrypted: with the cipher and a key that bcrypt makes.
struct Protection<'a> {
    cipher: &'a str,
    salt: &'a [u8],
    rounds: u32,
}

impl<'a> Container<'a> {
    fn parse(blob: &'a [u8]) -> Result<Self, KeyFileError> {
        let body = blob.strip_prefix(MAGIC).ok_or(KeyFileError::Malformed("its first bytes are wrong"))?;
        let mut fields = Reader::new(body);
        let cipher = fields.text()?;
        let kdf = fields.text()?;
        let protection = Protection::parse(cipher, kdf, fields.nested()?)?;
        match fields.u32()? {
            1 => {}
            count => return Err(KeyFileError::KeyCount(count)),
        }
        let public = fields.string()?;
        let sealed = fields.string()?;
        Ok(Self { protection, public, sealed, tag: fields.rest() })
    }

    /// The private section in clear.
    fn unseal(&self, unlock: &Unlock<'_>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let mut section = Zeroizing::new(self.sealed.to_vec());
        match &self.protection {
            None if !self.tag.is_empty() => return Err(KeyFileError::Malformed("bytes follow the key")),
            None => {}
            Some(protection) => {
                let cipher = protection.cipher()?;
                let key = protection.derive(cipher, unlock)?;
                cipher::open(cipher, &key, &mut section, self.tag)?;
            }
        }
        Ok(section)
    }

    /// The key and its comment.
    fn private_key(&self, section: &[u8]) -> Result<(Arc<dyn Signer>, String), KeyFileError> {
        let encrypted = self.protection.is_some();
        let mut fields = Reader::new(section);
        if fields.u32()? != fields.u32()? {
            return Err(if encrypted {
                KeyFileError::WrongPassphrase
            } else {
                KeyFileError::Malformed("its check numbers differ")
            });
        }
        let key_type = fields.text()?;
        let signer = numbers::read(key_type, &mut fields)?;
        let comment = String::from_utf8_lossy(fields.string()?).into_owned();
        check_padding(fields.rest())?;
        // The blob names the key type, so this also refuses numbers of one type under the name of another.
        if signer.public_key() != self.public || underpass_crypto::key_type(self.public) != Some(key_type) {
            return Err(HALVES_DIFFER);
        }
        Ok((signer, comment))
    }
}

impl<'a> Protection<'a> {
    fn parse(cipher: &'a str, kdf: &'a str, mut options: Reader<'a>) -> Result<Option<Self>, KeyFileError> {
        match (cipher, kdf) {
            ("none", "none") => {
                options.finish()?;
                Ok(None)
            }
            ("none", _) | (_, "none") => {
                Err(KeyFileError::Malformed("it names a cipher without a key derivation, or the reverse"))
            }
            (cipher, "bcrypt") => {
                let salt = options.string()?;
                let rounds = options.u32()?;
                options.finish()?;
                Ok(Some(Self { cipher, salt, rounds }))
            }
            (_, kdf) => Err(KeyFileError::UnsupportedKdf(kdf.to_owned())),
        }
    }

    fn cipher(&self) -> Result<&'static Cipher, KeyFileError> {
        Provider::find(Provider::ALL.ciphers, self.cipher)
            .ok_or_else(|| KeyFileError::UnsupportedCipher(self.cipher.to_owned()))
    }

    /// The key of the cipher and, behind it, its initial vector.
    fn derive(&self, cipher: &Cipher, unlock: &Unlock<'_>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        if !(1..=MAX_ROUNDS).contains(&self.rounds) {
            return Err(KeyFileError::Rounds(self.rounds));
        }
        let passphrase = unlock.required()?;
        unlock.spend("bcrypt", self.rounds.into(), ROUND_WORK)?;
        let mut key = Zeroizing::new(vec![0; cipher.key_len + cipher.iv_len]);
        bcrypt_pbkdf(passphrase.expose(), self.salt, self.rounds, &mut key)
            .map_err(|_| KeyFileError::Malformed("its key derivation has no salt"))?;
        Ok(key)
    }
}

/// The padding counts up from one.
fn check_padding(padding: &[u8]) -> Result<(), KeyFileError> {
    if padding.len() <= MAX_PADDING
        && padding.iter().zip(1..=u8::MAX).all(|(byte, expected)| *byte == expected)
    {
        return Ok(());
    }
    Err(KeyFileError::Malformed("its padding is wrong"))
}

const HALVES_DIFFER: KeyFileError =
    KeyFileError::Malformed("its private and its public half do not belong together");

/// What a round of bcrypt is worth in the [work](MAX_WORK) of a file, in computations of a hash: about the time it takes.
const ROUND_WORK: u64 = MAX_WORK / MAX_ROUNDS as u64;

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The padding fills a block of the cipher, so a byte is enough to count it.
const MAX_PADDING: usize = 255;

#[cfg(test)]
mod tests {
    use underpass_crypto::Secret;
    use underpass_wire::Put as _;

    use super::*;

    #[test]
    fn padding_counts_up_from_one() {
        assert_eq!(check_padding(&[]), Ok(()));
        assert_eq!(check_padding(&[1, 2, 3, 4, 5, 6, 7]), Ok(()));
        let full: Vec<u8> = (1..=255).collect();
        assert_eq!(check_padding(&full), Ok(()));
        for wrong in [&[0][..], &[1, 1], &[1, 2, 4], &[&full[..], &[0]].concat()] {
            assert!(check_padding(wrong).is_err(), "{wrong:?}");
        }
    }

    /// A container with these header fields around nothing.
    fn container(cipher: &str, kdf: &str, options: &[u8], count: u32) -> Vec<u8> {
        let mut blob = MAGIC.to_vec();
        blob.put_text(cipher);
        blob.put_text(kdf);
        blob.put_string(options);
        blob.put_u32(count);
        blob.put_string(b"public");
        blob.put_string(b"sealed");
        blob
    }

    fn unsealed(blob: &[u8]) -> Result<(), KeyFileError> {
        let secret = Secret::from("secret");
        Container::parse(blob)?.unseal(&Unlock::new(Some(&secret), None)).map(drop)
    }

    fn bcrypt_options(rounds: u32) -> Vec<u8> {
        let mut options = Vec::new();
        options.put_string(&[7; 16]);
        options.put_u32(rounds);
        options
    }

    #[test]
    fn rounds_beyond_the_bound_are_refused_before_any_is_done() {
        for rounds in [0, MAX_ROUNDS + 1, u32::MAX] {
            let blob = container("aes256-ctr", "bcrypt", &bcrypt_options(rounds), 1);
            assert_eq!(unsealed(&blob), Err(KeyFileError::Rounds(rounds)));
        }
    }

    #[test]
    fn rounds_are_limited_for_all_keys_of_a_file_together() {
        let secret = Secret::from("secret");
        let unlock = Unlock::new(Some(&secret), None);
        let most = u64::from(MAX_ROUNDS);
        assert_eq!(unlock.spend("bcrypt", most - 1, ROUND_WORK), Ok(()));
        let blob = container("aes256-ctr", "bcrypt", &bcrypt_options(2), 1);
        let error = Container::parse(&blob).unwrap().unseal(&unlock).unwrap_err();
        assert!(matches!(error, KeyFileError::Cost { kdf: "bcrypt", asked: 2, .. }), "{error}");
    }

    #[test]
    fn headers_that_contradict_themselves_are_refused() {
        let malformed = |blob: &[u8]| matches!(unsealed(blob), Err(KeyFileError::Malformed(_)));
        assert!(malformed(b"openssh-key-v2\0"));
        assert!(malformed(&container("none", "bcrypt", &bcrypt_options(1), 1)));
        assert!(malformed(&container("aes256-ctr", "none", b"", 1)));
        assert!(malformed(&container("none", "none", b"x", 1)));
        assert!(malformed(&container("aes256-ctr", "bcrypt", b"", 1)));
        assert!(malformed(&[container("none", "none", b"", 1), b"x".to_vec()].concat()));
        assert!(malformed(&container("aes256-ctr", "bcrypt", &[0, 0, 0, 0, 0, 0, 0, 1], 1)), "no salt");
    }

    #[test]
    fn what_is_not_supported_is_named() {
        assert_eq!(
            unsealed(&container("rot13-cbc", "bcrypt", &bcrypt_options(1), 1)),
            Err(KeyFileError::UnsupportedCipher("rot13-cbc".to_owned()))
        );
        assert_eq!(
            unsealed(&container("aes256-ctr", "argon2id", b"", 1)),
            Err(KeyFileError::UnsupportedKdf("argon2id".to_owned()))
        );
        for count in [0, 2, u32::MAX] {
            assert_eq!(unsealed(&container("none", "none", b"", count)), Err(KeyFileError::KeyCount(count)));
        }
    }
}
