//! The proxy's side: every case gets its verdict, however its bytes arrive.

use underpass_proxy::{Acceptor, Access, Outcome, Refused};

use crate::drive::{Verdict, accept, splits};
use crate::server_cases::{Expected, all};

#[test]
fn every_request_gets_its_verdict() {
    for case in all() {
        let Verdict { result, told, .. } = accept(case.access, [&case.bytes[..]]);
        match (result, case.expected) {
            (Some(Ok(request)), Expected::Asked(target, protocol, user, said)) => {
                assert_eq!(request.target.to_string(), target, "{}", case.name);
                assert_eq!((request.protocol, request.user.as_deref()), (protocol, user), "{}", case.name);
                assert_eq!(told, said, "{}", case.name);
            }
            (Some(Err(refused)), Expected::Refused(expected, said)) => {
                assert_eq!(refused, expected, "{}", case.name);
                assert!(told.starts_with(&said), "{}: {}", case.name, told.escape_ascii());
                // HTTP says more than the cases give.
                assert!(told.len() == said.len() || told.starts_with(b"HTTP/"), "{}", case.name);
            }
            (None, Expected::More) => {}
            (result, _) => panic!("{}: {result:?}", case.name),
        }
    }
}

#[test]
fn the_verdict_does_not_depend_on_how_the_bytes_arrive() {
    for case in all() {
        // Payload behind a request, so that the border is found at the same place, too.
        let bytes = [&case.bytes[..], b"SSH-2.0-\r\n\r\n"].concat();
        let whole = accept(case.access.clone(), [&bytes[..]]);
        if matches!(case.expected, Expected::Asked(..)) {
            assert_eq!(whole.early, b"SSH-2.0-\r\n\r\n", "{}", case.name);
        }
        for portions in splits(&bytes) {
            assert_eq!(accept(case.access.clone(), portions), whole, "{}", case.name);
        }
    }
}

#[test]
fn what_a_client_wrote_cannot_move_the_cursor() {
    for case in all() {
        if let Expected::Refused(refused, _) = case.expected {
            let shown = refused.to_string();
            assert!(!shown.is_empty() && !shown.contains(char::is_control), "{}: {shown}", case.name);
        }
    }
    assert!(Refused::UnknownProtocol { first: 0x16 }.to_string().contains("TLS"));
}

#[test]
fn a_body_is_as_long_as_its_answer_says() {
    let refusals = all().into_iter().map(|case| accept(case.access, [&case.bytes[..]]).told);
    let outcomes = Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::Connected).map(|outcome| {
        let mut acceptor = Acceptor::new(Access::Anyone);
        acceptor.receive(b"CONNECT a:1 HTTP/1.1\r\n\r\n").unwrap();
        acceptor.answer(*outcome)
    });
    let answers: Vec<_> = refusals.chain(outcomes).filter(|told| told.starts_with(b"HTTP/")).collect();
    assert!(answers.len() > 20);
    for answer in answers {
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{text}");
        assert!(head.ends_with("\r\nConnection: close"), "{text}");
    }
}

#[test]
fn every_outcome_is_told_in_the_terms_of_the_protocol() {
    use Outcome::*;
    let requests: [&[u8]; 3] = [
        b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\0\x16",
        b"\x04\x01\0\x16\x7f\0\0\x01\0",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    ];
    for (outcome, socks5, socks4, http) in [
        (Connected, 0, 0x5a, "200"),
        (Refused, 5, 0x5b, "502"),
        (HostUnreachable, 4, 0x5b, "502"),
        (NetworkUnreachable, 3, 0x5b, "502"),
        (Unresolvable, 4, 0x5b, "502"),
        (NotAllowed, 2, 0x5b, "403"),
        (TimedOut, 6, 0x5b, "504"),
        (Failed, 1, 0x5b, "502"),
        (Busy, 1, 0x5b, "503"),
    ] {
        let [by_socks5, by_socks4, by_http] = requests.map(|request| {
            let mut acceptor = Acceptor::new(Access::Anyone);
            acceptor.receive(request).unwrap();
            acceptor.transmitted(acceptor.transmit().len());
            acceptor.answer(outcome)
        });
        assert_eq!(by_socks5, [5, socks5, 0, 1, 0, 0, 0, 0, 0, 0], "{outcome:?}");
        assert_eq!(by_socks4, [0, socks4, 0, 0, 0, 0, 0, 0], "{outcome:?}");
        assert!(by_http.starts_with(format!("HTTP/1.1 {http} ").as_bytes()), "{outcome:?}");
    }
}

#[test]
fn an_answer_carries_what_was_not_transmitted_yet() {
    let mut acceptor = Acceptor::new(Access::Anyone);
    acceptor.receive(b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\0\x16").unwrap();
    acceptor.transmitted(1);
    assert_eq!(acceptor.answer(Outcome::Connected), [0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Acceptor::new(Access::Anyone).answer(Outcome::Connected), [0; 0]);
}
