//! Clients of a dynamic forward say where they want to go, and are told what became of it.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use underpass::{Access, Builder, Credentials, Forward, Tunnel};
use underpass_testkit::Payload;
use underpass_testkit::target::{Refusing, Target};

use crate::support::{Bastion, Events, connect, echo, eventually, loopback, within};

/// How a SOCKS 5 client says hello that has no credentials (RFC 1928 section 3).
pub(crate) const HELLO: [u8; 3] = [5, 1, 0];

async fn proxy(builder: Builder) -> Tunnel {
    builder.forward(Forward::dynamic(loopback())).open().await.unwrap()
}

/// A request of SOCKS 5 (RFC 1928 section 4).
pub(crate) fn request(command: u8, target: SocketAddr) -> Vec<u8> {
    let IpAddr::V4(ip) = target.ip() else { panic!("{target}") };
    let mut request = vec![5, command, 0, 1];
    request.extend(ip.octets());
    request.extend(target.port().to_be_bytes());
    request
}

/// The code of the reply (RFC 1928 section 6).
async fn reply(stream: &mut TcpStream) -> u8 {
    let mut reply = [0; 10];
    within(stream.read_exact(&mut reply)).await.unwrap();
    assert_eq!((reply[0], reply[2], reply[3]), (5, 0, 1));
    reply[1]
}

/// Asks for a connection, and gives the code of the reply.
pub(crate) async fn ask(stream: &mut TcpStream, command: u8, target: SocketAddr) -> u8 {
    stream.write_all(&HELLO).await.unwrap();
    let mut method = [0; 2];
    within(stream.read_exact(&mut method)).await.unwrap();
    assert_eq!(method, [5, 0]);
    stream.write_all(&request(command, target)).await.unwrap();
    reply(stream).await
}

/// What an HTTP client is told first.
async fn status_of(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap().lines().next().unwrap().to_owned()
}

async fn ends(mut stream: TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = within(stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn a_client_of_socks5_reaches_its_target() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let events = Events::default();
    let tunnel = proxy(bastion.builder().observer(events.observer())).await;
    let mut stream = connect(&tunnel);
    assert_eq!(ask(&mut stream, 1, target.address()).await, 0);
    within(echo(stream, Payload::new(1), 2_000_000)).await.unwrap();
    eventually("it is over", || tunnel.stats().open == 0).await;
    assert_eq!((tunnel.stats().total, events.count("connection-opened")), (1, 1));
    assert!(format!("{:?}", events.all()).contains(&target.address().port().to_string()));
}

#[tokio::test]
async fn bytes_that_come_with_the_request_are_carried() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = proxy(bastion.builder()).await;
    let mut stream = connect(&tunnel);
    let whole = [&HELLO[..], &request(1, target.address()), b"early"].concat();
    stream.write_all(&whole).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    within(stream.read_to_end(&mut heard)).await.unwrap();
    assert_eq!(&heard[..4], [5, 0, 5, 0]);
    assert_eq!(&heard[12..], b"early");
}

#[tokio::test]
async fn clients_of_socks4a_and_http_have_the_server_look_names_up() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = proxy(bastion.builder()).await;
    let port = target.address().port();

    let mut stream = connect(&tunnel);
    let port_bytes = port.to_be_bytes();
    stream.write_all(&[&[4, 1][..], &port_bytes, &[0, 0, 0, 1], b"\0localhost\0"].concat()).await.unwrap();
    let mut answer = [0; 8];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer[..2], [0, 0x5a]);
    within(echo(stream, Payload::new(2), 100_000)).await.unwrap();

    let mut stream = connect(&tunnel);
    let request = format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    assert!(status_of(&mut stream, &request).await.starts_with("HTTP/1.1 200"));
    within(echo(stream, Payload::new(3), 100_000)).await.unwrap();
}

#[tokio::test]
async fn a_target_that_is_not_to_be_had_is_told_in_the_clients_protocol() {
    let (bastion, refusing) = (Bastion::start().await, Refusing::start().unwrap());
    let events = Events::default();
    let tunnel = proxy(bastion.builder().observer(events.observer())).await;
    let mut stream = connect(&tunnel);
    assert_ne!(ask(&mut stream, 1, refusing.address()).await, 0);
    ends(stream).await;
    let mut stream = connect(&tunnel);
    let status = status_of(&mut stream, &format!("CONNECT {} HTTP/1.1\r\n\r\n", refusing.address())).await;
    assert!(status.starts_with("HTTP/1.1 5"), "{status}");
    eventually("both are told", || events.failures().len() == 2).await;
}

#[tokio::test]
async fn what_a_proxy_for_connections_does_not_do_is_refused_as_such() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = proxy(bastion.builder()).await;
    const BIND: u8 = 2;
    const UDP_ASSOCIATE: u8 = 3;
    const COMMAND_NOT_SUPPORTED: u8 = 7;
    for command in [BIND, UDP_ASSOCIATE] {
        let mut stream = connect(&tunnel);
        assert_eq!(ask(&mut stream, command, target.address()).await, COMMAND_NOT_SUPPORTED);
        ends(stream).await;
    }
    let mut stream = connect(&tunnel);
    assert!(status_of(&mut stream, "SSH-2.0-lost\r\n").await.starts_with("HTTP/1.1 400"));
    assert_eq!(target.accepted(), 0);
}

#[tokio::test]
async fn destinations_that_are_not_allowed_are_refused_before_the_server_is_asked() {
    let bastion = Bastion::start().await;
    let (target, other) = (Target::Echo.start().unwrap(), Target::Echo.start().unwrap());
    let allowed = format!("127.0.0.1:{}", target.address().port()).parse().unwrap();
    let tunnel = proxy(bastion.builder().destinations(allowed)).await;
    const NOT_ALLOWED: u8 = 2;
    let mut stream = connect(&tunnel);
    assert_eq!(ask(&mut stream, 1, other.address()).await, NOT_ALLOWED);
    ends(stream).await;
    let mut stream = connect(&tunnel);
    let status = status_of(&mut stream, &format!("CONNECT {} HTTP/1.1\r\n\r\n", other.address())).await;
    assert!(status.starts_with("HTTP/1.1 403"), "{status}");
    let mut stream = connect(&tunnel);
    assert_eq!(ask(&mut stream, 1, target.address()).await, 0);
    within(echo(stream, Payload::new(4), 100_000)).await.unwrap();
    assert_eq!((other.accepted(), bastion.gateway.stats().total), (0, 1));
}

#[tokio::test]
async fn with_accounts_only_their_owners_get_through() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let accounts = Access::Accounts([Credentials::new("ann", "one").unwrap()].into());
    let tunnel = proxy(bastion.builder().proxy_access(accounts)).await;
    // RFC 1929 section 2.
    for (password, verdict) in [("one", 0), ("two", 1)] {
        let mut stream = connect(&tunnel);
        stream.write_all(&[5, 2, 0, 2]).await.unwrap();
        stream.write_all(&[b"\x01\x03ann\x03", password.as_bytes()].concat()).await.unwrap();
        let mut heard = [0; 4];
        within(stream.read_exact(&mut heard)).await.unwrap();
        assert_eq!((&heard[..3], heard[3] != 0), (&[5, 2, 1][..], verdict != 0));
        if verdict == 0 {
            stream.write_all(&request(1, target.address())).await.unwrap();
            assert_eq!(reply(&mut stream).await, 0);
            within(echo(stream, Payload::new(5), 100_000)).await.unwrap();
        }
    }
    let mut stream = connect(&tunnel);
    stream.write_all(&HELLO).await.unwrap();
    let mut method = [0; 2];
    within(stream.read_exact(&mut method)).await.unwrap();
    assert_eq!(method, [5, 0xff]);
    assert_eq!(target.accepted(), 1);
}
