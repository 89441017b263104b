//! What people see of a public key.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use md5::{Digest as _, Md5};
use underpass_wire::Reader;

use crate::{Hash, algorithms::bit_len};

/// By which hash a key is shown. People compare fingerprints; nothing else depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum FingerprintHash {
    /// MD5, for lists that are old: keys with the same fingerprint can be made.
    Md5,
    /// SHA-1, for lists that are old.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
}

impl FingerprintHash {
    fn of(self, key: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(key).to_vec(),
            Self::Sha1 => Hash::Sha1.of(key).to_vec(),
            Self::Sha256 => Hash::Sha256.of(key).to_vec(),
        }
    }
}

/// The fingerprint of a public key blob as OpenSSH shows it: `SHA256:` or `SHA1:` and unpadded base64, or `MD5:` and
/// bytes in hexadecimal between colons.
pub fn fingerprint(key: &[u8], hash: FingerprintHash) -> String {
    match hash {
        FingerprintHash::Md5 => format!("MD5:{}", hex_fingerprint(key, hash)),
        FingerprintHash::Sha1 => format!("SHA1:{}", STANDARD_NO_PAD.encode(hash.of(key))),
        FingerprintHash::Sha256 => format!("SHA256:{}", STANDARD_NO_PAD.encode(hash.of(key))),
    }
}

/// The fingerprint of a public key blob in hexadecimal, bytes between colons (RFC 4716 section 4), by any hash.
pub fn hex_fingerprint(key: &[u8], hash: FingerprintHash) -> String {
    hash.of(key).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// The fingerprint by SHA-256.
pub fn sha256_fingerprint(key: &[u8]) -> String {
    fingerprint(key, FingerprintHash::Sha256)
}

/// The format that a public key blob names, e.g. `ssh-ed25519`; `None` when it is no proper name (RFC 4251
/// section 6), so the text is safe to print.
pub fn key_type(key: &[u8]) -> Option<&str> {
    let name = Reader::new(key).text().ok()?;
    let proper = (1..=MAX_TYPE_LEN).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    proper.then_some(name)
}

/// The kind and size of a public key, e.g. `ED25519`, `ECDSA 256` or `RSA 3072`; its format for other kinds, and
/// `unknown` for what is no key.
pub fn key_description(key: &[u8]) -> String {
    let Some(format) = key_type(key) else { return "unknown".to_owned() };
    let kind = match format {
        "ssh-ed25519" => return "ED25519".to_owned(),
        "ssh-rsa" => "RSA",
        "ssh-dss" => "DSA",
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => "ECDSA",
        other => return other.to_owned(),
    };
    match key_bits(key) {
        Some(bits) => format!("{kind} {bits}"),
        None => kind.to_owned(),
    }
}

/// The size of a public key in bits, as `ssh-keygen -l` shows it; `None` for kinds that are not known.
pub fn key_bits(key: &[u8]) -> Option<usize> {
    let mut fields = Reader::new(key);
    match fields.text().ok()? {
        "ssh-ed25519" => Some(256),
        "ecdsa-sha2-nistp256" => Some(256),
        "ecdsa-sha2-nistp384" => Some(384),
        "ecdsa-sha2-nistp521" => Some(521),
        "ssh-rsa" => {
            // The exponent comes first.
            fields.mpint().ok()?;
            Some(bit_len(fields.mpint().ok()?.as_bytes()))
        }
        "ssh-dss" => Some(bit_len(fields.mpint().ok()?.as_bytes())),
        _ => None,
    }
}

/// Certificate formats are the longest in use, at about 40 bytes; RFC 4251 section 6 allows 64.
const MAX_TYPE_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(text: &str) -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    }

    /// Published by GitHub together with its fingerprint.
    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn github_s_published_host_key_has_its_published_fingerprint() {
        let key = blob(ED25519);
        assert_eq!(sha256_fingerprint(&key), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        assert_eq!(key_type(&key), Some("ssh-ed25519"));
        assert_eq!(key_description(&key), "ED25519");
    }

    /// By `ssh-keygen -l -E md5` and `-E sha1`.
    #[test]
    fn older_hashes_give_what_ssh_keygen_shows() {
        let key = blob(ED25519);
        assert_eq!(
            fingerprint(&key, FingerprintHash::Md5),
            "MD5:65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd"
        );
        assert_eq!(fingerprint(&key, FingerprintHash::Sha1), "SHA1:6WGeLtVsLypxcp24C6zCzpzM6NQ");
    }

    #[test]
    fn hostile_key_types_are_not_shown() {
        for name in ["", "\u{1b}[31m", "ssh rsa", "ssh-ed25519\n", &"x".repeat(65)] {
            let key = [&(name.len() as u32).to_be_bytes(), name.as_bytes()].concat();
            assert_eq!(key_type(&key), None, "{name:?}");
            assert_eq!(key_description(&key), "unknown");
        }
        assert_eq!(key_type(b"\0\0"), None);
        assert_eq!(key_type(b"\xff\xff\xff\xffssh"), None);
    }

    #[test]
    fn descriptions_carry_the_size() {
        use underpass_wire::Put as _;
        let mut rsa = Vec::new();
        rsa.put_string(b"ssh-rsa");
        rsa.put_mpint(&[1, 0, 1]);
        rsa.put_mpint(&[0x7f; 384]);
        assert_eq!(key_description(&rsa), "RSA 3071");
        let mut ecdsa = Vec::new();
        ecdsa.put_string(b"ecdsa-sha2-nistp521");
        assert_eq!(key_description(&ecdsa), "ECDSA 521");
        let mut other = Vec::new();
        other.put_string(b"ecdsa-sha2-nistp999");
        assert_eq!(key_description(&other), "ecdsa-sha2-nistp999");
        assert_eq!(key_description(&rsa[..20]), "RSA");
    }
}
