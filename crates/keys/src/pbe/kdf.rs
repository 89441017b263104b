//! Keys from passwords.

use der::{Tag, asn1::ObjectIdentifier};
use zeroize::Zeroizing;

use super::{Digest, Password, oid};
use crate::{
    KeyFileError,
    asn1::{Algorithm, INCOMPLETE, unknown},
    limits::Unlock,
};

/// A key derivation with its parameters.
pub(crate) enum Kdf<'a> {
    /// RFC 8018 section 5.1.
    Pbkdf1(&'static Digest, &'a [u8], u32),
    /// RFC 8018 section 5.2.
    Pbkdf2 { digest: &'static Digest, salt: &'a [u8], rounds: u32, key_len: Option<u32> },
    /// RFC 7914.
    Scrypt { salt: &'a [u8], cost: u32, block: u32, parallel: u32 },
    /// RFC 7292 appendix B.
    Pkcs12 { digest: &'static Digest, salt: &'a [u8], rounds: u32 },
    /// The one of Java's PBEWithMD5AndTripleDES.
    Java { salt: &'a [u8], rounds: u32 },
}

impl<'a> Kdf<'a> {
    /// One of those that have an identifier of their own.
    pub(crate) fn of(algorithm: &Algorithm<'a>) -> Result<Self, KeyFileError> {
        match algorithm.oid {
            PBKDF2 => Self::pbkdf2(algorithm),
            SCRYPT => {
                let mut fields = algorithm.fields()?;
                let salt = fields.octets()?;
                let (cost, block, parallel) = (fields.count()?, fields.count()?, fields.count()?);
                Ok(Self::Scrypt { salt, cost, block, parallel })
            }
            other => Err(KeyFileError::UnsupportedKdf(unknown(other))),
        }
    }

    fn pbkdf2(algorithm: &Algorithm<'a>) -> Result<Self, KeyFileError> {
        let mut fields = algorithm.fields()?;
        let (salt, rounds) = (fields.octets()?, fields.count()?);
        let key_len = if fields.next_is(Tag::Integer) { Some(fields.count()?) } else { None };
        let digest = if fields.is_empty() {
            &Digest::SHA1
        } else {
            let prf = Algorithm::read(&mut fields)?.oid;
            Digest::find_hmac(prf).ok_or_else(|| KeyFileError::UnsupportedKdf(unknown(prf)))?
        };
        fields.finish()?;
        Ok(Self::Pbkdf2 { digest, salt, rounds, key_len })
    }

    /// How long a key the file asks for, where it says so.
    pub(crate) fn key_len(&self) -> Option<usize> {
        match self {
            Self::Pbkdf2 { key_len, .. } => key_len.and_then(|len| usize::try_from(len).ok()),
            _ => None,
        }
    }

    /// A key, and an initial vector behind it.
    pub(crate) fn derive(
        &self,
        password: &Password,
        key_len: usize,
        iv_len: usize,
        unlock: &Unlock<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let mut out = Zeroizing::new(vec![0; key_len + iv_len]);
        match *self {
            Self::Pbkdf1(digest, salt, rounds) => {
                unlock.spend("PBKDF1", rounds.into(), 1)?;
                let mut block = (digest.hash)(&[password.bytes(), salt]);
                for _ in 1..rounds {
                    block = (digest.hash)(&[&block]);
                }
                let block = block.get(..out.len()).ok_or(INCOMPLETE)?;
                out.copy_from_slice(block);
            }
            Self::Pbkdf2 { digest, salt, rounds, .. } => {
                let blocks = out.len().div_ceil(digest.len) as u64;
                unlock.spend("PBKDF2", rounds.into(), 2 * blocks)?;
                (digest.pbkdf2)(password.bytes(), salt, rounds, &mut out);
            }
            Self::Scrypt { salt, cost, block, parallel } => {
                let parameters = scrypt_parameters(cost, block, parallel, unlock)?;
                scrypt::scrypt(password.bytes(), salt, &parameters, &mut out).map_err(|_| INCOMPLETE)?;
            }
            Self::Pkcs12 { digest, salt, rounds } => {
                let (key, iv) = out.split_at_mut(key_len);
                pkcs12(digest, Purpose::Key, password, salt, rounds, key, unlock)?;
                pkcs12(digest, Purpose::Iv, password, salt, rounds, iv, unlock)?;
            }
            Self::Java { salt, rounds } => java(password.bytes(), salt, rounds, &mut out, unlock)?,
        }
        Ok(out)
    }
}

/// Checked before anything is allocated or computed.
fn scrypt_parameters(
    cost: u32,
    block: u32,
    parallel: u32,
    unlock: &Unlock<'_>,
) -> Result<scrypt::Params, KeyFileError> {
    let name = "scrypt";
    if !cost.is_power_of_two() || cost < 2 {
        return Err(KeyFileError::Malformed("its key derivation has impossible parameters"));
    }
    let (n, r, p) = (u64::from(cost), u64::from(block), u64::from(parallel));
    let lane = r.saturating_mul(SCRYPT_BLOCK);
    Unlock::allow_memory(name, lane.saturating_mul(n.max(p)))?;
    // Twice through the memory; a kibibyte takes about as long as three hashes.
    unlock.spend(name, n.saturating_mul(r).saturating_mul(p), 1)?;
    scrypt::Params::new(cost.ilog2() as u8, block, parallel)
        .map_err(|_| KeyFileError::Malformed("its key derivation has impossible parameters"))
}

/// Bytes of memory for each step of cost and of block size (RFC 7914 section 6).
const SCRYPT_BLOCK: u64 = 128;

/// What a key of PKCS#12 is for (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// RFC 7292 appendix B.2.
pub(crate) fn pkcs12(
    digest: &Digest,
    purpose: Purpose,
    password: &Password,
    salt: &[u8],
    rounds: u32,
    out: &mut [u8],
    unlock: &Unlock<'_>,
) -> Result<(), KeyFileError> {
    if out.is_empty() {
        return Ok(());
    }
    let block_len = digest.block_len;
    unlock.spend("PKCS#12", rounds.into(), out.len().div_ceil(digest.len) as u64)?;
    let diversifier = vec![purpose as u8; block_len];
    // Salt and password, each repeated until it fills whole blocks.
    let mut input = Zeroizing::new(Vec::new());
    for part in [salt, password.utf16_with_zero()] {
        let len = part.len().div_ceil(block_len) * block_len;
        input.reserve_exact(len);
        input.extend(part.iter().cycle().take(len));
    }
    let mut chunks = out.chunks_mut(digest.len).peekable();
    while let Some(chunk) = chunks.next() {
        let mut block = (digest.hash)(&[&diversifier, &input]);
        for _ in 1..rounds {
            block = (digest.hash)(&[&block]);
        }
        chunk.copy_from_slice(&block[..chunk.len()]);
        if chunks.peek().is_some() {
            input.chunks_exact_mut(block_len).for_each(|part| add_one_more(part, &block));
        }
    }
    Ok(())
}

/// Adds to a block the output, repeated, and one.
fn add_one_more(part: &mut [u8], output: &[u8]) {
    let mut carry = 1;
    for at in (0..part.len()).rev() {
        carry += u16::from(part[at]) + u16::from(output[at % output.len()]);
        part[at] = carry as u8;
        carry >>= 8;
    }
}

/// Each half of the salt makes half of the output. Where the halves are equal, Java turns the first one around, in a
/// way that leaves one of its bytes out.
fn java(
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    out: &mut [u8],
    unlock: &Unlock<'_>,
) -> Result<(), KeyFileError> {
    unlock.spend("Java's key derivation", rounds.into(), 2)?;
    let mut salt: [u8; 8] = salt.try_into().map_err(|_| INCOMPLETE)?;
    if salt[..4] == salt[4..] {
        for at in 0..2 {
            let byte = salt[at];
            salt[at] = salt[3 - at];
            salt[2] = byte;
        }
    }
    for (half, out) in salt.chunks_exact(4).zip(out.chunks_mut(Digest::MD5.len)) {
        let mut block = Zeroizing::new(half.to_vec());
        for _ in 0..rounds {
            block = (Digest::MD5.hash)(&[&block, password]);
        }
        out.copy_from_slice(&block[..out.len()]);
    }
    Ok(())
}

const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
const SCRYPT: ObjectIdentifier = oid("1.3.6.1.4.1.11591.4.11");

#[cfg(test)]
mod tests {
    use super::*;

    /// What a derivation with these parameters gives, of a file that has nothing else.
    fn derive(kdf: &Kdf<'_>) -> Result<(), KeyFileError> {
        let password = Password::from_bytes(b"password");
        kdf.derive(&password, 16, 0, &Unlock::new(None, None)).map(drop)
    }

    #[test]
    fn what_costs_too_much_is_refused_before_any_is_done() {
        let salt = b"saltsalt";
        for rounds in [0, u32::MAX] {
            for kdf in [
                Kdf::Pbkdf1(&Digest::MD5, salt, rounds),
                Kdf::Pbkdf2 { digest: &Digest::SHA256, salt, rounds, key_len: None },
                Kdf::Pkcs12 { digest: &Digest::SHA1, salt, rounds },
                Kdf::Java { salt, rounds },
            ] {
                assert!(matches!(derive(&kdf), Err(KeyFileError::Cost { .. })), "{rounds}");
            }
        }
        let scrypt = |cost, block, parallel| derive(&Kdf::Scrypt { salt, cost, block, parallel });
        assert!(matches!(scrypt(1 << 31, 8, 1), Err(KeyFileError::Memory { .. })));
        assert!(matches!(scrypt(2, u32::MAX, 1), Err(KeyFileError::Memory { .. })));
        assert!(matches!(scrypt(2, 1, u32::MAX), Err(KeyFileError::Memory { .. })));
        assert!(matches!(scrypt(1 << 14, 8, 1 << 10), Err(KeyFileError::Cost { .. })));
        for (cost, block, parallel) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), (2, 0, 1), (2, 8, 0)] {
            assert!(scrypt(cost, block, parallel).is_err(), "{cost} {block} {parallel}");
        }
    }

    /// RFC 7914 section 12.
    #[test]
    fn scrypt_agrees_with_its_rfc() {
        let kdf = Kdf::Scrypt { salt: b"NaCl", cost: 1024, block: 8, parallel: 16 };
        let password = Password::from_bytes(b"password");
        let key = kdf.derive(&password, 8, 0, &Unlock::new(None, None)).unwrap();
        assert_eq!(*key, [0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00]);
    }
}
