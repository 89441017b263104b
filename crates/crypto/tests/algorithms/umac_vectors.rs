//! UMAC against Nettle, for lengths around the borders of its layers. RFC 4418's vectors are tried beside the code.

use hex_literal::hex;
use underpass_crypto::{Mac, Provider};

/// Under the sequence number that stands in the lower half of the nonce.
fn tag(name: &str, key: &[u8], sequence: u32, message: &[u8]) -> Vec<u8> {
    let mac: &Mac = Provider::find(Provider::ALL.macs, name).unwrap();
    let mut tag = vec![0; mac.tag_len];
    (mac.new)(key).sign(sequence, message, &mut tag).unwrap();
    tag
}

const PLAIN_AND_ETM: [[&str; 2]; 2] = [
    ["umac-64@openssh.com", "umac-64-etm@openssh.com"],
    ["umac-128@openssh.com", "umac-128-etm@openssh.com"],
];

fn message(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + 3) as u8).collect()
}

#[test]
fn umac_agrees_with_nettle_around_the_borders_of_its_layers() {
    // nettle_umac64 and nettle_umac128 with this key, nonces of 8 bytes and bytes (7 i + 3) mod 256. Two nonces that
    // differ in the last bit share a pad of AES, of which each takes a half.
    let key: [u8; 16] = std::array::from_fn(|at| at as u8);
    for (len, odd, even, long) in VECTORS {
        for name in PLAIN_AND_ETM[0] {
            assert_eq!(tag(name, &key, 5, &message(len)), odd, "{name}, {len} bytes");
            assert_eq!(tag(name, &key, 4, &message(len)), even, "{name}, {len} bytes");
        }
        for name in PLAIN_AND_ETM[1] {
            assert_eq!(tag(name, &key, 5, &message(len)), long, "{name}, {len} bytes");
        }
    }
}

/// The length, the tags of 64 bits under the nonces 5 and 4, and the tag of 128 bits under the nonce 5.
type Vector = (usize, [u8; 8], [u8; 8], [u8; 16]);

const VECTORS: [Vector; 14] = [
    (0, hex!("5d23345d5afb5ed2"), hex!("ee2ab5ea26b9b383"), hex!("950387128973f9a8f5097b7db0d4fe69")),
    (1, hex!("31d12a5e79d24928"), hex!("82d8abe90590a479"), hex!("f9f19911aa5aee52e4fb279e0d77c220")),
    (31, hex!("38406a6724f58bc4"), hex!("8b49ebd058b76695"), hex!("f060d928f77d2cbe78217ffed5ccd1bb")),
    (32, hex!("57a8f1f3e1c75054"), hex!("e4a170449d85bd05"), hex!("9f8842bc324ff72e013171822f3620c3")),
    (33, hex!("4cb9b8e90d292781"), hex!("ffb0395e716bcad0"), hex!("84990ba6dea180fb62ce619a063b3b53")),
    (1023, hex!("c38f6971dc1595a8"), hex!("7086e8c6a05778f9"), hex!("0bafda3e0f9d32d2765a0c928cefba8a")),
    (1024, hex!("1107db18f45d3207"), hex!("a20e5aaf881fdf56"), hex!("d927685727d5957d8b7c29221546a7fb")),
    (1025, hex!("e5965fafdb10abcb"), hex!("569fde18a752469a"), hex!("2db6ece008980cb1a481bc00d4ebebe9")),
    (1056, hex!("282377d8eb6ce144"), hex!("9b2af66f972e0c15"), hex!("e003c49738e4463e00d17517fc13936e")),
    (2047, hex!("45b24dfac94326d8"), hex!("f6bbcc4db501cb89"), hex!("8d92feb51acb81a236e0a0f95dc9ed29")),
    (2048, hex!("932abf8159a314da"), hex!("20233e3625e1f98b"), hex!("5b0a0cce8a2bb3a04b1abd84be124597")),
    (2049, hex!("da027a3de66cbebe"), hex!("690bfb8a9a2e53ef"), hex!("1222c97235e419c4ad9a8b3c000e1ec0")),
    (16384, hex!("b77ad2fa859f3881"), hex!("0473534df9ddd5d0"), hex!("7f5a61b556179ffbb7fd208a1b3bdb46")),
    (262144, hex!("3384c356171684b6"), hex!("808d42e16b5469e7"), hex!("fba47019c49e23ccb875b6efe0ef9784")),
];
