//! Keys and signatures that do not fit, and blobs that are not well-formed.

use std::sync::Arc;

use hex_literal::hex;
use underpass_crypto::{
    Provider, SignError, Signature, SignatureError, Signer,
    algorithms::{
        KeyError,
        certified::CertifiedKey,
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
        legacy::ssh_dss::{DsaKey, DsaNumbers},
        rsa::{MAX_MODULUS_BITS, RsaKey, RsaNumbers},
    },
    certificate::{Certificate, CertificateError},
};
use underpass_wire::{Put as _, Reader};

use crate::{dsa_key, rsa_key, support::Seeded};

/// A key of each type.
fn signers() -> Vec<Arc<dyn Signer>> {
    let entropy = &mut Seeded::new(1);
    let mut signers: Vec<Arc<dyn Signer>> = vec![
        Arc::new(Ed25519Key::generate(entropy)),
        Arc::new(RsaKey::new(&rsa_key::NUMBERS).unwrap()),
        Arc::new(DsaKey::new(&dsa_key::NUMBERS).unwrap()),
    ];
    for curve in Curve::ALL {
        signers.push(Arc::new(EcdsaKey::generate(curve, entropy)));
    }
    signers
}

/// The same with certificates.
fn certified_signers() -> Vec<Arc<dyn Signer>> {
    let authority = Ed25519Key::generate(&mut Seeded::new(3));
    let certified = |key: Arc<dyn Signer>| -> Arc<dyn Signer> {
        let certificate = certificate(key.public_key(), &authority);
        Arc::new(CertifiedKey::new(key, certificate).unwrap())
    };
    signers().into_iter().map(certified).collect()
}

/// For a host, for ever.
fn certificate(key: &[u8], authority: &dyn Signer) -> Vec<u8> {
    let mut fields = Reader::new(key);
    let format = fields.text().unwrap();
    let mut blob = Vec::new();
    blob.put_text(&format!("{format}-cert-v01@openssh.com"));
    blob.put_string(b"a nonce");
    blob.put_bytes(fields.rest());
    blob.put_u64(0);
    blob.put_u32(2);
    blob.put_text("id");
    blob.put_nested(|names| names.put_text("host"));
    blob.put_u64(0);
    blob.put_u64(u64::MAX);
    for _ in 0..3 {
        blob.put_string(b"");
    }
    blob.put_string(authority.public_key());
    let signature = authority.sign(authority.algorithms()[0], &blob).unwrap();
    blob.put_string(&signature);
    blob
}

#[test]
fn a_certificate_belongs_to_one_key() {
    let entropy = &mut Seeded::new(2);
    let (authority, one, other) =
        (Ed25519Key::generate(entropy), Ed25519Key::generate(entropy), Ed25519Key::generate(entropy));
    let certificate = certificate(one.public_key(), &authority);
    assert_eq!(Certificate::parse(&certificate).unwrap().check_host("host", 1), Ok(()));
    let error = CertifiedKey::new(Arc::new(other), certificate).unwrap_err();
    assert_eq!(error, CertificateError::Key);
}

fn named(name: &str) -> &'static Signature {
    Provider::find(Provider::ALL.signatures, name).unwrap()
}

/// Every algorithm of plain keys with a key, and its signature over `data`.
fn signed(data: &[u8]) -> Vec<(&'static Signature, Vec<u8>, Vec<u8>)> {
    signed_by(signers(), data)
}

fn signed_by(signers: Vec<Arc<dyn Signer>>, data: &[u8]) -> Vec<(&'static Signature, Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for signer in signers {
        for algorithm in signer.algorithms() {
            let key = signer.public_key().to_vec();
            all.push((named(algorithm), key, signer.sign(algorithm, data).unwrap()));
        }
    }
    all
}

#[test]
fn every_algorithm_verifies_what_its_key_signed_and_nothing_else() {
    let all = [signed(b"data"), signed_by(certified_signers(), b"data")].concat();
    // Those of X.509 are proven by the transcripts and against servers: no key here has a certificate of that kind.
    let others = Provider::ALL.signatures.iter().filter(|algorithm| !algorithm.name.starts_with("x509v3-"));
    assert_eq!(all.len(), others.count());
    for (algorithm, key, signature) in all {
        assert_eq!((algorithm.verify)(&key, &signature, b"data"), Ok(()), "{algorithm:?}");
        let other_data = (algorithm.verify)(&key, &signature, b"datb");
        assert_eq!(other_data, Err(SignatureError::Mismatch), "{algorithm:?}");
    }
}

#[test]
fn a_signature_of_another_algorithm_is_malformed_and_a_key_of_another_format_is_refused() {
    let all = signed(b"data");
    for (algorithm, key, _) in &all {
        for (other, other_key, signature) in &all {
            if algorithm.name == other.name {
                continue;
            }
            let result = (algorithm.verify)(key, signature, b"data");
            assert_eq!(result, Err(SignatureError::Malformed), "{algorithm:?} given {other:?}");
            if algorithm.key_format != other.key_format {
                let result = (algorithm.verify)(other_key, signature, b"data");
                assert_eq!(result, Err(SignatureError::Key), "{algorithm:?} given a key for {other:?}");
            }
        }
    }
}

#[test]
fn a_changed_byte_anywhere_in_key_or_signature_is_refused() {
    for (algorithm, key, signature) in signed(b"data") {
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!((algorithm.verify)(&key, &changed, b"data").is_err(), "{algorithm:?}, byte {at}");
        }
        for at in 0..key.len() {
            let mut changed = key.clone();
            changed[at] ^= 1;
            assert!((algorithm.verify)(&changed, &signature, b"data").is_err(), "{algorithm:?}, byte {at}");
        }
    }
}

#[test]
fn truncated_blobs_and_trailing_bytes_are_refused() {
    for (algorithm, key, signature) in signed(b"data") {
        for len in 0..signature.len() {
            let result = (algorithm.verify)(&key, &signature[..len], b"data");
            assert_eq!(result, Err(SignatureError::Malformed), "{algorithm:?}, {len} bytes of signature");
        }
        for len in 0..key.len() {
            let result = (algorithm.verify)(&key[..len], &signature, b"data");
            assert_eq!(result, Err(SignatureError::Key), "{algorithm:?}, {len} bytes of key");
        }
        let longer = [&signature[..], &[0]].concat();
        assert_eq!((algorithm.verify)(&key, &longer, b"data"), Err(SignatureError::Malformed));
        let longer = [&key[..], &[0]].concat();
        assert_eq!((algorithm.verify)(&longer, &signature, b"data"), Err(SignatureError::Key));
    }
}

/// A signature blob with its inside replaced by what `change` makes of it.
fn with_inside(signature: &[u8], change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut reader = Reader::new(signature);
    let (name, inside) = (reader.string().unwrap(), reader.string().unwrap());
    let mut blob = Vec::new();
    blob.put_string(name);
    blob.put_string(&change(inside));
    blob
}

#[test]
fn the_inside_of_a_signature_must_have_its_exact_form() {
    for (algorithm, key, signature) in signed(b"data") {
        let longer = with_inside(&signature, |inside| [inside, &[0]].concat());
        assert_eq!(
            (algorithm.verify)(&key, &longer, b"data"),
            Err(SignatureError::Malformed),
            "{algorithm:?}"
        );
        let empty = with_inside(&signature, |_| Vec::new());
        assert!((algorithm.verify)(&key, &empty, b"data").is_err(), "{algorithm:?}");
    }
}

#[test]
fn rsa_signatures_may_lack_their_leading_zeros() {
    let key = RsaKey::new(&rsa_key::NUMBERS).unwrap();
    let (data, signature) = (0_u32..)
        .map(|nonce| nonce.to_be_bytes())
        .map(|data| (data, key.sign("rsa-sha2-256", &data).unwrap()))
        .find(|(_, signature)| signature[signature.len() - 256] == 0)
        .unwrap();
    let verify = named("rsa-sha2-256").verify;
    assert_eq!(verify(key.public_key(), &signature, &data), Ok(()));
    let shorter = with_inside(&signature, |inside| inside[1..].to_vec());
    assert_eq!(verify(key.public_key(), &shorter, &data), Ok(()));
    let longer = with_inside(&signature, |inside| [&[0], inside].concat());
    assert_eq!(verify(key.public_key(), &longer, &data), Err(SignatureError::Malformed));
}

fn rsa_blob(e: &[u8], n: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    key.put_text("ssh-rsa");
    key.put_mpint(e);
    key.put_mpint(n);
    key
}

#[test]
fn rsa_keys_of_unreasonable_size_are_refused_before_any_arithmetic() {
    let mut signature = Vec::new();
    signature.put_text("rsa-sha2-256");
    signature.put_string(&[1; 64]);
    let odd = |bytes: usize| [&vec![0xff; bytes - 1][..], &[0xf1]].concat();
    let largest = odd(MAX_MODULUS_BITS / 8);
    for (e, n) in [
        (&[1, 0, 1][..], odd(128)),
        (&[1, 0, 1], [&[0x7f], &odd(255)[..]].concat()),
        (&[1, 0, 1], [&[1], &largest[..]].concat()),
        (&[1, 0, 1], Vec::new()),
        (&[], odd(256)),
        (&[1], odd(256)),
        (&[2], odd(256)),
        (&[1, 0, 0], odd(256)),
        (&[3, 255, 255, 255, 255], odd(256)),
        (&largest, largest.clone()),
    ] {
        let result = (named("rsa-sha2-256").verify)(&rsa_blob(e, &n), &signature, b"data");
        assert_eq!(result, Err(SignatureError::Key), "e of {} and n of {} bytes", e.len(), n.len());
    }
    let result = (named("rsa-sha2-256").verify)(&rsa_blob(&[3], &largest), &signature, b"data");
    assert_eq!(result, Err(SignatureError::Mismatch), "the largest size is still tried");
}

#[test]
fn ed25519_signatures_with_an_s_that_is_not_reduced_are_refused() {
    /// The order of the group, little-endian (RFC 8032 section 5.1): S and S + L satisfy the same equation.
    const L: [u8; 32] = hex!("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let key = Ed25519Key::generate(&mut Seeded::new(5));
    let signature = key.sign("ssh-ed25519", b"data").unwrap();
    let malleable = with_inside(&signature, |inside| {
        let mut changed = inside.to_vec();
        let mut carry = 0;
        for (byte, more) in changed[32..].iter_mut().zip(L) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(carry, 0);
        changed
    });
    let verify = named("ssh-ed25519").verify;
    assert_eq!(verify(key.public_key(), &signature, b"data"), Ok(()));
    assert_eq!(verify(key.public_key(), &malleable, b"data"), Err(SignatureError::Mismatch));
}

#[test]
fn ed25519_keys_of_small_order_are_refused() {
    // Under the neutral element as key, this signature would hold for any message without the strict check.
    let neutral = [&[1][..], &[0; 31]].concat();
    let mut key = Vec::new();
    key.put_text("ssh-ed25519");
    key.put_string(&neutral);
    let mut signature = Vec::new();
    signature.put_text("ssh-ed25519");
    signature.put_string(&[&neutral[..], &[0; 32]].concat());
    assert!((named("ssh-ed25519").verify)(&key, &signature, b"any message").is_err());
}

#[test]
fn ecdsa_keys_off_the_curve_or_compressed_are_refused() {
    for curve in Curve::ALL {
        let key = EcdsaKey::generate(curve, &mut Seeded::new(3));
        let signature = key.sign(curve.algorithm(), b"data").unwrap();
        let mut fields = Reader::new(key.public_key());
        fields.string().unwrap();
        fields.string().unwrap();
        let point = fields.string().unwrap();
        let half = point.len() / 2;
        let off_curve = [&point[..2 * half], &[point[2 * half] ^ 1]].concat();
        let compressed = [&[2 + (point[2 * half] & 1)], &point[1..=half]].concat();
        let hybrid = [&[6 + (point[2 * half] & 1)], &point[1..]].concat();
        for bad in [off_curve, compressed, hybrid, vec![0], Vec::new()] {
            let mut blob = Vec::new();
            blob.put_text(curve.algorithm());
            blob.put_text(curve.name());
            blob.put_string(&bad);
            let result = (named(curve.algorithm()).verify)(&blob, &signature, b"data");
            assert_eq!(result, Err(SignatureError::Key), "{curve:?}");
        }
    }
}

#[test]
fn ecdsa_numbers_that_are_zero_or_too_long_are_refused() {
    for curve in Curve::ALL {
        let key = EcdsaKey::generate(curve, &mut Seeded::new(4));
        let signature = key.sign(curve.algorithm(), b"data").unwrap();
        for (r, s, expected) in [
            (&[][..], &[1][..], SignatureError::Mismatch),
            (&[1], &[], SignatureError::Mismatch),
            (&[0x7f; 67], &[1], SignatureError::Malformed),
            (&[1], &[0x7f; 67], SignatureError::Malformed),
        ] {
            let changed = with_inside(&signature, |_| {
                let mut inside = Vec::new();
                inside.put_mpint(r);
                inside.put_mpint(s);
                inside
            });
            let result = (named(curve.algorithm()).verify)(key.public_key(), &changed, b"data");
            assert_eq!(result, Err(expected), "{curve:?}");
        }
    }
}

#[test]
fn a_key_signs_only_with_its_own_algorithms() {
    for signer in signers() {
        for algorithm in ["ssh-rsa", "ssh-dss", "", "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"] {
            let signed = signer.sign(algorithm, b"data");
            if !signer.algorithms().contains(&algorithm) {
                assert_eq!(signed, Err(SignError::UnsupportedAlgorithm), "{signer:?} with {algorithm}");
            }
        }
    }
}

#[test]
fn halves_that_do_not_belong_together_make_no_key() {
    let seed = [7; 32];
    assert_eq!(Ed25519Key::new(&seed, &[9; 32]).unwrap_err(), KeyError::HalvesDiffer);
    assert_eq!(Ed25519Key::new(&seed[1..], &[9; 32]).unwrap_err(), KeyError::Invalid);
    for curve in Curve::ALL {
        assert_eq!(EcdsaKey::new(curve, &[1], &[4; 65]).unwrap_err(), KeyError::HalvesDiffer);
        assert_eq!(EcdsaKey::new(curve, &[0], &[4; 65]).unwrap_err(), KeyError::Invalid, "zero");
        assert_eq!(EcdsaKey::new(curve, &[], &[4; 65]).unwrap_err(), KeyError::Invalid, "missing");
        assert_eq!(EcdsaKey::new(curve, &[0xff; 66], &[4; 65]).unwrap_err(), KeyError::Invalid, "too large");
        assert_eq!(EcdsaKey::new(curve, &[1; 67], &[4; 65]).unwrap_err(), KeyError::Invalid, "too long");
    }
}

#[test]
fn rsa_numbers_that_do_not_belong_together_make_no_key() {
    let good = rsa_key::NUMBERS;
    assert!(RsaKey::new(&good).is_ok());
    let padded = [&[0, 0], good.d].concat();
    assert!(RsaKey::new(&RsaNumbers { d: &padded, ..good }).is_ok(), "leading zeros do not matter");

    let changed = |number: &[u8]| {
        let mut number = number.to_vec();
        number[9] ^= 4;
        number
    };
    let [n, d, iqmp, p, q] = [good.n, good.d, good.iqmp, good.p, good.q].map(changed);
    for bad in [
        RsaNumbers { n: &n, ..good },
        RsaNumbers { e: &[3], ..good },
        RsaNumbers { d: &d, ..good },
        RsaNumbers { iqmp: &iqmp, ..good },
        RsaNumbers { p: &p, ..good },
        RsaNumbers { q: &q, ..good },
        RsaNumbers { p: good.q, q: good.p, ..good },
    ] {
        assert_eq!(RsaKey::new(&bad).unwrap_err(), KeyError::HalvesDiffer);
    }
}

#[test]
fn numbers_of_a_short_rsa_key_that_do_not_belong_together_make_no_key() {
    let good = rsa_key::SHORT;
    let changed = |number: &[u8]| {
        let mut number = number.to_vec();
        number[9] ^= 4;
        number
    };
    let [n, d] = [good.n, good.d].map(changed);
    for bad in [
        RsaNumbers { n: &n, ..good },
        RsaNumbers { e: &[3], ..good },
        RsaNumbers { d: &d, ..good },
        RsaNumbers { d: &[], ..good },
    ] {
        assert_eq!(RsaKey::new(&bad).unwrap_err(), KeyError::HalvesDiffer);
    }
}

#[test]
fn dsa_numbers_that_do_not_belong_together_or_are_out_of_range_make_no_key() {
    let good = dsa_key::NUMBERS;
    let padded = [&[0, 0], good.x].concat();
    assert!(DsaKey::new(&DsaNumbers { x: &padded, ..good }).is_ok(), "leading zeros do not matter");
    let other = [&good.x[..19], &[1]].concat();
    assert_eq!(DsaKey::new(&DsaNumbers { x: &other, ..good }).unwrap_err(), KeyError::HalvesDiffer);
    for bad in [
        DsaNumbers { x: &[], ..good },
        DsaNumbers { x: good.q, ..good },
        DsaNumbers { x: &[0xff; 20], ..good },
        DsaNumbers { y: &[1], ..good },
        DsaNumbers { y: good.p, ..good },
        DsaNumbers { y: &[2], ..good },
        DsaNumbers { g: &[1], ..good },
        DsaNumbers { g: good.p, ..good },
        DsaNumbers { q: &good.q[..19], ..good },
        DsaNumbers { q: &good.p[..21], ..good },
    ] {
        assert_eq!(DsaKey::new(&bad).unwrap_err(), KeyError::Invalid);
    }
    for p in [&good.p[1..], &[good.p, &[1]].concat(), &[]] {
        assert_eq!(DsaKey::new(&DsaNumbers { p, ..good }).unwrap_err(), KeyError::Size { bits: 8 * p.len() });
    }
}

fn dsa_blob(numbers: [&[u8]; 4]) -> Vec<u8> {
    let mut key = Vec::new();
    key.put_text("ssh-dss");
    numbers.into_iter().for_each(|number| key.put_mpint(number));
    key
}

#[test]
fn dsa_keys_of_other_sizes_or_with_impossible_numbers_are_refused() {
    let DsaNumbers { p, q, g, y, .. } = dsa_key::NUMBERS;
    let signature = DsaKey::new(&dsa_key::NUMBERS).unwrap().sign("ssh-dss", b"data").unwrap();
    let verify = |key: &[u8]| (named("ssh-dss").verify)(key, &signature, b"data");
    assert_eq!(verify(&dsa_blob([p, q, g, y])), Ok(()));
    let even = |number: &[u8]| [&number[..number.len() - 1], &[0xfe]].concat();
    let (even_p, even_q, long) = (even(p), even(q), vec![0xff; 1024]);
    for bad in [
        [&p[1..], q, g, y],
        [&long, q, g, y],
        [&even_p, q, g, y],
        [&[], q, g, y],
        [p, &q[1..], g, y],
        [p, p, g, y],
        [p, &even_q, g, y],
        [p, &[], g, y],
        [p, q, &[], y],
        [p, q, &[1], y],
        [p, q, p, y],
        [p, q, &long, y],
        [p, q, g, &[]],
        [p, q, g, &[1]],
        [p, q, g, p],
        [p, q, g, &long],
    ] {
        assert_eq!(verify(&dsa_blob(bad)), Err(SignatureError::Key));
    }
}

#[test]
fn dsa_signatures_with_numbers_out_of_range_are_refused() {
    let key = DsaKey::new(&dsa_key::NUMBERS).unwrap();
    let signature = key.sign("ssh-dss", b"data").unwrap();
    let (q, zero, one) = (&dsa_key::Q[..], &[0; 20][..], &[[0; 19].as_slice(), &[1]].concat()[..]);
    for (r, s) in [(zero, one), (one, zero), (q, one), (one, q), (&[0xff; 20], one), (one, &[0xff; 20])] {
        let changed = with_inside(&signature, |_| [r, s].concat());
        let result = (named("ssh-dss").verify)(key.public_key(), &changed, b"data");
        assert_eq!(result, Err(SignatureError::Mismatch));
    }
}

#[test]
fn rsa_numbers_out_of_range_make_no_key() {
    let good = rsa_key::NUMBERS;
    let long = [0xff; 300];
    for bad in [
        RsaNumbers { e: &[], ..good },
        RsaNumbers { e: &[2], ..good },
        RsaNumbers { d: &long, ..good },
        RsaNumbers { p: &long, ..good },
        RsaNumbers { p: &[], ..good },
        RsaNumbers { p: &[1], ..good },
        RsaNumbers { p: &[4], ..good },
        RsaNumbers { q: &[0], ..good },
    ] {
        assert_eq!(RsaKey::new(&bad).unwrap_err(), KeyError::Invalid);
    }
    let short = rsa_key::SHORT;
    for bad in [RsaNumbers { n: &[], ..good }, RsaNumbers { n: &short.n[1..], ..short }] {
        assert!(matches!(RsaKey::new(&bad), Err(KeyError::Size { .. })));
    }
    let empty = RsaNumbers { d: &[], iqmp: &[], ..good };
    assert!(RsaKey::new(&empty).is_err());
}

#[test]
fn keys_show_nothing_when_debugged() {
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        Ed25519Key::generate(&mut Seeded::new(1)),
        EcdsaKey::generate(Curve::Nistp384, &mut Seeded::new(1)),
        RsaKey::new(&rsa_key::NUMBERS).unwrap(),
        rsa_key::NUMBERS,
        DsaKey::new(&dsa_key::NUMBERS).unwrap(),
        dsa_key::NUMBERS,
    );
    assert_eq!(
        shown,
        "Ed25519Key(***) EcdsaKey(ecdsa-sha2-nistp384, ***) RsaKey(***) RsaNumbers(***) DsaKey(***) DsaNumbers(***)"
    );
}
