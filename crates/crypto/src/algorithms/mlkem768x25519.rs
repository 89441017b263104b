//! `mlkem768x25519-sha256`: ML-KEM-768 (FIPS 203) and X25519 together, so that both would have to be broken
//! (draft-ietf-sshm-mlkem-hybrid-kex section 2).

use ml_kem::{
    DecapsulationKey, EncapsulationKey, MlKem768,
    kem::{Decapsulate as _, Encapsulate as _, Generate as _, KeyExport as _},
};

use zeroize::Zeroizing;

use super::{
    hybrid::{combine, split},
    rng::Rng,
    x25519::KeyPair as X25519Pair,
};
use crate::{
    Agreement, Encoding, Entropy, Hash, Initiator, Kex, KexError, KexMethod, OwnHasher, Proof, Response,
    Secret, Strength,
};

/// `mlkem768x25519-sha256`.
pub static MLKEM768X25519_SHA256: Kex = Kex {
    name: "mlkem768x25519-sha256",
    strength: Strength::Modern,
    hash: HASH,
    hasher: &OwnHasher,
    method: KexMethod::Agreement(&Hybrid),
    proof: Proof::HostKey,
};

/// Of the exchange, and of both secrets together (section 2.4 of the draft).
const HASH: Hash = Hash::Sha256;

struct Hybrid;

impl Agreement for Hybrid {
    fn public_encoding(&self) -> Encoding {
        Encoding::String
    }

    /// Section 2.4 of the draft: unlike the classical exchanges, a string.
    fn secret_encoding(&self) -> Encoding {
        Encoding::String
    }

    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        let kem = DecapsulationKey::generate_from_rng(&mut Rng(entropy));
        let classical = X25519Pair::generate(entropy);
        let public = [kem.encapsulation_key().to_bytes().as_slice(), classical.public()].concat();
        Ok(Box::new(Client { kem, classical, public }))
    }

    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError> {
        let (kem_public, classical_public) = split(client_public, ENCAPSULATION_KEY_LEN)?;
        // FIPS 203 section 7.2 demands the check that every coefficient is reduced.
        let kem_public = kem_public.try_into().map_err(|_| KexError::Internal)?;
        let kem_public =
            EncapsulationKey::<MlKem768>::new(&kem_public).map_err(|_| KexError::InvalidPublic)?;
        let classical = X25519Pair::generate(entropy);
        let classical_secret = classical.agree(classical_public)?;
        let (ciphertext, kem_secret) = kem_public.encapsulate_with_rng(&mut Rng(entropy));
        let kem_secret = Zeroizing::new(kem_secret);
        let public = [ciphertext.as_slice(), classical.public()].concat();
        Ok(Response { public, secret: combine(HASH, &kem_secret, &classical_secret) })
    }
}

struct Client {
    kem: DecapsulationKey<MlKem768>,
    classical: X25519Pair,
    public: Vec<u8>,
}

impl Initiator for Client {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError> {
        let (ciphertext, classical_public) = split(server_public, CIPHERTEXT_LEN)?;
        let classical_secret = self.classical.agree(classical_public)?;
        let kem_secret = self.kem.decapsulate_slice(ciphertext).map_err(|_| KexError::Internal)?;
        let kem_secret = Zeroizing::new(kem_secret);
        Ok(combine(HASH, &kem_secret, &classical_secret))
    }
}

/// FIPS 203 table 3.
const ENCAPSULATION_KEY_LEN: usize = 1184;
const CIPHERTEXT_LEN: usize = 1088;
