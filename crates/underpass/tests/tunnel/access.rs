//! Who may use the ports of this machine.

use std::net::Ipv4Addr;

use tokio::net::{TcpSocket, TcpStream};
use underpass::{AccessList, ClientAccess, ErrorKind, Event, Peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, connect, echo, entrance, eventually, is_reset, to, within};

fn list(text: &str) -> AccessList {
    text.parse().unwrap()
}

fn allowed(text: &str) -> ClientAccess {
    ClientAccess { allowed: Some(list(text)), ..ClientAccess::default() }
}

fn blocked(text: &str) -> ClientAccess {
    ClientAccess { blocked: list(text), ..ClientAccess::default() }
}

/// Whether a client at 127.0.0.1 gets through, with these lists.
async fn gets_through(clients: ClientAccess) -> bool {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let events = Events::default();
    let builder = bastion.builder().forward(to(target.address())).clients(clients);
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    let mut stream = connect(&tunnel);
    let peer = Peer::Tcp(stream.local_addr().unwrap());
    eventually("it is decided", || tunnel.stats().total + tunnel.stats().failed == 1).await;
    if tunnel.stats().total == 1 {
        within(echo(stream, Payload::new(1), 100_000)).await.unwrap();
        return true;
    }
    assert!(is_reset(&mut stream).await);
    let [error] = events.failures().try_into().unwrap();
    assert!(matches!(error.kind(), ErrorKind::NotAllowed { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    let names_it =
        |event: &Event| matches!(event, Event::ConnectionFailed { peer: told, .. } if *told == peer);
    assert!(events.all().iter().any(names_it));
    assert_eq!((target.accepted(), bastion.gateway.stats().total), (0, 0));
    false
}

#[tokio::test]
async fn only_who_is_allowed_gets_through() {
    assert!(gets_through(allowed("127.0.0.1")).await);
    assert!(gets_through(allowed("10.0.0.0/8,127.0.0.*")).await);
    assert!(!gets_through(allowed("10.0.0.0/8")).await);
}

#[tokio::test]
async fn who_is_blocked_does_not_get_through() {
    assert!(!gets_through(blocked("127.0.0.1")).await);
    assert!(!gets_through(ClientAccess { blocked: list("127.0.0.0/8"), ..allowed("127.0.0.1") }).await);
    assert!(gets_through(blocked("127.0.0.2")).await);
}

#[tokio::test]
async fn names_stand_for_their_addresses() {
    assert!(gets_through(allowed("localhost")).await);
    assert!(!gets_through(blocked("localhost")).await);
    assert!(!gets_through(allowed("nowhere.invalid")).await);
    // Anybody might be it.
    assert!(!gets_through(blocked("nowhere.invalid")).await);
}

#[tokio::test]
async fn each_client_is_judged_by_its_own_address() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let builder = bastion.builder().forward(to(target.address())).clients(blocked("127.0.0.77"));
    let tunnel = builder.open().await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, 77), 0).into()).unwrap();
    // The reset may come before the system has told that it is connected.
    if let Ok(mut stream) = socket.connect(entrance(&tunnel)).await {
        assert!(is_reset(&mut stream).await);
    }
    let stream = TcpStream::connect(entrance(&tunnel)).await.unwrap();
    within(echo(stream, Payload::new(2), 100_000)).await.unwrap();
}
