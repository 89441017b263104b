//! Whole packets, sealed by one library and opened by the other.

use underpass_crypto::{
    Cipher, CipherKind, Mac, Provider,
    packet::{HEADER_LEN, Keys, Opened, Opener, PacketError, Sealer},
};
use underpass_openssl::{Mode, provider};

use crate::support::{Seeded, in_both_modes, own};

in_both_modes! {
    each_opens_what_the_other_seals
    what_was_tampered_with_is_refused
    a_packet_opens_at_its_place_only
}

/// A cipher, and a MAC if it needs one: by OpenSSL, and by us.
#[derive(Debug, Clone, Copy)]
struct Protection {
    theirs: (&'static Cipher, Option<&'static Mac>),
    ours: (&'static Cipher, Option<&'static Mac>),
}

/// Each cipher with each MAC.
fn protections(mode: Mode) -> Vec<Protection> {
    let provider = provider(mode).unwrap();
    let mut all = Vec::new();
    for &cipher in provider.ciphers {
        let our_cipher = own(Provider::ALL.ciphers, cipher);
        assert_eq!(
            (cipher.key_len, cipher.iv_len, cipher.block_len, cipher.strength),
            (our_cipher.key_len, our_cipher.iv_len, our_cipher.block_len, our_cipher.strength)
        );
        if let CipherKind::Aead { .. } = cipher.kind {
            all.push(Protection { theirs: (cipher, None), ours: (our_cipher, None) });
            continue;
        }
        for &mac in provider.macs {
            let our_mac = own(Provider::ALL.macs, mac);
            all.push(Protection { theirs: (cipher, Some(mac)), ours: (our_cipher, Some(our_mac)) });
        }
    }
    let count = if mode == Mode::System { 3 + 3 * 6 } else { 2 + 3 * 4 };
    assert_eq!(all.len(), count, "{all:?}");
    all
}

impl Protection {
    fn with_keys<T>(self, make: impl Fn(&Cipher, Option<&Mac>, &Keys<'_>) -> T) -> [T; 2] {
        let mut entropy = Seeded::new(1);
        let (cipher, mac) = self.ours;
        let [iv, key, mac_key] =
            [cipher.iv_len, cipher.key_len, mac.map_or(0, |mac| mac.key_len)].map(|len| entropy.bytes(len));
        let keys = Keys { iv: &iv, key: &key, mac_key: &mac_key };
        [self.theirs, self.ours].map(|(cipher, mac)| make(cipher, mac, &keys))
    }

    /// OpenSSL's, then ours.
    fn sealers(self) -> [Sealer; 2] {
        self.with_keys(Sealer::new)
    }

    fn openers(self) -> [Opener; 2] {
        self.with_keys(Opener::new)
    }
}

fn seal(sealer: &mut Sealer, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; sealer.packet_len(payload.len())];
    packet[HEADER_LEN..][..payload.len()].copy_from_slice(payload);
    sealer.seal(sequence, &mut packet, payload.len(), &mut Seeded::new(9));
    packet
}

/// Opens what may have been tampered with: bytes that its length asks for beyond `packet` are zero.
fn open(opener: &mut Opener, sequence: u32, packet: &[u8]) -> Result<Vec<u8>, PacketError> {
    let mut packet = packet.to_vec();
    let head = opener.head_len();
    let size = opener.length(sequence, &mut packet[..head])?;
    packet.resize(size, 0);
    match opener.open(sequence, &mut packet)? {
        Opened::Payload(payload) => Ok(packet[payload].to_vec()),
        Opened::Withheld(_) => panic!("no cipher here is chained"),
    }
}

fn each_opens_what_the_other_seals(mode: Mode) {
    for protection in protections(mode) {
        let ([mut theirs, mut ours], [mut their_opener, mut our_opener]) =
            (protection.sealers(), protection.openers());
        // Across the end of the sequence numbers, and from nothing to the largest packet.
        for (at, len) in [0, 1, 15, 16, 17, 255, 4096, 32_768, 35_000, 200_000, 5].into_iter().enumerate() {
            let sequence = (u32::MAX - 4).wrapping_add(at as u32);
            let payload = Seeded::new(len as u64).bytes(len);
            let [by_them, by_us] = [&mut theirs, &mut ours].map(|sealer| seal(sealer, sequence, &payload));
            assert!(by_them == by_us, "{protection:?}: the packets of {len} bytes differ");
            assert!(open(&mut our_opener, sequence, &by_them).unwrap() == payload, "{protection:?}");
            assert!(open(&mut their_opener, sequence, &by_us).unwrap() == payload, "{protection:?}");
        }
    }
}

fn what_was_tampered_with_is_refused(mode: Mode) {
    for protection in protections(mode) {
        let [mut sealer, _] = protection.sealers();
        let packet = seal(&mut sealer, 7, b"twenty bytes payload");
        for bit in 0..8 * packet.len() {
            let mut flipped = packet.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let [mut opener, _] = protection.openers();
            assert!(open(&mut opener, 7, &flipped).is_err(), "{protection:?}: bit {bit}");
        }
        let [mut opener, _] = protection.openers();
        assert_eq!(open(&mut opener, 7, &packet).unwrap(), b"twenty bytes payload", "untouched");
    }
}

fn a_packet_opens_at_its_place_only(mode: Mode) {
    for protection in protections(mode) {
        let [mut sealer, _] = protection.sealers();
        let [first, second] = [0, 1].map(|sequence| seal(&mut sealer, sequence, b"payload"));
        let [mut opener, _] = protection.openers();
        assert!(open(&mut opener, 0, &second).is_err(), "{protection:?}: out of order");
        let [mut opener, _] = protection.openers();
        assert!(open(&mut opener, 0, &first).is_ok());
        assert!(open(&mut opener, 1, &first).is_err(), "{protection:?}: replayed");
    }
}
