//! `sntrup761x25519-sha512` and its older name `sntrup761x25519-sha512@openssh.com`: Streamlined NTRU Prime and X25519
//! together, so that both would have to be broken (RFC 9941).

use super::{
    hybrid::{combine, split},
    sntrup761::{self, CIPHERTEXT_LEN, PUBLIC_KEY_LEN},
    x25519::KeyPair as X25519Pair,
};
use crate::{
    Agreement, Encoding, Entropy, Hash, Initiator, Kex, KexError, KexMethod, OwnHasher, Proof, Response,
    Secret, Strength,
};

/// `sntrup761x25519-sha512`.
pub static SNTRUP761X25519_SHA512: Kex = kex("sntrup761x25519-sha512");

/// `sntrup761x25519-sha512@openssh.com`.
pub static SNTRUP761X25519_SHA512_OPENSSH: Kex = kex("sntrup761x25519-sha512@openssh.com");

const fn kex(name: &'static str) -> Kex {
    Kex {
        name,
        strength: Strength::Modern,
        hash: HASH,
        hasher: &OwnHasher,
        method: KexMethod::Agreement(&Hybrid),
        proof: Proof::HostKey,
    }
}

/// Of the exchange, and of both secrets together.
const HASH: Hash = Hash::Sha512;

struct Hybrid;

impl Agreement for Hybrid {
    fn public_encoding(&self) -> Encoding {
        Encoding::String
    }

    /// RFC 9941 section 3: unlike the classical exchanges, a string.
    fn secret_encoding(&self) -> Encoding {
        Encoding::String
    }

    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        let kem = sntrup761::PrivateKey::generate(entropy);
        let classical = X25519Pair::generate(entropy);
        let public = [kem.public().as_slice(), classical.public()].concat();
        Ok(Box::new(Client { kem, classical, public }))
    }

    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError> {
        let (kem_public, classical_public) = split(client_public, PUBLIC_KEY_LEN)?;
        let kem_public = kem_public.try_into().map_err(|_| KexError::Internal)?;
        let classical = X25519Pair::generate(entropy);
        let classical_secret = classical.agree(classical_public)?;
        let (ciphertext, kem_secret) = sntrup761::encapsulate(kem_public, entropy);
        let public = [ciphertext.as_slice(), classical.public()].concat();
        Ok(Response { public, secret: combine(HASH, kem_secret.as_slice(), &classical_secret) })
    }
}

struct Client {
    kem: sntrup761::PrivateKey,
    classical: X25519Pair,
    public: Vec<u8>,
}

impl Initiator for Client {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError> {
        let (ciphertext, classical_public) = split(server_public, CIPHERTEXT_LEN)?;
        let ciphertext = ciphertext.try_into().map_err(|_| KexError::Internal)?;
        let classical_secret = self.classical.agree(classical_public)?;
        let kem_secret = self.kem.decapsulate(ciphertext);
        Ok(combine(HASH, kem_secret.as_slice(), &classical_secret))
    }
}
