//! Speed of the bulk ciphers and MACs: whole packets through `Sealer` and `Opener`, beside the bare primitives of the
//! libraries that were considered. GB/s, 32 KiB packets in place, one thread.
//!
//! `cargo bench -p underpass-crypto`. Without `--bench`, as under `cargo test`, each row runs once.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::aead as lc;
use underpass_crypto::{
    Cipher, CipherKind, Entropy, Mac, Provider,
    algorithms::{aes_ctr, umac},
    packet::{HEADER_LEN, Keys, Opened, Opener, Sealer},
};

const PACKET_LEN: usize = 32 * 1024;

/// The fastest batch counts, and batches are short: others use the machine too.
const BATCH: usize = 16;
const TIME_FOR_A_ROW: Duration = Duration::from_millis(400);

fn main() {
    let measure = Measure { once: !std::env::args().any(|argument| argument == "--bench") };
    println!("{:<58}{:>8}{:>8}", "GB/s", "seal", "open");
    let Provider { ciphers, macs, .. } = Provider::MODERN;
    for cipher in ciphers {
        match cipher.kind {
            CipherKind::Aead { .. } => packets(&measure, cipher, None),
            CipherKind::Plain { .. } => macs.iter().for_each(|mac| packets(&measure, cipher, Some(mac))),
        }
    }
    // Of the others each with a fast companion.
    let (cipher, mac) = (&aes_ctr::AES128_CTR, &umac::UMAC_128_ETM);
    for cipher in Provider::ON_REQUEST.ciphers {
        packets(&measure, cipher, Some(mac));
    }
    for mac in Provider::ON_REQUEST.macs {
        packets(&measure, cipher, Some(mac));
    }
    println!();
    gcm(&measure);
    ctr(&measure);
    chacha(&measure);
    hmac(&measure);
}

struct Measure {
    once: bool,
}

impl Measure {
    /// Packets per second, as GB/s.
    fn rate(&self, mut packet: impl FnMut()) -> f64 {
        if self.once {
            packet();
            return 0.0;
        }
        let (start, mut fastest) = (Instant::now(), Duration::MAX);
        while start.elapsed() < TIME_FOR_A_ROW {
            let batch = Instant::now();
            (0..BATCH).for_each(|_| packet());
            fastest = fastest.min(batch.elapsed());
        }
        (BATCH * PACKET_LEN) as f64 / fastest.as_secs_f64() / 1e9
    }

    fn row(&self, name: &str, packet: impl FnMut()) {
        println!("{name:<58}{:>8.2}", self.rate(packet));
    }
}

/// Random bytes cost the same in every row; none keeps them out of the figures.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(0);
    }
}

fn packets(measure: &Measure, cipher: &Cipher, mac: Option<&Mac>) {
    let keys = Keys {
        iv: &vec![1; cipher.iv_len],
        key: &vec![2; cipher.key_len],
        mac_key: &vec![3; mac.map_or(0, |mac| mac.key_len)],
    };
    let mut sealer = Sealer::new(cipher, mac, &keys);
    let payload_len = sealer.payload_within(PACKET_LEN);
    let mut packet = vec![0; sealer.packet_len(payload_len)];
    let seal = measure.rate(|| sealer.seal(0, black_box(&mut packet), payload_len, &mut NoEntropy));

    // Opening needs fresh packets: as many as fit the second-level cache, each run with a new opener.
    let mut sealer = Sealer::new(cipher, mac, &keys);
    let sealed: Vec<_> = (0..16)
        .map(|sequence| {
            let mut packet = vec![7; sealer.packet_len(payload_len)];
            sealer.seal(sequence, &mut packet, payload_len, &mut NoEntropy);
            packet
        })
        .collect();
    let mut opener = Opener::new(cipher, mac, &keys);
    let mut sequence = 0;
    let open = measure.rate(|| {
        if sequence == 16 {
            opener = Opener::new(cipher, mac, &keys);
            sequence = 0;
        }
        packet.copy_from_slice(&sealed[sequence as usize]);
        let head = opener.head_len();
        let size = opener.length(sequence, &mut packet[..head]).expect("it was sealed");
        let opened = opener.open(sequence, &mut packet[..size]);
        assert_eq!(opened, Ok(Opened::Payload(HEADER_LEN..HEADER_LEN + payload_len)));
        sequence += 1;
    });
    let name = format!("{cipher:?} {}", mac.map_or("", |mac| mac.name));
    println!("{name:<58}{seal:>8.2}{open:>8.2}");
}

fn gcm(measure: &Measure) {
    let mut packet = vec![0; PACKET_LEN];
    for (bits, algorithm) in [(128, &lc::AES_128_GCM), (256, &lc::AES_256_GCM)] {
        let key = lc::UnboundKey::new(algorithm, &vec![2; bits / 8]).expect("length");
        let key = lc::LessSafeKey::new(key);
        measure.row(&format!("AES-{bits}-GCM, aws-lc-rs"), || {
            let nonce = lc::Nonce::assume_unique_for_key([1; 12]);
            let tag = key.seal_in_place_separate_tag(nonce, lc::Aad::from([0; 4]), &mut packet);
            black_box(tag.expect("length").as_ref());
        });
    }
    #[cfg(target_arch = "x86_64")]
    for (bits, algorithm) in [(128, &ring::aead::AES_128_GCM), (256, &ring::aead::AES_256_GCM)] {
        use ring::aead as rg;
        let key = rg::UnboundKey::new(algorithm, &vec![2; bits / 8]).expect("length");
        let key = rg::LessSafeKey::new(key);
        measure.row(&format!("AES-{bits}-GCM, ring"), || {
            let nonce = rg::Nonce::assume_unique_for_key([1; 12]);
            let tag = key.seal_in_place_separate_tag(nonce, rg::Aad::from([0; 4]), &mut packet);
            black_box(tag.expect("length").as_ref());
        });
    }
}

fn ctr(measure: &Measure) {
    use aws_lc_rs::cipher::{
        AES_128, AES_256, EncryptionContext, StreamingEncryptingKey as Stream, UnboundCipherKey,
    };
    use ctr::{
        Ctr128BE,
        cipher::{KeyIvInit as _, StreamCipher as _},
    };
    let mut packet = vec![0; PACKET_LEN];
    let mut elsewhere = vec![0; PACKET_LEN + 16];
    for (bits, algorithm) in [(128, &AES_128), (256, &AES_256)] {
        let key = UnboundCipherKey::new(algorithm, &vec![2; bits / 8]).expect("length");
        let start = EncryptionContext::Iv128([1; 16].into());
        let mut stream = Stream::less_safe_ctr(key, start).expect("a counter mode");
        measure.row(&format!("AES-{bits}-CTR, aws-lc-rs, out of place"), || {
            stream.update(&packet, &mut elsewhere).expect("length");
        });
    }
    let mut stream = Ctr128BE::<aes::Aes128>::new_from_slices(&[2; 16], &[1; 16]).expect("length");
    measure.row("AES-128-CTR, RustCrypto, in place", || stream.apply_keystream(&mut packet));
    let mut stream = Ctr128BE::<aes::Aes256>::new_from_slices(&[2; 32], &[1; 16]).expect("length");
    measure.row("AES-256-CTR, RustCrypto, in place", || stream.apply_keystream(&mut packet));
}

fn chacha(measure: &Measure) {
    use chacha20::{
        ChaCha20Legacy,
        cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _},
    };
    use hmac::KeyInit as _;
    use lc::chacha20_poly1305_openssh as openssh;
    use poly1305::{Poly1305, universal_hash::UniversalHash as _};
    let mut packet = vec![0; PACKET_LEN];
    let mut tag = [0; openssh::TAG_LEN];
    let key = openssh::SealingKey::new(&[2; 64]);
    measure.row("ChaCha20-Poly1305 of OpenSSH, aws-lc-rs", || key.seal_in_place(3, &mut packet, &mut tag));
    let key = lc::UnboundKey::new(&lc::CHACHA20_POLY1305, &[2; 32]).expect("length");
    let key = lc::LessSafeKey::new(key);
    measure.row("ChaCha20-Poly1305 of RFC 8439, fused, aws-lc-rs", || {
        let nonce = lc::Nonce::assume_unique_for_key([1; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, lc::Aad::from([0; 4]), &mut packet);
        black_box(tag.expect("length").as_ref());
    });
    let mut stream = ChaCha20Legacy::new_from_slices(&[2; 32], &[1; 8]).expect("length");
    measure.row("ChaCha20 alone, RustCrypto", || {
        stream.seek(0_u64);
        stream.apply_keystream(&mut packet);
    });
    measure.row("Poly1305 alone, RustCrypto", || {
        let mut state = Poly1305::new_from_slice(&[2; 32]).expect("length");
        state.update_padded(&packet);
        black_box(state.finalize());
    });
}

fn hmac(measure: &Measure) {
    use aws_lc_rs::hmac::{Context, HMAC_SHA256, HMAC_SHA512, Key};
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let packet = vec![0; PACKET_LEN];
    for (bits, algorithm) in [(256, HMAC_SHA256), (512, HMAC_SHA512)] {
        let key = Key::new(algorithm, &[2; 32]);
        measure.row(&format!("HMAC-SHA-{bits}, aws-lc-rs"), || {
            let mut context = Context::with_key(&key);
            context.update(&packet);
            black_box(context.sign());
        });
    }
    let key = Hmac::<sha2::Sha256>::new_from_slice(&[2; 32]).expect("any length");
    measure.row("HMAC-SHA-256, RustCrypto", || {
        black_box(key.clone().chain_update(&packet).finalize());
    });
    let key = Hmac::<sha2::Sha512>::new_from_slice(&[2; 64]).expect("any length");
    measure.row("HMAC-SHA-512, RustCrypto", || {
        black_box(key.clone().chain_update(&packet).finalize());
    });
}
