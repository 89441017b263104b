//! Key exchanges in which Kerberos proves who the server is (RFC 4462 section 2, RFC 8732 sections 4 and 5): those of
//! other files with another proof. Their names end with the mechanism, base64 of the MD5 of its object identifier.

use super::dh::{DH_GROUP14_SHA256, DH_GROUP16_SHA512};
use super::legacy::diffie_hellman::{DH_GROUP_EXCHANGE_SHA1, DH_GROUP14_SHA1};
use super::nist_ecdh::ECDH_SHA2_NISTP256;
use super::x25519::CURVE25519_SHA256;
use crate::{Kex, Proof};

/// A name with the Kerberos mechanism, 1.2.840.113554.1.2.2.
macro_rules! kerberos {
    ($prefix:literal) => {
        concat!($prefix, "toWM5Slw5Ew8Mqkay+al2g==")
    };
}

/// `gss-curve25519-sha256-*`.
pub static GSS_CURVE25519_SHA256: Kex = with_gss(kerberos!("gss-curve25519-sha256-"), &CURVE25519_SHA256);

/// `gss-nistp256-sha256-*`.
pub static GSS_NISTP256_SHA256: Kex = with_gss(kerberos!("gss-nistp256-sha256-"), &ECDH_SHA2_NISTP256);

/// `gss-group16-sha512-*`.
pub static GSS_GROUP16_SHA512: Kex = with_gss(kerberos!("gss-group16-sha512-"), &DH_GROUP16_SHA512);

/// `gss-group14-sha256-*`.
pub static GSS_GROUP14_SHA256: Kex = with_gss(kerberos!("gss-group14-sha256-"), &DH_GROUP14_SHA256);

/// `gss-gex-sha1-*`. Weak for its hash.
pub static GSS_GEX_SHA1: Kex = with_gss(kerberos!("gss-gex-sha1-"), &DH_GROUP_EXCHANGE_SHA1);

/// `gss-group14-sha1-*`. Weak for its hash.
pub static GSS_GROUP14_SHA1: Kex = with_gss(kerberos!("gss-group14-sha1-"), &DH_GROUP14_SHA1);

const fn with_gss(name: &'static str, kex: &Kex) -> Kex {
    Kex {
        name,
        proof: Proof::Gss,
        strength: kex.strength,
        hash: kex.hash,
        hasher: kex.hasher,
        method: kex.method,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use md5::{Digest as _, Md5};

    #[test]
    fn the_mechanism_in_the_names_is_kerberos() {
        // RFC 4462 section 2: MD5 of the DER, with tag and length.
        let der = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
        assert_eq!(kerberos!(""), STANDARD.encode(Md5::digest(der)));
    }
}
