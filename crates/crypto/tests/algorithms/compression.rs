//! zlib against Python's binding of the original, against a second implementation, and against bombs.

use hex_literal::hex;
use miniz_oxide::DataFormat;
use miniz_oxide::MZFlush;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use underpass_crypto::algorithms::zlib::{ZLIB, ZLIB_OPENSSH};
use underpass_crypto::{Compress, Decompress, InflateError};

const LIMIT: usize = 256 * 1024;

fn compressor() -> Box<dyn Compress> {
    (ZLIB.streams.unwrap().compress)()
}

fn expander() -> Box<dyn Decompress> {
    (ZLIB.streams.unwrap().decompress)()
}

fn expanded(stream: &mut dyn Decompress, payload: &[u8]) -> Result<Vec<u8>, InflateError> {
    let mut out = b"before".to_vec();
    stream.decompress(payload, &mut out, LIMIT)?;
    assert_eq!(&out[..6], b"before");
    Ok(out[6..].to_vec())
}

/// Text, zeros and noise, of sizes around those where buffers end.
fn payloads() -> impl Iterator<Item = Vec<u8>> {
    let noise = |len: usize| {
        let mut state = len as u64 + 1;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect()
    };
    let sizes = [1, 2, 255, 1023, 1024, 1025, 4096, 32 * 1024, 65_535, 65_536, 128 * 1024 + 9, LIMIT];
    let kinds: [Box<dyn Fn(usize) -> Vec<u8>>; 3] = [
        Box::new(|len| b"all work and no play ".iter().copied().cycle().take(len).collect()),
        Box::new(|len| vec![0; len]),
        Box::new(noise),
    ];
    sizes.into_iter().flat_map(move |len| kinds.iter().map(|make| make(len)).collect::<Vec<_>>())
}

/// Made with Python: `c = zlib.compressobj(6)`, then for each text `c.compress(text) + c.flush(zlib.Z_PARTIAL_FLUSH)`.
#[test]
fn packets_of_the_original_zlib_expand() {
    let mut stream = expander();
    let text = b"SSH ".repeat(10);
    let counting: Vec<u8> = (0..32).collect();
    for (packet, expected) in [
        (&hex!("789c0a0ef6500826020304")[..], &text),
        (&hex!("10b11820"), &text),
        (&hex!("80181899985958d9d83938b9b87978f9f8050485844544c5c42524a5a46564e5e40102"), &counting),
    ] {
        assert_eq!(expanded(stream.as_mut(), packet).unwrap(), *expected);
    }
}

#[test]
fn each_packet_can_be_expanded_as_soon_as_it_has_come() {
    let mut stream = compressor();
    let mut ours = expander();
    // A second implementation, which gets nothing but the packets so far.
    let mut other = InflateState::new_boxed(DataFormat::Zlib);
    let mut packet = Vec::new();
    for payload in payloads() {
        packet.clear();
        stream.compress(&payload, &mut packet);
        assert_eq!(expanded(ours.as_mut(), &packet).unwrap(), payload);
        let mut out = vec![0; payload.len() + 1];
        let result = inflate(&mut other, &packet, &mut out, MZFlush::None);
        assert_eq!((result.bytes_consumed, result.bytes_written), (packet.len(), payload.len()));
        assert!(out[..payload.len()] == payload);
    }
}

#[test]
fn noise_grows_by_little() {
    let mut stream = compressor();
    for payload in payloads() {
        let mut packet = Vec::new();
        stream.compress(&payload, &mut packet);
        assert!(packet.len() <= payload.len() + payload.len() / 1000 + 64, "{}", payload.len());
    }
}

#[test]
fn what_repeats_across_packets_is_sent_once() {
    let mut stream = compressor();
    let noise = payloads().nth(3 * 4 + 2).unwrap();
    let mut packet = Vec::new();
    stream.compress(&noise, &mut packet);
    assert!(packet.len() >= noise.len());
    packet.clear();
    stream.compress(&noise, &mut packet);
    assert!(packet.len() < noise.len() / 8, "{}", packet.len());
}

#[test]
fn a_payload_of_the_limit_expands_and_one_byte_more_does_not() {
    for (len, expected) in [(LIMIT, Ok(LIMIT)), (LIMIT + 1, Err(InflateError::TooLarge))] {
        let mut packet = Vec::new();
        compressor().compress(&vec![0; len], &mut packet);
        assert_eq!(expanded(expander().as_mut(), &packet).map(|out| out.len()), expected);
    }
}

#[test]
fn a_bomb_costs_no_more_memory_than_the_limit() {
    let mut packet = Vec::new();
    compressor().compress(&vec![0; 64 << 20], &mut packet);
    assert!(packet.len() < LIMIT);
    let mut out = Vec::new();
    assert_eq!(expander().decompress(&packet, &mut out, LIMIT), Err(InflateError::TooLarge));
    assert!(out.capacity() <= 4 * LIMIT, "{}", out.capacity());
}

#[test]
fn what_is_no_part_of_the_stream_is_damaged() {
    let finished = hex!("789c030000000001");
    for packet in [&b"plain text"[..], &hex!("789c07"), &finished, &hex!("78bb0000000103")] {
        assert_eq!(expanded(expander().as_mut(), packet), Err(InflateError::Damaged), "{packet:02x?}");
    }
}

#[test]
fn a_packet_without_content_expands_to_nothing() {
    assert_eq!(expanded(expander().as_mut(), b""), Ok(Vec::new()));
    assert_eq!(expanded(expander().as_mut(), &hex!("789c")), Ok(Vec::new()));
}

#[test]
fn only_openssh_s_form_waits_for_authentication() {
    assert_eq!((ZLIB.name, ZLIB.delayed), ("zlib", false));
    assert_eq!((ZLIB_OPENSSH.name, ZLIB_OPENSSH.delayed), ("zlib@openssh.com", true));
}
