//! The algorithms as values, and what each is made of. Written once for both modes: which module a value works in is in the
//! type of its functions.

use std::ffi::CStr;
use std::marker::PhantomData;

use underpass_crypto::algorithms::{
    aes_ctr, aes_gcm, chacha20_poly1305, dh, ecdsa, ecdsa::Curve, ed25519, hmac, legacy, nist_ecdh, rsa,
    x25519,
};
use underpass_crypto::{
    Agreement, Cipher, CipherKind, Hash, Kex, KexMethod, KeyHasher, Mac, MacKey, NewAead, NewKeystream,
    Provider, Signature, Verify,
};

use crate::agreement::{Meeting, Place};
use crate::cipher::{CHACHA20, POLY1305};
use crate::ffi::{self, Algorithm, Context, Kind};
use crate::hashing::{Hasher, SSHKDF, name};
use crate::mac::HMAC;
use crate::module::Chosen;
use crate::verify::{ECDSA, ED25519, RSA};
use crate::{Mode, cipher, mac, verify};

/// What the library has, of all that there is in a mode.
pub(crate) fn provider<M: Chosen>(context: &Context) -> Provider {
    Provider {
        kex: there(Of::<M>::KEX, M::MODE, context),
        signatures: there(Of::<M>::SIGNATURES, M::MODE, context),
        ciphers: there(Of::<M>::CIPHERS, M::MODE, context),
        macs: there(Of::<M>::MACS, M::MODE, context),
        // No cryptography.
        compression: Provider::ALL.compression,
    }
}

/// Kept for as long as the program runs, as the module is.
fn there<T>(rows: &'static [Row<T>], mode: Mode, context: &Context) -> &'static [&'static T] {
    let is_there = |row: &&Row<T>| row.needs.iter().all(|need| need.origin(context).is_some());
    let values: Vec<&'static T> = in_mode(rows, mode).filter(is_there).map(|row| &row.value).collect();
    values.leak()
}

fn in_mode<T>(rows: &'static [Row<T>], mode: Mode) -> impl Iterator<Item = &'static Row<T>> {
    rows.iter().filter(move |row| row.approved || mode == Mode::System)
}

/// What the values of a module are made of, and where the module has it from.
pub(crate) fn origins<M: Chosen>(context: &Context) -> Vec<(&'static str, String)> {
    fn needs<T>(rows: &'static [Row<T>], mode: Mode) -> impl Iterator<Item = Need> {
        in_mode(rows, mode).flat_map(|row| row.needs).copied()
    }
    let mut origins: Vec<(&'static str, String)> = Vec::new();
    let needs = needs(Of::<M>::KEX, M::MODE)
        .chain(needs(Of::<M>::SIGNATURES, M::MODE))
        .chain(needs(Of::<M>::CIPHERS, M::MODE))
        .chain(needs(Of::<M>::MACS, M::MODE));
    for need in needs {
        let name = need.name().to_str().expect("the library's names are ASCII");
        if let Some(origin) = need.origin(context).filter(|_| origins.iter().all(|(known, _)| *known != name))
        {
            origins.push((name, origin));
        }
    }
    origins
}

/// A value, and what it is made of.
struct Row<T> {
    value: T,
    needs: &'static [Need],
    /// Whether it has its place under FIPS. Each part that is used must be approved besides, which the library knows.
    approved: bool,
}

/// A part of the library.
#[derive(Clone, Copy)]
enum Need {
    Cipher(&'static CStr),
    Mac(&'static CStr),
    Hash(Hash),
    Kdf(&'static CStr),
    Exchange(&'static CStr),
    Signature(&'static CStr),
}

impl Need {
    /// The provider that has it.
    fn origin(self, context: &Context) -> Option<String> {
        fn of<K: Kind>(found: Option<Algorithm<K>>) -> Option<String> {
            found.map(|found| found.provider())
        }
        match self {
            Self::Cipher(name) => of::<ffi::Cipher>(context.fetch(name)),
            Self::Mac(name) => of::<ffi::Mac>(context.fetch(name)),
            Self::Hash(hash) => of::<ffi::Md>(context.fetch(name(hash))),
            Self::Kdf(name) => of::<ffi::Kdf>(context.fetch(name)),
            Self::Exchange(name) => of::<ffi::Exchange>(context.fetch(name)),
            Self::Signature(name) => of::<ffi::Signature>(context.fetch(name)),
        }
    }

    fn name(self) -> &'static CStr {
        match self {
            Self::Hash(hash) => name(hash),
            Self::Cipher(name)
            | Self::Mac(name)
            | Self::Kdf(name)
            | Self::Exchange(name)
            | Self::Signature(name) => name,
        }
    }
}

/// A value like one of our own, with another agreement.
const fn kex(like: &Kex, hasher: &'static dyn KeyHasher, agreement: &'static dyn Agreement) -> Kex {
    let method = KexMethod::Agreement(agreement);
    Kex { name: like.name, strength: like.strength, hash: like.hash, hasher, method, proof: like.proof }
}

/// A value like one of our own, with another way to verify.
const fn signature(like: &Signature, verify: Verify) -> Signature {
    let Signature { name, strength, key_format, signature_format, .. } = *like;
    Signature { name, strength, key_format, signature_format, verify }
}

const fn with(like: &Cipher, kind: CipherKind) -> Cipher {
    let Cipher { name, strength, key_len, iv_len, block_len, .. } = *like;
    Cipher { name, strength, key_len, iv_len, block_len, kind }
}

/// A value like one of our own, with another cipher that has a tag.
const fn aead(like: &Cipher, new: NewAead) -> Cipher {
    match like.kind {
        CipherKind::Aead { tag_len, .. } => with(like, CipherKind::Aead { tag_len, new }),
        CipherKind::Plain { .. } => panic!("it has a tag"),
    }
}

/// A value like one of our own, with another cipher that has none.
const fn keystream(like: &Cipher, new: NewKeystream) -> Cipher {
    with(like, CipherKind::Plain { new, chained: false })
}

/// A value like one of our own, with another code.
const fn code(like: &Mac, new: fn(&[u8]) -> Box<dyn MacKey>) -> Mac {
    let Mac { name, strength, key_len, tag_len, encrypt_then_mac, .. } = *like;
    Mac { name, strength, key_len, tag_len, encrypt_then_mac, new }
}

/// The values of a module, best first and weak ones last.
struct Of<M>(PhantomData<M>);

/// A row for an agreement.
macro_rules! meet {
    ($like:expr, $approved:literal, $exchange:literal, $hash:ident, $place:expr) => {
        Row {
            value: kex(
                &$like,
                &Hasher::<M>(PhantomData),
                &Meeting::<M> { place: $place, module: PhantomData },
            ),
            needs: &[Need::Exchange($exchange), Need::Hash(Hash::$hash), Need::Kdf(SSHKDF)],
            approved: $approved,
        }
    };
}

/// A row for AES.
macro_rules! aes {
    (gcm $like:expr, $name:literal) => {
        Row {
            value: aead(&$like, |key, iv| cipher::gcm::<M>($name, key, iv)),
            needs: &[Need::Cipher($name)],
            approved: true,
        }
    };
    (ctr $like:expr, $name:literal) => {
        Row {
            value: keystream(&$like, |key, iv, way| cipher::ctr::<M>($name, key, iv, way)),
            needs: &[Need::Cipher($name)],
            approved: true,
        }
    };
}

/// A row for HMAC.
macro_rules! hmac {
    ($like:expr, $approved:literal, $hash:ident) => {
        Row {
            value: code(&$like, |key| mac::hmac::<M>(Hash::$hash, key)),
            needs: &[Need::Mac(HMAC), Need::Hash(Hash::$hash)],
            approved: $approved,
        }
    };
}

/// A row for a signature on a curve.
macro_rules! curve {
    ($like:expr, $curve:ident, $hash:ident) => {
        Row {
            value: signature(&$like, |key, signature, data| {
                verify::ecdsa::<M>(Curve::$curve, key, signature, data)
            }),
            needs: &[Need::Signature(ECDSA), Need::Hash(Hash::$hash)],
            approved: true,
        }
    };
}

/// A row for a signature with RSA.
macro_rules! rsa {
    ($like:expr, $hash:ident) => {
        Row {
            value: signature(&$like, |key, signature, data| {
                verify::rsa::<M>($like.name, Hash::$hash, key, signature, data)
            }),
            needs: &[Need::Signature(RSA), Need::Hash(Hash::$hash)],
            approved: true,
        }
    };
}

impl<M: Chosen> Of<M> {
    const KEX: &'static [Row<Kex>] = &[
        meet!(x25519::CURVE25519_SHA256, false, c"X25519", Sha256, Place::Curve25519),
        meet!(x25519::CURVE25519_SHA256_LIBSSH, false, c"X25519", Sha256, Place::Curve25519),
        meet!(nist_ecdh::ECDH_SHA2_NISTP256, true, c"ECDH", Sha256, Place::Nist(Curve::Nistp256)),
        meet!(nist_ecdh::ECDH_SHA2_NISTP384, true, c"ECDH", Sha384, Place::Nist(Curve::Nistp384)),
        meet!(nist_ecdh::ECDH_SHA2_NISTP521, true, c"ECDH", Sha512, Place::Nist(Curve::Nistp521)),
        meet!(dh::DH_GROUP16_SHA512, true, c"DH", Sha512, Place::Modp { group: c"modp_4096", len: 512 }),
        meet!(dh::DH_GROUP18_SHA512, true, c"DH", Sha512, Place::Modp { group: c"modp_8192", len: 1024 }),
        meet!(dh::DH_GROUP14_SHA256, true, c"DH", Sha256, Place::Modp { group: c"modp_2048", len: 256 }),
    ];

    const SIGNATURES: &'static [Row<Signature>] = &[
        Row {
            value: signature(&ed25519::SSH_ED25519, verify::ed25519::<M>),
            needs: &[Need::Signature(ED25519)],
            approved: true,
        },
        curve!(ecdsa::ECDSA_SHA2_NISTP256, Nistp256, Sha256),
        curve!(ecdsa::ECDSA_SHA2_NISTP384, Nistp384, Sha384),
        curve!(ecdsa::ECDSA_SHA2_NISTP521, Nistp521, Sha512),
        rsa!(rsa::RSA_SHA2_512, Sha512),
        rsa!(rsa::RSA_SHA2_256, Sha256),
    ];

    const CIPHERS: &'static [Row<Cipher>] = &[
        aes!(gcm aes_gcm::AES128_GCM, c"AES-128-GCM"),
        aes!(gcm aes_gcm::AES256_GCM, c"AES-256-GCM"),
        Row {
            value: aead(&chacha20_poly1305::CHACHA20_POLY1305, |key, _| cipher::chacha20_poly1305::<M>(key)),
            needs: &[Need::Cipher(CHACHA20), Need::Mac(POLY1305)],
            approved: false,
        },
        aes!(ctr aes_ctr::AES128_CTR, c"AES-128-CTR"),
        aes!(ctr aes_ctr::AES192_CTR, c"AES-192-CTR"),
        aes!(ctr aes_ctr::AES256_CTR, c"AES-256-CTR"),
    ];

    const MACS: &'static [Row<Mac>] = &[
        hmac!(hmac::HMAC_SHA2_256_ETM, true, Sha256),
        hmac!(hmac::HMAC_SHA2_512_ETM, true, Sha512),
        hmac!(hmac::HMAC_SHA2_256, true, Sha256),
        hmac!(hmac::HMAC_SHA2_512, true, Sha512),
        hmac!(legacy::hmac::HMAC_SHA1_ETM, false, Sha1),
        hmac!(legacy::hmac::HMAC_SHA1, false, Sha1),
    ];
}
