//! `ssh-ed25519` (RFC 8709).

use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature as RawSignature, Signer as _, SigningKey, VerifyingKey};
use underpass_wire::Put as _;
use zeroize::Zeroizing;

use super::{KeyError, blob};
use crate::{Entropy, PrivateNumbers, Secret, SignError, Signature, SignatureError, Signer, Strength};

/// `ssh-ed25519`.
pub static SSH_ED25519: Signature =
    Signature { name: NAME, strength: Strength::Modern, key_format: NAME, signature_format: NAME, verify };

/// An Ed25519 private key. Wiped when dropped.
pub struct Ed25519Key {
    /// Never moved: what is moved leaves a copy on the stack.
    seed: Box<Zeroizing<[u8; 32]>>,
    public: Vec<u8>,
}

impl Ed25519Key {
    /// From the 32-byte seed and the 32-byte public half, which an OpenSSH private key stores behind it.
    ///
    /// # Errors
    /// A length is wrong, or the halves do not belong together.
    pub fn new(seed: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        let key = Self::from_seed(seed)?;
        if key.public.ends_with(public) && public.len() == PUBLIC_KEY_LENGTH {
            Ok(key)
        } else {
            Err(KeyError::HalvesDiffer)
        }
    }

    /// From the 32-byte seed alone, for formats that leave the public half out.
    ///
    /// # Errors
    /// The length is wrong.
    pub fn from_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let mut own = Box::new(Zeroizing::new([0; 32]));
        if seed.len() != own.len() {
            return Err(KeyError::Invalid);
        }
        own.copy_from_slice(seed);
        Ok(Self::of(own))
    }

    /// A new key.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        let mut seed = Box::new(Zeroizing::new([0; 32]));
        entropy.fill(seed.as_mut_slice());
        Self::of(seed)
    }

    fn of(seed: Box<Zeroizing<[u8; 32]>>) -> Self {
        let mut public = Vec::new();
        public.put_string(NAME.as_bytes());
        public.put_string(SigningKey::from_bytes(&seed).verifying_key().as_bytes());
        Self { seed, public }
    }
}

impl Signer for Ed25519Key {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn algorithms(&self) -> &[&'static str] {
        &[NAME]
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        if algorithm != NAME {
            return Err(SignError::UnsupportedAlgorithm);
        }
        Ok(blob::write_signature(NAME, &SigningKey::from_bytes(&self.seed).sign(data).to_bytes()))
    }

    fn private_numbers(&self) -> Option<PrivateNumbers> {
        Some(PrivateNumbers::Ed25519 { seed: Secret::new(self.seed.as_slice()) })
    }
}

impl std::fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ed25519Key(***)")
    }
}

fn verify(key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), SignatureError> {
    let key = VerifyingKey::from_bytes(bytes(key)?).map_err(|_| SignatureError::Key)?;
    let signature = blob::signature(signature, NAME)?;
    let signature = RawSignature::from_slice(signature).map_err(|_| SignatureError::Malformed)?;
    // Strict: S below the group order (RFC 8032 section 5.1.7), no points of small order, which would verify
    // under several messages or keys.
    key.verify_strict(data, &signature).map_err(|_| SignatureError::Mismatch)
}

/// The point in a public key blob, for another library to verify with. It is on the curve, and not of small order.
///
/// # Errors
/// The key is malformed or of another format, or the point is not acceptable.
pub fn point(key: &[u8]) -> Result<&[u8; PUBLIC_KEY_LENGTH], SignatureError> {
    let point = bytes(key)?;
    match VerifyingKey::from_bytes(point) {
        Ok(key) if !key.is_weak() => Ok(point),
        _ => Err(SignatureError::Key),
    }
}

fn bytes(key: &[u8]) -> Result<&[u8; PUBLIC_KEY_LENGTH], SignatureError> {
    let key = blob::public_key(key, NAME, |fields| fields.string())?;
    key.try_into().map_err(|_| SignatureError::Key)
}

const NAME: &str = "ssh-ed25519";
