//! Peers that lie about lengths, counts and contents.

use underpass_wire::*;

use crate::samples::contexts;

fn plain() -> Context {
    Context::default()
}

fn auth(method: AuthMethod) -> Context {
    Context { auth: Some(method), kex: None }
}

/// A payload of what `write` appends.
fn payload(number: Number, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut payload = vec![number.0];
    write(&mut payload);
    payload
}

/// An otherwise good KEXINIT whose kex algorithms are these bytes.
fn kexinit(kex_algorithms: &[u8]) -> Vec<u8> {
    payload(Number::KEXINIT, |out| {
        out.put_bytes(&[0; 16]);
        out.put_string(kex_algorithms);
        (0..9).for_each(|_| out.put_string(b""));
        out.put_bool(false);
        out.put_u32(0);
    })
}

#[test]
fn an_empty_payload_is_truncated() {
    for context in contexts() {
        let truncated = DecodeError::Truncated { needed: 1, available: 0 };
        assert_eq!(Message::decode(&[], context), Err(truncated));
    }
}

#[test]
fn unknown_numbers_are_named() {
    for number in (0..=u8::MAX).filter(|&number| TABLE.iter().all(|row| row.number.0 != number)) {
        for context in contexts() {
            assert_eq!(Message::decode(&[number], context), Err(DecodeError::UnknownMessage { number }));
        }
    }
}

#[test]
fn empty_name_lists_are_legal() {
    let payload = kexinit(b"");
    let Ok(Message::KexInit(init)) = Message::decode(&payload, plain()) else { panic!("not a KEXINIT") };
    assert!(init.kex_algorithms.is_empty());
    assert_eq!(init.kex_algorithms.iter().count(), 0);
}

#[test]
fn malformed_name_lists_are_refused() {
    let malformed: [&[u8]; 9] =
        [b",", b"a,", b",a", b"a,,b", b"a b", b"a\0", b"a\x1b[2J", "ä".as_bytes(), b"\xff"];
    for list in malformed {
        assert_eq!(Message::decode(&kexinit(list), plain()), Err(DecodeError::NotAName), "{list:?}");
    }
}

#[test]
fn names_and_name_lists_are_bounded() {
    let longest = "n".repeat(MAX_NAME_LEN);
    let most = vec!["n"; MAX_NAMES].join(",");
    assert!(Message::decode(&kexinit(longest.as_bytes()), plain()).is_ok());
    assert!(Message::decode(&kexinit(most.as_bytes()), plain()).is_ok());

    let too_long = DecodeError::TooMany { what: "bytes in a name", limit: MAX_NAME_LEN };
    assert_eq!(Message::decode(&kexinit(format!("{longest}n").as_bytes()), plain()), Err(too_long));
    let too_many = DecodeError::TooMany { what: "names in a name-list", limit: MAX_NAMES };
    assert_eq!(Message::decode(&kexinit(format!("{most},n").as_bytes()), plain()), Err(too_many));
}

#[test]
fn lengths_up_to_the_largest_are_compared_with_what_is_there() {
    for length in [2, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let payload = payload(Number::IGNORE, |out| {
            out.put_u32(length);
            out.put_u8(0);
        });
        let needed = usize::try_from(length).unwrap();
        let truncated = DecodeError::Truncated { needed, available: 1 };
        assert_eq!(Message::decode(&payload, plain()), Err(truncated));
    }
}

#[test]
fn counts_beyond_their_limit_are_refused_before_any_item_is_read() {
    let prompts = |count| {
        payload(Number::USERAUTH_INFO_REQUEST, |out| {
            (0..3).for_each(|_| out.put_string(b""));
            out.put_u32(count);
        })
    };
    let responses = |count| payload(Number::USERAUTH_INFO_RESPONSE, |out| out.put_u32(count));
    let extensions = |count| payload(Number::EXT_INFO, |out| out.put_u32(count));
    let mechanisms = |count| {
        payload(Number::USERAUTH_REQUEST, |out| {
            ["me", "ssh-connection", "gssapi-with-mic"].iter().for_each(|text| out.put_text(text));
            out.put_u32(count);
        })
    };
    let interactive = auth(AuthMethod::KeyboardInteractive);
    for count in [0x3FFF_FFFF, u32::MAX] {
        let refused = |what, limit| Err(DecodeError::TooMany { what, limit });
        assert_eq!(Message::decode(&prompts(count), interactive), refused("prompts", MAX_PROMPTS));
        assert_eq!(Message::decode(&responses(count), interactive), refused("responses", MAX_PROMPTS));
        assert_eq!(Message::decode(&extensions(count), plain()), refused("extensions", Extension::LIMIT));
        assert_eq!(Message::decode(&mechanisms(count), plain()), refused("GSS-API mechanisms", Oid::LIMIT));
    }
    // One within the limit, and nothing behind it.
    let missing = Err(DecodeError::Truncated { needed: 4, available: 0 });
    assert_eq!(Message::decode(&prompts(1), interactive), missing);
    assert_eq!(Message::decode(&extensions(1), plain()), missing);
}

#[test]
fn no_prompts_at_all_are_legal() {
    let payload = payload(Number::USERAUTH_INFO_REQUEST, |out| {
        (0..3).for_each(|_| out.put_string(b""));
        out.put_u32(0);
    });
    let Ok(Message::UserauthInfoRequest(request)) =
        Message::decode(&payload, auth(AuthMethod::KeyboardInteractive))
    else {
        panic!("not an INFO_REQUEST");
    };
    assert!(request.prompts.is_empty());
    assert_eq!(request.prompts.iter().count(), 0);
}

#[test]
fn lists_that_a_receiver_would_refuse_are_not_built() {
    let mut buffer = Vec::new();
    let prompts = vec![Prompt { text: b"?", echo: false }; MAX_PROMPTS + 1];
    let refused = DecodeError::TooMany { what: "prompts", limit: MAX_PROMPTS };
    assert_eq!(Prompts::new(prompts, &mut buffer), Err(refused));

    let answers = vec![b"!"; MAX_PROMPTS + 1];
    let refused = DecodeError::TooMany { what: "responses", limit: MAX_PROMPTS };
    assert_eq!(UserauthInfoResponse::encode_answers(&answers, &mut buffer), Err(refused));
}

#[test]
fn diffie_hellman_values_are_naturals_in_shortest_form_and_bounded() {
    let context = Context { kex: Some(KexFamily::Dh), auth: None };
    let init = |e: &[u8]| payload(Number::KEXDH_INIT, |out| out.put_string(e));
    let refused = |e: &[u8]| Message::decode(&init(e), context).unwrap_err();
    assert_eq!(refused(&[0x80]), DecodeError::NegativeMpint);
    assert_eq!(refused(&[0xff; 256]), DecodeError::NegativeMpint);
    assert_eq!(refused(&[0]), DecodeError::NonMinimalMpint);
    assert_eq!(refused(&[0, 0x7f]), DecodeError::NonMinimalMpint);
    assert_eq!(refused(&[0, 0, 0x80]), DecodeError::NonMinimalMpint);

    let too_long = DecodeError::TooMany { what: "bytes in an mpint", limit: MAX_MPINT_LEN };
    assert_eq!(refused(&[1; MAX_MPINT_LEN + 1]), too_long);
    let longest = init(&[&[0][..], &[0xff; MAX_MPINT_LEN]].concat());
    let expected = KexDhInit { e: Mpint::from_magnitude(&[0xff; MAX_MPINT_LEN]) };
    assert_eq!(Message::decode(&longest, context), Ok(expected.into()));
}

#[test]
fn names_that_are_not_utf8_are_refused_but_users_and_free_texts_are_passed_on() {
    let request = |user: &[u8], service: &[u8]| {
        payload(Number::USERAUTH_REQUEST, |out| {
            out.put_string(user);
            out.put_string(service);
            out.put_text("none");
        })
    };
    let service = request(b"me", b"\xff");
    assert_eq!(Message::decode(&service, plain()), Err(DecodeError::InvalidUtf8));
    let user = request(b"\xff", b"ssh-connection");
    let expected = UserauthRequest { user: b"\xff", service: "ssh-connection", method: UserauthMethod::None };
    assert_eq!(Message::decode(&user, plain()), Ok(expected.into()));

    let banner = payload(Number::USERAUTH_BANNER, |out| {
        out.put_string(b"\xff\x1b[2J");
        out.put_string(b"");
    });
    let Ok(Message::UserauthBanner(banner)) = Message::decode(&banner, plain()) else {
        panic!("not a BANNER")
    };
    assert_eq!(untrusted(banner.message), r"\xff\u{1b}[2J");
}

#[test]
fn any_byte_but_zero_is_true() {
    for byte in 0..=u8::MAX {
        let payload = payload(Number::USERAUTH_FAILURE, |out| {
            out.put_text("publickey");
            out.put_u8(byte);
        });
        let Ok(Message::UserauthFailure(failure)) = Message::decode(&payload, plain()) else {
            panic!("not a FAILURE")
        };
        assert_eq!(failure.partial_success, byte != 0);
    }
}

#[test]
fn a_request_of_an_unknown_method_is_understood_up_to_its_name() {
    let payload = payload(Number::USERAUTH_REQUEST, |out| {
        ["me", "ssh-connection", "otp@example.com"].iter().for_each(|text| out.put_text(text));
        out.put_bytes(b"\x00whatever");
    });
    let Ok(Message::UserauthRequest(request)) = Message::decode(&payload, plain()) else {
        panic!("not a REQUEST")
    };
    assert_eq!((request.method.name(), request.method.auth_method()), ("otp@example.com", None));
}

#[test]
fn known_requests_with_something_behind_them_are_refused() {
    let keepalive = payload(Number::GLOBAL_REQUEST, |out| {
        out.put_text("keepalive@openssh.com");
        out.put_bool(true);
        out.put_u8(0);
    });
    assert_eq!(Message::decode(&keepalive, plain()), Err(DecodeError::TrailingBytes { count: 1 }));
}
