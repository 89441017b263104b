//! `rsa-sha2-256` and `rsa-sha2-512` with keys of the format `ssh-rsa` (RFC 8332). The algorithm `ssh-rsa` is among the
//! [legacy](super::legacy::ssh_rsa) ones; keys serve it, too.
//!
//! aws-lc-rs, for its constant-time, blinded arithmetic. What blinds comes from a generator of its own and does not show
//! in the signature, which is the same every time. What it does not sign is signed [here](plain).

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
        RsaEncoding, RsaParameters,
    },
};
use crypto_bigint::{BoxedUint, NonZero};
use underpass_wire::{Mpint, Put as _};
use zeroize::Zeroizing;

mod plain;

use plain::PlainSigner;

use super::{KeyError, blob, legacy::ssh_rsa, number::bit_len};
use crate::{Hash, PrivateNumbers, SignError, Signature, SignatureError, Signer, Strength, Verify};

/// `rsa-sha2-512`.
pub static RSA_SHA2_512: Signature = signature(SHA2_512, |key, signature, data| {
    verify(SHA2_512, MIN_MODULUS_BITS, &RSA_PKCS1_2048_8192_SHA512, key, signature, data)
});

/// `rsa-sha2-256`.
pub static RSA_SHA2_256: Signature = signature(SHA2_256, |key, signature, data| {
    verify(SHA2_256, MIN_MODULUS_BITS, &RSA_PKCS1_2048_8192_SHA256, key, signature, data)
});

const fn signature(name: &'static str, verify: Verify) -> Signature {
    Signature { name, strength: Strength::Modern, key_format: FORMAT, signature_format: name, verify }
}

/// The smallest modulus of a peer's key, in bits: shorter ones can be factored with effort, and serve `ssh-rsa` alone.
pub const MIN_MODULUS_BITS: usize = 2048;

/// The largest modulus of a peer's key, in bits: the library's limit, which bounds what a hostile key can cost.
pub const MAX_MODULUS_BITS: usize = 8192;

/// The smallest modulus of a private key, in bits. Whether that is enough is for the server to say.
pub const MIN_PRIVATE_MODULUS_BITS: usize = 1024;

/// The largest modulus of a private key, in bits: OpenSSH's limit. Signing takes some three seconds then.
pub const MAX_PRIVATE_MODULUS_BITS: usize = 16384;

/// The largest public exponent accepted, in bits: the library's limit. Those in use have 2 to 17.
pub const MAX_EXPONENT_BITS: usize = 33;

/// The numbers of an RSA private key, big-endian, named as in RFC 8017 and in the order of an OpenSSH private key.
#[derive(Clone, Copy)]
pub struct RsaNumbers<'a> {
    /// The modulus.
    pub n: &'a [u8],
    /// The public exponent.
    pub e: &'a [u8],
    /// The private exponent.
    pub d: &'a [u8],
    /// The inverse of `q` modulo `p`.
    pub iqmp: &'a [u8],
    /// The first prime factor.
    pub p: &'a [u8],
    /// The second prime factor.
    pub q: &'a [u8],
}

impl std::fmt::Debug for RsaNumbers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaNumbers(***)")
    }
}

/// An RSA private key. Wiped when dropped.
pub struct RsaKey {
    /// The library's form, for the sizes that it takes.
    key: Option<KeyPair>,
    plain: PlainSigner,
    public: Vec<u8>,
}

impl RsaKey {
    /// From its numbers, which are checked to belong together.
    ///
    /// # Errors
    /// A number is out of range, or they do not belong together.
    pub fn new(numbers: &RsaNumbers<'_>) -> Result<Self, KeyError> {
        let RsaNumbers { n, e, d, iqmp, p, q } = *numbers;
        let [n, e] = [n, e].map(|number| Mpint::from_magnitude(number).as_bytes());
        let bits = bit_len(n);
        if !(MIN_PRIVATE_MODULUS_BITS..=MAX_PRIVATE_MODULUS_BITS).contains(&bits) {
            return Err(KeyError::Size { bits });
        }
        let [d, iqmp, p, q] = [d, iqmp, p, q].map(|number| Mpint::from_magnitude(number).as_bytes());
        if !exponent_is_acceptable(e) || [d, iqmp, p, q].iter().any(|part| part.len() > n.len()) {
            return Err(KeyError::Invalid);
        }
        let (dp, dq) = (reduce(d, p)?, reduce(d, q)?);
        let plain = PlainSigner::new(n, e, d)?;
        let key = if (MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&bits) {
            let public_key = PublicKeyComponents { n, e };
            let components = KeyPairComponents { public_key, d, p, q, dP: &dp, dQ: &dq, qInv: iqmp };
            Some(KeyPair::from_components(&components).map_err(|_| KeyError::HalvesDiffer)?)
        } else {
            plain::check(&RsaNumbers { n, e, d, iqmp, p, q })?;
            None
        };
        let mut public = Vec::new();
        public.put_string(FORMAT.as_bytes());
        public.put_mpint(e);
        public.put_mpint(n);
        Ok(Self { key, plain, public })
    }
}

/// `d mod (prime - 1)`, in constant time.
fn reduce(d: &[u8], prime: &[u8]) -> Result<Zeroizing<Box<[u8]>>, KeyError> {
    if prime.last().is_none_or(|last| last & 1 == 0) {
        return Err(KeyError::Invalid);
    }
    let number = |bytes: &[u8]| {
        let bits = u32::try_from(8 * bytes.len()).map_err(|_| KeyError::Invalid)?;
        BoxedUint::from_be_slice(bytes, bits).map(Zeroizing::new).map_err(|_| KeyError::Invalid)
    };
    let modulus = NonZero::new(number(prime)?.wrapping_sub(BoxedUint::one()));
    let modulus = Zeroizing::new(modulus.into_option().ok_or(KeyError::Invalid)?);
    let remainder = Zeroizing::new(number(d)?.rem(&modulus));
    Ok(Zeroizing::new(remainder.to_be_bytes()))
}

impl Signer for RsaKey {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn algorithms(&self) -> &[&'static str] {
        &[SHA2_512, SHA2_256, ssh_rsa::NAME]
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let (hash, padding): (_, Option<&'static dyn RsaEncoding>) = match algorithm {
            SHA2_512 => (Hash::Sha512, Some(&RSA_PKCS1_SHA512)),
            SHA2_256 => (Hash::Sha256, Some(&RSA_PKCS1_SHA256)),
            ssh_rsa::NAME => (Hash::Sha1, None),
            _ => return Err(SignError::UnsupportedAlgorithm),
        };
        let signature = match (&self.key, padding) {
            (Some(key), Some(padding)) => {
                let mut signature = vec![0; key.public_modulus_len()];
                // The library ignores this generator: the padding has no salt.
                let signed = key.sign(padding, &SystemRandom::new(), data, &mut signature);
                signed.map_err(|_| SignError::Failed)?;
                signature
            }
            _ => self.plain.sign(hash, data)?,
        };
        Ok(blob::write_signature(algorithm, &signature))
    }

    fn private_numbers(&self) -> Option<PrivateNumbers> {
        Some(self.plain.numbers())
    }
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaKey(***)")
    }
}

/// Verifies with a key of at least `min_bits`.
pub(super) fn verify(
    name: &str,
    min_bits: usize,
    parameters: &RsaParameters,
    key: &[u8],
    signature: &[u8],
    data: &[u8],
) -> Result<(), SignatureError> {
    let public = RsaPublic::parse(key, min_bits)?;
    let signature = public.signature(signature, name)?;
    let RsaPublic { n, e } = public;
    PublicKeyComponents { n, e }.verify(parameters, data, &signature).map_err(|_| SignatureError::Mismatch)
}

/// The numbers in a public key blob.
#[derive(Debug, Clone, Copy)]
pub struct RsaPublic<'a> {
    /// The modulus, big-endian.
    pub n: &'a [u8],
    /// The public exponent, big-endian.
    pub e: &'a [u8],
}

impl<'a> RsaPublic<'a> {
    /// Takes a blob apart whose modulus has at least so many bits.
    ///
    /// # Errors
    /// The key is malformed, of another format, or of a size outside the accepted range.
    pub fn parse(key: &'a [u8], min_bits: usize) -> Result<Self, SignatureError> {
        let (e, n) = blob::public_key(key, FORMAT, |fields| Ok((fields.mpint()?, fields.mpint()?)))?;
        let (e, n) = (e.as_bytes(), n.as_bytes());
        if !(min_bits..=MAX_MODULUS_BITS).contains(&bit_len(n)) || !exponent_is_acceptable(e) {
            return Err(SignatureError::Key);
        }
        Ok(Self { n, e })
    }

    /// What is in a signature blob, as long as the modulus.
    ///
    /// # Errors
    /// The signature is malformed, longer, or another algorithm's.
    pub fn signature(&self, signature: &[u8], algorithm: &str) -> Result<Vec<u8>, SignatureError> {
        let signature = blob::signature(signature, algorithm)?;
        // RFC 8332 section 3 asks for the modulus's length; some signers drop leading zeros, as RFC 4253 had it.
        let zeros = self.n.len().checked_sub(signature.len()).ok_or(SignatureError::Malformed)?;
        let mut padded = vec![0; zeros];
        padded.extend_from_slice(signature);
        Ok(padded)
    }
}

/// Odd, more than 1, and within the library's limit.
fn exponent_is_acceptable(e: &[u8]) -> bool {
    (2..=MAX_EXPONENT_BITS).contains(&bit_len(e)) && e.last().is_some_and(|last| last & 1 == 1)
}

/// The format of the keys.
pub(super) const FORMAT: &str = "ssh-rsa";
const SHA2_512: &str = "rsa-sha2-512";
const SHA2_256: &str = "rsa-sha2-256";
