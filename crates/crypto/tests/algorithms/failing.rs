//! What becomes of packets when the library that is to protect them fails.

use underpass_crypto::{
    Aead, Cipher, CipherKind, Failed, Keystream, Mac, MacKey, Strength,
    packet::{Forged, HEADER_LEN, Keys, Opened, Opener, PacketError, Sealer},
};

use crate::support::Seeded;

/// Leaves everything as it is, for as many calls as it has in store.
struct Wearing(u32);

impl Wearing {
    fn work(&mut self) -> Result<(), Failed> {
        self.0 = self.0.checked_sub(1).ok_or(Failed)?;
        Ok(())
    }
}

impl Keystream for Wearing {
    fn apply(&mut self, _bytes: &mut [u8]) -> Result<(), Failed> {
        self.work()
    }
}

impl MacKey for Wearing {
    /// Writes the tag even if it fails.
    fn sign(&mut self, _sequence: u32, _packet: &[u8], tag: &mut [u8]) -> Result<(), Failed> {
        tag.fill(7);
        self.work()
    }
}

impl Aead for Wearing {
    fn length(&mut self, _sequence: u32, head: [u8; 4]) -> u32 {
        u32::from_be_bytes(head)
    }

    fn seal(&mut self, _sequence: u32, _packet: &mut [u8], tag: &mut [u8]) -> Result<(), Failed> {
        tag.fill(7);
        self.work()
    }

    fn open(&mut self, _sequence: u32, _packet: &mut [u8], _tag: &[u8]) -> Result<(), Forged> {
        self.work().map_err(|_| Forged)
    }
}

const fn cipher(kind: CipherKind) -> Cipher {
    Cipher { name: "wearing", strength: Strength::Legacy, key_len: 0, iv_len: 0, block_len: 8, kind }
}

const fn mac(encrypt_then_mac: bool, new: fn(&[u8]) -> Box<dyn MacKey>) -> Mac {
    let (name, strength) = ("wearing", Strength::Legacy);
    Mac { name, strength, key_len: 0, tag_len: 16, encrypt_then_mac, new }
}

const LASTING: Cipher =
    cipher(CipherKind::Plain { new: |_, _, _| Box::new(Wearing(u32::MAX)), chained: false });
const ONCE: Cipher = cipher(CipherKind::Plain { new: |_, _, _| Box::new(Wearing(1)), chained: false });

/// A part that fails at the second packet, wherever one can stand.
const FAILING: [(Cipher, Option<Mac>); 5] = [
    (cipher(CipherKind::Aead { tag_len: 16, new: |_, _| Box::new(Wearing(1)) }), None),
    (ONCE, Some(mac(false, |_| Box::new(Wearing(u32::MAX))))),
    (ONCE, Some(mac(true, |_| Box::new(Wearing(u32::MAX))))),
    (LASTING, Some(mac(false, |_| Box::new(Wearing(1))))),
    (LASTING, Some(mac(true, |_| Box::new(Wearing(1))))),
];

const KEYS: Keys<'static> = Keys { iv: &[], key: &[], mac_key: &[] };
const PAYLOAD: &[u8] = b"nobody may see this";

fn seal(sealer: &mut Sealer) -> Vec<u8> {
    let mut packet = vec![0; sealer.packet_len(PAYLOAD.len())];
    packet[HEADER_LEN..][..PAYLOAD.len()].copy_from_slice(PAYLOAD);
    sealer.seal(0, &mut packet, PAYLOAD.len(), &mut Seeded::new(1));
    packet
}

#[test]
fn a_packet_that_could_not_be_sealed_leaves_as_zeros_and_so_do_all_later_ones() {
    for (cipher, mac) in &FAILING {
        let mut sealer = Sealer::new(cipher, mac.as_ref(), &KEYS);
        assert_eq!(seal(&mut sealer)[HEADER_LEN..][..PAYLOAD.len()], *PAYLOAD, "it works at first");
        for _ in 0..3 {
            let packet = seal(&mut sealer);
            assert!(packet.iter().all(|byte| *byte == 0), "{packet:?}");
        }
    }
}

#[test]
fn a_packet_that_could_not_be_opened_counts_as_forged() {
    for (cipher, mac) in &FAILING {
        let packet = seal(&mut Sealer::new(cipher, mac.as_ref(), &KEYS));
        let mut opener = Opener::new(cipher, mac.as_ref(), &KEYS);
        let mut verdicts = (0..3).map(|_| {
            let mut packet = packet.clone();
            let head = opener.head_len();
            opener.length(0, &mut packet[..head])?;
            opener.open(0, &mut packet)
        });
        let good = Ok(Opened::Payload(HEADER_LEN..HEADER_LEN + PAYLOAD.len()));
        // Where the length is decrypted first, one packet takes two calls.
        let first = verdicts.next().unwrap();
        assert!(first == good || first == Err(PacketError::Forged), "{first:?}");
        assert!(verdicts.all(|verdict| verdict == Err(PacketError::Forged)));
    }
}
