//! OpenSSH's certificates, as a server or a file has them. None that a fuzzer makes is good for anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_crypto::certificate::Certificate;

const TYPES: [&str; 4] = ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"];

fuzz_target!(|input: (u8, u64, &[u8])| {
    let (key_type, now, rest) = input;
    read(rest, now);
    let plain = TYPES[usize::from(key_type) % TYPES.len()];
    let name = match plain.split_once('@') {
        Some((name, domain)) => format!("{name}-cert-v01@{domain}"),
        None => format!("{plain}-cert-v01@openssh.com"),
    };
    read(&[&(name.len() as u32).to_be_bytes(), name.as_bytes(), rest].concat(), now);
});

fn read(blob: &[u8], now: u64) {
    let Ok(certificate) = Certificate::parse(blob) else { return };
    assert!(certificate.key_id().len() + certificate.authority().len() < blob.len());
    assert!(!certificate.key().is_empty());
    // Nobody has signed it.
    assert!(certificate.check_host("host", now).is_err());
    let _ = certificate.check_user("user", now);
}
