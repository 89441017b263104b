//! `ecdsa-sha2-nistp256`, `-nistp384` and `-nistp521` (RFC 5656 section 3).
//!
//! RustCrypto signs, with the nonces of RFC 6979, which need no generator and cannot be biased; aws-lc-rs verifies,
//! several times as fast.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    ParsedPublicKey,
};
use p256::ecdsa::signature::Signer as _;
use underpass_wire::{Put as _, Reader};
use x509_cert::der::{Encode as _, asn1::UintRef};
use zeroize::Zeroizing;

use super::{KeyError, blob, rng::secret_key};
use crate::x509::integers;
use crate::{
    Entropy, Hash, PrivateNumbers, Secret, SignError, Signature, SignatureError, Signer, Strength, Verify,
};

/// `ecdsa-sha2-nistp256`.
pub static ECDSA_SHA2_NISTP256: Signature =
    signature(Curve::Nistp256, |key, signature, data| verify(Curve::Nistp256, key, signature, data));

/// `ecdsa-sha2-nistp384`.
pub static ECDSA_SHA2_NISTP384: Signature =
    signature(Curve::Nistp384, |key, signature, data| verify(Curve::Nistp384, key, signature, data));

/// `ecdsa-sha2-nistp521`.
pub static ECDSA_SHA2_NISTP521: Signature =
    signature(Curve::Nistp521, |key, signature, data| verify(Curve::Nistp521, key, signature, data));

const fn signature(curve: Curve, verify: Verify) -> Signature {
    let name = curve.algorithm();
    Signature { name, strength: Strength::Modern, key_format: name, signature_format: name, verify }
}

/// The required curves of RFC 5656 section 10.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256, with SHA-256.
    Nistp256,
    /// NIST P-384, with SHA-384.
    Nistp384,
    /// NIST P-521, with SHA-512.
    Nistp521,
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nistp256, Self::Nistp384, Self::Nistp521];

    /// The curve with this identifier (RFC 5656 section 6.1), e.g. `nistp256`.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name().as_bytes() == name)
    }

    /// The curve with this object identifier (RFC 5480 section 2.1.1.1): the contents of its DER.
    pub fn from_object_identifier(contents: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.object_identifier() == contents)
    }

    const fn object_identifier(self) -> &'static [u8] {
        match self {
            Self::Nistp256 => b"\x2a\x86\x48\xce\x3d\x03\x01\x07",
            Self::Nistp384 => b"\x2b\x81\x04\x00\x22",
            Self::Nistp521 => b"\x2b\x81\x04\x00\x23",
        }
    }

    /// Its identifier.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nistp256 => "nistp256",
            Self::Nistp384 => "nistp384",
            Self::Nistp521 => "nistp521",
        }
    }

    /// The signature algorithm, and the key format, on this curve.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Nistp256 => "ecdsa-sha2-nistp256",
            Self::Nistp384 => "ecdsa-sha2-nistp384",
            Self::Nistp521 => "ecdsa-sha2-nistp521",
        }
    }

    /// The hash that is signed (RFC 5656 section 6.2.1).
    pub const fn hash(self) -> Hash {
        match self {
            Self::Nistp256 => Hash::Sha256,
            Self::Nistp384 => Hash::Sha384,
            Self::Nistp521 => Hash::Sha512,
        }
    }

    /// The public key blob of a point in any form of SEC 1 section 2.3.3, which is uncompressed (RFC 5656 section 3.1).
    ///
    /// # Errors
    /// It is no point of the curve.
    pub fn public_key(self, point: &[u8]) -> Result<Vec<u8>, KeyError> {
        let invalid = |_| KeyError::Invalid;
        let point = match self {
            Self::Nistp256 => p256::PublicKey::from_sec1_bytes(point).map_err(invalid)?.to_sec1_bytes(),
            Self::Nistp384 => p384::PublicKey::from_sec1_bytes(point).map_err(invalid)?.to_sec1_bytes(),
            Self::Nistp521 => p521::PublicKey::from_sec1_bytes(point).map_err(invalid)?.to_sec1_bytes(),
        };
        let mut blob = Vec::new();
        blob.put_string(self.algorithm().as_bytes());
        blob.put_string(self.name().as_bytes());
        blob.put_string(&point);
        Ok(blob)
    }

    /// The point in a public key blob, uncompressed. Whether it is on the curve is not looked at.
    ///
    /// # Errors
    /// The key is malformed, or of another format.
    pub fn point(self, key: &[u8]) -> Result<&[u8], SignatureError> {
        let (name, point) =
            blob::public_key(key, self.algorithm(), |fields| Ok((fields.string()?, fields.string()?)))?;
        let uncompressed = point.len() == 1 + 2 * self.field_len() && point[0] == UNCOMPRESSED;
        if name == self.name().as_bytes() && uncompressed { Ok(point) } else { Err(SignatureError::Key) }
    }

    /// Both numbers of a signature blob at their full length, one after the other.
    ///
    /// # Errors
    /// The signature is malformed, or another algorithm's.
    pub fn signature(self, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let malformed = |_| SignatureError::Malformed;
        let mut reader = Reader::new(blob::signature(signature, self.algorithm())?);
        let r = reader.mpint().map_err(malformed)?;
        let s = reader.mpint().map_err(malformed)?;
        reader.finish().map_err(malformed)?;
        let mut fixed = Vec::with_capacity(2 * self.field_len());
        let fits = [r, s].iter().all(|half| append_padded(&mut fixed, half.as_bytes(), self.field_len()));
        if fits { Ok(fixed) } else { Err(SignatureError::Malformed) }
    }

    /// The signature blob (RFC 5656 section 3.1.2) of an `ECDSA-Sig-Value` (RFC 3279 section 2.2.3). `None` if it is none.
    pub fn signature_from_der(self, der: &[u8]) -> Option<Vec<u8>> {
        let [r, s] = integers(der).ok()?.map(|half: UintRef<'_>| half);
        Some(self.signature_blob(r.as_bytes(), s.as_bytes()))
    }

    fn signature_blob(self, r: &[u8], s: &[u8]) -> Vec<u8> {
        let mut inside = Vec::new();
        inside.put_mpint(r);
        inside.put_mpint(s);
        blob::write_signature(self.algorithm(), &inside)
    }

    /// Bytes of a coordinate, of a scalar, and of each half of a signature.
    pub const fn field_len(self) -> usize {
        match self {
            Self::Nistp256 => 32,
            Self::Nistp384 => 48,
            Self::Nistp521 => 66,
        }
    }

    const fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::Nistp256 => &ECDSA_P256_SHA256_FIXED,
            Self::Nistp384 => &ECDSA_P384_SHA384_FIXED,
            Self::Nistp521 => &ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// An ECDSA private key. Wiped when dropped.
pub struct EcdsaKey {
    key: Scalar,
    algorithms: [&'static str; 1],
    public: Vec<u8>,
}

enum Scalar {
    Nistp256(p256::ecdsa::SigningKey),
    Nistp384(p384::ecdsa::SigningKey),
    Nistp521(p521::ecdsa::SigningKey),
}

impl EcdsaKey {
    /// From the scalar, big-endian with any number of leading zeros, and the uncompressed public point.
    ///
    /// # Errors
    /// The scalar is out of range, or the halves do not belong together.
    pub fn new(curve: Curve, scalar: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        let key = Scalar::new(curve, scalar)?;
        if key.point() == public { Ok(Self::from_key(curve, key)) } else { Err(KeyError::HalvesDiffer) }
    }

    /// From the scalar alone, for formats that may leave the public half out.
    ///
    /// # Errors
    /// The scalar is out of range.
    pub fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_key(curve, Scalar::new(curve, scalar)?))
    }

    /// A new key.
    pub fn generate(curve: Curve, entropy: &mut dyn Entropy) -> Self {
        let key = match curve {
            Curve::Nistp256 => Scalar::Nistp256(secret_key::<p256::NistP256>(256, entropy).into()),
            Curve::Nistp384 => Scalar::Nistp384(secret_key::<p384::NistP384>(384, entropy).into()),
            Curve::Nistp521 => Scalar::Nistp521(secret_key::<p521::NistP521>(521, entropy).into()),
        };
        Self::from_key(curve, key)
    }

    fn from_key(curve: Curve, key: Scalar) -> Self {
        let mut public = Vec::new();
        public.put_string(curve.algorithm().as_bytes());
        public.put_string(curve.name().as_bytes());
        public.put_string(&key.point());
        Self { key, algorithms: [curve.algorithm()], public }
    }
}

impl Scalar {
    fn new(curve: Curve, scalar: &[u8]) -> Result<Self, KeyError> {
        let zeros = scalar.iter().take_while(|&&byte| byte == 0).count();
        let mut padded = Zeroizing::new(Vec::with_capacity(curve.field_len()));
        if !append_padded(&mut padded, &scalar[zeros..], curve.field_len()) {
            return Err(KeyError::Invalid);
        }
        let key = match curve {
            Curve::Nistp256 => p256::ecdsa::SigningKey::from_slice(&padded).map(Self::Nistp256),
            Curve::Nistp384 => p384::ecdsa::SigningKey::from_slice(&padded).map(Self::Nistp384),
            Curve::Nistp521 => p521::ecdsa::SigningKey::from_slice(&padded).map(Self::Nistp521),
        };
        key.map_err(|_| KeyError::Invalid)
    }

    /// The public point, uncompressed.
    fn point(&self) -> Vec<u8> {
        match self {
            Self::Nistp256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Nistp384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Nistp521(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    fn curve(&self) -> Curve {
        match self {
            Self::Nistp256(_) => Curve::Nistp256,
            Self::Nistp384(_) => Curve::Nistp384,
            Self::Nistp521(_) => Curve::Nistp521,
        }
    }

    /// The scalar at its full length.
    fn number(&self) -> Secret {
        match self {
            Self::Nistp256(key) => Secret::new(Zeroizing::new(key.to_bytes()).as_slice()),
            Self::Nistp384(key) => Secret::new(Zeroizing::new(key.to_bytes()).as_slice()),
            Self::Nistp521(key) => Secret::new(Zeroizing::new(key.to_bytes()).as_slice()),
        }
    }

    /// Both halves of the signature, one after the other.
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = match self {
            Self::Nistp256(key) => {
                key.try_sign(data).map(|signed: p256::ecdsa::Signature| signed.to_bytes().to_vec())
            }
            Self::Nistp384(key) => {
                key.try_sign(data).map(|signed: p384::ecdsa::Signature| signed.to_bytes().to_vec())
            }
            Self::Nistp521(key) => {
                key.try_sign(data).map(|signed: p521::ecdsa::Signature| signed.to_bytes().to_vec())
            }
        };
        signature.map_err(|_| SignError::Failed)
    }
}

impl Signer for EcdsaKey {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn algorithms(&self) -> &[&'static str] {
        &self.algorithms
    }

    fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, SignError> {
        if algorithm != self.algorithms[0] {
            return Err(SignError::UnsupportedAlgorithm);
        }
        let signature = self.key.sign(data)?;
        let (r, s) = signature.split_at(signature.len() / 2);
        Ok(self.key.curve().signature_blob(r, s))
    }

    fn private_numbers(&self) -> Option<PrivateNumbers> {
        let (curve, scalar, point) = (self.key.curve(), self.key.number(), self.key.point());
        Some(PrivateNumbers::Ecdsa { curve, scalar, point })
    }
}

impl std::fmt::Debug for EcdsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EcdsaKey({}, ***)", self.algorithms[0])
    }
}

fn verify(curve: Curve, key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), SignatureError> {
    // Refuses points that are not on the curve (RFC 5656 section 3.1).
    let key =
        ParsedPublicKey::new(curve.verification(), curve.point(key)?).map_err(|_| SignatureError::Key)?;
    key.verify_sig(data, &curve.signature(signature)?).map_err(|_| SignatureError::Mismatch)
}

/// A signature as the libraries have it, an `ECDSA-Sig-Value` (RFC 3279 section 2.2.3), from both numbers, one after the
/// other. `None` if these are none.
pub fn to_der(halves: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = halves.split_at(halves.len() / 2);
    vec![UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
}

/// Appends `number`, big-endian, as `len` bytes. Tells whether it fits.
fn append_padded(out: &mut Vec<u8>, number: &[u8], len: usize) -> bool {
    let Some(zeros) = len.checked_sub(number.len()) else { return false };
    out.resize(out.len() + zeros, 0);
    out.extend_from_slice(number);
    true
}

/// How an uncompressed point begins (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;
