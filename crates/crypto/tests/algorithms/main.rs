//! Every algorithm against published vectors, hostile input, and second implementations.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod agreement;
mod agreement_vectors;
mod bulk_vectors;
mod chained;
mod compression;
mod dsa_key;
mod failing;
mod legacy_vectors;
mod packets;
mod private_numbers;
mod rsa_key;
mod signature_vectors;
mod signatures;
mod support;
mod umac_vectors;
