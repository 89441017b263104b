use crate::x509::is_algorithm;
use crate::{Cipher, Compression, Kex, Mac, Signature, algorithms as a};

/// A set of algorithms. [`Provider::MODERN`] is what is offered unless a configuration chooses, and it chooses by name
/// out of [`Provider::ALL`]: see [`select`](crate::select).
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

/// The algorithms of one kind: the defaults and, behind them, the others.
macro_rules! both {
    ($kind:ident) => {
        &join::<_, { Provider::MODERN.$kind.len() + Provider::ON_REQUEST.$kind.len() }>(
            Provider::MODERN.$kind,
            Provider::ON_REQUEST.$kind,
        )
    };
}

impl Provider {
    /// Finds an algorithm by its name on the wire.
    pub fn find<T: Named>(list: &'static [&'static T], name: &str) -> Option<&'static T> {
        list.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// The same algorithms in the same order, each by `other` where it has one of that name. The lists live on: make them
    /// once.
    pub fn by(&self, other: &Self) -> Self {
        fn lists<T: Named>(own: &[&'static T], other: &'static [&'static T]) -> &'static [&'static T] {
            let by = |own: &&'static T| Provider::find(other, own.name()).unwrap_or(own);
            own.iter().map(by).collect::<Vec<_>>().leak()
        }
        Self {
            kex: lists(self.kex, other.kex),
            signatures: lists(self.signatures, other.signatures),
            ciphers: lists(self.ciphers, other.ciphers),
            macs: lists(self.macs, other.macs),
            compression: lists(self.compression, other.compression),
        }
    }

    /// What users may sign with unless they are told to sign otherwise: whatever is fit for today, OpenSSH's certificates
    /// and keys in devices included. Which key a user has is known, and nobody is served by leaving it out.
    pub fn for_users() -> Vec<&'static Signature> {
        Self::fit().filter(|it| !is_algorithm(it.name)).chain(Self::DEVICES.iter().copied()).collect()
    }

    /// What users may sign with besides, where the server says that it knows it: X.509 certificates that are fit for today.
    /// Few servers do, and to all others each would be an attempt that fails.
    pub fn for_users_if_listed() -> Vec<&'static Signature> {
        Self::fit().filter(|it| is_algorithm(it.name)).collect()
    }

    fn fit() -> impl Iterator<Item = &'static Signature> {
        Self::ALL.signatures.iter().copied().filter(|it| it.strength == Strength::Modern)
    }

    /// Whatever users can sign with.
    pub fn all_for_users() -> Vec<&'static Signature> {
        Self::ALL.signatures.iter().chain(Self::DEVICES).copied().collect()
    }

    /// Signatures of devices, which are no host keys.
    const DEVICES: &[&Signature] = &[
        &a::certified::SK_SSH_ED25519_CERT,
        &a::certified::SK_ECDSA_SHA2_NISTP256_CERT,
        &a::security_key::SK_SSH_ED25519,
        &a::security_key::SK_ECDSA_SHA2_NISTP256,
    ];

    /// What a server offers: fit for today, best first.
    pub const MODERN: Provider = Provider {
        kex: &[
            &a::mlkem768x25519::MLKEM768X25519_SHA256,
            &a::sntrup761x25519::SNTRUP761X25519_SHA512,
            &a::sntrup761x25519::SNTRUP761X25519_SHA512_OPENSSH,
            &a::x25519::CURVE25519_SHA256,
            &a::x25519::CURVE25519_SHA256_LIBSSH,
            &a::nist_ecdh::ECDH_SHA2_NISTP256,
            &a::nist_ecdh::ECDH_SHA2_NISTP384,
            &a::nist_ecdh::ECDH_SHA2_NISTP521,
            &a::dh::DH_GROUP_EXCHANGE_SHA256,
            &a::dh::DH_GROUP16_SHA512,
            &a::dh::DH_GROUP18_SHA512,
            &a::dh::DH_GROUP14_SHA256,
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

    /// What a client offers that was told nothing: of [`Provider::MODERN`] that which no common auditor holds anything
    /// against. The curves of NIST are left to those who name them, to servers on record, and to users
    /// who have one; MACs over the plain text, and moduli of 2,048 bits, to those who name them.
    pub const DEFAULT: Provider = Provider {
        kex: &[
            &a::mlkem768x25519::MLKEM768X25519_SHA256,
            &a::sntrup761x25519::SNTRUP761X25519_SHA512,
            &a::sntrup761x25519::SNTRUP761X25519_SHA512_OPENSSH,
            &a::x25519::CURVE25519_SHA256,
            &a::x25519::CURVE25519_SHA256_LIBSSH,
            &a::dh::DH_GROUP_EXCHANGE_SHA256,
            &a::dh::DH_GROUP16_SHA512,
            &a::dh::DH_GROUP18_SHA512,
        ],
        signatures: &[&a::ed25519::SSH_ED25519, &a::rsa::RSA_SHA2_512, &a::rsa::RSA_SHA2_256],
        macs: &[&a::hmac::HMAC_SHA2_256_ETM, &a::hmac::HMAC_SHA2_512_ETM],
        ..Provider::MODERN
    };

    /// What is offered only where it is asked for: first what is fit for today, but slower or rarer than the defaults;
    /// then what is weak ([`Strength::Legacy`]).
    pub const ON_REQUEST: Provider = Provider {
        kex: &[
            &a::gss::GSS_CURVE25519_SHA256,
            &a::gss::GSS_NISTP256_SHA256,
            &a::gss::GSS_GROUP16_SHA512,
            &a::gss::GSS_GROUP14_SHA256,
            &a::gss::GSS_GEX_SHA1,
            &a::gss::GSS_GROUP14_SHA1,
            &a::legacy::diffie_hellman::DH_GROUP_EXCHANGE_SHA1,
            &a::legacy::diffie_hellman::DH_GROUP14_SHA1,
            &a::legacy::diffie_hellman::DH_GROUP1_SHA1,
        ],
        signatures: &[
            &a::certified::SSH_ED25519_CERT,
            &a::certified::ECDSA_SHA2_NISTP256_CERT,
            &a::certified::ECDSA_SHA2_NISTP384_CERT,
            &a::certified::ECDSA_SHA2_NISTP521_CERT,
            &a::certified::RSA_SHA2_512_CERT,
            &a::certified::RSA_SHA2_256_CERT,
            &a::x509::ECDSA_SHA2_NISTP256_X509,
            &a::x509::ECDSA_SHA2_NISTP384_X509,
            &a::x509::ECDSA_SHA2_NISTP521_X509,
            &a::x509::RSA2048_SHA256_X509,
            &a::legacy::ssh_rsa::SSH_RSA,
            &a::legacy::ssh_dss::SSH_DSS,
            &a::certified::SSH_RSA_CERT,
            &a::certified::SSH_DSS_CERT,
            &a::x509::SSH_RSA_X509,
            &a::x509::SSH_DSS_X509,
            &a::x509::SIGN_RSA,
            &a::x509::SIGN_DSS,
        ],
        ciphers: &[
            &a::legacy::cbc::AES128_CBC,
            &a::legacy::cbc::AES192_CBC,
            &a::legacy::cbc::AES256_CBC,
            &a::legacy::triple_des_ctr::TRIPLE_DES_CTR,
            &a::legacy::cbc::TRIPLE_DES_CBC,
            &a::legacy::cbc::BLOWFISH_CBC,
            &a::legacy::cbc::CAST128_CBC,
            &a::legacy::arcfour::ARCFOUR256,
            &a::legacy::arcfour::ARCFOUR128,
            &a::legacy::arcfour::ARCFOUR,
        ],
        macs: &[
            &a::umac::UMAC_128_ETM,
            &a::umac::UMAC_128,
            &a::umac::UMAC_64_ETM,
            &a::umac::UMAC_64,
            &a::legacy::hmac::HMAC_SHA2_256_96,
            &a::legacy::hmac::HMAC_SHA2_512_96,
            &a::legacy::hmac::HMAC_SHA1_ETM,
            &a::legacy::hmac::HMAC_SHA1,
            &a::legacy::hmac::HMAC_SHA1_96,
            &a::legacy::hmac::HMAC_RIPEMD160,
            &a::legacy::hmac::HMAC_RIPEMD160_96,
            &a::legacy::hmac::HMAC_MD5,
            &a::legacy::hmac::HMAC_MD5_96,
        ],
        compression: &[&a::zlib::ZLIB_OPENSSH, &a::zlib::ZLIB],
    };

    /// Everything there is: [`Provider::MODERN`], then [`Provider::ON_REQUEST`].
    pub const ALL: Provider = Provider {
        kex: both!(kex),
        signatures: both!(signatures),
        ciphers: both!(ciphers),
        macs: both!(macs),
        compression: both!(compression),
    };
}

/// One after the other. `N` is the sum of their lengths, which the compiler checks.
const fn join<T, const N: usize>(first: &[&'static T], second: &[&'static T]) -> [&'static T; N] {
    assert!(first.len() + second.len() == N);
    let mut all = [first[0]; N];
    let mut at = 1;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Named>(modern: &[&T], all: &[&T]) {
        let names: Vec<_> = all.iter().map(|algorithm| algorithm.name()).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} is there twice");
        }
        assert!(modern.iter().all(|algorithm| algorithm.strength() == Strength::Modern));
        let is_weak = |algorithm: &&T| algorithm.strength() == Strength::Legacy;
        let weak_from = all.iter().position(is_weak).unwrap_or(all.len());
        assert!(all[weak_from..].iter().all(is_weak), "weak ones come last: {names:?}");
        assert!(names.iter().zip(modern).all(|(name, modern)| *name == modern.name()), "defaults come first");
    }

    #[test]
    fn the_defaults_come_first_and_the_weak_ones_last_and_none_twice() {
        let (modern, all) = (Provider::MODERN, Provider::ALL);
        check(modern.kex, all.kex);
        check(modern.signatures, all.signatures);
        check(modern.ciphers, all.ciphers);
        check(modern.macs, all.macs);
        check(modern.compression, all.compression);
    }
}
