//! Under a chained cipher beside a MAC of the plain packet, nothing tells how a packet was bad (CVE-2008-5161): neither
//! the bytes that are taken before the refusal, nor the work, nor the error.

use std::cell::RefCell;

use underpass_crypto::{
    Cipher, CipherKind, Failed, Keystream, Mac, MacKey, Provider, Strength, Way,
    packet::{Keys, MAX_PACKET_LENGTH, Opened, Opener, PacketError},
};

use crate::support::{Protection, Seeded};

/// A packet as an attacker may wish it.
#[derive(Debug, Clone, Copy)]
struct Forgery {
    /// What the length field says.
    length: u32,
    /// What the padding length field says.
    padding: u8,
    /// What there is to sign and encrypt.
    body: usize,
    /// Whether the tag is right.
    authentic: bool,
}

/// The size on the wire of the largest packet, without its tag. The length is encrypted with the rest.
const LARGEST: usize = MAX_PACKET_LENGTH;

const FORGERIES: [Forgery; 11] = [
    bad_length(0),
    bad_length(1),
    bad_length(11),
    bad_length(13),
    bad_length(MAX_PACKET_LENGTH as u32 + 4),
    bad_length(u32::MAX),
    bad_tag(32),
    bad_tag(4096),
    bad_tag(LARGEST),
    Forgery { padding: 3, authentic: true, ..bad_tag(64) },
    Forgery { padding: 255, authentic: true, ..bad_tag(64) },
];

const fn bad_length(length: u32) -> Forgery {
    Forgery { length, padding: 8, body: 64, authentic: false }
}

const fn bad_tag(body: usize) -> Forgery {
    Forgery { length: body as u32 - 4, padding: 8, body, authentic: false }
}

impl Forgery {
    fn packet(self, cipher: &Cipher, mac: &Mac, keys: &Keys<'_>) -> Vec<u8> {
        let CipherKind::Plain { new, .. } = cipher.kind else { panic!("{cipher:?} has a tag") };
        let mut packet = vec![7; self.body];
        packet[..4].copy_from_slice(&self.length.to_be_bytes());
        packet[4] = self.padding;
        let mut tag = vec![0; mac.tag_len];
        (mac.new)(keys.mac_key).sign(0, &packet, &mut tag).unwrap();
        if !self.authentic {
            tag[0] ^= 1;
        }
        new(keys.key, keys.iv, Way::Encrypt).apply(&mut packet).unwrap();
        [packet, tag].concat()
    }
}

/// How many bytes are taken of a packet and what follows it until it is refused, and the error.
fn refusal(opener: &mut Opener, packet: &[u8]) -> (usize, PacketError) {
    let following = Seeded::new(1).bytes(LARGEST + 1024);
    let mut stream = [packet, &following].concat();
    let head = opener.head_len();
    let mut size = match opener.length(0, &mut stream[..head]) {
        Ok(size) => size,
        Err(error) => return (head, error),
    };
    loop {
        match opener.open(0, &mut stream[..size]) {
            Ok(Opened::Withheld(until)) => {
                assert!(until > size, "it goes on");
                size = until;
            }
            Ok(Opened::Payload(payload)) => panic!("accepted, with a payload at {payload:?}"),
            Err(error) => return (size, error),
        }
    }
}

#[test]
fn every_bad_packet_is_refused_after_as_many_bytes_with_the_same_error() {
    let chained = |cipher: &&&Cipher| matches!(cipher.kind, CipherKind::Plain { chained: true, .. });
    let mut ran = 0;
    for &cipher in Provider::ALL.ciphers.iter().filter(chained) {
        for mac in ["hmac-sha2-256", "hmac-md5-96", "umac-64@openssh.com"] {
            let mac = Provider::find(Provider::ALL.macs, mac).unwrap();
            let protection = Protection { cipher, mac: Some(mac) };
            let [iv, key, mac_key] = protection.keys(3);
            let keys = Keys { iv: &iv, key: &key, mac_key: &mac_key };
            for forgery in FORGERIES {
                let (_, mut opener) = protection.pair(3);
                let refused = refusal(&mut opener, &forgery.packet(cipher, mac, &keys));
                assert_eq!(
                    refused,
                    (LARGEST + mac.tag_len, PacketError::Forged),
                    "{protection:?} {forgery:?}"
                );
            }
            ran += 1;
        }
    }
    assert_eq!(ran, 6 * 3);
}

#[test]
fn every_bad_packet_costs_the_same_work() {
    let keys = Keys { iv: &[], key: &[], mac_key: &[] };
    let work: Vec<_> = FORGERIES
        .iter()
        .map(|forgery| {
            let packet = forgery.packet(&COUNTED_CIPHER, &COUNTED_MAC, &keys);
            let mut opener = Opener::new(&COUNTED_CIPHER, Some(&COUNTED_MAC), &keys);
            WORK.take();
            refusal(&mut opener, &packet);
            WORK.take()
        })
        .collect();
    assert_eq!((work[0].decrypted, work[0].signed), (LARGEST, LARGEST));
    // The largest packet has nothing left to make up for but an empty code.
    assert!(work.iter().all(|one| *one == work[0]), "{work:?}");
}

#[test]
fn no_work_is_left_for_the_moment_of_the_refusal() {
    let keys = Keys { iv: &[], key: &[], mac_key: &[] };
    for forgery in FORGERIES.iter().filter(|forgery| forgery.body < LARGEST) {
        let mut packet = forgery.packet(&COUNTED_CIPHER, &COUNTED_MAC, &keys);
        let mut opener = Opener::new(&COUNTED_CIPHER, Some(&COUNTED_MAC), &keys);
        let head = opener.head_len();
        let mut size = opener.length(0, &mut packet[..head]).unwrap();
        packet.resize(LARGEST + COUNTED_MAC.tag_len, 0);
        if let Ok(Opened::Withheld(until)) = opener.open(0, &mut packet[..size]) {
            size = until;
        }
        WORK.take();
        assert_eq!(opener.open(0, &mut packet[..size]), Err(PacketError::Forged));
        assert_eq!(WORK.take(), Work::default(), "{forgery:?}");
    }
}

/// What the counting cipher and MAC have done on this thread.
#[derive(Debug, Default, PartialEq)]
struct Work {
    decrypted: usize,
    signed: usize,
    tags: usize,
}

thread_local! {
    static WORK: RefCell<Work> = RefCell::default();
}

static COUNTED_CIPHER: Cipher = Cipher {
    name: "counted",
    strength: Strength::Legacy,
    key_len: 0,
    iv_len: 0,
    block_len: 16,
    kind: CipherKind::Plain { new: |_, _, _| Box::new(Counted), chained: true },
};

static COUNTED_MAC: Mac = Mac {
    name: "counted",
    strength: Strength::Legacy,
    key_len: 0,
    tag_len: 16,
    encrypt_then_mac: false,
    new: |_| Box::new(Counted),
};

/// Changes nothing, and signs with ones.
struct Counted;

impl Keystream for Counted {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        WORK.with_borrow_mut(|work| work.decrypted += bytes.len());
        Ok(())
    }
}

impl MacKey for Counted {
    fn sign(&mut self, _sequence: u32, packet: &[u8], tag: &mut [u8]) -> Result<(), Failed> {
        tag.fill(1);
        WORK.with_borrow_mut(|work| {
            work.signed += packet.len();
            work.tags += 1;
        });
        Ok(())
    }
}
