//! Key exchange methods between OpenSSL and us, and with a peer that lies.

use hex_literal::hex;
use underpass_crypto::{Encoding, KexError, Provider};
use underpass_openssl::{Mode, provider};

use crate::support::{Seeded, agreement, in_both_modes, own};

in_both_modes! {
    client_and_server_of_two_libraries_reach_the_same_secret
    every_exchange_is_another
    public_values_of_another_length_are_refused
    points_off_the_curve_and_other_encodings_are_refused
    diffie_hellman_values_that_predict_the_secret_or_are_out_of_range_are_refused
}

fn client_and_server_of_two_libraries_reach_the_same_secret(mode: Mode) {
    for &theirs in provider(mode).unwrap().kex {
        let ours = own(Provider::ALL.kex, theirs);
        assert_eq!((theirs.hash, theirs.proof, theirs.family()), (ours.hash, ours.proof, ours.family()));
        // Often enough that a secret or a public value begins with a zero at times.
        let rounds = if theirs.name.contains("group1") { 2 } else { 40 };
        for round in 0..rounds {
            for (client, server) in [(theirs, ours), (ours, theirs), (theirs, theirs)] {
                let entropy = &mut Seeded::new(round);
                let initiator = agreement(client).initiate(entropy).unwrap();
                let response = agreement(server).respond(initiator.public(), entropy).unwrap();
                let secret = initiator.finish(&response.public).unwrap();
                let trimmed =
                    |secret: &[u8]| secret[secret.iter().take_while(|b| **b == 0).count()..].to_vec();
                let both = [secret.expose(), response.secret.expose()].map(trimmed);
                assert!(both[0] == both[1] && both[0].len() >= 30, "{theirs:?}");
            }
        }
    }
}

/// The library draws from its own generator, whatever it is given.
fn every_exchange_is_another(mode: Mode) {
    for kex in provider(mode).unwrap().kex {
        let publics =
            [1, 1].map(|seed| agreement(kex).initiate(&mut Seeded::new(seed)).unwrap().public().to_vec());
        assert_ne!(publics[0], publics[1], "{kex:?}");
    }
}

/// What the client and the server make of a public value.
fn both_sides(mode: Mode, name: &str, public: &[u8]) -> [KexError; 2] {
    let kex = agreement(Provider::find(provider(mode).unwrap().kex, name).unwrap());
    let client = kex.initiate(&mut Seeded::new(1)).unwrap();
    [client.finish(public).unwrap_err(), kex.respond(public, &mut Seeded::new(2)).unwrap_err()]
}

fn public_values_of_another_length_are_refused(mode: Mode) {
    for kex in provider(mode).unwrap().kex {
        if agreement(kex).public_encoding() == Encoding::Mpint {
            continue;
        }
        let public = agreement(kex).initiate(&mut Seeded::new(1)).unwrap().public().to_vec();
        let expected = public.len();
        for public in [Vec::new(), public[1..].to_vec(), [&public[..], &[0]].concat(), public.repeat(2)] {
            let actual = public.len();
            let errors = both_sides(mode, kex.name, &public);
            assert_eq!(errors, [KexError::Length { expected, actual }; 2], "{kex:?}");
        }
    }
}

/// The points of small order on Curve25519 and on its twist, with the encodings that are not reduced.
const SMALL_ORDER: [[u8; 32]; 7] = [
    hex!("0000000000000000000000000000000000000000000000000000000000000000"),
    hex!("0100000000000000000000000000000000000000000000000000000000000000"),
    hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

#[test]
fn x25519_values_that_force_an_all_zero_secret_are_refused() {
    for name in ["curve25519-sha256", "curve25519-sha256@libssh.org"] {
        for point in SMALL_ORDER {
            assert_eq!(both_sides(Mode::System, name, &point), [KexError::ZeroSecret; 2]);
        }
    }
}

fn points_off_the_curve_and_other_encodings_are_refused(mode: Mode) {
    for (name, field) in [("ecdh-sha2-nistp256", 32), ("ecdh-sha2-nistp384", 48), ("ecdh-sha2-nistp521", 66)]
    {
        let kex = agreement(Provider::find(provider(mode).unwrap().kex, name).unwrap());
        let point = kex.initiate(&mut Seeded::new(1)).unwrap().public().to_vec();
        let off_curve = {
            let mut point = point.clone();
            *point.last_mut().unwrap() ^= 1;
            point
        };
        let unreduced = [&[4], &vec![0xff; 2 * field][..]].concat();
        let origin = [&[4], &vec![0; 2 * field][..]].concat();
        let infinity = vec![0; 1 + 2 * field];
        let hybrid = [&[6 + (point[2 * field] & 1)], &point[1..]].concat();
        let unknown_form = [&[5], &point[1..]].concat();
        let x_alone_padded = [&[2 + (point[2 * field] & 1)], &point[1..=field], &vec![0; field][..]].concat();
        for bad in [off_curve, unreduced, origin, infinity, hybrid, unknown_form, x_alone_padded] {
            assert_eq!(both_sides(mode, name, &bad), [KexError::InvalidPublic; 2], "{name}");
        }
    }
}

fn diffie_hellman_values_that_predict_the_secret_or_are_out_of_range_are_refused(mode: Mode) {
    for (name, len) in [
        ("diffie-hellman-group14-sha256", 256),
        ("diffie-hellman-group16-sha512", 512),
        ("diffie-hellman-group18-sha512", 1024),
    ] {
        // Greater than any modulus of this length, then longer.
        let mut bad = vec![vec![], vec![0], vec![1], vec![0xff; len], [&[1], &vec![0; len][..]].concat()];
        bad.extend(around_the_prime(len));
        for bad in bad {
            assert_eq!(both_sides(mode, name, &bad), [KexError::InvalidPublic; 2], "{name}");
        }
        let kex = agreement(Provider::find(provider(mode).unwrap().kex, name).unwrap());
        for good in [vec![4], vec![0, 4], [&[0; 5][..], &vec![0; len], &[4]].concat()] {
            assert!(kex.respond(&good, &mut Seeded::new(2)).is_ok(), "{name}");
        }
    }
}

/// One less than the prime, and the prime: of our own groups of that length.
fn around_the_prime(len: usize) -> [Vec<u8>; 2] {
    let sizes = underpass_crypto::GroupSizes::new(8 * len as u32, 8 * len as u32, 8 * len as u32).unwrap();
    let bits = 8 * len as u32;
    let group = underpass_crypto::DhGroup::choose(sizes, bits, bits, bits).unwrap();
    let prime = group.prime().into_vec();
    let mut less_one = prime.clone();
    *less_one.last_mut().unwrap() -= 1;
    [less_one, prime]
}
