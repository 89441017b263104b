use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Bytes of an HMAC-SHA-1, and of the salt.
pub(super) const HASH_LEN: usize = 20;

/// A host name that the file does not tell: `|1|salt|HMAC-SHA-1 of the name keyed with the salt`, both in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HashedName {
    salt: [u8; HASH_LEN],
    hash: [u8; HASH_LEN],
}

impl HashedName {
    /// Hashes a name.
    pub(super) fn new(name: &str, salt: [u8; HASH_LEN]) -> Self {
        Self { salt, hash: hash(name, &salt) }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (salt, hash) = text.strip_prefix("|1|")?.split_once('|')?;
        let decode = |base64: &str| STANDARD.decode(base64).ok()?.try_into().ok();
        Some(Self { salt: decode(salt)?, hash: decode(hash)? })
    }

    /// Whether it hides `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        hash(name, &self.salt) == self.hash
    }
}

fn hash(name: &str, salt: &[u8]) -> [u8; HASH_LEN] {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().into()
}

impl fmt::Display for HashedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "|1|{}|{}", STANDARD.encode(self.salt), STANDARD.encode(self.hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_ssh_keygen_hashed_is_recognised() {
        // ssh-keygen -H of a file that names bastion.example.com.
        let text = "|1|g8OT1uItFAXG8Vf00LEksUZEuuQ=|pGVQNR7nHvQ/mUfypA8x61eQIfw=";
        let hashed = HashedName::parse(text).unwrap();
        assert!(hashed.is("bastion.example.com"));
        assert!(!hashed.is("bastion.example.org"));
        assert_eq!(hashed.to_string(), text);
    }

    #[test]
    fn damaged_hashes_are_refused() {
        let whole = HashedName::new("host", [7; HASH_LEN]).to_string();
        assert!(HashedName::parse(&whole).is_some());
        for text in
            ["|1|", "|1||", "|2|", "|1|AAAA|AAAA", &whole.replace("|1|", "|2|"), &whole[..whole.len() - 4]]
        {
            assert_eq!(HashedName::parse(text), None, "{text:?}");
        }
    }
}
