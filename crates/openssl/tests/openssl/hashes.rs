//! Hashes of key exchanges and keys derived from them.

use underpass_crypto::{Derivation, Hash, KeyHasher as _, OwnHasher, Secret};
use underpass_openssl::{Mode, provider};

use crate::support::{Seeded, in_both_modes};

in_both_modes! {
    both_libraries_hash_and_derive_the_same
}

fn both_libraries_hash_and_derive_the_same(mode: Mode) {
    let mut seen = Vec::new();
    for kex in provider(mode).unwrap().kex {
        let parts = [0, 1, 63, 64, 65, 5000].map(|len| Seeded::new(len as u64).bytes(len));
        let parts = parts.each_ref().map(Vec::as_slice);
        let exchange = kex.digest(&parts).unwrap();
        assert_eq!(exchange, OwnHasher.digest(kex.hash, &parts).unwrap(), "{kex:?}");
        // As a string and as a number that is encoded, with a sign byte.
        let secrets = [Secret::new([&[0, 0, 0, 33, 0], &[0xee; 32][..]].concat()), Secret::new([7; 36])];
        let session = kex.digest(&[b"the first exchange of the connection"]).unwrap();
        for (secret, letter) in secrets.iter().flat_map(|secret| b"ABCDEF".map(|letter| (secret, letter))) {
            let from = Derivation { secret, exchange: &exchange, session: &session };
            for len in [0, 1, 12, 16, 20, 32, 64, 65, 200] {
                let derived = kex.derive(&from, letter, len).unwrap();
                assert_eq!(derived.expose().len(), len);
                assert!(derived == OwnHasher.derive(kex.hash, &from, letter, len).unwrap(), "{kex:?}, {len}");
            }
        }
        seen.push(kex.hash);
    }
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        assert!(seen.contains(&hash), "{hash:?}");
    }
}
