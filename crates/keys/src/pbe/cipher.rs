//! The ciphers of encrypted keys and stores.

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{
        Array, BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, KeyInit, StreamCipher as _,
    },
};
use ccm::{
    Ccm,
    aead::AeadInOut as _,
    consts::{U8, U12, U13, U16},
};
use der::asn1::ObjectIdentifier;
use des::{Des, TdesEde2, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

use super::oid;
use crate::{
    KeyFileError,
    asn1::{Algorithm, INCOMPLETE, unknown},
};

/// A cipher. All but RC4 and CCM are block ciphers in CBC mode, with the padding of RFC 8018 section 6.1.1.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    TwoKeyTripleDes,
    Des,
    Rc2 { len: usize, bits: usize },
    Rc4 { len: usize },
    Aes256Ccm { tag_len: usize, nonce_len: usize },
}

impl Kind {
    /// One of those with an identifier of their own, and its initial vector.
    pub(crate) fn of<'a>(algorithm: &Algorithm<'a>) -> Result<(Self, &'a [u8]), KeyFileError> {
        if let Some((_, kind)) = WITH_IV.iter().find(|(oid, _)| *oid == algorithm.oid) {
            return Ok((*kind, algorithm.octets()?));
        }
        match algorithm.oid {
            RC2_CBC => {
                let mut fields = algorithm.fields()?;
                // RFC 8018 appendix B.2.3.
                let bits = match fields.count()? {
                    160 => 40,
                    120 => 64,
                    58 => 128,
                    other => return Err(KeyFileError::UnsupportedCipher(format!("RC2 version {other}"))),
                };
                Ok((Self::Rc2 { len: bits / 8, bits }, fields.octets()?))
            }
            AES256_CCM => {
                let mut fields = algorithm.fields()?;
                let nonce = fields.octets()?;
                // RFC 5084 section 3.1.
                let tag_len = if fields.is_empty() { 12 } else { fields.count()? as usize };
                Ok((Self::Aes256Ccm { tag_len, nonce_len: nonce.len() }, nonce))
            }
            other => Err(KeyFileError::UnsupportedCipher(unknown(other))),
        }
    }

    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 | Self::TwoKeyTripleDes => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 | Self::Aes256Ccm { .. } => 32,
            Self::Rc2 { len, .. } | Self::Rc4 { len } => len,
        }
    }

    pub(crate) fn iv_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::TripleDes | Self::TwoKeyTripleDes | Self::Des | Self::Rc2 { .. } => 8,
            Self::Rc4 { .. } => 0,
            Self::Aes256Ccm { nonce_len, .. } => nonce_len,
        }
    }

    /// What `bytes` are in clear, without the padding. The key must be of the right length.
    pub(crate) fn decrypt(
        self,
        key: &[u8],
        iv: &[u8],
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let mut bytes = self.decrypt_padded(key, iv, bytes)?;
        if !matches!(self, Self::Rc4 { .. } | Self::Aes256Ccm { .. }) {
            let kept = unpadded(&bytes, iv.len()).ok_or(KeyFileError::WrongPassphrase)?;
            bytes.truncate(kept);
        }
        Ok(bytes)
    }

    /// The same with its padding, for formats that have one of their own.
    pub(crate) fn decrypt_padded(
        self,
        key: &[u8],
        iv: &[u8],
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        if iv.len() != self.iv_len() {
            return Err(KeyFileError::Malformed("its initial vector has the wrong length"));
        }
        let mut bytes = Zeroizing::new(bytes.to_vec());
        match self {
            Self::Aes128 => cbc(keyed::<Aes128>(key), iv, &mut bytes)?,
            Self::Aes192 => cbc(keyed::<Aes192>(key), iv, &mut bytes)?,
            Self::Aes256 => cbc(keyed::<Aes256>(key), iv, &mut bytes)?,
            Self::TripleDes => cbc(keyed::<TdesEde3>(key), iv, &mut bytes)?,
            Self::TwoKeyTripleDes => cbc(keyed::<TdesEde2>(key), iv, &mut bytes)?,
            Self::Des => cbc(keyed::<Des>(key), iv, &mut bytes)?,
            Self::Rc2 { bits, .. } => cbc(Rc2::new_with_eff_key_len(key, bits), iv, &mut bytes)?,
            Self::Rc4 { .. } => keyed::<rc4::Rc4>(key).apply_keystream(&mut bytes),
            Self::Aes256Ccm { tag_len, .. } => ccm(key, iv, tag_len, &mut bytes)?,
        }
        Ok(bytes)
    }
}

fn keyed<C: KeyInit>(key: &[u8]) -> C {
    C::new_from_slice(key).expect("the key is as long as the cipher asks")
}

/// The length without padding; `None` if that is wrong.
fn unpadded(bytes: &[u8], block_len: usize) -> Option<usize> {
    let padding = usize::from(*bytes.last()?);
    let kept = bytes.len().checked_sub(padding)?;
    let right =
        (1..=block_len).contains(&padding) && bytes[kept..].iter().all(|byte| usize::from(*byte) == padding);
    right.then_some(kept)
}

/// Decrypts whole blocks in place.
fn cbc<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], bytes: &mut [u8]) -> Result<(), KeyFileError> {
    let mut decryptor = Decryptor::inner_iv_slice_init(cipher, iv).map_err(|_| INCOMPLETE)?;
    let (blocks, rest) = Array::slice_as_chunks_mut(bytes);
    if !rest.is_empty() {
        return Err(KeyFileError::Malformed("the encrypted part is not a whole number of blocks"));
    }
    decryptor.decrypt_blocks(blocks);
    Ok(())
}

/// Bouncy Castle's stores: the tag stands behind, of 8 bytes by default.
fn ccm(key: &[u8], nonce: &[u8], tag_len: usize, bytes: &mut Vec<u8>) -> Result<(), KeyFileError> {
    let kept = bytes.len().checked_sub(tag_len).ok_or(INCOMPLETE)?;
    let tag = bytes.split_off(kept);
    macro_rules! open {
        ($tag:ty, $nonce:ty) => {{
            let cipher = keyed::<Ccm<Aes256, $tag, $nonce>>(key);
            let nonce = nonce.try_into().map_err(|_| INCOMPLETE)?;
            let tag = tag.as_slice().try_into().map_err(|_| INCOMPLETE)?;
            cipher.decrypt_inout_detached(nonce, b"", bytes.as_mut_slice().into(), tag)
        }};
    }
    let opened = match (tag_len, nonce.len()) {
        (8, 12) => open!(U8, U12),
        (8, 13) => open!(U8, U13),
        (12, 12) => open!(U12, U12),
        (12, 13) => open!(U12, U13),
        (16, 12) => open!(U16, U12),
        (16, 13) => open!(U16, U13),
        (tag, nonce) => {
            let name = format!("AES-256-CCM with a tag of {tag} and a nonce of {nonce} bytes");
            return Err(KeyFileError::UnsupportedCipher(name));
        }
    };
    opened.map_err(|_| KeyFileError::WrongPassphrase)
}

const WITH_IV: &[(ObjectIdentifier, Kind)] = &[
    (oid("2.16.840.1.101.3.4.1.2"), Kind::Aes128),
    (oid("2.16.840.1.101.3.4.1.22"), Kind::Aes192),
    (oid("2.16.840.1.101.3.4.1.42"), Kind::Aes256),
    (oid("1.2.840.113549.3.7"), Kind::TripleDes),
    (oid("1.3.14.3.2.7"), Kind::Des),
];

const RC2_CBC: ObjectIdentifier = oid("1.2.840.113549.3.2");
const AES256_CCM: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.47");
