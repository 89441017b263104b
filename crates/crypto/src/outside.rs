//! Private keys outside of this process, on tokens and in stores of the system: what they are asked to sign, and what SSH
//! makes of the answer.

use underpass_wire::Put as _;

use crate::{
    Hash, Provider, SignError, Signer,
    algorithms::{blob, ecdsa::Curve},
    key_type,
};

/// What kind of key it is, as far as signing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// ECDSA on one of the curves.
    Ecdsa(Curve),
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// The kind of a public key blob. `None` for those that are not kept elsewhere.
    pub fn of(key: &[u8]) -> Option<Self> {
        match key_type(key)? {
            "ssh-rsa" => Some(Self::Rsa),
            "ssh-ed25519" => Some(Self::Ed25519),
            name => Curve::ALL.into_iter().find(|curve| curve.algorithm() == name).map(Self::Ecdsa),
        }
    }

    /// The signature algorithms that it can be used with, best first.
    pub fn algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Rsa => &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
            Self::Ecdsa(Curve::Nistp256) => &["ecdsa-sha2-nistp256"],
            Self::Ecdsa(Curve::Nistp384) => &["ecdsa-sha2-nistp384"],
            Self::Ecdsa(Curve::Nistp521) => &["ecdsa-sha2-nistp521"],
            Self::Ed25519 => &["ssh-ed25519"],
        }
    }

    /// How the key signs for an algorithm. `None` if it cannot.
    pub fn scheme(self, algorithm: &str) -> Option<Scheme> {
        match (self, algorithm) {
            (Self::Rsa, "rsa-sha2-512") => Some(Scheme::Rsa(Hash::Sha512)),
            (Self::Rsa, "rsa-sha2-256") => Some(Scheme::Rsa(Hash::Sha256)),
            (Self::Rsa, "ssh-rsa") => Some(Scheme::Rsa(Hash::Sha1)),
            (Self::Ecdsa(curve), name) if name == curve.algorithm() => Some(Scheme::Ecdsa(curve.hash())),
            (Self::Ed25519, "ssh-ed25519") => Some(Scheme::Ed25519),
            _ => None,
        }
    }
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    Rsa(Hash),
    /// ECDSA.
    Ecdsa(Hash),
    /// Ed25519 (RFC 8032), which hashes by itself.
    Ed25519,
}

impl Scheme {
    /// What is signed: a digest, or for Ed25519 the data.
    pub fn input(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(hash) | Self::Ecdsa(hash) => hash.of(data).as_ref().to_vec(),
            Self::Ed25519 => data.to_vec(),
        }
    }

    /// The signature blob of SSH, out of what signed `data`: for ECDSA both halves, each as long as the order of the curve.
    /// `None` if that is no signature of the key, so that whatever else was made never leaves.
    pub fn signature(self, algorithm: &str, made: &[u8], key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let signature = match self {
            Self::Ecdsa(_) => blob::write_signature(algorithm, &both_halves(made)?),
            Self::Rsa(_) | Self::Ed25519 => blob::write_signature(algorithm, made),
        };
        let algorithm = Provider::find(Provider::ALL.signatures, algorithm)?;
        (algorithm.verify)(key, &signature, data).is_ok().then_some(signature)
    }
}

/// As RFC 5656 section 3.1.2 has them.
fn both_halves(made: &[u8]) -> Option<Vec<u8>> {
    if made.is_empty() || !made.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = made.split_at(made.len() / 2);
    let mut inside = Vec::new();
    inside.put_mpint(r);
    inside.put_mpint(s);
    Some(inside)
}

/// What holds a private key and signs with it.
pub trait Holder: Send + Sync {
    /// Signs the [input](Scheme::input) of a scheme. Blocks for as long as the holder takes, which may be until a person has
    /// answered.
    ///
    /// # Errors
    /// Why the holder did not sign, for people.
    fn sign(&self, scheme: Scheme, input: &[u8]) -> Result<Vec<u8>, String>;
}

/// A key that its holder signs with.
pub struct OutsideKey<H> {
    public: Vec<u8>,
    kind: KeyKind,
    holder: H,
}

impl<H: Holder> OutsideKey<H> {
    /// The key with this public key blob. `None` if it is of no known [kind](KeyKind).
    pub fn new(public: Vec<u8>, holder: H) -> Option<Self> {
        Some(Self { kind: KeyKind::of(&public)?, public, holder })
    }
}

impl<H: Holder> Signer for OutsideKey<H> {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn algorithms(&self) -> &[&'static str] {
        self.kind.algorithms()
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let scheme = self.kind.scheme(algorithm).ok_or(SignError::UnsupportedAlgorithm)?;
        let made = self.holder.sign(scheme, &scheme.input(data)).map_err(SignError::Refused)?;
        let not_ours = || SignError::Refused("what was signed is not by the key".to_owned());
        scheme.signature(algorithm, &made, &self.public, data).ok_or_else(not_ours)
    }

    fn may_ask(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::KeySize,
        signature::{
            ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
            ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
            RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
        },
    };

    use super::*;

    /// Signs the data that the input was made of: aws-lc takes no digests. What it is asked is written down.
    struct Elsewhere<S>(S);

    impl<S: Fn(Scheme, &[u8]) -> Result<Vec<u8>, String> + Send + Sync> Holder for Elsewhere<S> {
        fn sign(&self, scheme: Scheme, input: &[u8]) -> Result<Vec<u8>, String> {
            (self.0)(scheme, input)
        }
    }

    const DATA: &[u8] = b"what the server gave";

    fn ecdsa(curve: Curve, algorithm: &'static EcdsaSigningAlgorithm) -> OutsideKey<impl Holder> {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let public = curve.public_key(pair.public_key().as_ref()).unwrap();
        let sign = move |scheme: Scheme, input: &[u8]| {
            assert_eq!((scheme, input), (Scheme::Ecdsa(curve.hash()), curve.hash().of(DATA).as_ref()));
            Ok(pair.sign(&SystemRandom::new(), DATA).unwrap().as_ref().to_vec())
        };
        OutsideKey::new(public, Elsewhere(sign)).unwrap()
    }

    #[test]
    fn halves_of_an_ecdsa_signature_become_that_of_ssh() {
        for (curve, algorithm) in [
            (Curve::Nistp256, &ECDSA_P256_SHA256_FIXED_SIGNING),
            (Curve::Nistp384, &ECDSA_P384_SHA384_FIXED_SIGNING),
            (Curve::Nistp521, &ECDSA_P521_SHA512_FIXED_SIGNING),
        ] {
            let key = ecdsa(curve, algorithm);
            assert_eq!((key.algorithms(), key.may_ask()), (&[curve.algorithm()][..], true));
            // It was verified, or it would be an error; the numbers' leading zeros depend on chance.
            for _ in 0..20 {
                key.sign(curve.algorithm(), DATA).unwrap();
            }
            assert_eq!(key.sign("rsa-sha2-256", DATA), Err(SignError::UnsupportedAlgorithm));
        }
    }

    #[test]
    fn each_algorithm_of_rsa_asks_for_its_hash() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // DER: a sequence of the modulus, which begins with a zero, and of the exponent 65537.
        let der = pair.public_key().as_ref();
        let (modulus, exponent) = (&der[9..265], der.last_chunk::<3>().unwrap());
        let mut public = Vec::new();
        public.put_string(b"ssh-rsa");
        public.put_mpint(exponent);
        public.put_mpint(modulus);
        let sign = move |scheme: Scheme, input: &[u8]| {
            let (hash, padding): (_, &'static dyn RsaEncoding) = match scheme {
                Scheme::Rsa(Hash::Sha512) => (Hash::Sha512, &RSA_PKCS1_SHA512),
                Scheme::Rsa(Hash::Sha256) => (Hash::Sha256, &RSA_PKCS1_SHA256),
                Scheme::Rsa(Hash::Sha1) => return Err("the policy forbids SHA-1".to_owned()),
                other => panic!("{other:?}"),
            };
            assert_eq!(input, hash.of(DATA).as_ref());
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), DATA, &mut signature).unwrap();
            Ok(signature)
        };
        let key = OutsideKey::new(public, Elsewhere(sign)).unwrap();
        assert!(key.sign("rsa-sha2-512", DATA).is_ok() && key.sign("rsa-sha2-256", DATA).is_ok());
        let refused = key.sign("ssh-rsa", DATA).unwrap_err();
        assert_eq!(refused.to_string(), "the policy forbids SHA-1");
    }

    #[test]
    fn what_is_not_by_the_key_never_leaves() {
        let key = ecdsa(Curve::Nistp256, &ECDSA_P256_SHA256_FIXED_SIGNING);
        for made in [vec![], vec![1; 63], vec![1; 64]] {
            let made = Elsewhere(move |_, _: &[u8]| Ok(made.clone()));
            let error = OutsideKey::new(key.public.clone(), made).unwrap().sign(key.algorithms()[0], DATA);
            assert!(matches!(error, Err(SignError::Refused(_))), "{error:?}");
        }
    }

    #[test]
    fn both_halves_lose_their_zeros_and_keep_their_sign() {
        assert_eq!(both_halves(&[0, 1, 0x80, 0]).unwrap(), b"\0\0\0\x01\x01\0\0\0\x03\0\x80\0");
    }

    #[test]
    fn keys_of_other_kinds_are_none_of_these() {
        let mut dsa = Vec::new();
        dsa.put_string(b"ssh-dss");
        assert_eq!((KeyKind::of(&dsa), KeyKind::of(b"")), (None, None));
    }
}
