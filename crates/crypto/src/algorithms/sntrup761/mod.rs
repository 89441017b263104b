//! Streamlined NTRU Prime `sntrup761`, the key encapsulation of [`sntrup761x25519`](super::sntrup761x25519).
//!
//! After the specification of the third round of NIST's competition (`NTRU Prime: round 3`, sections 3 and 4), in whose
//! terms names are chosen: the rings are R/q and R/3 for R = Z[x]/(x^761 - x - 1), "small" has coefficients -1, 0 and 1,
//! "short" is small with 286 coefficients that are not 0.
//!
//! No branch, index or division depends on a secret. Keys serve one exchange and are never written down, so their
//! encoding is left out.

mod coding;
mod ring;
mod sample;
#[cfg(test)]
mod tests;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

use self::ring::{Element, P, Q};
use crate::{Entropy, Hash};

/// Bytes of a public key.
pub(super) const PUBLIC_KEY_LEN: usize = 1158;

/// Bytes of a ciphertext: a rounded element of R/q and a confirmation.
pub(super) const CIPHERTEXT_LEN: usize = coding::ROUNDED_LEN + HASH_LEN;

/// Bytes of a secret, and of a hash here.
const HASH_LEN: usize = 32;

/// Coefficients of a short element that are not 0.
const W: usize = 286;

/// A private key. Wiped when dropped.
pub(super) struct PrivateKey {
    f: Zeroizing<Element>,
    /// 1/g in R/3.
    g_inverse: Zeroizing<Element>,
    /// What takes the place of the plaintext when a ciphertext is refused.
    rho: Zeroizing<[u8; coding::SMALL_LEN]>,
    public: [u8; PUBLIC_KEY_LEN],
}

impl PrivateKey {
    pub(super) fn generate(entropy: &mut dyn Entropy) -> Self {
        // How often this is done says nothing about the g that is taken.
        let (g, g_inverse) = loop {
            let g = sample::small(entropy);
            if let Some(inverse) = ring::inverse::<3>(&g) {
                break (g, inverse);
            }
        };
        let f = sample::short(entropy);
        let mut rho = Zeroizing::new([0; coding::SMALL_LEN]);
        entropy.fill(rho.as_mut_slice());
        Self { public: public_key(&f, &g), f, g_inverse, rho }
    }

    pub(super) fn public(&self) -> &[u8; PUBLIC_KEY_LEN] {
        &self.public
    }

    /// The secret in `ciphertext`. For one that was not made by [`encapsulate`] with this key it is another secret that
    /// nobody else knows.
    pub(super) fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT_LEN]) -> Zeroizing<[u8; HASH_LEN]> {
        let r = self.decrypt(ciphertext);
        let (again, encoded) = hide(&r, &self.public);
        let genuine = again.ct_eq(ciphertext);
        let mut plaintext = self.rho.clone();
        for (byte, of_r) in plaintext.iter_mut().zip(encoded.iter()) {
            byte.conditional_assign(of_r, genuine);
        }
        session_key(genuine, plaintext.as_slice(), ciphertext)
    }

    /// Section 3: the short r that was encrypted. What is none becomes a fixed one, which fails the comparison.
    fn decrypt(&self, ciphertext: &[u8; CIPHERTEXT_LEN]) -> Zeroizing<Element> {
        let c = coding::decode_rounded(&ciphertext[..coding::ROUNDED_LEN]);
        let mut e = ring::product::<Q>(&c, &self.f);
        for coefficient in e.iter_mut() {
            *coefficient = ring::reduce::<3>(i32::from(ring::reduce::<Q>(3 * i32::from(*coefficient))));
        }
        let mut r = ring::product::<3>(&e, &self.g_inverse);
        let weight: u16 = r.iter().map(|coefficient| coefficient.unsigned_abs()).sum();
        let short = weight.ct_eq(&(W as u16));
        for (at, coefficient) in r.iter_mut().enumerate() {
            coefficient.conditional_assign(&i16::from(at < W), !short);
        }
        r
    }
}

/// A new secret for the owner of `public`, and the ciphertext that takes it there.
pub(super) fn encapsulate(
    public: &[u8; PUBLIC_KEY_LEN],
    entropy: &mut dyn Entropy,
) -> ([u8; CIPHERTEXT_LEN], Zeroizing<[u8; HASH_LEN]>) {
    let r = sample::short(entropy);
    let (ciphertext, encoded) = hide(&r, public);
    let secret = session_key(Choice::from(1), encoded.as_slice(), &ciphertext);
    (ciphertext, secret)
}

/// h = g/(3f), encoded.
fn public_key(f: &Element, g: &Element) -> [u8; PUBLIC_KEY_LEN] {
    let mut three_f = Zeroizing::new(*f);
    three_f.iter_mut().for_each(|coefficient| *coefficient *= 3);
    // R/q is a field, and f is not 0.
    let inverse = ring::inverse::<Q>(&three_f).unwrap_or_else(|| Zeroizing::new([0; P]));
    coding::encode_rq(&ring::product::<Q>(&inverse, g))
}

/// Section 4, Hide: the ciphertext of r with its confirmation, and r encoded.
fn hide(
    r: &Element,
    public: &[u8; PUBLIC_KEY_LEN],
) -> ([u8; CIPHERTEXT_LEN], Zeroizing<[u8; coding::SMALL_LEN]>) {
    let mut c = ring::product::<Q>(&coding::decode_rq(public), r);
    // Rounded to the nearest multiple of 3.
    for coefficient in c.iter_mut() {
        *coefficient -= ring::reduce::<3>(i32::from(*coefficient));
    }
    let encoded = coding::encode_small(r);
    let confirmation = hash(2, &[hash(3, &[encoded.as_slice()]).as_slice(), hash(4, &[public]).as_slice()]);
    let mut ciphertext = [0; CIPHERTEXT_LEN];
    let (rounded, confirmed) = ciphertext.split_at_mut(coding::ROUNDED_LEN);
    rounded.copy_from_slice(&coding::encode_rounded(&c));
    confirmed.copy_from_slice(confirmation.as_slice());
    (ciphertext, encoded)
}

/// Section 4: HashSession.
fn session_key(
    genuine: Choice,
    plaintext: &[u8],
    ciphertext: &[u8; CIPHERTEXT_LEN],
) -> Zeroizing<[u8; HASH_LEN]> {
    hash(genuine.unwrap_u8(), &[hash(3, &[plaintext]).as_slice(), ciphertext])
}

/// The first half of SHA-512 over a byte that tells what is hashed, and that.
fn hash(prefix: u8, parts: &[&[u8]]) -> Zeroizing<[u8; HASH_LEN]> {
    let digest = Zeroizing::new(Hash::Sha512.over(&[&[&[prefix][..]], parts].concat()));
    let mut half = Zeroizing::new([0; HASH_LEN]);
    half.copy_from_slice(&digest[..HASH_LEN]);
    half
}
