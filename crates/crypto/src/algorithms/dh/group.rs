use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use zeroize::Zeroizing;

use super::{GroupSizes, OFFERED};
use crate::{
    Agreement, Encoding, Entropy, Initiator, KexError, Response, Secret, algorithms::number::bit_len,
};

/// The integers modulo a prime, and a generator.
#[derive(Clone)]
pub struct DhGroup {
    params: BoxedMontyParams,
    generator: BoxedMontyForm,
}

impl DhGroup {
    /// The group that a server offers in a group exchange, numbers big-endian.
    ///
    /// Whether `p` is prime is not examined, as little as OpenSSH's client does: at 8,192 bits it would cost more than
    /// the whole exchange. The server signs the group with its host key, so nobody else can slip in a weak one, and a
    /// server that does betrays its own connection only, since our exponent serves once.
    ///
    /// # Errors
    /// The size is not one of `sizes`, `p` is even, or `g` is trivial.
    pub fn offered(p: &[u8], g: &[u8], sizes: GroupSizes) -> Result<Self, KexError> {
        let bits = u32::try_from(bit_len(p)).map_err(|_| KexError::InvalidGroup)?;
        if !sizes.takes(bits) {
            return Err(KexError::GroupSize { bits });
        }
        Self::new(p, g)
    }

    /// The group that a server offers to a client that asks for `min`, `preferred` and `max` bits: of the groups of
    /// RFC 3526 that both sides take the smallest that is large enough, else the largest.
    ///
    /// # Errors
    /// There is none.
    pub fn choose(ours: GroupSizes, min: u32, preferred: u32, max: u32) -> Result<Self, KexError> {
        let sizes = ours.meet(min, preferred, max)?;
        let bits = |prime: &[u8]| 8 * prime.len() as u32;
        let mut taken = OFFERED.into_iter().filter(|prime| sizes.takes(bits(prime))).peekable();
        let largest = taken.clone().next_back();
        let prime = taken.find(|prime| bits(prime) >= sizes.preferred()).or(largest);
        Self::with_generator_2(prime.ok_or(KexError::GroupRange { min, max })?)
    }

    /// One of the groups of RFC 2409 and RFC 3526.
    pub(super) fn with_generator_2(prime: &[u8]) -> Result<Self, KexError> {
        Self::new(prime, &[2])
    }

    fn new(p: &[u8], g: &[u8]) -> Result<Self, KexError> {
        let bits = 8 * p.len() as u32;
        let number = |bytes| BoxedUint::from_be_slice(bytes, bits).map_err(|_| KexError::InvalidGroup);
        let (p, g) = (number(p)?, number(g)?);
        let p = Odd::new(p).into_option().ok_or(KexError::InvalidGroup)?;
        let params = BoxedMontyParams::new_vartime(p);
        if !is_proper(&g, &params) {
            return Err(KexError::InvalidGroup);
        }
        let generator = BoxedMontyForm::new(g, &params);
        Ok(Self { params, generator })
    }

    /// The prime, big-endian.
    pub fn prime(&self) -> Box<[u8]> {
        self.params.modulus().as_ref().to_be_bytes_trimmed_vartime()
    }

    /// The generator, big-endian.
    pub fn generator(&self) -> Box<[u8]> {
        self.generator.retrieve().to_be_bytes_trimmed_vartime()
    }

    fn generate(&self, entropy: &mut dyn Entropy) -> Result<KeyPair, KexError> {
        let mut bytes = Zeroizing::new([0; EXPONENT_BITS as usize / 8]);
        entropy.fill(bytes.as_mut_slice());
        let private = BoxedUint::from_be_slice(bytes.as_slice(), EXPONENT_BITS);
        let private = private.map(Zeroizing::new).map_err(|_| KexError::Internal)?;
        let public = self.generator.pow(&private).retrieve();
        if !is_proper(&public, &self.params) {
            // A generator of tiny order: only a hostile group has one.
            return Err(KexError::InvalidGroup);
        }
        Ok(KeyPair { group: self.clone(), private, public: public.to_be_bytes_trimmed_vartime() })
    }
}

/// Bits of a private exponent. Finding one takes the square root of the possibilities, so this is a strength of 256
/// bits, more than the largest group has; OpenSSH takes twice the strength of the cipher as well. Full-length exponents
/// would only be slower.
const EXPONENT_BITS: u32 = 512;

/// RFC 4253 section 8 excludes what is not in [1, p-1]; 1 and p-1 are excluded here, too, since they make the secret
/// predictable.
fn is_proper(number: &BoxedUint, params: &BoxedMontyParams) -> bool {
    let largest = params.modulus().as_ref().wrapping_sub(BoxedUint::one());
    *number > BoxedUint::one() && *number < largest
}

struct KeyPair {
    group: DhGroup,
    private: Zeroizing<BoxedUint>,
    public: Box<[u8]>,
}

impl KeyPair {
    fn agree(&self, peer: &[u8]) -> Result<Secret, KexError> {
        let params = &self.group.params;
        let peer = BoxedUint::from_be_slice(peer, params.bits_precision())
            .ok()
            .filter(|peer| is_proper(peer, params))
            .ok_or(KexError::InvalidPublic)?;
        let power = Zeroizing::new(BoxedMontyForm::new(peer, params).pow(&self.private));
        let secret = Zeroizing::new(power.retrieve());
        Ok(Secret::new(secret.to_be_bytes()))
    }
}

impl Initiator for KeyPair {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError> {
        self.agree(server_public)
    }
}

impl Agreement for DhGroup {
    fn public_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    fn secret_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    fn initiate(&self, entropy: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        Ok(Box::new(self.generate(entropy)?))
    }

    fn respond(&self, client_public: &[u8], entropy: &mut dyn Entropy) -> Result<Response, KexError> {
        let pair = self.generate(entropy)?;
        let secret = pair.agree(client_public)?;
        Ok(Response { public: pair.public.into_vec(), secret })
    }
}

impl std::fmt::Debug for DhGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DhGroup({} bits)", self.params.modulus().as_ref().bits_vartime())
    }
}
