//! Chains of X.509 certificates as servers show them (RFC 6187): without a root none proves anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_crypto::x509::{Chain, Roots};

fuzz_target!(|input: (u64, &[u8])| {
    let (now, blob) = input;
    let Ok(chain) = Chain::parse(blob) else { return };
    assert!(!chain.key().is_empty());
    let _ = (chain.holder().subject(), chain.holder().issuer());
    assert!(chain.check_host("host", now, &Roots::default()).is_err());
});
