//! From the numbers of a private key to a signer, whichever format they came from.

use std::sync::Arc;

use underpass_crypto::{
    Signer,
    algorithms::{
        KeyError,
        ecdsa::{Curve, EcdsaKey},
        ed25519::Ed25519Key,
        legacy::ssh_dss::{self, DsaKey, DsaNumbers},
        rsa::{RsaKey, RsaNumbers},
    },
};

use crate::KeyFileError;

/// A private key that is ready to sign, or why there is none.
pub(crate) type Key = Result<Arc<dyn Signer>, KeyFileError>;

/// The numbers of a private key: big-endian, with any leading zeros.
pub(crate) enum Numbers<'a> {
    Rsa(RsaNumbers<'a>),
    Dsa {
        p: &'a [u8],
        q: &'a [u8],
        g: &'a [u8],
        /// The public number, where the format has it.
        y: Option<&'a [u8]>,
        x: &'a [u8],
    },
    Ecdsa {
        curve: Curve,
        scalar: &'a [u8],
        /// The public point, where the format has it.
        point: Option<&'a [u8]>,
    },
    Ed25519 {
        seed: &'a [u8],
        /// The public half, where the format has it.
        public: Option<&'a [u8]>,
    },
}

impl Numbers<'_> {
    /// The key that they make, if they belong together.
    pub(crate) fn signer(&self) -> Key {
        Ok(match *self {
            Self::Rsa(numbers) => Arc::new(RsaKey::new(&numbers)?),
            Self::Dsa { p, q, g, y: Some(y), x } => Arc::new(DsaKey::new(&DsaNumbers { p, q, g, y, x })?),
            Self::Dsa { p, q, g, y: None, x } => {
                let y = ssh_dss::public_number(p, g, x)?;
                Arc::new(DsaKey::new(&DsaNumbers { p, q, g, y: &y, x })?)
            }
            Self::Ecdsa { curve, scalar, point } => ecdsa(curve, scalar, point)?,
            Self::Ed25519 { seed, public: Some(public) } => Arc::new(Ed25519Key::new(seed, public)?),
            Self::Ed25519 { seed, public: None } => Arc::new(Ed25519Key::from_seed(seed)?),
        })
    }
}

fn ecdsa(curve: Curve, scalar: &[u8], point: Option<&[u8]>) -> Result<Arc<dyn Signer>, KeyError> {
    let key = EcdsaKey::from_scalar(curve, scalar)?;
    // The point may be compressed.
    match point.map(|point| curve.public_key(point)).transpose()? {
        Some(public) if public != key.public_key() => Err(KeyError::HalvesDiffer),
        _ => Ok(Arc::new(key)),
    }
}
