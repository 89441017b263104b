//! The vectors of RFC 4418's appendix. Its nonce is no sequence number, so they are tried below the interface.

use hex_literal::hex;

use super::Umac;

const KEY: &[u8] = b"abcdefghijklmnop";
const NONCE: u64 = u64::from_be_bytes(*b"bcdefghi");

fn tag<const WORDS: usize>(message: &[u8]) -> Vec<u8> {
    let mut tag = vec![0; 4 * WORDS];
    Umac::<WORDS>::new(KEY).tag(NONCE, message, &mut tag);
    tag
}

/// What is repeated, how often, and the tags of 64 and 96 bits.
type Vector = (&'static [u8], usize, [u8; 8], [u8; 12]);

#[test]
fn umac_agrees_with_rfc_4418() {
    // Messages beyond 16 MiB are left out. A tag of 128 bits begins with the one of 96, which is what the appendix has.
    let cases: [Vector; 7] = [
        (b"", 0, hex!("6e155fad26900be1"), hex!("32fedb100c79ad58f07ff764")),
        (b"a", 3, hex!("44b5cb542f220104"), hex!("185e4fe905cba7bd85e4c2dc")),
        (b"a", 1 << 10, hex!("26bf2f5d60118bd9"), hex!("7a54abe04af82d60fb298c3c")),
        (b"a", 1 << 15, hex!("27f8ef643b0d118d"), hex!("7b136bd911e4b734286ef2be")),
        (b"a", 1 << 20, hex!("a4477e87e9f55853"), hex!("f8acfa3ac31cfeea047f7b11")),
        (b"abc", 1, hex!("d4d7b9f6bd4fbfcf"), hex!("883c3d4b97a61976ffcf2323")),
        (b"abc", 500, hex!("d4cf26ddefd5c01a"), hex!("8824a260c53c66a36c9260a6")),
    ];
    for (text, times, short, long) in cases {
        let message = text.repeat(times);
        assert_eq!(tag::<2>(&message), short, "{} bytes", message.len());
        assert_eq!(tag::<4>(&message)[..12], long, "{} bytes", message.len());
    }
}
