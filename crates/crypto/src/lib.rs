//! The algorithms of SSH as values.
//!
//! A [`Provider`] is a plain struct of slices; a configuration picks and orders names out of it. The engine knows
//! the traits in this crate and never an algorithm's name. Adding an algorithm is one value in one file of
//! [`algorithms`] plus its row in [`Provider::MODERN`] or [`Provider::ON_REQUEST`].
//!
//! Nothing here reads a clock, a file or the system's random generator: randomness arrives as an [`Entropy`].

pub mod algorithms;
pub mod certificate;
mod cipher;
mod compression;
mod derivation;
mod entropy;
mod fingerprint;
mod hash;
mod kex;
mod mac;
pub mod outside;
pub mod packet;
mod private;
mod provider;
mod secret;
mod selection;
mod signature;
pub mod x509;

pub use algorithms::dh::{DhGroup, GroupSizes};
pub use cipher::{Aead, Cipher, CipherKind, Failed, Keystream, NewAead, NewKeystream, Way};
pub use compression::{Compress, Compression, Decompress, InflateError, Streams};
pub use derivation::{Derivation, KeyHasher, OwnHasher};
pub use entropy::Entropy;
pub use fingerprint::{
    FingerprintHash, fingerprint, hex_fingerprint, key_bits, key_description, key_type, sha256_fingerprint,
};
pub use hash::{Digest, Hash};
pub use kex::{Agreement, Encoding, Initiator, Kex, KexError, KexMethod, Proof, Response};
pub use mac::{Mac, MacKey};
pub use private::PrivateNumbers;
pub use provider::{Named, Provider, Strength};
pub use secret::Secret;
pub use selection::{SelectError, matches, select};
pub use signature::{SignError, Signature, SignatureError, Signer, Verify};
