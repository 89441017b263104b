use proptest::prelude::*;
use underpass_wire::Mpint;

use super::*;

fn utf8() -> Encoding {
    Encoding::of(65001).unwrap()
}

fn set(payload: Vec<u8>, field_type: &str, value: &str) -> Result<Vec<u8>, PacketError> {
    set_ssh_param(payload, field_type, value, &utf8())
}

fn get(payload: &[u8], field: &str) -> Result<String, PacketError> {
    get_ssh_param(payload, field, &utf8())
}

fn built(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().fold(Vec::new(), |payload, (field_type, value)| set(payload, field_type, value).unwrap())
}

/// A channel request, up to the fields of its type.
fn request(name: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    built(&[&[("b", "98"), ("i", "7"), ("s", name), ("f", "true")], fields].concat())
}

#[test]
fn packets_go_through_hexadecimal_and_back() {
    assert_eq!(encode_packet(&[0xA1, 0xB2, 0x3C, 0]), "A1B23C00");
    assert_eq!(decode_packet("A1b23c00"), Ok(vec![0xA1, 0xB2, 0x3C, 0]));
    assert_eq!(decode_packet(&encode_packet(b"")), Ok(Vec::new()));
    for text in ["A", "A1B", "0x00", "G0", "A1 B2", "١0"] {
        assert_eq!(decode_packet(text), Err(PacketError::Hex), "{text}");
    }
}

/// The examples of RFC 4251 section 5.
#[test]
fn fields_are_written_as_the_rfc_has_them() {
    for (field_type, value, hex) in [
        ("s", "testing", "00000007 74657374696E67"),
        ("i", "699921578", "29B7F4AA"),
        ("i", "0x29b7f4aa", "29B7F4AA"),
        ("i", "-1", "FFFFFFFF"),
        ("l", "0x0102030405060708", "0102030405060708"),
        ("l", "18446744073709551615", "FFFFFFFFFFFFFFFF"),
        ("b", "255", "FF"),
        ("b", "0x0F", "0F"),
        ("f", "true", "01"),
        ("f", "False", "00"),
        ("sb", "a1B2", "00000002 A1B2"),
        ("sb", "", "00000000"),
        ("m", "0", "00000000"),
        ("m", "-0", "00000000"),
        ("m", "0x9a378f9b2e332a7", "00000008 09A378F9B2E332A7"),
        ("m", "0x80", "00000002 0080"),
        ("m", "-0x1234", "00000002 EDCC"),
        ("m", "-0xdeadbeef", "00000005 FF21524111"),
        ("m", "-128", "00000001 80"),
        ("m", "340282366920938463463374607431768211456", "00000011 0100000000000000000000000000000000"),
    ] {
        let written = set(vec![0x32], field_type, value).unwrap();
        assert_eq!(encode_packet(&written), format!("32{}", hex.replace(' ', "")), "{field_type} {value}");
    }
}

#[test]
fn what_is_no_value_of_its_type_is_refused() {
    for (field_type, value) in [
        ("i", ""),
        ("i", "0x"),
        ("i", "-"),
        ("i", "1.5"),
        ("i", "FF"),
        ("i", "4294967296"),
        ("i", "-2147483649"),
        ("l", "18446744073709551616"),
        ("b", "256"),
        ("b", "-129"),
        ("f", "maybe"),
        ("f", ""),
        ("m", "12a"),
        ("m", "--1"),
    ] {
        assert!(
            matches!(set(Vec::new(), field_type, value), Err(PacketError::Value(_))),
            "{field_type} {value}"
        );
    }
    assert_eq!(set(Vec::new(), "sb", "abc"), Err(PacketError::Hex));
    assert_eq!(set(Vec::new(), "x", ""), Err(PacketError::UnknownType("x".to_owned())));
    assert!(set(Vec::new(), "m", &format!("0x{}", "F".repeat(2 * 2048))).is_ok());
    assert!(set(Vec::new(), "m", &format!("0x1{}", "0".repeat(2 * 2048))).is_err(), "one bit too many");
    assert!(set(Vec::new(), "m", &"9".repeat(1 << 20)).is_err(), "in time");
}

#[test]
fn text_is_written_and_read_in_the_code_page() {
    let ebcdic = Encoding::of(37).unwrap();
    let written = set_ssh_param(Vec::new(), "s", "Abc", &ebcdic).unwrap();
    assert_eq!(written, [0, 0, 0, 3, 0xC1, 0x82, 0x83]);
    assert_eq!(get_ssh_param(&written, "%s", &ebcdic).as_deref(), Ok("Abc"));
    assert!(matches!(set_ssh_param(Vec::new(), "s", "€", &ebcdic), Err(PacketError::Unencodable(_))));
    assert_eq!(get(&[0, 0, 0, 1, 0xC1], "%s"), Err(PacketError::NotText));
    assert_eq!(get(&[0, 0, 0, 1, 0xC1], "%sb").as_deref(), Ok("C1"));
}

#[test]
fn fields_of_channel_requests_are_found_by_name() {
    let cookie = ("s", "0011aabb");
    for (name, fields, expected) in [
        (
            "pty-req",
            &[("s", "vt100"), ("i", "80"), ("i", "24"), ("i", "640"), ("i", "480"), ("sb", "0100000003")][..],
            &[
                ("TerminalType", "vt100"),
                ("TerminalWidthCharacters", "80"),
                ("TerminalHeightRows", "24"),
                ("TerminalWidthPixels", "640"),
                ("TerminalHeightPixels", "480"),
                ("TerminalModes", "\u{1}\0\0\0\u{3}"),
            ][..],
        ),
        (
            "x11-req",
            &[("f", "false"), ("s", "MIT-MAGIC-COOKIE-1"), cookie, ("i", "1")],
            &[
                ("SingleConnection", "false"),
                ("X11AuthProtocol", "MIT-MAGIC-COOKIE-1"),
                ("X11AuthCookie", "0011aabb"),
                ("X11ScreenNumber", "1"),
            ],
        ),
        ("env", &[("s", "LANG"), ("s", "C")], &[("VariableName", "LANG"), ("VariableValue", "C")]),
        ("exec", &[("s", "ls")], &[("Command", "ls")]),
        ("subsystem", &[("s", "sftp")], &[("Subsystem", "sftp")]),
        ("xon-xoff", &[("f", "true")], &[("ClientCanDo", "true")]),
        ("signal", &[("s", "TERM")], &[("SignalName", "TERM"), ("signalname", "TERM")]),
    ] {
        let payload = request(name, fields);
        let common = [("ChannelId", "7"), ("RequestType", name), ("WantsReply", "true")];
        for (field, value) in common.iter().chain(expected) {
            assert_eq!(get(&payload, field).as_deref(), Ok(*value), "{field}");
        }
        let foreign = if name == "exec" { "SignalName" } else { "Command" };
        assert!(matches!(get(&payload, foreign), Err(PacketError::NoSuchField(_))), "{name}");
        assert!(matches!(get(&payload[1..], "ChannelId"), Err(PacketError::NotAChannelRequest)));
        assert_eq!(get(&payload, "Nothing"), Err(PacketError::UnknownField("Nothing".to_owned())));
    }
}

#[test]
fn fields_are_found_behind_their_types() {
    let fields = [
        ("b", "60"),
        ("s", "päss"),
        ("sb", "FF00"),
        ("m", "-12345678901234567890"),
        ("i", "5"),
        ("l", "6"),
        ("f", "true"),
    ];
    let payload = built(&fields);
    for count in 1..=fields.len() {
        let types: Vec<&str> = fields[..count].iter().map(|(field_type, _)| *field_type).collect();
        assert_eq!(get(&payload, &format!("%{}", types.join(","))).as_deref(), Ok(fields[count - 1].1));
    }
    assert_eq!(get(&payload, "% b, s").as_deref(), Ok("päss"));
    for (field, letters) in [("%", ""), ("%b,", ""), ("%b,S", "S"), ("%q", "q")] {
        assert_eq!(get(&payload, field), Err(PacketError::UnknownType(letters.to_owned())), "{field}");
    }
}

#[test]
fn bytes_of_a_field_are_its_contents() {
    let payload = built(&[("b", "60"), ("s", "é"), ("i", "5"), ("f", "true"), ("m", "0x80")]);
    for (field, bytes) in [
        ("%b", &[60][..]),
        ("%b,s", "é".as_bytes()),
        ("%b,s,i", &[0, 0, 0, 5]),
        ("%b,s,i,f", &[1]),
        ("%b,s,i,f,m", &[0, 0x80]),
    ] {
        assert_eq!(get_ssh_param_bytes(&payload, field).as_deref(), Ok(bytes), "{field}");
    }
}

#[test]
fn what_is_cut_short_is_an_error() {
    let payload = request("env", &[("s", "LANG"), ("s", "C")]);
    for length in 0..payload.len() {
        assert!(matches!(get(&payload[..length], "VariableValue"), Err(PacketError::Payload(_))), "{length}");
    }
    assert!(matches!(get(&[0xFF; 8], "%s"), Err(PacketError::Payload(_))));
    let long = [&[0, 0, 0x10, 0][..], &[0x7F; 4096]].concat();
    assert!(matches!(get(&long, "%m"), Err(PacketError::Value(_))));
}

proptest! {
    #[test]
    fn any_payload_gives_a_value_or_an_error(payload in prop::collection::vec(any::<u8>(), 0..80), known in any::<bool>()) {
        let payload = if known { request("pty-req", &[]).into_iter().chain(payload).collect() } else { payload };
        for field in PACKET_FIELDS.iter().map(|row| row.name).chain(["%s", "%b,s,m", "%m", "%l,f,sb", "%i,i"]) {
            if let Ok(text) = get(&payload, field) && let Some(types) = field.strip_prefix('%') {
                // A number may have been written longer than it had to be, a boolean as any byte.
                let last = types.rsplit(',').next().unwrap_or_default();
                let again = set(Vec::new(), last, &text).unwrap();
                prop_assert_eq!(get(&again, &format!("%{last}")), Ok(text));
            }
        }
    }

    #[test]
    fn natural_numbers_are_those_of_the_codec(magnitude in prop::collection::vec(any::<u8>(), 0..70)) {
        let hex: String = encode_packet(&magnitude);
        let written = set(Vec::new(), "m", &format!("0x0{hex}")).unwrap();
        let mut expected = Vec::new();
        expected.put_mpint(&magnitude);
        prop_assert_eq!(&written, &expected);
        prop_assert!(Mpint::from_contents(&written[4..]).is_ok());
        prop_assert_eq!(set(Vec::new(), "m", &get(&written, "%m").unwrap()), Ok(expected));
    }

    #[test]
    fn integers_of_128_bits_are_those_of_the_language(number in any::<i128>()) {
        let written = set(Vec::new(), "m", &number.to_string()).unwrap();
        prop_assert_eq!(get(&written, "%m").unwrap(), number.to_string());
        let contents = &written[4..];
        let sign = if number < 0 { 0xFF } else { 0 };
        let mut extended = vec![sign; 16 - contents.len()];
        extended.extend(contents);
        prop_assert_eq!(extended, number.to_be_bytes());
    }
}
