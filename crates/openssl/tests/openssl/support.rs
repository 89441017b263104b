//! What the tests share.

use underpass_crypto::{Agreement, Entropy, Hash, Kex, KexMethod, Named, Provider};

/// Runs each of these tests in both modes.
macro_rules! in_both_modes {
    ($($test:ident)+) => {
        mod with_the_default_provider {
            $(#[test] fn $test() { super::$test(underpass_openssl::Mode::System); })+
        }

        mod with_the_fips_provider {
            $(
                #[test]
                #[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
                fn $test() { super::$test(underpass_openssl::Mode::Fips); }
            )+
        }
    };
}
pub(crate) use in_both_modes;

/// Reproducible entropy, different for each seed.
pub(crate) struct Seeded {
    seed: u64,
    drawn: u64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for part in out.chunks_mut(32) {
            let block = Hash::Sha256.of(&[self.seed.to_be_bytes(), self.drawn.to_be_bytes()].concat());
            part.copy_from_slice(&block[..part.len()]);
            self.drawn += 1;
        }
    }
}

/// Our own value of the same name.
pub(crate) fn own<T: Named>(list: &'static [&'static T], value: &T) -> &'static T {
    Provider::find(list, value.name()).unwrap()
}

pub(crate) fn names<T: Named>(list: &[&T]) -> Vec<&'static str> {
    list.iter().map(|value| value.name()).collect()
}

/// How a method agrees on a secret.
pub(crate) fn agreement(kex: &Kex) -> &'static dyn Agreement {
    match kex.method {
        KexMethod::Agreement(agreement) => agreement,
        KexMethod::GroupExchange => panic!("{kex:?} has no group of its own"),
    }
}
