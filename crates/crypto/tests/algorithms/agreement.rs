//! Key exchange methods between two parties, and with a peer that lies.

use hex_literal::hex;
use underpass_crypto::{Encoding, Kex, KexError, Provider, Response, Secret};

use crate::support::{Seeded, agreement, agreements};

fn exchange(kex: &Kex, client_seed: u64, server_seed: u64) -> (Vec<u8>, Response, Secret) {
    let client = agreement(kex).initiate(&mut Seeded::new(client_seed)).unwrap();
    let public = client.public().to_vec();
    let response = agreement(kex).respond(&public, &mut Seeded::new(server_seed)).unwrap();
    let secret = client.finish(&response.public).unwrap();
    (public, response, secret)
}

/// What the client and the server make of a public value.
fn both_sides(kex: &Kex, client_public: &[u8], server_public: &[u8]) -> [KexError; 2] {
    let client = agreement(kex).initiate(&mut Seeded::new(1)).unwrap();
    [
        client.finish(server_public).unwrap_err(),
        agreement(kex).respond(client_public, &mut Seeded::new(2)).unwrap_err(),
    ]
}

fn named(name: &str) -> &'static Kex {
    Provider::find(Provider::ALL.kex, name).unwrap()
}

#[test]
fn both_sides_reach_the_same_secret_and_every_exchange_another() {
    for kex in agreements() {
        let (public, response, secret) = exchange(kex, 1, 2);
        assert_eq!(response.secret, secret, "{kex:?}");
        let (again, response_again, _) = exchange(kex, 1, 2);
        assert_eq!((&again, &response_again.public), (&public, &response.public), "{kex:?} is replayable");
        let (other, other_response, other_secret) = exchange(kex, 3, 4);
        assert_ne!(other, public, "{kex:?}");
        assert_ne!(other_response.public, response.public, "{kex:?}");
        assert_ne!(other_secret, secret, "{kex:?}");
    }
}

#[test]
fn public_values_of_another_length_are_refused() {
    let strings = |kex: &&Kex| agreement(kex).public_encoding() == Encoding::String;
    for kex in agreements().filter(strings) {
        let (client, response, _) = exchange(kex, 1, 2);
        let client_len = client.len();
        let damaged =
            |public: &[u8]| [Vec::new(), public[1..].to_vec(), [public, &[0]].concat(), public.repeat(2)];
        for (client, server) in damaged(&client).iter().zip(damaged(&response.public)) {
            let errors = both_sides(kex, client, &server);
            let lengths = [response.public.len(), client_len];
            for (error, expected) in errors.into_iter().zip(lengths) {
                assert!(
                    matches!(error, KexError::Length { expected: e, .. } if e == expected),
                    "{kex:?}: {error:?}"
                );
            }
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
            assert_eq!(both_sides(named(name), &point, &point), [KexError::ZeroSecret; 2]);
        }
    }
}

/// The hybrids, and where X25519 begins in a client's and in a server's public value.
const HYBRIDS: [(&str, usize, usize); 3] = [
    ("mlkem768x25519-sha256", 1184, 1088),
    ("sntrup761x25519-sha512", 1158, 1039),
    ("sntrup761x25519-sha512@openssh.com", 1158, 1039),
];

#[test]
fn the_hybrids_refuse_an_all_zero_x25519_secret_too() {
    for (name, key_len, ciphertext_len) in HYBRIDS {
        let kex = named(name);
        let (client, response, _) = exchange(kex, 1, 2);
        for point in SMALL_ORDER {
            let client = [&client[..key_len], &point].concat();
            let server = [&response.public[..ciphertext_len], &point].concat();
            assert_eq!(both_sides(kex, &client, &server), [KexError::ZeroSecret; 2], "{name}");
        }
    }
}

#[test]
fn the_hybrid_refuses_an_encapsulation_key_that_is_not_reduced() {
    let kex = named("mlkem768x25519-sha256");
    let (mut client, _, _) = exchange(kex, 1, 2);
    // The first coefficient, 12 bits, becomes 4095; the modulus is 3329.
    client[0] = 0xff;
    client[1] |= 0x0f;
    let refused = agreement(kex).respond(&client, &mut Seeded::new(2)).unwrap_err();
    assert_eq!(refused, KexError::InvalidPublic);
}

#[test]
fn a_damaged_hybrid_ciphertext_leads_to_another_secret() {
    // Both KEMs reject implicitly: the exchange hash, signed by the server, then does not match.
    for (name, ..) in HYBRIDS {
        let kex = named(name);
        let client = agreement(kex).initiate(&mut Seeded::new(1)).unwrap();
        let mut response = agreement(kex).respond(client.public(), &mut Seeded::new(2)).unwrap();
        response.public[500] ^= 1;
        assert_ne!(client.finish(&response.public).unwrap(), response.secret, "{name}");
    }
}

#[test]
fn points_off_the_curve_and_other_encodings_are_refused() {
    for (name, field) in [("ecdh-sha2-nistp256", 32), ("ecdh-sha2-nistp384", 48), ("ecdh-sha2-nistp521", 66)]
    {
        let kex = named(name);
        let (point, _, _) = exchange(kex, 1, 2);
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
            assert_eq!(both_sides(kex, &bad, &bad), [KexError::InvalidPublic; 2], "{name}");
        }
        let compressed = [&[2 + (point[2 * field] & 1)], &point[1..=field]].concat();
        let errors = both_sides(kex, &compressed, &compressed);
        assert_eq!(errors, [KexError::Length { expected: 1 + 2 * field, actual: 1 + field }; 2], "{name}");
    }
}

/// The methods with a fixed group, and the length of its modulus.
const GROUPS: [(&str, usize); 5] = [
    ("diffie-hellman-group1-sha1", 128),
    ("diffie-hellman-group14-sha1", 256),
    ("diffie-hellman-group14-sha256", 256),
    ("diffie-hellman-group16-sha512", 512),
    ("diffie-hellman-group18-sha512", 1024),
];

#[test]
fn diffie_hellman_values_that_predict_the_secret_or_are_out_of_range_are_refused() {
    for (name, len) in GROUPS {
        let kex = named(name);
        // Greater than any modulus of this length; the moduli themselves are tested beside the groups.
        for bad in [vec![], vec![0], vec![1], vec![0xff; len], [&[1], &vec![0; len][..]].concat()] {
            assert_eq!(both_sides(kex, &bad, &bad), [KexError::InvalidPublic; 2], "{name}");
        }
        assert!(agreement(kex).respond(&[2], &mut Seeded::new(2)).is_ok(), "{name}");
        assert!(agreement(kex).respond(&[0, 2], &mut Seeded::new(2)).is_ok(), "{name}");
    }
}
