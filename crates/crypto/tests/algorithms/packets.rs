//! Whole packets through `Sealer` and `Opener`, for every cipher and MAC.

use underpass_crypto::{
    CipherKind, Way,
    packet::{HEADER_LEN, MAX_PACKET_LENGTH, Opened, Opener, PacketError, Sealer},
};

use crate::support::{Protection, Seeded, protections};

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
    let mut size = opener.length(sequence, &mut packet[..head])?;
    loop {
        packet.resize(size, 0);
        match opener.open(sequence, &mut packet)? {
            Opened::Payload(payload) => return Ok(packet[payload].to_vec()),
            Opened::Withheld(until) => size = until,
        }
    }
}

#[test]
fn every_protection_carries_payloads_of_every_size_around_the_block_borders() {
    let sizes = (0..70).chain([255, 256, 257, 4095, 4096, 4097, 32 * 1024, 200_000]);
    for protection in protections() {
        let (mut sealer, mut opener) = protection.pair(1);
        for (sequence, size) in sizes.clone().enumerate() {
            let payload = Seeded::new(size as u64).bytes(size);
            let packet = seal(&mut sealer, sequence as u32, &payload);
            let opened = open(&mut opener, sequence as u32, &packet);
            assert_eq!(opened, Ok(payload), "{protection:?}, {size} bytes");
        }
    }
}

#[test]
fn the_sequence_number_wraps_around() {
    for protection in protections() {
        let (mut sealer, mut opener) = protection.pair(2);
        let mut sequence = u32::MAX - 2;
        for _ in 0..6 {
            let packet = seal(&mut sealer, sequence, b"across the border");
            assert_eq!(open(&mut opener, sequence, &packet).unwrap(), b"across the border", "{protection:?}");
            sequence = sequence.wrapping_add(1);
        }
    }
}

#[test]
fn a_packet_hides_its_payload() {
    for protection in protections() {
        let (mut sealer, _) = protection.pair(3);
        let packet = seal(&mut sealer, 0, b"a payload nobody may see");
        assert!(!packet.windows(8).any(|window| window == b"a payloa"), "{protection:?}");
        let again = seal(&mut sealer, 1, b"a payload nobody may see");
        assert_ne!(packet, again, "{protection:?}");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    for protection in protections() {
        let (mut sealer, _) = protection.pair(4);
        let packet = seal(&mut sealer, 7, b"twenty bytes payload");
        // The work of the largest packet is done each time where nothing must tell: there not every bit is tried, but
        // every position in a byte.
        let step = if protection.must_not_tell() { 19 } else { 1 };
        for bit in (0..8 * packet.len()).step_by(step) {
            let mut flipped = packet.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (_, mut opener) = protection.pair(4);
            let result = open(&mut opener, 7, &flipped);
            assert!(
                matches!(result, Err(PacketError::Forged | PacketError::Length(_))),
                "{protection:?}, bit {bit}: {result:?}"
            );
        }
        let (_, mut opener) = protection.pair(4);
        assert_eq!(open(&mut opener, 7, &packet).unwrap(), b"twenty bytes payload", "untouched");
    }
}

#[test]
fn a_packet_is_opened_only_once_and_only_in_its_place() {
    for protection in protections() {
        let (mut sealer, mut opener) = protection.pair(5);
        let first = seal(&mut sealer, 0, b"first");
        assert!(open(&mut opener, 0, &first).is_ok());
        assert!(open(&mut opener, 1, &first).is_err(), "{protection:?}: replayed");

        let (mut sealer, mut opener) = protection.pair(5);
        seal(&mut sealer, 0, b"dropped on the way");
        let second = seal(&mut sealer, 1, b"second");
        assert!(open(&mut opener, 0, &second).is_err(), "{protection:?}: a packet is missing");
    }
}

#[test]
fn a_packet_under_other_keys_is_refused() {
    for protection in protections() {
        let (mut sealer, _) = protection.pair(6);
        let (_, mut opener) = protection.pair(7);
        let packet = seal(&mut sealer, 0, b"payload");
        assert!(open(&mut opener, 0, &packet).is_err(), "{protection:?}");
    }
}

/// Bytes that decrypt to a packet beginning with `length`, without a valid tag.
fn head_with_length(protection: Protection, length: u32) -> Vec<u8> {
    let [iv, key, _] = protection.keys(8);
    let mut packet = vec![0; 64];
    packet[..4].copy_from_slice(&length.to_be_bytes());
    match protection.cipher.kind {
        CipherKind::Aead { tag_len, new } => {
            new(&key, &iv).seal(0, &mut packet, &mut vec![0; tag_len]).unwrap();
        }
        CipherKind::Plain { new, .. } if !protection.mac.unwrap().encrypt_then_mac => {
            new(&key, &iv, Way::Encrypt).apply(&mut packet).unwrap();
        }
        CipherKind::Plain { .. } => {}
    }
    packet
}

#[test]
fn hostile_lengths_are_refused_from_the_head_alone() {
    let too_long = MAX_PACKET_LENGTH as u32;
    for protection in protections() {
        let edges = [0, 1, 2, 3, 4, too_long + 1, too_long + 16, i32::MAX as u32, u32::MAX - 3, u32::MAX];
        for length in edges {
            let mut packet = head_with_length(protection, length);
            let (_, mut opener) = protection.pair(8);
            let head = opener.head_len();
            let result = opener.length(0, &mut packet[..head]);
            let expected = match protection.must_not_tell() {
                // What becomes of it is in `chained`.
                true => Ok(MAX_PACKET_LENGTH + protection.tag_len()),
                false => Err(PacketError::Length(length)),
            };
            assert_eq!(result, expected, "{protection:?}");
        }
    }
}

#[test]
fn lengths_off_the_block_border_are_refused() {
    for protection in protections() {
        let step = protection.cipher.block_len as u32;
        let mut accepted = Vec::new();
        for length in 5..5 + 4 * step {
            let mut packet = head_with_length(protection, length);
            let (_, mut opener) = protection.pair(8);
            let head = opener.head_len();
            if opener.length(0, &mut packet[..head]) == Ok(4 + length as usize + protection.tag_len()) {
                accepted.push(length);
            }
        }
        assert!((3..=4).contains(&accepted.len()), "{protection:?}: {accepted:?}");
        assert!(accepted.windows(2).all(|pair| pair[1] - pair[0] == step), "{protection:?}: {accepted:?}");
    }
}

/// A packet with a valid tag whose padding length field says `padding`.
fn packet_with_padding(protection: Protection, padding: u8) -> Vec<u8> {
    let [iv, key, mac_key] = protection.keys(10);
    // 4 + 28 fits whole blocks with the length encrypted, 4 + 32 with the length in clear.
    let mut packet = vec![0; if protection.hides_length() { 32 } else { 36 }];
    let length = packet.len() as u32 - 4;
    packet[..4].copy_from_slice(&length.to_be_bytes());
    packet[4] = padding;
    let tag = match (protection.cipher.kind, protection.mac) {
        (CipherKind::Aead { tag_len, new }, _) => {
            let mut tag = vec![0; tag_len];
            new(&key, &iv).seal(0, &mut packet, &mut tag).unwrap();
            tag
        }
        (CipherKind::Plain { new, .. }, Some(mac)) => {
            let mut tag = vec![0; mac.tag_len];
            let (mut cipher, mut signer) = (new(&key, &iv, Way::Encrypt), (mac.new)(&mac_key));
            if mac.encrypt_then_mac {
                cipher.apply(&mut packet[4..]).unwrap();
                signer.sign(0, &packet, &mut tag).unwrap();
            } else {
                signer.sign(0, &packet, &mut tag).unwrap();
                cipher.apply(&mut packet).unwrap();
            }
            tag
        }
        (CipherKind::Plain { .. }, None) => unreachable!(),
    };
    [packet, tag].concat()
}

#[test]
fn impossible_padding_is_refused_even_under_a_valid_tag() {
    for protection in protections() {
        let most = if protection.hides_length() { 27 } else { 31 };
        let refused = |padding| match protection.must_not_tell() {
            true => PacketError::Forged,
            false => PacketError::Padding(padding),
        };
        for padding in [0, 1, 3, 4, 5, 26, 27, 28, 31, 32, 33, 127, 128, 254, 255] {
            let (_, mut opener) = protection.pair(10);
            let result = open(&mut opener, 0, &packet_with_padding(protection, padding));
            if (4..=most).contains(&padding) {
                assert_eq!(result.map(|payload| payload.len()), Ok(usize::from(most - padding)));
            } else {
                assert_eq!(result, Err(refused(padding)), "{protection:?}");
            }
        }
    }
}

#[test]
fn payload_within_is_the_inverse_of_packet_len() {
    let mut sealers: Vec<_> = protections().into_iter().map(|protection| protection.pair(11).0).collect();
    sealers.push(Sealer::clear());
    for sealer in sealers {
        for space in 0..300 {
            let payload = sealer.payload_within(space);
            if payload > 0 {
                assert!(sealer.packet_len(payload) <= space);
            }
            assert!(sealer.packet_len(payload + 1) > space, "{space}: {payload} is not the most");
        }
    }
}

#[test]
fn a_clear_packet_has_the_shape_of_rfc_4253() {
    let mut sealer = Sealer::clear();
    let packet = seal(&mut sealer, 0, &[20; 3]);
    assert_eq!(packet.len(), 16);
    assert_eq!(packet[..8], [0, 0, 0, 12, 8, 20, 20, 20]);
    assert_eq!(open(&mut Opener::clear(), 0, &packet).unwrap(), [20; 3]);
}
