//! The files are certificates that OpenSSH's ssh-keygen 9.2 made, with `-V 20260101:20270101`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;
use crate::sha256_fingerprint;

fn blob(file: &str) -> Vec<u8> {
    STANDARD.decode(file.split(' ').nth(1).unwrap()).unwrap()
}

/// `ssh-keygen -s ca -I "the host" -h -n bastion.example,192.0.2.1 -z 7 host.pub`
fn of_host() -> Vec<u8> {
    blob(include_str!("host.pub"))
}

/// 2026-11-24.
const NOW: u64 = 1_795_500_000;

fn check(blob: &[u8], host: &str) -> Result<(), CertificateError> {
    Certificate::parse(blob)?.check_host(host, NOW)
}

#[test]
fn a_certificate_of_openssh_is_read_as_openssh_does() {
    let blob = of_host();
    let certificate = Certificate::parse(&blob).unwrap();
    assert_eq!(sha256_fingerprint(certificate.key()), "SHA256:AUOnmVkCbcU7VfQCKkrCdMSPqqWRbRKfy1LxFnVno94");
    assert_eq!(
        sha256_fingerprint(certificate.authority()),
        "SHA256:obol/DtlH5fGMiwZUjphCmSzkieeZXPCNa5u8+Ch0z4"
    );
    assert_eq!(certificate.key_id(), b"the host");
    assert_eq!(certificate.principals, [&b"bastion.example"[..], b"192.0.2.1"]);
}

#[test]
fn it_is_good_for_the_hosts_that_it_names() {
    for host in ["bastion.example", "Bastion.Example", "192.0.2.1"] {
        assert_eq!(check(&of_host(), host), Ok(()), "{host}");
    }
    for host in ["bastion", "x.bastion.example", "*", ""] {
        assert_eq!(check(&of_host(), host), Err(CertificateError::Principal), "{host}");
    }
    assert_eq!(check(&blob(include_str!("for_nobody.pub")), "a"), Err(CertificateError::Principal));
}

#[test]
fn it_is_good_for_its_time() {
    let blob = of_host();
    let certificate = Certificate::parse(&blob).unwrap();
    let (from, to) = (1_767_225_600, 1_798_761_600);
    let at = |now| certificate.check_host("bastion.example", now);
    assert_eq!((at(from), at(to - 1)), (Ok(()), Ok(())));
    assert_eq!(at(from - 1).unwrap_err().to_string(), "it is valid only in 1 second");
    assert_eq!(at(to).unwrap_err(), CertificateError::Expired(0));
    assert_eq!(at(to + 3 * 86_400).unwrap_err().to_string(), "it expired 3 days ago");
}

#[test]
fn every_kind_of_key_and_authority_is_known() {
    assert_eq!(check(&blob(include_str!("rsa_by_ecdsa.pub")), "a"), Ok(()));
    assert_eq!(check(&blob(include_str!("by_rsa_sha2.pub")), "a"), Ok(()));
}

#[test]
fn what_is_weak_for_users_or_unknown_is_refused() {
    assert_eq!(check(&blob(include_str!("by_sha1.pub")), "a"), Err(CertificateError::Algorithm));
    assert_eq!(check(&blob(include_str!("user.pub")), "me"), Err(CertificateError::Purpose));
    assert_eq!(check(&blob(include_str!("critical.pub")), "a"), Err(CertificateError::Critical));
}

#[test]
fn a_user_is_told_by_purpose_name_and_time() {
    let users = blob(include_str!("user.pub"));
    let check = |blob: &[u8], user, now| Certificate::parse(blob).unwrap().check_user(user, now);
    assert_eq!(check(&users, "me", NOW), Ok(()));
    assert_eq!(check(&users, "ME", NOW), Err(CertificateError::Principal));
    assert_eq!(check(&of_host(), "bastion.example", NOW), Err(CertificateError::Purpose));
    let (from, to) = (1_767_225_600, 1_798_761_600);
    assert_eq!((check(&users, "me", from), check(&users, "me", to - 1)), (Ok(()), Ok(())));
    assert_eq!(check(&users, "me", from - 1), Err(CertificateError::NotYet(1)));
    assert_eq!(check(&users, "me", to), Err(CertificateError::Expired(0)));
}

#[test]
fn no_byte_can_be_changed_and_none_left_out() {
    let blob = of_host();
    for at in 0..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert!(check(&changed, "bastion.example").is_err(), "byte {at}");
        assert_eq!(check(&blob[..at], "bastion.example"), Err(CertificateError::Malformed), "{at} bytes");
    }
    let longer = [blob.as_slice(), b"x"].concat();
    assert_eq!(check(&longer, "bastion.example"), Err(CertificateError::Malformed));
}

#[test]
fn an_authority_with_a_certificate_is_none() {
    let inner = of_host();
    let mut chain = Vec::new();
    chain.put_text("ssh-ed25519-cert-v01@openssh.com");
    chain.put_string(&[0; 32]);
    chain.put_string(&[1; 32]);
    chain.put_u64(0);
    chain.put_u32(2);
    for _ in 0..2 {
        chain.put_string(b"");
    }
    chain.put_u64(0);
    chain.put_u64(u64::MAX);
    for _ in 0..3 {
        chain.put_string(b"");
    }
    chain.put_string(&inner);
    chain.put_string(b"");
    assert_eq!(Certificate::parse(&chain).unwrap_err(), CertificateError::Malformed);
}
