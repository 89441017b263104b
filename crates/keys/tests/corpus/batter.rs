//! Damage: a file that is cut off, has a bit flipped, or is as large as a file may be, gives an error or its own
//! key; never a panic, and never in more memory than it may take.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use peak_alloc::PeakAlloc;
use underpass_crypto::Secret;
use underpass_keys::{Format, MAX_FILE_LEN, MAX_MEMORY, Passwords, Private, Store};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes for everything but key derivation: many times the largest file, and what other tests take meanwhile.
const ROOM: usize = 128 << 20;

/// Damages a file at places spread over it, which are the same on every run. No damage may give another key.
pub(crate) fn batter(bytes: &[u8], password: Option<&Secret>) {
    let held = open(bytes, password);
    damage(bytes, password, |found, what| {
        assert!(found.iter().all(|key| held.contains(key)), "another key, from {what}");
    });
}

/// The same for a file that says nothing about its key twice, so that a flipped bit can make another one of it.
pub(crate) fn batter_terse(bytes: &[u8], password: Option<&Secret>) {
    damage(bytes, password, |_, _| {});
}

fn damage(bytes: &[u8], password: Option<&Secret>, check: impl Fn(&[Vec<u8>], &str)) {
    keep(bytes);
    // Key derivation takes its time.
    for (count, password) in [(40, None), (6, password)] {
        for place in places(bytes.len(), count) {
            check(&open(&bytes[..place], password), &format!("the first {place} bytes"));
            let mut flipped = bytes.to_vec();
            flipped[place] ^= 1 << (place % 8);
            check(&open(&flipped, password), &format!("a bit of byte {place}"));
        }
    }
}

fn places(len: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count)
        .map(move |at| at * len / count + (at * 7) % (len / count).max(1))
        .filter(move |place| *place < len)
}

/// Opens a file whatever comes of it, and measures. Gives the public halves of the keys that can sign.
fn open(bytes: &[u8], password: Option<&Secret>) -> Vec<Vec<u8>> {
    // One after the other, as the measure is the whole program's. A test that has failed has told so itself.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let keys = Store::open(bytes, Passwords::from(password)).map(|store| keys_of(&store));
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let derivation = password.map_or(0, |_| MAX_MEMORY as usize);
    assert!(
        taken <= ROOM + derivation,
        "{taken} bytes of memory for {} of {}",
        bytes.len(),
        Format::of(bytes)
    );
    keys.unwrap_or_default()
}

fn keys_of(store: &Store) -> Vec<Vec<u8>> {
    let keys = store.entries().iter().filter_map(|entry| match &entry.private {
        Private::Ready(signer) => Some(signer.public_key().to_vec()),
        Private::Absent | Private::Unusable(_) => None,
    });
    keys.collect()
}

/// Puts the files of all tests into the directory that `KEEP_SAMPLES` names, by format: seeds for fuzzing.
fn keep(bytes: &[u8]) {
    let Some(dir) = std::env::var_os("KEEP_SAMPLES") else { return };
    let mut name = DefaultHasher::new();
    bytes.hash(&mut name);
    let dir = Path::new(&dir).join(format!("{:?}", Format::of(bytes)).to_lowercase());
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(format!("{:x}", name.finish())), bytes).unwrap();
}

/// What a file begins with, what it goes on with, and what it ends with.
const ENDLESS: [(&[u8], &[u8], &[u8]); 16] = [
    // BER that nests, with lengths that are open, and that are not; strings in pieces; empty elements.
    (b"", b"\x30\x80", b""),
    (b"", b"\x24\x80", b""),
    (b"\x30\x80", b"\x24\x80\x04\x01a\0\0", b"\0\0"),
    (b"\x30\x80", b"\x05\x00", b"\0\0"),
    (b"\x30\x80\x02\x01\x03", b"\x31\x00", b"\0\0"),
    (b"<RSAKeyValue>", b"<a>", b""),
    (b"<RSAKeyValue>", b"<a/>", b"</RSAKeyValue>"),
    (b"<X509Certificate", b" a=''", b"/>"),
    (b"{\"kty\":", b"[", b""),
    (b"{\"kty\":1,\"keys\":[", b"{},", b"{}]}"),
    (b"PuTTY-User-Key-File-3: a\n", b"a: b\n", b""),
    (b"---- BEGIN SSH2 PUBLIC KEY ----\n", b"a: b\\\n", b""),
    (b"ssh-rsa ", b"AAAA", b""),
    (b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\x04\0", b"\0\0\0\x02\0\0\0\0\0\0\0\0\0\0", b""),
    (b"", b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", b""),
    (b"-----BEGIN PRIVATE KEY-----\n", b"a:b\n", b""),
];

#[test]
fn a_file_as_large_as_may_be_takes_bounded_memory() {
    let secret = Secret::from("secret");
    for (start, middle, end) in ENDLESS {
        let mut file = start.to_vec();
        while file.len() + middle.len() + end.len() <= MAX_FILE_LEN {
            file.extend_from_slice(middle);
        }
        file.extend_from_slice(end);
        open(&file, Some(&secret));
        file.truncate(MAX_FILE_LEN / 4 * 3);
        open(STANDARD.encode(file).as_bytes(), None);
    }
}

/// One block after the other, each a key that takes time to read.
#[test]
fn a_file_full_of_keys_takes_bounded_memory() {
    for key in [
        &include_bytes!("../../testdata/rsa16384.pem")[..],
        include_bytes!("../../testdata/rsa2048"),
        include_bytes!("../../testdata/ed25519"),
    ] {
        open(&key.repeat(MAX_FILE_LEN / key.len()), None);
    }
}
