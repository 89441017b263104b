//! Keys that OpenSSL signs with: whatever it makes of them, we take.

use std::sync::Arc;

use underpass_crypto::{
    Provider, SignError, Signer,
    algorithms::{
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
        rsa::RsaKey,
    },
};
use underpass_openssl::{Mode, provider, signer};

use crate::{
    rsa_key,
    support::{Seeded, in_both_modes, own},
};

in_both_modes! {
    each_library_verifies_what_the_other_signs
    a_signature_is_for_its_key_algorithm_and_data_only
    a_key_signs_with_its_own_algorithms_only
}

/// One of each kind that a mode signs with.
fn keys(mode: Mode) -> Vec<Arc<dyn Signer>> {
    let entropy = &mut Seeded::new(1);
    let mut keys: Vec<Arc<dyn Signer>> = vec![Arc::new(RsaKey::new(&rsa_key::NUMBERS).unwrap())];
    for curve in Curve::ALL {
        keys.push(Arc::new(EcdsaKey::generate(curve, entropy)));
    }
    if Provider::find(provider(mode).unwrap().signatures, "ssh-ed25519").is_some() {
        keys.push(Arc::new(Ed25519Key::generate(entropy)));
    }
    keys
}

const DATA: &[u8] = b"what the server gave";

fn each_library_verifies_what_the_other_signs(mode: Mode) {
    let mut algorithms = 0;
    for ours in keys(mode) {
        let theirs = signer(mode, &*ours).unwrap().unwrap();
        assert_eq!(theirs.public_key(), ours.public_key());
        assert!(!theirs.may_ask());
        for &algorithm in theirs.algorithms() {
            let our_verify = Provider::find(Provider::ALL.signatures, algorithm).unwrap().verify;
            // ECDSA draws a number each time, and both halves of its signatures begin with a zero at times.
            for _ in 0..20 {
                let signature = theirs.sign(algorithm, DATA).unwrap();
                assert_eq!(our_verify(ours.public_key(), &signature, DATA), Ok(()), "{algorithm}");
            }
            if let Some(value) = Provider::find(provider(mode).unwrap().signatures, algorithm) {
                let ours_of_it = own(Provider::ALL.signatures, value);
                assert_eq!(
                    (value.key_format, value.signature_format, value.strength),
                    (ours_of_it.key_format, ours_of_it.signature_format, ours_of_it.strength)
                );
                let signature = ours.sign(algorithm, DATA).unwrap();
                assert_eq!((value.verify)(ours.public_key(), &signature, DATA), Ok(()), "{algorithm}");
                algorithms += 1;
            }
        }
    }
    assert_eq!(algorithms, provider(mode).unwrap().signatures.len());
}

fn a_signature_is_for_its_key_algorithm_and_data_only(mode: Mode) {
    let keys = keys(mode);
    for (at, key) in keys.iter().enumerate() {
        let theirs = signer(mode, &**key).unwrap().unwrap();
        for value in provider(mode).unwrap().signatures {
            if !theirs.algorithms().contains(&value.name) {
                continue;
            }
            let signature = theirs.sign(value.name, DATA).unwrap();
            assert_eq!((value.verify)(key.public_key(), &signature, DATA), Ok(()));
            assert!((value.verify)(key.public_key(), &signature, b"other data").is_err());
            for (_, other) in keys.iter().enumerate().filter(|(other, _)| *other != at) {
                assert!((value.verify)(other.public_key(), &signature, DATA).is_err());
            }
            for bit in 0..8 * signature.len() {
                let mut flipped = signature.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    (value.verify)(key.public_key(), &flipped, DATA).is_err(),
                    "{}: bit {bit}",
                    value.name
                );
            }
        }
    }
}

fn a_key_signs_with_its_own_algorithms_only(mode: Mode) {
    for key in keys(mode) {
        let theirs = signer(mode, &*key).unwrap().unwrap();
        for algorithm in ["rsa-sha2-512", "ecdsa-sha2-nistp256", "ssh-ed25519", "none"] {
            let signed = theirs.sign(algorithm, DATA);
            match theirs.algorithms().contains(&algorithm) {
                true => assert!(signed.is_ok()),
                false => assert_eq!(signed, Err(SignError::UnsupportedAlgorithm)),
            }
        }
    }
}

#[test]
fn rsa_signs_what_openssl_signs_by_its_command() {
    let key = signer(Mode::System, &RsaKey::new(&rsa_key::NUMBERS).unwrap()).unwrap().unwrap();
    let expected = [
        ("rsa-sha2-512", rsa_key::SHA512_SIGNATURE),
        ("rsa-sha2-256", rsa_key::SHA256_SIGNATURE),
        ("ssh-rsa", rsa_key::SHA1_SIGNATURE),
    ];
    assert_eq!(key.algorithms(), expected.map(|(algorithm, _)| algorithm));
    for (algorithm, expected) in expected {
        assert!(key.sign(algorithm, rsa_key::MESSAGE).unwrap().ends_with(&expected), "{algorithm}");
    }
}

#[test]
fn a_short_rsa_key_signs_as_it_does_with_us() {
    let ours = RsaKey::new(&rsa_key::SHORT).unwrap();
    let theirs = signer(Mode::System, &ours).unwrap().unwrap();
    for algorithm in ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] {
        assert_eq!(theirs.sign(algorithm, DATA), ours.sign(algorithm, DATA));
    }
}

/// A key on a token.
struct Elsewhere;

impl Signer for Elsewhere {
    fn public_key(&self) -> &[u8] {
        &[]
    }

    fn algorithms(&self) -> &[&'static str] {
        &["rsa-sha2-512"]
    }

    fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::Failed)
    }
}

#[test]
fn keys_that_are_elsewhere_stay_there() {
    assert!(signer(Mode::System, &Elsewhere).unwrap().is_none());
}
