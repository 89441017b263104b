//! Algorithms of a library that fails in the middle of a connection.

use std::cell::Cell;

use underpass_crypto::algorithms::aes_ctr::AES128_CTR;
use underpass_crypto::{Cipher, CipherKind, Failed, Keystream, Provider};
use underpass_proto::Error;
use underpass_testkit::pair::{Job, Pair, Setup};

/// Our own cipher, until it is made to fail.
static FAILING: Cipher = Cipher {
    name: AES128_CTR.name,
    strength: AES128_CTR.strength,
    key_len: AES128_CTR.key_len,
    iv_len: AES128_CTR.iv_len,
    block_len: AES128_CTR.block_len,
    kind: CipherKind::Plain {
        new: |key, iv, way| match AES128_CTR.kind {
            CipherKind::Plain { new, .. } => Box::new(Breakable(new(key, iv, way))),
            CipherKind::Aead { .. } => unreachable!("it has no tag"),
        },
        chained: false,
    },
};

thread_local! {
    static IS_BROKEN: Cell<bool> = const { Cell::new(false) };
}

struct Breakable(Box<dyn Keystream>);

impl Keystream for Breakable {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        if IS_BROKEN.get() { Err(Failed) } else { self.0.apply(bytes) }
    }
}

#[test]
fn a_library_that_fails_to_encrypt_ends_the_connection() {
    for mac in Provider::MODERN.macs {
        IS_BROKEN.set(false);
        let mut setup = Setup::new(1);
        setup.client.algorithms.ciphers_out = vec![&FAILING];
        setup.client.algorithms.macs_out = vec![mac];
        let mut pair = Pair::open(setup);
        let channel = pair.open_channel(Job::exchange(1, 3_000_000, 2), Job::exchange(2, 2_000_000, 1));
        pair.run_until("data flows", |pair| pair.client.report(channel).received > 100_000);
        IS_BROKEN.set(true);
        pair.run_until_closed();
        assert_eq!(pair.client.closed, Some(Error::Internal("the library that encrypts has failed")));
    }
}

#[test]
fn a_library_that_fails_to_decrypt_takes_nothing_for_good() {
    IS_BROKEN.set(false);
    let mut setup = Setup::new(1);
    setup.client.algorithms.ciphers_in = vec![&FAILING];
    let mut pair = Pair::open(setup);
    let channel = pair.open_channel(Job::exchange(1, 3_000_000, 2), Job::exchange(2, 2_000_000, 1));
    pair.run_until("data flows", |pair| pair.client.report(channel).received > 100_000);
    IS_BROKEN.set(true);
    pair.run_until_closed();
    assert!(matches!(pair.client.closed, Some(Error::Peer(_))), "{:?}", pair.client.closed);
}
