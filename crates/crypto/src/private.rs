use crate::{Secret, algorithms::ecdsa::Curve};

/// The numbers of a private key in this process, for another library to sign with. Wiped when dropped.
#[derive(Debug)]
pub enum PrivateNumbers {
    /// RSA. The primes, which would make signing faster, are not kept by every [key](crate::algorithms::rsa::RsaKey).
    Rsa {
        /// The modulus, big-endian.
        n: Vec<u8>,
        /// The public exponent, big-endian.
        e: Vec<u8>,
        /// The private exponent, big-endian.
        d: Secret,
    },
    /// ECDSA.
    Ecdsa {
        /// The curve.
        curve: Curve,
        /// The scalar, big-endian, as long as the curve's order.
        scalar: Secret,
        /// The public point, uncompressed.
        point: Vec<u8>,
    },
    /// Ed25519.
    Ed25519 {
        /// What RFC 8032 section 5.1.5 calls the private key: 32 bytes.
        seed: Secret,
    },
}
