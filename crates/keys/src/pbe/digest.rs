use der::asn1::ObjectIdentifier;
use hmac::{EagerHash, Hmac, KeyInit as _, Mac as _, digest::block_api::BlockSizeUser};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::oid;

/// Whether a hash or MAC is the expected one, in constant time. To a fuzzer, which cannot make any, all are: so it gets
/// at what is behind them.
pub(crate) fn matches(expected: &[u8], found: &[u8]) -> bool {
    cfg!(fuzzing) || expected.ct_eq(found).into()
}

/// A hash function and what is made of it.
pub(crate) struct Digest {
    /// Of the hash itself.
    pub(crate) oid: ObjectIdentifier,
    /// Of HMAC with it.
    pub(crate) hmac_oid: ObjectIdentifier,
    /// Bytes of output.
    pub(crate) len: usize,
    /// Of all parts, one after the other.
    pub(crate) hash: fn(parts: &[&[u8]]) -> Zeroizing<Vec<u8>>,
    /// Of all parts, one after the other.
    pub(crate) hmac: fn(key: &[u8], parts: &[&[u8]]) -> Vec<u8>,
    pub(crate) pbkdf2: fn(password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8]),
    /// What `pbkdf2` or any other derivation works with at once.
    pub(crate) block_len: usize,
}

impl Digest {
    pub(crate) const MD5: Self = row::<Md5>("1.2.840.113549.2.5", "1.2.840.113549.2.6", 16, 64);
    pub(crate) const SHA1: Self = row::<Sha1>("1.3.14.3.2.26", "1.2.840.113549.2.7", 20, 64);
    pub(crate) const SHA256: Self = row::<Sha256>("2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9", 32, 64);
    pub(crate) const SHA512: Self = row::<Sha512>("2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.11", 64, 128);

    const ALL: &[Self] = &[
        Self::MD5,
        Self::SHA1,
        row::<Sha224>("2.16.840.1.101.3.4.2.4", "1.2.840.113549.2.8", 28, 64),
        Self::SHA256,
        row::<Sha384>("2.16.840.1.101.3.4.2.2", "1.2.840.113549.2.10", 48, 128),
        Self::SHA512,
        row::<Sha512_224>("2.16.840.1.101.3.4.2.5", "1.2.840.113549.2.12", 28, 128),
        row::<Sha512_256>("2.16.840.1.101.3.4.2.6", "1.2.840.113549.2.13", 32, 128),
    ];

    pub(crate) fn find(oid: ObjectIdentifier) -> Option<&'static Self> {
        Self::ALL.iter().find(|digest| digest.oid == oid)
    }

    pub(crate) fn find_hmac(oid: ObjectIdentifier) -> Option<&'static Self> {
        Self::ALL.iter().find(|digest| digest.hmac_oid == oid)
    }
}

const fn row<D>(digest: &str, hmac: &str, len: usize, block_len: usize) -> Digest
where
    D: EagerHash + hmac::digest::Digest + BlockSizeUser,
{
    Digest {
        oid: oid(digest),
        hmac_oid: oid(hmac),
        len,
        hash: |parts| {
            let mut hasher = D::new();
            parts.iter().for_each(|part| hmac::digest::Digest::update(&mut hasher, part));
            let mut output = hasher.finalize();
            let hash = Zeroizing::new(output.to_vec());
            output.as_mut_slice().zeroize();
            hash
        },
        hmac: |key, parts| {
            let mut mac = Hmac::<D>::new_from_slice(key).expect("HMAC takes keys of any length");
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().to_vec()
        },
        pbkdf2: pbkdf2::pbkdf2_hmac::<D>,
        block_len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_what_the_functions_have() {
        for digest in Digest::ALL {
            assert_eq!((digest.hash)(&[b"a", b"b"]).len(), digest.len);
            assert_eq!((digest.hmac)(b"key", &[b"a"]).len(), digest.len);
        }
    }
}
