//! Files that somebody has tampered with: they may give an error, never a panic and never a wrong key.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use underpass_crypto::Secret;
use underpass_keys::{Format, KeyFileError, load, public, public_of};

const PLAIN: &[&[u8]] = &[
    include_bytes!("../testdata/ed25519"),
    include_bytes!("../testdata/ecdsa256"),
    include_bytes!("../testdata/ecdsa521"),
    include_bytes!("../testdata/rsa2048"),
    include_bytes!("../testdata/rsa1024"),
    include_bytes!("../testdata/dsa1024"),
];

const ENCRYPTED: &[&[u8]] = &[
    include_bytes!("../testdata/ed25519-ctr"),
    include_bytes!("../testdata/ed25519-gcm"),
    include_bytes!("../testdata/ed25519-chacha"),
];

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

#[test]
fn a_changed_byte_never_gives_another_key() {
    for seed in PLAIN {
        let blob = unarmour(seed);
        let original = load(seed, None).unwrap();
        for at in 0..blob.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = blob.clone();
                changed[at] ^= change;
                if let Ok(key) = load(&armour(&changed), None) {
                    // Only a byte of the comment may differ, or the two check numbers would.
                    assert_eq!(key.signer.public_key(), original.signer.public_key());
                    assert_ne!(key.comment, original.comment, "byte {at}");
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_of_an_encrypted_key_never_gives_another_key() {
    let passphrase = Secret::from("test");
    for seed in ENCRYPTED {
        let blob = unarmour(seed);
        let original = load(seed, Some(&passphrase)).unwrap();
        let rounds = rounds_offset(&blob);
        for at in (0..blob.len()).filter(|at| !rounds.contains(at)) {
            let mut changed = blob.clone();
            changed[at] ^= 1;
            if let Ok(key) = load(&armour(&changed), Some(&passphrase)) {
                assert_eq!(key.signer.public_key(), original.signer.public_key());
                assert_ne!(key.comment, original.comment, "byte {at}");
            }
        }
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_an_error() {
    for seed in PLAIN.iter().chain(ENCRYPTED) {
        let end = seed.trim_ascii_end().len();
        for len in 0..end {
            assert!(load(&seed[..len], None).is_err(), "{len} bytes");
        }
        let blob = unarmour(seed);
        for len in 0..blob.len() {
            assert!(load(&armour(&blob[..len]), None).is_err(), "{len} bytes");
        }
    }
}

/// The same cases on every run.
#[test]
fn ten_thousand_mutations_do_no_harm() {
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let seeds: Vec<Vec<u8>> = PLAIN.iter().chain(ENCRYPTED).map(|seed| unarmour(seed)).collect();
    for _ in 0..10_000 {
        let mut blob = random.pick(&seeds).clone();
        for _ in 0..=random.below(4) {
            random.mutate(&mut blob);
        }
        let file = armour(&blob);
        let public = public_of(&file);
        // Without the passphrase: a mutation may ask for many seconds of key derivation.
        if let Ok(key) = load(&file, None) {
            assert_eq!(key.signer.public_key(), public.unwrap().blob());
        }
    }
}

#[test]
fn a_file_beyond_the_bound_is_refused_unread() {
    let endless = vec![b'-'; underpass_keys::MAX_FILE_LEN + 1];
    assert_eq!(load(&endless, None).unwrap_err(), KeyFileError::TooLarge { len: endless.len() });
    assert_eq!(public_of(&endless).unwrap_err(), KeyFileError::TooLarge { len: endless.len() });
}

#[test]
fn names_from_a_file_are_escaped_in_messages() {
    let hostile = KeyFileError::UnsupportedCipher("\u{1b}[2Jaes".to_owned());
    assert!(!hostile.to_string().contains('\u{1b}'), "{hostile}");
}

#[test]
fn no_secret_is_displayed() {
    let key = load(PLAIN[0], None).unwrap();
    let shown = format!("{key:?}");
    let expected =
        r#"PrivateKey { signer: Signer(ssh-ed25519), comment: "test", encrypted: false, certificates: [] }"#;
    assert_eq!(shown, expected);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(load(&bytes, None).is_err());
        let _ = public_of(&bytes);
        let _ = Format::of(&bytes).to_string();
    }

    #[test]
    fn an_arbitrary_container_is_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let blob = [b"openssh-key-v1\0", &bytes[..]].concat();
        prop_assert!(load(&armour(&blob), None).is_err());
    }

    #[test]
    fn arbitrary_lines_are_read_or_refused(line in "(ssh-ed25519 )?[A-Za-z0-9+/=]{0,90}( .*)?") {
        if let Ok(key) = public::parse_line(&line) {
            prop_assert!(line.contains(key.key_type()));
        }
    }
}

fn unarmour(file: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(file).unwrap();
    let base64: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(base64).unwrap()
}

fn armour(blob: &[u8]) -> Vec<u8> {
    format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(blob)).into_bytes()
}

/// Where the number of rounds stands: behind 16 bytes of salt, whose length is the first 16 of the file.
fn rounds_offset(blob: &[u8]) -> std::ops::Range<usize> {
    let salt = blob.windows(4).position(|window| window == [0, 0, 0, 16]).unwrap();
    salt + 20..salt + 24
}

struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.below(bytes.len());
        match self.below(5) {
            0 => bytes[at] = self.next() as u8,
            1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, self.next() as u8),
            _ => {
                let end = (at + self.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
}
