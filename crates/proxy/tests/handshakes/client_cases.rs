//! What proxies answer, and what comes of it.

use underpass_proxy::{ProxyError, ProxyKind, ProxyReply};

pub(crate) struct Case {
    pub(crate) proxy: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// `None` where more is waited for.
    pub(crate) expected: Option<Result<(), ProxyError>>,
}

fn case(proxy: &'static str, bytes: impl AsRef<[u8]>, expected: Option<Result<(), ProxyError>>) -> Case {
    Case { proxy, bytes: bytes.as_ref().to_vec(), expected }
}

pub(crate) fn all() -> Vec<Case> {
    [http(), http_login(), http_bounds(), socks4(), socks5()].into_iter().flatten().collect()
}

const GOOD: Option<Result<(), ProxyError>> = Some(Ok(()));

fn broke(what: &'static str) -> Option<Result<(), ProxyError>> {
    Some(Err(ProxyError::BrokeProtocol { what }))
}

fn refused(reply: ProxyReply) -> Option<Result<(), ProxyError>> {
    Some(Err(ProxyError::Refused { reply }))
}

fn not_this(kind: ProxyKind, first: u8) -> Option<Result<(), ProxyError>> {
    Some(Err(ProxyError::NotThisKind { kind, first }))
}

fn wants(offered: &[u8]) -> Option<Result<(), ProxyError>> {
    Some(Err(ProxyError::WantsCredentials { offered: offered.to_vec() }))
}

fn rejected(offered: &[u8]) -> Option<Result<(), ProxyError>> {
    Some(Err(ProxyError::RejectedCredentials { offered: offered.to_vec() }))
}

fn http() -> Vec<Case> {
    let proxy = "http://proxy";
    let status = |status, reason: &[u8]| refused(ProxyReply::Http { status, reason: reason.to_vec() });
    let no_status = || broke("its first line is no status line");
    vec![
        case(proxy, "HTTP/1.1 200 OK\r\n\r\n", GOOD),
        case(proxy, "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", GOOD),
        case(proxy, "HTTP/1.1 204\r\nContent-Length: 5\r\n\r\n", GOOD),
        case(proxy, "HTTP/1.1 299 \n\n", GOOD),
        case(
            proxy,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            GOOD,
        ),
        case("https://proxy", "HTTP/1.1 200 OK\r\n\r\n", GOOD),
        case(proxy, "HTTP/1.1 200 OK\r\nVia: x\r\n", None),
        case(proxy, "HTTP", None),
        case(proxy, "HTTP/1.1 403 Forbidden\r\n\r\n", status(403, b"Forbidden")),
        case(proxy, b"HTTP/1.1 502 \x1b[2J\xff\r\n\r\n", status(502, b"\x1b[2J\xff")),
        case(proxy, "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", status(302, b"Found")),
        case(proxy, "HTTP/1.1 101 Switching Protocols\r\n\r\n", status(101, b"Switching Protocols")),
        case(proxy, "HTTP/1.1 599\r\n\r\n", status(599, b"")),
        case(proxy, "SSH-2.0-OpenSSH_9.2\r\n", not_this(ProxyKind::Http, b'S')),
        case(proxy, [0x15, 3, 1, 0], not_this(ProxyKind::Http, 0x15)),
        case("https://proxy", "\r\n", not_this(ProxyKind::Https, b'\r')),
        case(proxy, "HTTP/2 200\r\n\r\n", no_status()),
        case(proxy, "HTTP/1.1 20\r\n\r\n", no_status()),
        case(proxy, "HTTP/1.1 2000\r\n\r\n", no_status()),
        case(proxy, "HTTP/1.1 +20 OK\r\n\r\n", no_status()),
        case(proxy, "HTTP/1.1 099 OK\r\n\r\n", no_status()),
        case(proxy, "HTTP/1.1  200 OK\r\n\r\n", no_status()),
        case(proxy, "Hello\r\n", no_status()),
        case(proxy, "HTTP/1.1 200 OK\r\nno header\r\n\r\n", broke("a header has no colon")),
    ]
}

fn http_login() -> Vec<Case> {
    let asks =
        "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: Basic realm=x\r\n\r\n";
    let offered = b"Negotiate, Basic realm=x";
    vec![
        case("http://proxy", asks, wants(offered)),
        case("http://proxy", "HTTP/1.1 407 x\r\n\r\n", wants(b"")),
        case("http://me:pw@proxy", asks, rejected(offered)),
        case("http://me:pw@proxy", "HTTP/1.0 401 Unauthorized\r\n\r\n", rejected(b"")),
        case("http://me:pw@proxy", "HTTP/1.1 200 OK\r\n\r\n", GOOD),
    ]
}

fn http_bounds() -> Vec<Case> {
    let proxy = "http://proxy";
    let too_long = || Some(Err(ProxyError::TooLong { limit: 8192 }));
    let interim = |times| "HTTP/1.1 100 x\r\n\r\n".repeat(times) + "HTTP/1.1 200 OK\r\n\r\n";
    vec![
        case(proxy, format!("HTTP/1.1 200 {}", "a".repeat(9000)), too_long()),
        case(proxy, format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(8192)), too_long()),
        case(
            proxy,
            format!("HTTP/1.1 200 OK\r\n{}\r\n", "X:\n".repeat(129)),
            broke("it has too many headers"),
        ),
        case(proxy, interim(8), GOOD),
        case(proxy, interim(9), broke("it never comes to an answer")),
    ]
}

fn socks4() -> Vec<Case> {
    let proxy = "socks4a://me@proxy";
    let code = |code| refused(ProxyReply::Socks4(code));
    vec![
        case(proxy, [0, 0x5a, 1, 2, 3, 4, 5, 6], GOOD),
        case(proxy, [4, 0x5a, 1, 2, 3, 4, 5, 6], GOOD),
        case(proxy, [0, 0x5a, 1, 2, 3, 4, 5], None),
        case(proxy, [0, 0x5b, 0, 0, 0, 0, 0, 0], code(0x5b)),
        case(proxy, [0, 0x5c], code(0x5c)),
        case(proxy, [0, 0x5d], code(0x5d)),
        case(proxy, [0, 0], code(0)),
        case(proxy, "HTTP/1.1 400 Bad Request\r\n\r\n", not_this(ProxyKind::Socks4a, b'H')),
        case(proxy, [5, 0xff], not_this(ProxyKind::Socks4a, 5)),
    ]
}

fn socks5() -> Vec<Case> {
    let (open, login) = ("socks5h://proxy", "socks5h://me:pw@proxy");
    let code = |code| refused(ProxyReply::Socks5(code));
    let reply = |bytes: &[u8]| [&[5, 0][..], bytes].concat();
    let mut cases = vec![
        case(open, reply(&[5, 0, 0, 1, 1, 2, 3, 4, 0, 1]), GOOD),
        case(open, reply(&[5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 1]), GOOD),
        case(open, reply(&[5, 0, 0, 3, 2, b'a', b'b', 0, 1]), GOOD),
        case(open, reply(&[5, 0, 0, 3, 0, 0, 1]), GOOD),
        case(open, reply(&[5, 0, 0, 1, 1, 2, 3, 4, 0]), None),
        case(open, reply(&[5, 0, 0, 2]), broke("its reply has an address of no known type")),
        case(open, reply(&[4, 0]), broke("its reply has another version")),
        case(open, [5, 2], wants(b"")),
        case(open, [5, 0xff], wants(b"")),
        case(open, [5, 1], broke("it chose an authentication that was not offered")),
        case(open, "HTTP/1.1 400\r\n", not_this(ProxyKind::Socks5, b'H')),
        case(login, reply(&[5, 0, 0, 1, 1, 2, 3, 4, 0, 1]), GOOD),
        case(login, [5, 2, 1, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 1], GOOD),
        case(login, [5, 2, 5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 1], GOOD),
        case(login, [5, 2, 1, 1], rejected(b"")),
        case(login, [5, 0xff], Some(Err(ProxyError::NoCommonMethod))),
    ];
    cases.extend((1..=9).map(|number| case(open, reply(&[5, number]), code(number))));
    cases
}
