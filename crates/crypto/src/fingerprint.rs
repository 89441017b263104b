//! What people see of a public key.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use underpass_wire::{DecodeError, Reader};

use crate::Hash;

/// The fingerprint of a public key blob as OpenSSH shows it: `SHA256:` and unpadded base64.
pub fn sha256_fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Hash::Sha256.of(key)))
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
    match format {
        "ssh-ed25519" => "ED25519".to_owned(),
        "ssh-rsa" => match rsa_bits(key) {
            Ok(bits) => format!("RSA {bits}"),
            Err(_) => "RSA".to_owned(),
        },
        _ => match format.strip_prefix("ecdsa-sha2-nistp") {
            Some(bits @ ("256" | "384" | "521")) => format!("ECDSA {bits}"),
            _ => format.to_owned(),
        },
    }
}

fn rsa_bits(key: &[u8]) -> Result<usize, DecodeError> {
    let mut fields = Reader::new(key);
    fields.string()?;
    fields.mpint()?;
    let modulus = fields.mpint()?.as_bytes();
    Ok(modulus.first().map_or(0, |first| 8 * modulus.len() - first.leading_zeros() as usize))
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
