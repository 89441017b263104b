//! The data types of RFC 4251 section 5, with the examples given there.

use proptest::{collection::vec, prelude::*};
use underpass_wire::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn numbers_are_big_endian() {
    let bytes = written(|out| {
        out.put_u8(7);
        out.put_bool(true);
        out.put_u32(699_921_578);
        out.put_u64(0x0102_0304_0506_0708);
    });
    assert_eq!(bytes, [7, 1, 0x29, 0xb7, 0xf4, 0xaa, 1, 2, 3, 4, 5, 6, 7, 8]);
    let mut reader = Reader::new(&bytes);
    assert_eq!((reader.u8(), reader.bool()), (Ok(7), Ok(true)));
    assert_eq!((reader.u32(), reader.u64()), (Ok(699_921_578), Ok(0x0102_0304_0506_0708)));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn mpints_are_those_of_the_rfc() {
    let examples: [(&[u8], &[u8]); 3] = [
        (&[], &[0, 0, 0, 0]),
        (
            &[0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
            &[0, 0, 0, 8, 0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
        ),
        (&[0x80], &[0, 0, 0, 2, 0x00, 0x80]),
    ];
    for (magnitude, bytes) in examples {
        assert_eq!(written(|out| out.put_mpint(magnitude)), bytes);
        assert_eq!(Reader::new(bytes).mpint().unwrap().as_bytes(), magnitude);
    }
    let negative = [0, 0, 0, 2, 0xed, 0xcc];
    assert_eq!(Reader::new(&negative).mpint(), Err(DecodeError::NegativeMpint));
}

#[test]
fn name_lists_are_those_of_the_rfc() {
    let examples: [(&[&str], &[u8]); 3] = [
        (&[], &[0, 0, 0, 0]),
        (&["zlib"], &[0, 0, 0, 4, 0x7a, 0x6c, 0x69, 0x62]),
        (&["zlib", "none"], &[0, 0, 0, 9, 0x7a, 0x6c, 0x69, 0x62, 0x2c, 0x6e, 0x6f, 0x6e, 0x65]),
    ];
    for (names, bytes) in examples {
        assert_eq!(written(|out| out.put_name_list(names)), bytes);
        let list = Reader::new(bytes).name_list().unwrap();
        assert_eq!(list.iter().collect::<Vec<_>>(), names);
        assert_eq!(list.first(), names.first().copied());
        assert_eq!(list.is_empty(), names.is_empty());
        assert_eq!(list.to_string(), names.join(","));
    }
}

#[test]
fn a_name_list_contains_whole_names_only() {
    let list = NameList::new("rsa-sha2-256,ssh-rsa").unwrap();
    assert!(list.contains("ssh-rsa"));
    assert!(!list.contains("ssh") && !list.contains("") && !list.contains("rsa-sha2-256,ssh-rsa"));
    assert!(!NameList::EMPTY.contains(""));
}

#[test]
fn a_nested_reader_ends_with_its_string() {
    let bytes = written(|out| {
        out.put_nested(|out| {
            out.put_u8(1);
            out.put_text("inner");
        });
        out.put_u8(2);
    });
    let mut outer = Reader::new(&bytes);
    let mut nested = outer.nested().unwrap();
    assert_eq!(nested.u8(), Ok(1));
    assert_eq!(nested.text(), Ok("inner"));
    assert_eq!(nested.u8(), Err(DecodeError::Truncated { needed: 1, available: 0 }));
    assert!(nested.is_empty());
    assert_eq!(outer.u8(), Ok(2));
    assert_eq!(outer.finish(), Ok(()));
}

#[test]
fn a_failed_read_of_fixed_size_takes_nothing() {
    let mut reader = Reader::new(&[1, 2, 3]);
    assert_eq!(reader.u32(), Err(DecodeError::Truncated { needed: 4, available: 3 }));
    assert_eq!(reader.bytes(4), Err(DecodeError::Truncated { needed: 4, available: 3 }));
    assert_eq!(reader.remaining(), 3);
    assert_eq!(reader.bytes(1), Ok(&[1][..]));
    assert_eq!(reader.array(), Ok([2]));
    assert_eq!(reader.rest(), [3]);
    assert!(reader.is_empty());
}

#[test]
fn what_is_left_over_is_counted() {
    assert_eq!(Reader::new(b"abc").finish(), Err(DecodeError::TrailingBytes { count: 3 }));
}

#[test]
fn errors_say_what_was_wrong() {
    let texts = [
        (DecodeError::Truncated { needed: 4, available: 1 }, "truncated: 4 bytes needed, 1 left"),
        (DecodeError::UnknownMessage { number: 9 }, "message number 9 is unknown here"),
        (DecodeError::TooMany { what: "prompts", limit: 100 }, "too many prompts: the limit is 100"),
        (DecodeError::Invalid { what: "curve point" }, "invalid curve point"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}

proptest! {
    #[test]
    fn mpints_lose_their_leading_zeros_and_nothing_else(
        zeros in 0usize..4, magnitude in vec(any::<u8>(), 0..64)
    ) {
        let padded = [vec![0; zeros], magnitude.clone()].concat();
        let bytes = written(|out| out.put_mpint(&padded));
        let mut reader = Reader::new(&bytes);
        let read = reader.mpint();
        prop_assert_eq!(read.as_ref(), Ok(&Mpint::from_magnitude(&magnitude)));
        prop_assert_eq!(reader.finish(), Ok(()));
        prop_assert_ne!(read.unwrap().as_bytes().first(), Some(&0));
    }

    /// What `put_mpint` writes is the only form that `mpint` accepts.
    #[test]
    fn an_mpint_has_one_form(
        contents in vec(prop_oneof![Just(0u8), Just(0x80), any::<u8>()], 0..6)
    ) {
        let bytes = written(|out| out.put_string(&contents));
        if let Ok(mpint) = Reader::new(&bytes).mpint() {
            prop_assert_eq!(written(|out| out.put_mpint(mpint.as_bytes())), bytes);
        }
    }

    #[test]
    fn a_checked_name_list_is_made_of_checked_names(list in "[a-c,\\x00-\\x20é]{0,12}") {
        let names: Vec<_> = list.split(',').collect();
        let well_formed = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let expected = list.is_empty() || names.iter().all(well_formed);
        prop_assert_eq!(NameList::new(&list).is_ok(), expected);
    }
}
