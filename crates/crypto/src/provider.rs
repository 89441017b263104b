use crate::{Cipher, Compression, Kex, Mac, Signature, algorithms as a};

/// What a build offers: the algorithms among which a configuration chooses by name.
///
/// The order of each slice is the default order of preference.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    /// Key exchange methods (RFC 4253 section 7).
    pub kex: &'static [&'static Kex],
    /// Signature algorithms, for host keys and for public-key authentication.
    pub signatures: &'static [&'static Signature],
    /// Ciphers, with or without an integrated tag (RFC 4253 section 6.3).
    pub ciphers: &'static [&'static Cipher],
    /// Message authentication codes (RFC 4253 section 6.4).
    pub macs: &'static [&'static Mac],
    /// Compression methods (RFC 4253 section 6.2).
    pub compression: &'static [&'static Compression],
}

/// Whether an algorithm is fit for today, or exists because old peers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Fit for use by default.
    Modern,
    /// Weak. Off by default; negotiating it raises a warning.
    Legacy,
}

/// What every algorithm value has in common.
pub trait Named {
    /// The name on the wire.
    fn name(&self) -> &'static str;
    /// Whether the algorithm is fit for today.
    fn strength(&self) -> Strength;
}

macro_rules! named {
    ($($kind:ty),+) => {$(
        impl Named for $kind {
            fn name(&self) -> &'static str { self.name }
            fn strength(&self) -> Strength { self.strength }
        }
    )+};
}
named!(Kex, Signature, Cipher, Mac, Compression);

impl Provider {
    /// Finds an algorithm by its name on the wire.
    pub fn find<T: Named>(list: &'static [&'static T], name: &str) -> Option<&'static T> {
        list.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// Every algorithm that is fit for today, best first.
    pub const MODERN: Provider = Provider {
        kex: &[
            &a::mlkem768x25519::MLKEM768X25519_SHA256,
            &a::x25519::CURVE25519_SHA256,
            &a::x25519::CURVE25519_SHA256_LIBSSH,
            &a::nist_ecdh::ECDH_SHA2_NISTP256,
            &a::nist_ecdh::ECDH_SHA2_NISTP384,
            &a::nist_ecdh::ECDH_SHA2_NISTP521,
        ],
        signatures: &[
            &a::ed25519::SSH_ED25519,
            &a::ecdsa::ECDSA_SHA2_NISTP256,
            &a::ecdsa::ECDSA_SHA2_NISTP384,
            &a::ecdsa::ECDSA_SHA2_NISTP521,
            &a::rsa::RSA_SHA2_512,
            &a::rsa::RSA_SHA2_256,
        ],
        ciphers: &[
            &a::aes_gcm::AES128_GCM,
            &a::aes_gcm::AES256_GCM,
            &a::chacha20_poly1305::CHACHA20_POLY1305,
            &a::aes_ctr::AES128_CTR,
            &a::aes_ctr::AES192_CTR,
            &a::aes_ctr::AES256_CTR,
        ],
        macs: &[
            &a::hmac::HMAC_SHA2_256_ETM,
            &a::hmac::HMAC_SHA2_512_ETM,
            &a::hmac::HMAC_SHA2_256,
            &a::hmac::HMAC_SHA2_512,
        ],
        compression: &[&crate::compression::NONE],
    };
}
