//! How fast whole packets are sealed and opened, on one core: a line `cipher, MAC, seal, open` for each pair, separated by
//! tabs, the speeds in GB of payload a second. `cargo xtask bench sealing` makes a table of it.

use std::time::{Duration, Instant};

use underpass_crypto::packet::{HEADER_LEN, Keys, Opened, Opener, Sealer};
use underpass_crypto::{Cipher, CipherKind, Entropy, Mac, Provider};

/// What most implementations send at a time.
const PAYLOAD: usize = 32 << 10;

/// Packets between two looks at the clock. They fit into the cache of a core.
const PACKETS: usize = 8;

/// Time for each pair. The fastest round counts: what disturbs a machine only ever slows it down.
const ENOUGH: Duration = Duration::from_millis(60);

fn main() {
    for cipher in Provider::ALL.ciphers {
        match cipher.kind {
            CipherKind::Aead { .. } => report(cipher, None),
            CipherKind::Plain { .. } => Provider::ALL.macs.iter().for_each(|mac| report(cipher, Some(mac))),
        }
    }
}

fn report(cipher: &Cipher, mac: Option<&Mac>) {
    let (seal, open) = speed(cipher, mac);
    let gigabytes = |time: Duration| (PACKETS * PAYLOAD) as f64 / time.as_secs_f64() / 1e9;
    let mac = mac.map_or("", |mac| mac.name);
    println!("{}\t{mac}\t{:.3}\t{:.3}", cipher.name, gigabytes(seal), gigabytes(open));
}

/// The time to seal and to open [`PACKETS`] packets.
fn speed(cipher: &Cipher, mac: Option<&Mac>) -> (Duration, Duration) {
    let (key, iv, mac_key) =
        (vec![7; cipher.key_len], vec![8; cipher.iv_len], vec![9; mac.map_or(0, |mac| mac.key_len)]);
    let keys = Keys { iv: &iv, key: &key, mac_key: &mac_key };
    let (mut sealer, mut opener) = (Sealer::new(cipher, mac, &keys), Opener::new(cipher, mac, &keys));
    let mut packets: Vec<Vec<u8>> = (0..PACKETS).map(|_| vec![0; sealer.packet_len(PAYLOAD)]).collect();
    let (mut sent, mut received) = (0_u32, 0_u32);
    let (mut best_seal, mut best_open) = (Duration::MAX, Duration::MAX);
    let begin = Instant::now();
    while begin.elapsed() < ENOUGH {
        let start = Instant::now();
        for packet in &mut packets {
            sealer.seal(sent, packet, PAYLOAD, &mut Zeros);
            sent = sent.wrapping_add(1);
        }
        best_seal = best_seal.min(start.elapsed());
        let start = Instant::now();
        for packet in &mut packets {
            let head = opener.head_len();
            let length = opener.length(received, &mut packet[..head]).expect("it was sealed here");
            assert_eq!(length, packet.len());
            let opened = opener.open(received, packet).expect("it was sealed here");
            assert_eq!(opened, Opened::Payload(HEADER_LEN..HEADER_LEN + PAYLOAD));
            received = received.wrapping_add(1);
        }
        best_open = best_open.min(start.elapsed());
    }
    (best_seal, best_open)
}

/// What padding is made of costs the same for all.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(0);
    }
}
