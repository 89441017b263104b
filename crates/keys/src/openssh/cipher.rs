//! The ciphers of the private section.
//!
//! Ciphers without a tag run as they do on the wire. Those with one do not: here no packet length is authenticated
//! apart from the rest, which the packet interface cannot express, so they are put together again.

use aws_lc_rs::aead;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _},
};
use poly1305::{Poly1305, universal_hash::KeyInit as _};
use subtle::ConstantTimeEq as _;
use underpass_crypto::{Cipher, CipherKind, Way};
use zeroize::Zeroizing;

use crate::KeyFileError;

/// Decrypts `section` in place with `key`, which holds the cipher's key and initial vector.
pub(super) fn open(cipher: &Cipher, key: &[u8], section: &mut [u8], tag: &[u8]) -> Result<(), KeyFileError> {
    if section.is_empty() || !section.len().is_multiple_of(cipher.block_len) {
        return Err(KeyFileError::Malformed("the encrypted part is not a whole number of blocks"));
    }
    let (key, iv) = key.split_at(cipher.key_len);
    let tag_len = match cipher.kind {
        CipherKind::Plain { .. } => 0,
        CipherKind::Aead { tag_len, .. } => tag_len,
    };
    if tag.len() != tag_len {
        return Err(KeyFileError::Malformed("the tag behind the encrypted part has the wrong length"));
    }
    let open = match cipher.kind {
        CipherKind::Plain { new, .. } => {
            let decrypted = new(key, iv, Way::Decrypt).apply(section);
            return decrypted.map_err(|_| KeyFileError::UnsupportedCipher(cipher.name.to_owned()));
        }
        CipherKind::Aead { .. } => OPENERS.iter().find(|(name, _)| *name == cipher.name),
    };
    let (_, open) = open.ok_or_else(|| KeyFileError::UnsupportedCipher(cipher.name.to_owned()))?;
    // A wrong passphrase is by far the likeliest reason.
    if open(key, iv, section, tag) { Ok(()) } else { Err(KeyFileError::WrongPassphrase) }
}

/// Verifies the tag over the section and decrypts it. Tells whether the tag matched.
type Opener = fn(key: &[u8], iv: &[u8], section: &mut [u8], tag: &[u8]) -> bool;

/// The ciphers with a tag.
const OPENERS: &[(&str, Opener)] = &[
    ("aes128-gcm@openssh.com", |key, iv, section, tag| gcm(&aead::AES_128_GCM, key, iv, section, tag)),
    ("aes256-gcm@openssh.com", |key, iv, section, tag| gcm(&aead::AES_256_GCM, key, iv, section, tag)),
    ("chacha20-poly1305@openssh.com", chacha20_poly1305),
];

fn gcm(algorithm: &'static aead::Algorithm, key: &[u8], iv: &[u8], section: &mut [u8], tag: &[u8]) -> bool {
    let key = aead::UnboundKey::new(algorithm, key).expect("the key is as long as the cipher asks");
    let iv = aead::Nonce::try_assume_unique_for_key(iv).expect("the vector is as long as the cipher asks");
    aead::LessSafeKey::new(key).open_in_place_separate_tag(iv, aead::Aad::empty(), tag, section).is_ok()
}

/// PROTOCOL.chacha20poly1305 for packet number zero and without a packet length, which leaves half of the key unused.
/// A nonce of zeros makes it no matter that OpenSSH's is shorter and its counter longer than RFC 8439's.
fn chacha20_poly1305(key: &[u8], _iv: &[u8], section: &mut [u8], tag: &[u8]) -> bool {
    let key = key.first_chunk::<32>().expect("the key is as long as the cipher asks");
    let mut stream = ChaCha20::new(key.into(), &[0; 12].into());
    let mut tag_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(tag_key.as_mut_slice());
    let expected = Poly1305::new((&*tag_key).into()).compute_unpadded(section);
    if !bool::from(expected.as_slice().ct_eq(tag)) {
        return false;
    }
    // Block zero of the stream has made the key of the tag.
    stream.seek(CHACHA20_BLOCK_LEN);
    stream.apply_keystream(section);
    true
}

const CHACHA20_BLOCK_LEN: u64 = 64;

#[cfg(test)]
mod tests {
    use underpass_crypto::Provider;

    use super::*;

    #[test]
    fn every_cipher_with_a_tag_can_be_opened() {
        for cipher in Provider::ALL.ciphers {
            if let CipherKind::Aead { .. } = cipher.kind {
                assert!(OPENERS.iter().any(|(name, _)| *name == cipher.name), "{cipher:?}");
            }
        }
    }

    #[test]
    fn tags_and_lengths_that_do_not_fit_are_refused() {
        for cipher in Provider::ALL.ciphers {
            let key = vec![0; cipher.key_len + cipher.iv_len];
            for (section, tag) in [(0, 16), (7, 16), (16, 1), (16, 15), (16, 17), (16, 64)] {
                let refused = open(cipher, &key, &mut vec![0; section], &vec![0; tag]);
                assert!(matches!(refused, Err(KeyFileError::Malformed(_))), "{cipher:?} {section} {tag}");
            }
        }
    }
}
