//! The data types of RFC 4251: a program of reads runs over arbitrary bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_wire::{Mpint, Put as _, Reader, untrusted};

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (program, bytes) = input;
    let mut reader = Reader::new(bytes);
    for step in program {
        let before = reader.remaining();
        if read(&mut reader, step) {
            assert!(reader.remaining() <= before);
        }
    }
    let shown = untrusted(reader.rest());
    assert!(!shown.chars().any(char::is_control));
    assert_eq!(reader.finish(), Ok(()));
});

/// Reads one value; what has one encoding only must come out as it went in. Tells whether there was a value.
fn read(reader: &mut Reader<'_>, step: u8) -> bool {
    let start = reader.clone().rest();
    match step % 10 {
        0 => reader.u8().is_ok(),
        1 => reader.bool().is_ok(),
        2 => reader.u32().is_ok(),
        3 => reader.u64().is_ok(),
        4 => reader.bytes(step.into()).is_ok(),
        5 => reader.string().is_ok(),
        6 => reader.text().is_ok(),
        7 => reader.name_list().is_ok_and(|names| names.iter().all(|name| names.contains(name))),
        8 => match reader.mpint().map(|number| number.as_bytes()) {
            Ok(magnitude) => {
                let mut encoded = Vec::new();
                encoded.put_mpint(magnitude);
                assert!(start.starts_with(&encoded));
                assert_eq!(Mpint::from_magnitude(magnitude).as_bytes(), magnitude);
                true
            }
            Err(_) => false,
        },
        _ => reader.nested().is_ok_and(|inside| inside.remaining() + reader.remaining() + 4 == start.len()),
    }
}
