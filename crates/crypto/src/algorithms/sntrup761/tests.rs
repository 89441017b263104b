//! The KEM against published vectors, and its parts by what must hold of them.

mod vectors;

use super::*;

/// Entropy from a counter, hashed.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for part in out.chunks_mut(32) {
            self.0 += 1;
            part.copy_from_slice(&Hash::Sha256.of(&self.0.to_be_bytes())[..part.len()]);
        }
    }
}

/// What the vectors' private keys hold, four coefficients to a byte.
fn decode_small(bytes: &[u8]) -> Zeroizing<Element> {
    Zeroizing::new(std::array::from_fn(|at| i16::from(bytes[at / 4] >> (2 * (at % 4)) & 3) - 1))
}

/// A private key as the specification writes it: f, 1/g, the public key, rho, and a hash of the public key.
fn decode_key(bytes: &[u8]) -> PrivateKey {
    let (f, rest) = bytes.split_at(coding::SMALL_LEN);
    let (g_inverse, rest) = rest.split_at(coding::SMALL_LEN);
    let (public, rest) = rest.split_at(PUBLIC_KEY_LEN);
    let (rho, public_hash) = rest.split_at(coding::SMALL_LEN);
    assert_eq!(hash(4, &[public]).as_slice(), public_hash);
    PrivateKey {
        f: decode_small(f),
        g_inverse: decode_small(g_inverse),
        rho: Zeroizing::new(rho.try_into().unwrap()),
        public: public.try_into().unwrap(),
    }
}

#[test]
fn secrets_agree_with_the_vectors_of_the_draft() {
    for vector in vectors::ALL {
        let key = decode_key(vector.private);
        assert_eq!(key.decapsulate(vector.ciphertext).as_slice(), vector.secret);
        // Only a ciphertext that encryption reproduces byte for byte is genuine.
        let r = key.decrypt(vector.ciphertext);
        assert_eq!(hide(&r, &key.public).0, *vector.ciphertext);
    }
}

#[test]
fn public_keys_agree_with_the_vectors_of_the_draft() {
    for vector in vectors::ALL {
        let key = decode_key(vector.private);
        let g = ring::inverse::<3>(&key.g_inverse).unwrap();
        assert_eq!(public_key(&key.f, &g), key.public);
    }
}

#[test]
fn a_secret_comes_back_out_of_its_ciphertext() {
    let entropy = &mut Counter(0);
    for _ in 0..8 {
        let key = PrivateKey::generate(entropy);
        let (ciphertext, secret) = encapsulate(key.public(), entropy);
        assert_eq!(key.decapsulate(&ciphertext), secret);
    }
}

#[test]
fn a_changed_ciphertext_gives_a_secret_of_its_own_that_stays_the_same() {
    let entropy = &mut Counter(0);
    let key = PrivateKey::generate(entropy);
    let (ciphertext, secret) = encapsulate(key.public(), entropy);
    for at in [0, 1, 500, 1006, 1007, 1038] {
        let mut changed = ciphertext;
        changed[at] ^= 1;
        let other = key.decapsulate(&changed);
        assert_ne!(other, secret, "byte {at}");
        assert_eq!(other, key.decapsulate(&changed), "byte {at}");
    }
}

#[test]
fn numbers_are_reduced_to_the_nearest() {
    fn check<const M: i32>(number: i32) {
        let reduced = i32::from(ring::reduce::<M>(number));
        assert!(reduced.abs() <= M / 2 && (number - reduced) % M == 0, "{number} modulo {M}: {reduced}");
    }
    for number in (-1 << 24..1 << 24).step_by(7).chain([-(1 << 24), 1 << 24, 0, 1, -1]) {
        check::<3>(number);
        check::<Q>(number);
    }
    for quotient in -3000..3000 {
        for beside_the_border in [Q / 2, Q / 2 + 1] {
            check::<Q>(quotient * Q + beside_the_border);
        }
    }
}

#[test]
fn an_element_times_its_inverse_is_one() {
    let one = std::array::from_fn(|at| i16::from(at == 0));
    let entropy = &mut Counter(0);
    let short = sample::short(entropy);
    let inverse = ring::inverse::<Q>(&short).unwrap();
    assert_eq!(*ring::product::<Q>(&inverse, &short), one);
    let inverse = (0..20).find_map(|_| {
        let small = sample::small(entropy);
        ring::inverse::<3>(&small).map(|inverse| ring::product::<3>(&inverse, &small))
    });
    assert_eq!(*inverse.unwrap(), one);
}

#[test]
fn what_has_no_inverse_is_noticed() {
    assert!(ring::inverse::<3>(&[0; P]).is_none());
    let without =
        (0..400).filter(|seed| ring::inverse::<3>(&sample::small(&mut Counter(seed << 32))).is_none());
    assert!(without.count() < 40, "few elements have none");
}

#[test]
fn short_elements_have_286_coefficients_that_are_not_0() {
    for seed in 0..20 {
        let short = sample::short(&mut Counter(seed << 32));
        let weight = short.iter().filter(|coefficient| **coefficient != 0).count();
        assert_eq!(weight, W);
        assert!(short.iter().all(|coefficient| coefficient.abs() <= 1));
        let ones = short.iter().filter(|coefficient| **coefficient == 1).count();
        assert!((100..186).contains(&ones), "{ones}");
    }
}

#[test]
fn sorting_sorts_any_number_of_numbers() {
    for len in [0, 1, 2, 3, 4, 5, 31, 32, 33, 100, 761] {
        let mut bytes = vec![0; 4 * len];
        Counter(9).fill(&mut bytes);
        let numbers = bytes.chunks(4).map(|part| u32::from_le_bytes(part.try_into().unwrap()));
        for modulus in [u32::MAX, 7] {
            let mut sorted: Vec<u32> = numbers.clone().map(|number| number % modulus).collect();
            let mut expected = sorted.clone();
            expected.sort_unstable();
            sample::sort(&mut sorted);
            assert_eq!(sorted, expected);
        }
    }
}

#[test]
fn elements_come_back_out_of_their_encodings() {
    let entropy = &mut Counter(3);
    let mut bytes = [0; 2 * P];
    entropy.fill(&mut bytes);
    let element: Element = std::array::from_fn(|at| {
        let number = u16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]]);
        (i32::from(number) % Q - Q / 2) as i16
    });
    assert_eq!(coding::decode_rq(&coding::encode_rq(&element)), element);
    let rounded = element.map(|coefficient| coefficient - ring::reduce::<3>(i32::from(coefficient)));
    assert_eq!(coding::decode_rounded(&coding::encode_rounded(&rounded)), rounded);
    let small = sample::small(entropy);
    assert_eq!(decode_small(coding::encode_small(&small).as_slice()), small);
}

#[test]
fn bytes_that_encode_nothing_are_reduced() {
    for byte in [0, 1, 0x7f, 0x80, 0xff] {
        let element = coding::decode_rq(&[byte; PUBLIC_KEY_LEN]);
        assert!(element.iter().all(|coefficient| i32::from(coefficient.abs()) <= Q / 2));
        let key = PrivateKey::generate(&mut Counter(5));
        let _ = key.decapsulate(&[byte; CIPHERTEXT_LEN]);
        let _ = encapsulate(&[byte; PUBLIC_KEY_LEN], &mut Counter(6));
    }
}
