//! Against certificates that OpenSSL made (`tests/make.sh`), and paths of NIST's suite (`pkits.rs`).

mod pkits;

use underpass_wire::Put as _;

use super::*;
use crate::{key_description, sha256_fingerprint};

macro_rules! made {
    ($name:literal) => {
        include_bytes!(concat!("tests/", $name, ".pem"))
    };
}

/// June 2027.
const NOW: u64 = 1_811_808_000;

const HOST: &str = "bastion.example";

fn certificates(file: &[u8]) -> Vec<X509Certificate> {
    X509Certificate::all_from(file, 100).unwrap()
}

/// What a server shows that has these certificates (RFC 6187 section 2.1).
fn blob(certificates: &[X509Certificate]) -> Vec<u8> {
    let mut blob = Vec::new();
    blob.put_text("x509v3-ecdsa-sha2-nistp256");
    blob.put_u32(certificates.len() as u32);
    certificates.iter().for_each(|certificate| blob.put_string(certificate.der()));
    blob.put_u32(0);
    blob
}

fn roots(file: &[u8]) -> Roots {
    let mut roots = Roots::default();
    roots.add(file).unwrap();
    roots
}

fn check_as(file: &[u8], host: &str, now: u64) -> Result<usize, X509Error> {
    let blob = blob(&certificates(file));
    Chain::parse(&blob)?.check_host(host, now, &roots(made!("root"))).map(|authorities| authorities.len())
}

fn check(file: &[u8]) -> Result<usize, X509Error> {
    check_as(file, HOST, NOW)
}

#[test]
fn every_kind_of_key_is_read_as_ssh_has_it() {
    for (file, kind) in [
        (&made!("good-p256")[..], "ECDSA 256"),
        (made!("good-p384"), "ECDSA 384"),
        (made!("good-p521"), "ECDSA 521"),
        (made!("good-ed25519"), "ED25519"),
        (made!("good-dsa"), "DSA 1024"),
        (made!("good-1024"), "RSA 1024"),
        (made!("good-2048"), "RSA 2048"),
    ] {
        assert_eq!(check(file), Ok(2), "{kind}");
        assert_eq!(key_description(&certificates(file)[0].key().unwrap()), kind);
    }
}

/// `openssl x509 -noout -pubkey`, `ssh-keygen -i -m PKCS8`, and `ssh-keygen -l`.
#[test]
fn the_key_is_the_one_that_openssl_and_ssh_keygen_find() {
    let shown: Vec<_> = include_str!("tests/fingerprints").lines().collect();
    let files: [&[u8]; 6] = [
        made!("good-p256"),
        made!("good-p384"),
        made!("good-p521"),
        made!("good-dsa"),
        made!("good-1024"),
        made!("good-2048"),
    ];
    let found = files.map(|file| sha256_fingerprint(&certificates(file)[0].key().unwrap()));
    assert_eq!(found.to_vec(), shown);
}

#[test]
fn names_are_strings_of_rfc_4514() {
    let certificate = &certificates(made!("good-p256"))[0];
    assert_eq!(certificate.subject(), "CN=bastion \\\"p256\\\",O=A\\, Inc.,C=CH");
    assert_eq!(certificate.issuer(), "CN=middle,O=Underpass");
    let certificate = &certificates(made!("controls"))[0];
    assert_eq!(certificate.subject(), "CN=a\\+b=c\\\\\\;\\<d\\>,O=\\1b[31m");
}

#[test]
fn a_chain_leads_to_a_root_that_is_trusted() {
    let chain = certificates(made!("good-p256"));
    let blob = blob(&chain);
    let chain_of = Chain::parse(&blob).unwrap();
    let keys = chain_of.check_host(HOST, NOW, &roots(made!("root"))).unwrap();
    assert_eq!(keys, [chain[1].key().unwrap(), certificates(made!("root"))[0].key().unwrap()]);
    // Of the same name, with another key.
    assert_eq!(chain_of.check_host(HOST, NOW, &roots(made!("other"))), Err(X509Error::Signature));
    assert_eq!(chain_of.check_host(HOST, NOW, &Roots::default()), Err(X509Error::Issuer));
    let mut both = roots(made!("other"));
    both.add(made!("root")).unwrap();
    assert!(chain_of.check_host(HOST, NOW, &both).is_ok());
    // Whoever is between may be trusted himself, and need not be sent then.
    let alone = self::blob(&chain[..1]);
    let alone = Chain::parse(&alone).unwrap();
    assert_eq!(alone.check_host(HOST, NOW, &roots(made!("root"))), Err(X509Error::Issuer));
    let mut middle = Roots::default();
    middle.add(chain[1].der()).unwrap();
    assert_eq!(alone.check_host(HOST, NOW, &middle).unwrap().len(), 1);
    // The older format has room for one.
    let bare = chain[0].der();
    assert!(is_x509(bare) && Chain::parse(bare).unwrap().format().is_none());
    assert!(Chain::parse(bare).unwrap().check_host(HOST, NOW, &middle).is_ok());
}

#[test]
fn it_is_good_for_the_names_that_it_bears() {
    let file = made!("good-p256");
    for host in [HOST, "Bastion.Example", "a.wild.example", "192.0.2.1", "2001:db8::1", "2001:DB8:0::1"] {
        assert_eq!(check_as(file, host, NOW), Ok(2), "{host}");
    }
    for host in [
        "bastion",
        "x.bastion.example",
        "*.wild.example",
        "b.a.wild.example",
        "192.0.2.2",
        "bastion \"p256\"",
        "",
    ] {
        assert_eq!(check_as(file, host, NOW), Err(X509Error::Name), "{host}");
    }
    // The common name counts where there is nothing else.
    assert_eq!(check_as(made!("no-names"), "BASTION.example", NOW), Ok(2));
    assert_eq!(check_as(made!("no-names"), "a.bastion.example", NOW), Err(X509Error::Name));
    assert_eq!(check_as(made!("for-clients"), "host", NOW), Err(X509Error::Purpose));
    assert_eq!(check_as(made!("not-critical"), "host", NOW), Err(X509Error::Name));
}

#[test]
fn it_is_good_for_its_time_and_that_of_its_authorities() {
    let (from, to) = (1_577_836_800, 1_609_459_200);
    assert_eq!(check(made!("past")), Err(X509Error::Expired(NOW - to)));
    assert_eq!(
        check_as(made!("past"), HOST, from - 60).unwrap_err().to_string(),
        "it is valid only in 1 minute"
    );
    assert_eq!(check_as(made!("past"), HOST, to + 60).unwrap_err().to_string(), "it expired 1 minute ago");
    let from = 3_786_912_000;
    assert_eq!(check(made!("future")), Err(X509Error::NotYet(from - NOW)));
    assert_eq!(check(made!("by-past")), Err(X509Error::AuthorityExpired(NOW - to)));
    assert_eq!(check(made!("by-future")), Err(X509Error::AuthorityNotYet(from - NOW)));
}

#[test]
fn authorities_sign_with_what_is_fit_for_today() {
    for file in [
        &made!("host-by-2048")[..],
        made!("host-by-p384"),
        made!("host-by-p521"),
        made!("host-by-ed25519"),
        made!("host-by-pss"),
    ] {
        assert_eq!(check(file), Ok(2), "{:?}", certificates(file));
    }
    assert_eq!(check(made!("host-by-sha1")), Err(X509Error::Algorithm));
    // Too short a key verifies nothing.
    assert_eq!(check(made!("host-by-short")), Err(X509Error::Signature));
}

#[test]
fn it_is_for_ssh_servers_or_for_anything() {
    assert_eq!(check(made!("any-purpose")), Ok(2));
    assert_eq!(check(made!("for-tls")), Err(X509Error::Purpose));
    assert_eq!(check(made!("for-clients")), Err(X509Error::Purpose));
    assert_eq!(check(made!("no-signing")), Err(X509Error::Purpose));
    assert_eq!(check(made!("authority")), Err(X509Error::Purpose));
    assert_eq!(check(made!("by-middle-for-tls")), Err(X509Error::Purpose));
}

#[test]
fn only_authorities_certify_and_only_what_they_may() {
    assert_eq!(check(made!("by-not-ca")), Err(X509Error::Authority));
    assert_eq!(check(made!("by-no-constraints")), Err(X509Error::Authority));
    assert_eq!(check(made!("by-no-cert-sign")), Err(X509Error::Authority));
    assert_eq!(check_as(made!("within"), HOST, NOW), Ok(2));
    assert_eq!(check_as(made!("beyond"), "bastion.test", NOW), Err(X509Error::Constraint));
    assert_eq!(check(made!("by-last")), Ok(2));
    assert_eq!(check(made!("by-below")), Err(X509Error::Depth));
    assert_eq!(check(made!("critical")), Err(X509Error::Critical));
    assert_eq!(check(made!("not-critical")), Ok(2));
}

#[test]
fn chains_are_bounded() {
    assert_eq!(check(made!("deep6")), Ok(7));
    assert_eq!(check(made!("deep7")), Err(X509Error::Depth));
    let many = vec![certificates(made!("good-p256"))[0].clone(); MAX_CERTIFICATES + 1];
    assert_eq!(check_blob(&blob(&many)), Err(X509Error::TooMany { most: MAX_CERTIFICATES }));
    // What is announced is not believed.
    let mut liar = blob(&many[..1]);
    let count = 4 + "x509v3-ecdsa-sha2-nistp256".len();
    liar[count..count + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(check_blob(&liar), Err(X509Error::TooMany { most: MAX_CERTIFICATES }));
    assert_eq!(check_blob(&blob(&[])), Err(X509Error::Malformed));
    assert_eq!(
        X509Certificate::from_der(&[SEQUENCE; MAX_CERTIFICATE_LEN + 1]).unwrap_err(),
        X509Error::Malformed
    );
}

#[test]
fn ocsp_responses_are_passed_over_and_not_more_of_them_than_certificates() {
    let good = blob(&certificates(made!("good-p256")));
    let with = |count: u32, responses: usize| {
        let mut blob = good[..good.len() - 4].to_vec();
        blob.put_u32(count);
        (0..responses).for_each(|_| blob.put_string(b"a response"));
        blob
    };
    assert_eq!((check_blob(&with(1, 1)), check_blob(&with(2, 2))), (Ok(()), Ok(())));
    for (count, responses) in [(1, 0), (1, 2), (3, 3), (u32::MAX, 2)] {
        assert_eq!(check_blob(&with(count, responses)), Err(X509Error::Malformed), "{count} {responses}");
    }
}

fn check_blob(blob: &[u8]) -> Result<(), X509Error> {
    Chain::parse(blob)?.check_host(HOST, NOW, &roots(made!("root"))).map(|_| ())
}

#[test]
fn no_byte_can_be_changed_and_none_left_out() {
    let good = blob(&certificates(made!("good-p256")));
    assert_eq!(check_blob(&good), Ok(()));
    // The name, which is for whoever verifies the signature of the exchange.
    let name = 4..4 + "x509v3-ecdsa-sha2-nistp256".len();
    for at in 0..good.len() {
        if !name.contains(&at) {
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert!(check_blob(&changed).is_err(), "byte {at}");
        }
        assert!(check_blob(&good[..at]).is_err(), "{at} bytes");
    }
    assert_eq!(check_blob(&[good.as_slice(), b"x"].concat()), Err(X509Error::Malformed));
}

#[test]
fn files_of_roots_are_read_whole_or_not_at_all() {
    let text = made!("good-p256");
    let one = &certificates(text)[0];
    assert_eq!(certificates(one.der()).len(), 1);
    assert_eq!(certificates(&[b"a note\n", &text[..], b"\nanother\n", &text[..]].concat()).len(), 4);
    let fails = |file: &[u8]| Roots::default().add(file).unwrap_err();
    assert_eq!(fails(b""), X509Error::Malformed);
    assert_eq!(
        fails(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        X509Error::Malformed
    );
    assert_eq!(
        fails(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
        X509Error::Malformed
    );
    assert_eq!(fails(&[&text[..], b"-----BEGIN CERTIFICATE-----\nMAA=\n"].concat()), X509Error::Malformed);
    assert_eq!(fails(&text.repeat(MAX_ROOTS / 2 + 1)), X509Error::TooMany { most: MAX_ROOTS });
}
