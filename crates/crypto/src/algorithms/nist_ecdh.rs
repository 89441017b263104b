//! `ecdh-sha2-nistp256`, `-nistp384` and `-nistp521` (RFC 5656 section 4).

use std::marker::PhantomData;

use p256::{
    NistP256,
    elliptic_curve::{
        AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey,
        sec1::{FromSec1Point, ModulusSize, ToSec1Point},
    },
};
use p384::NistP384;
use p521::NistP521;

use super::rng::secret_key;
use crate::{
    Agreement, Encoding, Entropy, Hash, Initiator, Kex, KexError, KexMethod, OwnHasher, Proof, Response,
    Secret, Strength,
};

/// `ecdh-sha2-nistp256`.
pub static ECDH_SHA2_NISTP256: Kex =
    kex("ecdh-sha2-nistp256", Hash::Sha256, &Ecdh::<NistP256> { order_bits: 256, curve: PhantomData });

/// `ecdh-sha2-nistp384`.
pub static ECDH_SHA2_NISTP384: Kex =
    kex("ecdh-sha2-nistp384", Hash::Sha384, &Ecdh::<NistP384> { order_bits: 384, curve: PhantomData });

/// `ecdh-sha2-nistp521`.
pub static ECDH_SHA2_NISTP521: Kex =
    kex("ecdh-sha2-nistp521", Hash::Sha512, &Ecdh::<NistP521> { order_bits: 521, curve: PhantomData });

const fn kex(name: &'static str, hash: Hash, agreement: &'static dyn Agreement) -> Kex {
    Kex {
        name,
        strength: Strength::Modern,
        hash,
        hasher: &OwnHasher,
        method: KexMethod::Agreement(agreement),
        proof: Proof::HostKey,
    }
}

struct Ecdh<C> {
    order_bits: usize,
    curve: PhantomData<fn() -> C>,
}

impl<C> Agreement for Ecdh<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn public_encoding(&self) -> Encoding {
        Encoding::String
    }

    /// RFC 5656 section 4: the x coordinate, as a number.
    fn secret_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        Ok(Box::new(KeyPair::<C>::generate(self.order_bits, entropy)))
    }

    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError> {
        let pair = KeyPair::<C>::generate(self.order_bits, entropy);
        let secret = pair.agree(client_public)?;
        Ok(Response { public: pair.public, secret })
    }
}

struct KeyPair<C: CurveArithmetic> {
    private: SecretKey<C>,
    public: Vec<u8>,
}

impl<C> KeyPair<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn generate(order_bits: usize, entropy: &mut dyn Entropy) -> Self {
        let private = secret_key::<C>(order_bits, entropy);
        let public = private.public_key().to_sec1_point(false).as_bytes().to_vec();
        Self { private, public }
    }

    fn agree(&self, peer: &[u8]) -> Result<Secret, KexError> {
        if peer.len() != self.public.len() {
            return Err(KexError::Length { expected: self.public.len(), actual: peer.len() });
        }
        // RFC 5656 section 4 demands validation: the decoder refuses points off the curve and the one at infinity.
        // At this length the only other encoding it reads is none; compressed points are shorter.
        let peer = PublicKey::<C>::from_sec1_bytes(peer).map_err(|_| KexError::InvalidPublic)?;
        Ok(Secret::new(self.private.diffie_hellman(&peer).raw_secret_bytes().to_vec()))
    }
}

impl<C> Initiator for KeyPair<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError> {
        self.agree(server_public)
    }
}
