//! The client's side: every answer of a proxy gets its verdict, however its bytes arrive.

use underpass_proxy::{Connector, Headers, Host, ProxyError, ProxyUrl, Target};

use crate::client_cases::all;
use crate::drive::{connect, splits};

fn connector(proxy: &str) -> Connector {
    Connector::new(&proxy.parse().unwrap(), &"bastion.example:22".parse().unwrap()).unwrap()
}

#[test]
fn every_answer_gets_its_verdict() {
    for case in all() {
        let verdict = connect(connector(case.proxy), [&case.bytes[..]]);
        assert_eq!(verdict.result, case.expected, "{}", case.bytes.escape_ascii());
    }
}

#[test]
fn the_verdict_does_not_depend_on_how_the_bytes_arrive() {
    for case in all() {
        let bytes = [&case.bytes[..], b"SSH-2.0-\r\n\r\n"].concat();
        let whole = connect(connector(case.proxy), [&bytes[..]]);
        if case.expected == Some(Ok(())) {
            assert_eq!(whole.early, b"SSH-2.0-\r\n\r\n", "{}", case.bytes.escape_ascii());
        }
        for portions in splits(&bytes) {
            assert_eq!(connect(connector(case.proxy), portions), whole, "{}", case.bytes.escape_ascii());
        }
    }
}

#[test]
fn what_a_proxy_wrote_cannot_move_the_cursor() {
    for error in all().into_iter().filter_map(|case| case.expected?.err()) {
        let shown = error.to_string();
        assert!(!shown.is_empty() && !shown.contains(char::is_control), "{shown}");
    }
}

#[test]
fn requests_are_what_the_protocols_say() {
    for (proxy, target, request) in [
        (
            "http://u:p@proxy",
            "a.example:22",
            &b"CONNECT a.example:22 HTTP/1.1\r\nHost: a.example:22\r\nProxy-Authorization: Basic dTpw\r\n\r\n"[..],
        ),
        ("proxy", "[::1]:22", b"CONNECT [::1]:22 HTTP/1.1\r\nHost: [::1]:22\r\n\r\n"),
        ("socks4://proxy", "192.0.2.1:22", b"\x04\x01\0\x16\xc0\0\x02\x01\0"),
        ("socks4://me:pw@proxy", "192.0.2.1:22", b"\x04\x01\0\x16\xc0\0\x02\x01me\0"),
        ("socks4a://proxy", "a:22", b"\x04\x01\0\x16\0\0\0\x01\0a\0"),
        ("socks5://proxy", "192.0.2.1:22", b"\x05\x01\0"),
        ("socks5://me:pw@proxy", "192.0.2.1:22", b"\x05\x02\0\x02"),
    ] {
        let connector = Connector::new(&proxy.parse().unwrap(), &target.parse().unwrap()).unwrap();
        assert_eq!(connector.transmit(), request, "{proxy} {target}");
    }
}

#[test]
fn socks5_says_who_it_is_before_it_asks() {
    let verdict = connect(connector("socks5h://me:pw@proxy"), [&b"\x05\x02"[..], b"\x01\0"]);
    let said = b"\x05\x02\0\x02\x01\x02me\x02pw\x05\x01\0\x03\x0fbastion.example\0\x16";
    assert_eq!(verdict.told, said);
}

#[test]
fn headers_of_the_caller_are_sent_and_its_own_authorization_instead_of_ours() {
    let proxy: ProxyUrl = "http://u:p@proxy".parse().unwrap();
    let headers = Headers::parse("X-Team: blue\nproxy-authorization: Token hunter2").unwrap();
    let connector = Connector::with_headers(&proxy, &"a:22".parse().unwrap(), &headers).unwrap();
    assert_eq!(
        connector.transmit(),
        b"CONNECT a:22 HTTP/1.1\r\nHost: a:22\r\nX-Team: blue\r\nproxy-authorization: Token hunter2\r\n\r\n"
    );
    assert!(!format!("{connector:?}").contains("hunter2"));
    let proxy = "http://proxy".parse().unwrap();
    let connector = Connector::with_headers(&proxy, &"a:22".parse().unwrap(), &headers).unwrap();
    let verdict = connect(connector, [&b"HTTP/1.1 407 no\r\n\r\n"[..]]);
    assert_eq!(verdict.result, Some(Err(ProxyError::RejectedCredentials { offered: Vec::new() })));
}

#[test]
fn a_target_that_the_protocol_cannot_carry_is_refused_before_anything_is_sent() {
    let name = |name: &str| Host::Name(name.to_owned());
    let ip = |text: &str| Host::Ip(text.parse().unwrap());
    for (proxy, host, port) in [
        ("socks4://proxy", name("a.example"), 22),
        ("socks4a://proxy", ip("::1"), 22),
        ("socks4a://proxy", ip("0.0.0.7"), 22),
        ("http://proxy", name("bücher.example"), 22),
        ("http://a%3Ab:pw@proxy", name("a"), 22),
        ("http://proxy", name("a:22 HTTP/1.1\r\nX: y"), 22),
        ("socks4a://proxy", name("a\0b"), 22),
        ("socks5h://proxy", name(&"a".repeat(256)), 22),
        ("socks5h://proxy", name(""), 22),
        ("socks5h://proxy", name("a"), 0),
    ] {
        let error = Connector::new(&proxy.parse().unwrap(), &Target::new(host, port)).unwrap_err();
        assert!(matches!(error, ProxyError::Unusable { .. }), "{proxy}: {error}");
    }
}
