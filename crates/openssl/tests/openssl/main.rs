//! OpenSSL's algorithms against our own of the same name, against published vectors, and against those who cheat.
//!
//! Each test runs with the library's default provider and, where `cargo xtask fips` has set it up, with the FIPS provider.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod agreements;
mod fips;
mod hashes;
#[cfg(target_os = "linux")]
mod memory;
mod missing;
mod packets;
#[path = "../../../crypto/tests/algorithms/rsa_key.rs"]
#[expect(dead_code, reason = "its signatures are for other tests")]
mod rsa_key;
mod signatures;
mod signers;
mod support;
mod system;
