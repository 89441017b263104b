//! `sk-ssh-ed25519@openssh.com` and `sk-ecdsa-sha2-nistp256@openssh.com` (OpenSSH's PROTOCOL.u2f): keys in a device that
//! signs when it is touched. Nothing here signs so; an agent does.

use underpass_wire::{Put as _, Reader};

use super::{blob, ecdsa::ECDSA_SHA2_NISTP256, ed25519::SSH_ED25519};
use crate::{Hash, Signature, SignatureError, Strength};

/// `sk-ssh-ed25519@openssh.com`.
pub static SK_SSH_ED25519: Signature = Signature {
    name: ED25519,
    strength: Strength::Modern,
    key_format: ED25519,
    signature_format: ED25519,
    verify: |key, signature, data| {
        let (public, application) =
            blob::public_key(key, ED25519, |fields| Ok((fields.string()?, fields.string()?)))?;
        let mut plain = Vec::new();
        plain.put_text(SSH_ED25519.key_format);
        plain.put_string(public);
        verify(&SSH_ED25519, &plain, application, Signed::read(signature, ED25519)?, data)
    },
};

/// `sk-ecdsa-sha2-nistp256@openssh.com`.
pub static SK_ECDSA_SHA2_NISTP256: Signature = Signature {
    name: ECDSA,
    strength: Strength::Modern,
    key_format: ECDSA,
    signature_format: ECDSA,
    verify: |key, signature, data| {
        let (curve, point, application) = blob::public_key(key, ECDSA, |fields| {
            Ok((fields.string()?, fields.string()?, fields.string()?))
        })?;
        let mut plain = Vec::new();
        plain.put_text(ECDSA_SHA2_NISTP256.key_format);
        plain.put_string(curve);
        plain.put_string(point);
        verify(&ECDSA_SHA2_NISTP256, &plain, application, Signed::read(signature, ECDSA)?, data)
    },
};

/// What a device gives.
struct Signed<'a> {
    inside: &'a [u8],
    flags: u8,
    counter: u32,
}

impl<'a> Signed<'a> {
    fn read(signature: &'a [u8], name: &str) -> Result<Self, SignatureError> {
        let mut fields = Reader::new(signature);
        let mut read = || {
            let named = fields.string()? == name.as_bytes();
            let signed = Self { inside: fields.string()?, flags: fields.u8()?, counter: fields.u32()? };
            Ok((named, signed))
        };
        let (named, signed) = read().map_err(|_: underpass_wire::DecodeError| SignatureError::Malformed)?;
        match fields.finish() {
            Ok(()) if named => Ok(signed),
            _ => Err(SignatureError::Malformed),
        }
    }
}

/// What the plain algorithm signs is not the data but what the device saw of it. A signature that nobody touched the
/// device for is none.
fn verify(
    algorithm: &Signature,
    key: &[u8],
    application: &[u8],
    signed: Signed<'_>,
    data: &[u8],
) -> Result<(), SignatureError> {
    if signed.flags & USER_PRESENT == 0 {
        return Err(SignatureError::Mismatch);
    }
    let mut seen = Hash::Sha256.of(application).to_vec();
    seen.put_u8(signed.flags);
    seen.put_u32(signed.counter);
    seen.put_bytes(&Hash::Sha256.of(data));
    (algorithm.verify)(key, &blob::write_signature(algorithm.name, signed.inside), &seen)
}

const ED25519: &str = "sk-ssh-ed25519@openssh.com";
const ECDSA: &str = "sk-ecdsa-sha2-nistp256@openssh.com";

/// The device was touched (U2F, raw message formats, section 4.3).
const USER_PRESENT: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::ecdsa::{Curve, EcdsaKey};
    use crate::algorithms::ed25519::Ed25519Key;
    use crate::{Entropy, Signer};

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, out: &mut [u8]) {
            for byte in out {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
        }
    }

    /// What a device does, with a key that is not in one: the public blob and a signature.
    fn device(name: &str, key: &dyn Signer, flags: u8, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut fields = Reader::new(key.public_key());
        let plain = fields.text().unwrap();
        let mut public = Vec::new();
        public.put_text(name);
        public.put_bytes(fields.rest());
        public.put_string(b"ssh:");
        let mut seen = Hash::Sha256.of(b"ssh:").to_vec();
        seen.extend([flags, 0, 0, 0, 7]);
        seen.extend(Hash::Sha256.of(data).iter());
        let signed = key.sign(plain, &seen).unwrap();
        let mut signed = Reader::new(&signed);
        signed.string().unwrap();
        let mut signature = Vec::new();
        signature.put_text(name);
        signature.put_string(signed.string().unwrap());
        signature.put_u8(flags);
        signature.put_u32(7);
        (public, signature)
    }

    #[test]
    fn what_a_device_signs_is_verified_if_it_was_touched() {
        let (ed25519, ecdsa) =
            (Ed25519Key::generate(&mut Counting(0)), EcdsaKey::generate(Curve::Nistp256, &mut Counting(1)));
        let keys: [(&Signature, &dyn Signer); 2] =
            [(&SK_SSH_ED25519, &ed25519), (&SK_ECDSA_SHA2_NISTP256, &ecdsa)];
        for (algorithm, key) in keys {
            let (public, signature) = device(algorithm.name, key, 5, b"data");
            assert_eq!((algorithm.verify)(&public, &signature, b"data"), Ok(()), "{algorithm:?}");
            assert_eq!((algorithm.verify)(&public, &signature, b"datb"), Err(SignatureError::Mismatch));
            let (_, untouched) = device(algorithm.name, key, 4, b"data");
            assert_eq!((algorithm.verify)(&public, &untouched, b"data"), Err(SignatureError::Mismatch));
            for end in 0..signature.len() {
                let cut = (algorithm.verify)(&public, &signature[..end], b"data");
                assert_eq!(cut, Err(SignatureError::Malformed), "{algorithm:?}, {end}");
            }
            for end in 0..public.len() {
                assert_eq!((algorithm.verify)(&public[..end], &signature, b"data"), Err(SignatureError::Key));
            }
        }
    }
}
