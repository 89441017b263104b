//! Damage: a file that is cut off, or has a bit flipped, gives an error or a key, and never a panic.

use underpass_crypto::Secret;
use underpass_keys::{Passwords, Store};

/// Damages a file at places spread over it, which are the same on every run.
pub(crate) fn batter(bytes: &[u8], password: Option<&Secret>) {
    for place in places(bytes.len(), 40) {
        drop(Store::open(&bytes[..place], Passwords::default()));
        let mut flipped = bytes.to_vec();
        flipped[place] ^= 1 << (place % 8);
        drop(Store::open(&flipped, Passwords::default()));
    }
    // Key derivation takes its time.
    for place in places(bytes.len(), 6) {
        drop(Store::open(&bytes[..place], password.into()));
        let mut flipped = bytes.to_vec();
        flipped[place] ^= 1;
        drop(Store::open(&flipped, password.into()));
    }
}

fn places(len: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count)
        .map(move |at| at * len / count + (at * 7) % (len / count).max(1))
        .filter(move |place| *place < len)
}
