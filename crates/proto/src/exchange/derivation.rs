//! From the secret to the keys.

use underpass_crypto::packet::Keys;
use underpass_crypto::{Cipher, Digest, Hash, Mac, Secret};

/// RFC 4253 section 7.2.
pub(super) struct Derivation<'a> {
    pub(super) hash: Hash,
    /// As it enters hashes.
    pub(super) secret: &'a Secret,
    pub(super) exchange: &'a Digest,
    pub(super) session: &'a Digest,
}

impl Derivation<'_> {
    pub(super) fn with_keys<T>(
        &self,
        letters: [u8; 3],
        cipher: &Cipher,
        mac: Option<&Mac>,
        make: impl FnOnce(&Keys<'_>) -> T,
    ) -> T {
        let iv = self.key(letters[0], cipher.iv_len);
        let key = self.key(letters[1], cipher.key_len);
        let mac_key = self.key(letters[2], mac.map_or(0, |mac| mac.key_len));
        make(&Keys { iv: iv.expose(), key: key.expose(), mac_key: mac_key.expose() })
    }

    fn key(&self, letter: u8, len: usize) -> Secret {
        let mut key = Vec::with_capacity(len + 64);
        while key.len() < len {
            let mut hasher = self.hash.start();
            hasher.update(self.secret.expose());
            hasher.update(self.exchange);
            if key.is_empty() {
                hasher.update(&[letter]);
                hasher.update(self.session);
            } else {
                hasher.update(&key);
            }
            key.extend_from_slice(&hasher.finish());
        }
        key.truncate(len);
        Secret::new(key)
    }
}
