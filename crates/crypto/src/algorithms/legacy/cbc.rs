//! The ciphers in CBC mode: `aes128-cbc`, `aes192-cbc`, `aes256-cbc`, `3des-cbc`, `blowfish-cbc` and `cast128-cbc`
//! (RFC 4253 section 6.3).
//!
//! A block encrypts differently after each block before it, across packets too, so whoever can try lengths and watch
//! could decrypt (CVE-2008-5161): [`Opener`](crate::packet::Opener) keeps from showing how a packet was bad. RustCrypto:
//! aws-lc-rs has CBC with its own padding only.

use cbc::{
    Decryptor, Encryptor,
    cipher::{
        Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit,
        KeyInit,
    },
};

use crate::{Cipher, CipherKind, Failed, Keystream, NewKeystream, Strength, Way};

/// `aes128-cbc`.
pub static AES128_CBC: Cipher = cipher("aes128-cbc", 16, 16, new::<aes::Aes128>);

/// `aes192-cbc`.
pub static AES192_CBC: Cipher = cipher("aes192-cbc", 24, 16, new::<aes::Aes192>);

/// `aes256-cbc`.
pub static AES256_CBC: Cipher = cipher("aes256-cbc", 32, 16, new::<aes::Aes256>);

/// `3des-cbc`, with three keys; chained once, around all three (RFC 4253 section 6.3).
pub static TRIPLE_DES_CBC: Cipher = cipher("3des-cbc", 24, 8, new::<des::TdesEde3>);

/// `blowfish-cbc`, with keys of 128 bits.
pub static BLOWFISH_CBC: Cipher = cipher("blowfish-cbc", 16, 8, new::<blowfish::Blowfish>);

/// `cast128-cbc`.
pub static CAST128_CBC: Cipher = cipher("cast128-cbc", 16, 8, new::<cast5::Cast5>);

const fn cipher(name: &'static str, key_len: usize, block_len: usize, new: NewKeystream) -> Cipher {
    Cipher {
        name,
        strength: Strength::Legacy,
        key_len,
        iv_len: block_len,
        block_len,
        kind: CipherKind::Plain { new, chained: true },
    }
}

fn new<C>(key: &[u8], iv: &[u8], way: Way) -> Box<dyn Keystream>
where
    C: KeyInit + BlockCipherEncrypt + BlockCipherDecrypt + Send + 'static,
{
    let cipher = C::new_from_slice(key).expect("the key is as long as the cipher asks");
    let fits = "the vector is as long as the cipher asks";
    match way {
        Way::Encrypt => Box::new(Encrypting(Encryptor::inner_iv_slice_init(cipher, iv).expect(fits))),
        Way::Decrypt => Box::new(Decrypting(Decryptor::inner_iv_slice_init(cipher, iv).expect(fits))),
    }
}

/// One direction of a connection. The last block lives on across packets.
struct Encrypting<C: BlockCipherEncrypt>(Encryptor<C>);

/// The other direction.
struct Decrypting<C: BlockCipherDecrypt>(Decryptor<C>);

impl<C: BlockCipherEncrypt + Send> Keystream for Encrypting<C> {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        let (blocks, rest) = Array::slice_as_chunks_mut(bytes);
        debug_assert!(rest.is_empty());
        self.0.encrypt_blocks(blocks);
        Ok(())
    }
}

impl<C: BlockCipherDecrypt + Send> Keystream for Decrypting<C> {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        let (blocks, rest) = Array::slice_as_chunks_mut(bytes);
        debug_assert!(rest.is_empty());
        self.0.decrypt_blocks(blocks);
        Ok(())
    }
}
