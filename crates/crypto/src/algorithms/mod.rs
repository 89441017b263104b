//! One file for each family of algorithms: its values, and the glue to the crate that does the arithmetic.
//!
//! Bulk ciphers and MACs were chosen by `benches/primitives.rs`, each file says what for. Key exchange and signing
//! with elliptic curves take their randomness from the caller's [`Entropy`](crate::Entropy), which is why they stand
//! on crates that accept a generator.

pub mod aes_ctr;
pub mod aes_gcm;
pub mod blob;
pub mod certified;
pub mod chacha20_poly1305;
pub mod dh;
pub mod ecdsa;
pub mod ed25519;
pub mod gss;
pub mod hmac;
pub mod legacy;
pub mod mlkem768x25519;
pub mod nist_ecdh;
pub mod rsa;
pub mod security_key;
pub mod sntrup761x25519;
pub mod umac;
pub mod x25519;
pub mod x509;
pub mod zlib;

mod hybrid;
mod key_error;
mod number;
mod rng;
mod sntrup761;

pub use key_error::KeyError;
pub(crate) use number::bit_len;
