//! What the FIPS provider has, and what it has not.

use underpass_crypto::{Provider, algorithms::rsa::RsaKey};
use underpass_openssl::{Cause, Mode, origins, provider, signer, version};

use crate::{rsa_key, support::names};

#[test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
fn everything_comes_from_the_fips_provider() {
    let version = version(Mode::Fips).unwrap();
    assert!(version.starts_with("OpenSSL 3.") && version.contains("FIPS Provider"), "{version}");
    let origins = origins(Mode::Fips).unwrap();
    assert!(origins.iter().all(|(_, origin)| origin == "fips"), "{origins:?}");
    let names: Vec<_> = origins.iter().map(|(name, _)| *name).collect();
    for name in ["AES-256-GCM", "AES-128-CTR", "HMAC", "SHA2-512", "SSHKDF", "ECDH", "DH", "ECDSA", "RSA"] {
        assert!(names.contains(&name), "{name}");
    }
    for name in ["ChaCha20", "POLY1305"] {
        assert!(!names.contains(&name), "{name}");
    }
}

#[test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
fn what_is_not_approved_is_not_there() {
    let fips = provider(Mode::Fips).unwrap();
    assert_eq!(
        names(fips.kex),
        [
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group14-sha256",
        ]
    );
    assert_eq!(
        names(fips.ciphers),
        ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"]
    );
    assert_eq!(
        names(fips.macs),
        ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"]
    );
    for name in ["ssh-rsa", "ssh-dss", "sk-ssh-ed25519@openssh.com"] {
        assert!(Provider::find(fips.signatures, name).is_none(), "{name}");
    }
    for name in
        ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256"]
    {
        assert!(Provider::find(fips.signatures, name).is_some(), "{name}");
    }
}

#[test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
fn keys_sign_neither_with_sha_1_nor_if_they_are_short() {
    let key = signer(Mode::Fips, &RsaKey::new(&rsa_key::NUMBERS).unwrap()).unwrap().unwrap();
    assert_eq!(key.algorithms(), ["rsa-sha2-512", "rsa-sha2-256"]);
    let error = signer(Mode::Fips, &RsaKey::new(&rsa_key::SHORT).unwrap()).unwrap_err();
    assert_eq!(error.cause(), Cause::Key(Mode::Fips));
}

#[test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
fn both_modes_go_together_in_one_program() {
    let [fips, system] = [Mode::Fips, Mode::System].map(|mode| provider(mode).unwrap());
    assert!(Provider::find(system.ciphers, "chacha20-poly1305@openssh.com").is_some());
    assert!(Provider::find(fips.ciphers, "chacha20-poly1305@openssh.com").is_none());
    assert!(origins(Mode::System).unwrap().iter().all(|(_, origin)| origin == "default"));
}
