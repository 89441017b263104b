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

/// Every cipher with a tag of its own; every other one with a MAC of the plain and one of the encrypted packet; and
/// every MAC with a cipher that is chained and one that is not.
pub(crate) fn protections() -> Vec<Protection> {
    let mut all = Vec::new();
    for &cipher in Provider::ALL.ciphers {
        if let CipherKind::Aead { .. } = cipher.kind {
            all.push(Protection { cipher, mac: None });
            continue;
        }
        let every_mac = ["aes128-ctr", "aes128-cbc"].contains(&cipher.name);
        let some = ["hmac-sha2-256", "hmac-sha2-256-etm@openssh.com"];
        let macs = Provider::ALL.macs.iter().filter(|mac| every_mac || some.contains(&mac.name));
        all.extend(macs.map(|&mac| Protection { cipher, mac: Some(mac) }));
    }
    assert_eq!(all.len(), 3 + 11 * 2 + 2 * 17);
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

    /// Whether the MAC covers the plain packet, so that its length is encrypted with the rest.
    pub(crate) fn hides_length(self) -> bool {
        self.mac.is_some_and(|mac| !mac.encrypt_then_mac)
    }

    /// Whether how a packet is bad must not show.
    pub(crate) fn must_not_tell(self) -> bool {
        self.hides_length() && matches!(self.cipher.kind, CipherKind::Plain { chained: true, .. })
    }

    /// Bytes behind each packet.
    pub(crate) fn tag_len(self) -> usize {
        match (self.cipher.kind, self.mac) {
            (CipherKind::Aead { tag_len, .. }, _) => tag_len,
            (CipherKind::Plain { .. }, mac) => mac.map_or(0, |mac| mac.tag_len),
        }
    }

    /// Initial vector, encryption key and integrity key.
    pub(crate) fn keys(self, seed: u64) -> [Vec<u8>; 3] {
        let mut entropy = Seeded::new(seed);
        [self.cipher.iv_len, self.cipher.key_len, self.mac.map_or(0, |mac| mac.key_len)]
            .map(|len| entropy.bytes(len))
    }
}

/// How a method agrees on a secret, if its name settles the group.
pub(crate) fn agreement(kex: &Kex) -> &'static dyn Agreement {
    match kex.method {
        KexMethod::Agreement(agreement) => agreement,
        KexMethod::GroupExchange => panic!("{kex:?} has no group of its own"),
    }
}

/// Every method whose name settles everything.
pub(crate) fn agreements() -> impl Iterator<Item = &'static Kex> {
    Provider::ALL.kex.iter().copied().filter(|kex| matches!(kex.method, KexMethod::Agreement(_)))
}
