//! What clients say, and what they get for it.

use hex_literal::hex;
use underpass_proxy::{Access, Protocol, Refused, TargetError};

use crate::drive::accounts;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) access: Access,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Expected,
}

pub(crate) enum Expected {
    /// Target, protocol, user, and the bytes that were said on the way.
    Asked(&'static str, Protocol, Option<&'static str>, Vec<u8>),
    /// With the beginning of what was said, or all of it for SOCKS.
    Refused(Refused, Vec<u8>),
    More,
}

fn open(name: &'static str, bytes: impl AsRef<[u8]>, expected: Expected) -> Case {
    Case { name, access: Access::Anyone, bytes: bytes.as_ref().to_vec(), expected }
}

fn guarded(name: &'static str, bytes: impl AsRef<[u8]>, expected: Expected) -> Case {
    Case { access: accounts(), ..open(name, bytes, expected) }
}

fn refused(refused: Refused, told: impl AsRef<[u8]>) -> Expected {
    Expected::Refused(refused, told.as_ref().to_vec())
}

fn asked(target: &'static str, protocol: Protocol, user: Option<&'static str>, told: &[u8]) -> Expected {
    Expected::Asked(target, protocol, user, told.to_vec())
}

pub(crate) fn all() -> Vec<Case> {
    [
        socks4(),
        socks5_good(),
        socks5_bad(),
        socks5_guarded(),
        http_good(),
        http_bad(),
        http_guarded(),
        strangers(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const REJECTED: [u8; 8] = hex!("005b000000000000");

fn socks4() -> Vec<Case> {
    use Protocol::{Socks4, Socks4a};
    let bad_target = |protocol, error| refused(Refused::Target { protocol, error }, REJECTED);
    let too_long = |what| refused(Refused::TooLong { protocol: Socks4, what, limit: 255 }, REJECTED);
    let user_id = |len| [&hex!("04010016c0000201")[..], &vec![b'u'; len], b"\0"].concat();
    let name = |len| [&hex!("040100160000000100")[..], &vec![b'n'; len], b"\0"].concat();
    let command = |command| refused(Refused::Command { protocol: Socks4, command }, REJECTED);
    vec![
        open("an address", hex!("04010016c000020100"), asked("192.0.2.1:22", Socks4, None, &[])),
        open(
            "a user id",
            b"\x04\x01\0\x16\xc0\0\x02\x01me\0",
            asked("192.0.2.1:22", Socks4, Some("me"), &[]),
        ),
        open("a name", b"\x04\x01\0\x50\0\0\0\x01\0db.example\0", asked("db.example:80", Socks4a, None, &[])),
        open(
            "an address as a name",
            b"\x04\x01\0\x50\0\0\0\x01\0::1\0",
            asked("[::1]:80", Socks4a, None, &[]),
        ),
        open("the unspecified address", hex!("040100160000000000"), asked("0.0.0.0:22", Socks4, None, &[])),
        open("the longest name", name(255), asked_long_name()),
        open("BIND", hex!("04020016c000020100"), command(2)),
        open("an unknown command", hex!("04090016c000020100"), command(9)),
        open("port 0", hex!("04010000c000020100"), bad_target(Socks4, TargetError::Port)),
        open("an empty name", hex!("04010016000000010000"), bad_target(Socks4a, TargetError::NoHost)),
        open(
            "a name that is no text",
            b"\x04\x01\0\x16\0\0\0\x01\0\xff\0",
            bad_target(Socks4a, TargetError::NameCharacter),
        ),
        open(
            "a name with a space",
            b"\x04\x01\0\x16\0\0\0\x01\0a b\0",
            bad_target(Socks4a, TargetError::NameCharacter),
        ),
        open("an endless user id", user_id(256), too_long("user id")),
        open("an endless name", name(256), too_long("host name")),
        open("a user id without its end", b"\x04\x01\0\x16\xc0\0\x02\x01me", Expected::More),
        guarded(
            "no password",
            hex!("04010016c000020100"),
            refused(Refused::CredentialsRequired { protocol: Socks4 }, REJECTED),
        ),
    ]
}

fn asked_long_name() -> Expected {
    let target = format!("{}:22", "n".repeat(255));
    Expected::Asked(target.leak(), Protocol::Socks4a, None, Vec::new())
}

/// Version and chosen method.
const NO_AUTHENTICATION: [u8; 2] = hex!("0500");
const CREDENTIALS: [u8; 2] = hex!("0502");

fn socks5_good() -> Vec<Case> {
    let good = |target| asked(target, Protocol::Socks5, None, &NO_AUTHENTICATION);
    vec![
        open("an address", hex!("050100 05010001c0000201 0016"), good("192.0.2.1:22")),
        open("a name", b"\x05\x01\0\x05\x01\0\x03\x0adb.example\x15\x38", good("db.example:5432")),
        open(
            "an IPv6 address",
            hex!("050100 05010004 20010db8000000000000000000000001 0016"),
            good("[2001:db8::1]:22"),
        ),
        open("an address as a name", b"\x05\x01\0\x05\x01\0\x03\x09192.0.2.1\0\x16", good("192.0.2.1:22")),
        open("methods to choose from", hex!("0503020100 05010001c0000201 0016"), good("192.0.2.1:22")),
        open("a reserved byte in use", hex!("050100 0501ff01c0000201 0016"), good("192.0.2.1:22")),
        open("half a request", hex!("050100 050100"), Expected::More),
        open("nothing", b"", Expected::More),
    ]
}

/// What SOCKS 5 says: the chosen method, and a reply with this code.
fn replied(code: u8) -> Vec<u8> {
    [&NO_AUTHENTICATION[..], &[5, code, 0, 1, 0, 0, 0, 0, 0, 0]].concat()
}

fn socks5_bad() -> Vec<Case> {
    let protocol = Protocol::Socks5;
    let command = |command| refused(Refused::Command { protocol, command }, replied(7));
    let bad_target = |error| refused(Refused::Target { protocol, error }, replied(1));
    let no_method =
        |offered: &[u8]| refused(Refused::NoCommonMethod { offered: offered.to_vec() }, hex!("05ff"));
    vec![
        open("BIND", hex!("050100 05020001c0000201 0016"), command(2)),
        open("UDP ASSOCIATE", hex!("050100 0503000100000000 0000"), command(3)),
        open("an unknown command", hex!("050100 05f00001c0000201 0016"), command(0xf0)),
        open("a command alone", hex!("050100 0503"), command(3)),
        open(
            "an unknown address type",
            hex!("050100 05010002c0000201 0016"),
            refused(Refused::AddressType { address_type: 2 }, replied(8)),
        ),
        open("port 0", hex!("050100 05010001c0000201 0000"), bad_target(TargetError::Port)),
        open("an empty name", hex!("050100 0501000300 0016"), bad_target(TargetError::NoHost)),
        open(
            "a name with a NUL",
            hex!("050100 0501000303610062 0016"),
            bad_target(TargetError::NameCharacter),
        ),
        open(
            "a name with a line end",
            hex!("050100 05010003040d0a0d0a 0016"),
            bad_target(TargetError::NameCharacter),
        ),
        open(
            "another version in the request",
            hex!("050100 04010001c0000201 0016"),
            refused(Refused::Malformed { protocol, what: "the request has another version" }, replied(1)),
        ),
        open("no methods", hex!("0500"), no_method(&[])),
        open("credentials where none are expected", hex!("050102"), no_method(&[2])),
        open("GSSAPI only", hex!("050101"), no_method(&[1])),
        guarded("no authentication where it is expected", hex!("05020001"), no_method(&[0, 1])),
    ]
}

fn socks5_guarded() -> Vec<Case> {
    let protocol = Protocol::Socks5;
    let login = |user: &str, password: &str| {
        let lengths = (user.len() as u8, password.len() as u8);
        [&hex!("05020002 01")[..], &[lengths.0], user.as_bytes(), &[lengths.1], password.as_bytes()].concat()
    };
    let wrong = |user: &str| {
        let told = [CREDENTIALS, hex!("0101")].concat();
        refused(Refused::WrongCredentials { protocol, user: user.to_owned() }, told)
    };
    let request = hex!("05010001c0000201 0016");
    let admitted = [CREDENTIALS, hex!("0100")].concat();
    vec![
        guarded(
            "the right password",
            [&login("bob", "two")[..], &request].concat(),
            asked("192.0.2.1:22", protocol, Some("bob"), &admitted),
        ),
        guarded("another's password", [&login("bob", "one")[..], &request].concat(), wrong("bob")),
        guarded("an unknown user", login("eve", "one"), wrong("eve")),
        guarded("no user", login("", ""), wrong("")),
        guarded("a user with escapes", login("\u{1b}[2J", "x"), wrong("\u{1b}[2J")),
        guarded(
            "another version of the login",
            hex!("050102 05"),
            refused(Refused::CredentialsVersion { version: 5 }, [CREDENTIALS, hex!("0101")].concat()),
        ),
        guarded("half a login", hex!("050102 01 03 616e"), Expected::More),
        guarded("a login skipped", [&hex!("050102")[..], &request].concat(), {
            let told = [CREDENTIALS, hex!("0101")].concat();
            refused(Refused::CredentialsVersion { version: 5 }, told)
        }),
    ]
}

fn http_good() -> Vec<Case> {
    let good = |target| asked(target, Protocol::HttpConnect, None, &[]);
    vec![
        open(
            "CONNECT",
            "CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n",
            good("db.example:5432"),
        ),
        open("IPv6", "CONNECT [2001:db8::1]:22 HTTP/1.1\r\n\r\n", good("[2001:db8::1]:22")),
        open("IPv4 in HTTP/1.0", "CONNECT 192.0.2.1:22 HTTP/1.0\r\n\r\n", good("192.0.2.1:22")),
        open("bare line feeds", "CONNECT a:1 HTTP/1.1\nHost: b\n\n", good("a:1")),
        open(
            "a length, which means nothing here",
            "CONNECT a:1 HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
            good("a:1"),
        ),
        open(
            "credentials that nobody wants",
            "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n",
            good("a:1"),
        ),
        open("half a head", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n", Expected::More),
    ]
}

fn http_bad() -> Vec<Case> {
    let protocol = Protocol::HttpConnect;
    let method = |method: &str| {
        refused(
            Refused::Method { method: method.to_owned() },
            "HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n",
        )
    };
    let version =
        |version: &str| refused(Refused::HttpVersion { version: version.to_owned() }, "HTTP/1.1 505 ");
    let bad_target = |error| refused(Refused::Target { protocol, error }, "HTTP/1.1 400 ");
    let malformed = |what| refused(Refused::Malformed { protocol, what }, "HTTP/1.1 400 ");
    let too_long = || {
        let what = "head of the request";
        refused(Refused::TooLong { protocol, what, limit: 8192 }, "HTTP/1.1 431 ")
    };
    let head = |filler: &str, times| format!("CONNECT a:1 HTTP/1.1\r\n{}\r\n", filler.repeat(times));
    let no_request = "the first line is no request";
    vec![
        open("a page", "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", method("GET")),
        open("a page of ours", "GET / HTTP/1.1\r\n\r\n", method("GET")),
        open("a method in lower case", "connect a:1 HTTP/1.1\r\n\r\n", method("connect")),
        open("HTTP/2", "CONNECT a:1 HTTP/2.0\r\n\r\n", version("HTTP/2.0")),
        open("a version that is none", "CONNECT a:1 HTTP/1.1x\r\n\r\n", version("HTTP/1.1x")),
        open("no port", "CONNECT a HTTP/1.1\r\n\r\n", bad_target(TargetError::NoPort)),
        open("port 0", "CONNECT a:0 HTTP/1.1\r\n\r\n", bad_target(TargetError::Port)),
        open("a port beyond", "CONNECT a:65536 HTTP/1.1\r\n\r\n", bad_target(TargetError::Port)),
        open("IPv6 without brackets", "CONNECT ::1:22 HTTP/1.1\r\n\r\n", bad_target(TargetError::Brackets)),
        open("a URL", "CONNECT http://a:1 HTTP/1.1\r\n\r\n", bad_target(TargetError::Brackets)),
        open("a user", "CONNECT u@a:1 HTTP/1.1\r\n\r\n", bad_target(TargetError::NameCharacter)),
        open("no host", "CONNECT :1 HTTP/1.1\r\n\r\n", bad_target(TargetError::NoHost)),
        open("an SSH client", "SSH-2.0-OpenSSH_9.2\r\n", malformed(no_request)),
        open("two spaces", "CONNECT  a:1 HTTP/1.1\r\n\r\n", malformed(no_request)),
        open("no version", "CONNECT a:1\r\n\r\n", malformed(no_request)),
        open("a line end within", "CONNECT a:1\rX HTTP/1.1\r\n\r\n", malformed("the first line is no text")),
        open("no text", b"CONNECT \xff:1 HTTP/1.1\r\n\r\n", malformed("the first line is no text")),
        open("a folded header", head("X: a\r\n b\r\n", 1), malformed("a header has no colon")),
        open("a header without a name", head(": a\r\n", 1), malformed("the name of a header is no token")),
        open("a space before the colon", head("X : a\r\n", 1), malformed("the name of a header is no token")),
        open("a NUL in a header", head("X: a\0\r\n", 1), malformed("a header holds a control character")),
        open("many headers", head("X:\n", 129), malformed("it has too many headers")),
        open("a long header", format!("CONNECT a:1 HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(8192)), too_long()),
        open("one byte beyond", exact_head(8193), too_long()),
        open("an endless line", "C".repeat(10_000), too_long()),
        open("the longest head", exact_head(8192), asked("a:1", protocol, None, &[])),
    ]
}

/// A good request with a head of `len` bytes.
fn exact_head(len: usize) -> String {
    let (start, end) = ("CONNECT a:1 HTTP/1.1\r\nX: ", "\r\n\r\n");
    format!("{start}{}{end}", "a".repeat(len - start.len() - end.len()))
}

fn http_guarded() -> Vec<Case> {
    let protocol = Protocol::HttpConnect;
    let told = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=";
    let wanted = || refused(Refused::CredentialsRequired { protocol }, told);
    let wrong = |user: &str| refused(Refused::WrongCredentials { protocol, user: user.to_owned() }, told);
    let with = |value: &str| format!("CONNECT a:1 HTTP/1.1\r\nproxy-authorization: {value}\r\n\r\n");
    let admitted = || asked("a:1", protocol, Some("ann"), &[]);
    let twice = Refused::Malformed { protocol, what: "it has two Proxy-Authorization headers" };
    vec![
        guarded("no credentials", "CONNECT a:1 HTTP/1.1\r\n\r\n", wanted()),
        guarded("no credentials and no target", "CONNECT a HTTP/1.1\r\n\r\n", wanted()),
        guarded("ann:one", with("Basic YW5uOm9uZQ=="), admitted()),
        guarded("ann:one, with another case", with("bASIC   YW5uOm9uZQ=="), admitted()),
        guarded("ann:two", with("Basic YW5uOnR3bw=="), wrong("ann")),
        guarded("ann without a colon", with("Basic YW5u"), wrong("ann")),
        guarded("nobody", with("Basic "), wanted()),
        guarded("no base64", with("Basic !!!"), wanted()),
        guarded("a token", with("Bearer YW5uOm9uZQ=="), wanted()),
        guarded(
            "twice",
            with("Basic YW5uOm9uZQ==\r\nProxy-Authorization: x"),
            refused(twice, "HTTP/1.1 400 "),
        ),
    ]
}

fn strangers() -> Vec<Case> {
    [
        ("TLS", &hex!("16030100a5")[..]),
        ("SOCKS 3", &[3, 1]),
        ("SOCKS 6", &[6, 0]),
        ("NUL", &[0]),
        ("a line end", b"\r\nCONNECT a:1 HTTP/1.1\r\n\r\n"),
        ("0xff", &[0xff]),
    ]
    .into_iter()
    .map(|(name, bytes)| open(name, bytes, refused(Refused::UnknownProtocol { first: bytes[0] }, [])))
    .collect()
}
