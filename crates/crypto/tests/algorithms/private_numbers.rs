//! Keys that give their numbers away, to a library that is to sign with them.

use underpass_crypto::{
    PrivateNumbers, Signer,
    algorithms::{
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
        rsa::RsaKey,
    },
};

use crate::{rsa_key, support::Seeded};

#[test]
fn the_numbers_of_a_key_make_the_same_key() {
    for curve in Curve::ALL {
        let key = EcdsaKey::generate(curve, &mut Seeded::new(1));
        let Some(PrivateNumbers::Ecdsa { curve, scalar, point }) = key.private_numbers() else {
            panic!("{key:?}");
        };
        assert_eq!(scalar.expose().len(), curve.field_len());
        let again = EcdsaKey::new(curve, scalar.expose(), &point).unwrap();
        assert_eq!(again.public_key(), key.public_key());
    }
    let key = Ed25519Key::generate(&mut Seeded::new(1));
    let Some(PrivateNumbers::Ed25519 { seed }) = key.private_numbers() else { panic!("{key:?}") };
    assert_eq!(Ed25519Key::from_seed(seed.expose()).unwrap().public_key(), key.public_key());
}

#[test]
fn the_numbers_of_an_rsa_key_are_those_that_it_was_made_of() {
    for numbers in [&rsa_key::NUMBERS, &rsa_key::SHORT] {
        let Some(PrivateNumbers::Rsa { n, e, d }) = RsaKey::new(numbers).unwrap().private_numbers() else {
            panic!("an RSA key has numbers");
        };
        let trimmed = |number: &[u8]| number[number.iter().take_while(|&&byte| byte == 0).count()..].to_vec();
        assert_eq!([n, e, trimmed(d.expose())], [numbers.n, numbers.e, numbers.d].map(trimmed));
    }
}
