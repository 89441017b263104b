//! `curve25519-sha256` and its older name `curve25519-sha256@libssh.org` (RFC 8731).

use x25519_dalek::{PublicKey, StaticSecret};

use super::rng::Rng;
use crate::{
    Agreement, Encoding, Entropy, Hash, Initiator, Kex, KexError, KexMethod, OwnHasher, Proof, Response,
    Secret, Strength,
};

/// `curve25519-sha256`.
pub static CURVE25519_SHA256: Kex = kex("curve25519-sha256");

/// `curve25519-sha256@libssh.org`.
pub static CURVE25519_SHA256_LIBSSH: Kex = kex("curve25519-sha256@libssh.org");

const fn kex(name: &'static str) -> Kex {
    Kex {
        name,
        strength: Strength::Modern,
        hash: Hash::Sha256,
        hasher: &OwnHasher,
        method: KexMethod::Agreement(&X25519),
        proof: Proof::HostKey,
    }
}

/// Bytes of a public value and of the secret.
pub(super) const X25519_LEN: usize = 32;

/// One side's private value.
pub(super) struct KeyPair {
    private: StaticSecret,
    public: PublicKey,
}

impl KeyPair {
    pub(super) fn generate(entropy: &mut dyn Entropy) -> Self {
        let private = StaticSecret::random_from_rng(&mut Rng(entropy));
        let public = PublicKey::from(&private);
        Self { private, public }
    }

    pub(super) fn public(&self) -> &[u8; X25519_LEN] {
        self.public.as_bytes()
    }

    /// RFC 8731 section 3: other lengths are refused, and so is an all-zero secret, which means that the peer's
    /// value lies in a small subgroup.
    pub(super) fn agree(&self, peer: &[u8]) -> Result<Secret, KexError> {
        let peer: [u8; X25519_LEN] =
            peer.try_into().map_err(|_| KexError::Length { expected: X25519_LEN, actual: peer.len() })?;
        let secret = self.private.diffie_hellman(&PublicKey::from(peer));
        if secret.was_contributory() {
            Ok(Secret::new(*secret.as_bytes()))
        } else {
            Err(KexError::ZeroSecret)
        }
    }
}

struct X25519;

impl Agreement for X25519 {
    fn public_encoding(&self) -> Encoding {
        Encoding::String
    }

    /// RFC 8731 section 3.1: the 32 bytes are read as a big-endian number.
    fn secret_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        Ok(Box::new(KeyPair::generate(entropy)))
    }

    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError> {
        let pair = KeyPair::generate(entropy);
        let secret = pair.agree(client_public)?;
        Ok(Response { public: pair.public().to_vec(), secret })
    }
}

impl Initiator for KeyPair {
    fn public(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError> {
        self.agree(server_public)
    }
}
