//! What the tests share.

use underpass_crypto::{
    Agreement, Cipher, CipherKind, Entropy, Hash, Kex, KexMethod, Mac, Provider,
    packet::{Keys, Opener, Sealer},
};

/// Reproducible entropy, different for each seed.
pub(crate) struct Seeded {
    seed: u64,
    drawn: u64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for part in out.chunks_mut(32) {
            let block = Hash::Sha256.of(&[self.seed.to_be_bytes(), self.drawn.to_be_bytes()].concat());
            part.copy_from_slice(&block[..part.len()]);
            self.drawn += 1;
        }
    }
}

/// Entropy that yields exactly what a vector prescribes.
pub(crate) struct Script(Vec<u8>);

impl Script {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entropy for Script {
    fn fill(&mut self, out: &mut [u8]) {
        assert!(out.len() <= self.0.len(), "more entropy drawn than the vector has");
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
    }
}

/// Every cipher with a tag of its own, and every other cipher with every MAC.
pub(crate) fn protections() -> Vec<Protection> {
    let mut all = Vec::new();
    for &cipher in Provider::MODERN.ciphers {
        match cipher.kind {
            CipherKind::Aead { .. } => all.push(Protection { cipher, mac: None }),
            CipherKind::Plain { .. } => {
                all.extend(Provider::MODERN.macs.iter().map(|&mac| Protection { cipher, mac: Some(mac) }));
            }
        }
    }
    assert_eq!(all.len(), 3 + 3 * 4);
    all
}

/// A cipher and the MAC beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protection {
    pub(crate) cipher: &'static Cipher,
    pub(crate) mac: Option<&'static Mac>,
}

impl Protection {
    /// Both ends of one direction, with keys made from `seed`.
    pub(crate) fn pair(self, seed: u64) -> (Sealer, Opener) {
        let keys = self.keys(seed);
        let keys = Keys { iv: &keys[0], key: &keys[1], mac_key: &keys[2] };
        (Sealer::new(self.cipher, self.mac, &keys), Opener::new(self.cipher, self.mac, &keys))
    }

    /// Initial vector, encryption key and integrity key.
    pub(crate) fn keys(self, seed: u64) -> [Vec<u8>; 3] {
        let mut entropy = Seeded::new(seed);
        [self.cipher.iv_len, self.cipher.key_len, self.mac.map_or(0, |mac| mac.key_len)]
            .map(|len| entropy.bytes(len))
    }
}

pub(crate) fn agreement(kex: &Kex) -> &'static dyn Agreement {
    let KexMethod::Agreement(agreement) = kex.method;
    agreement
}
