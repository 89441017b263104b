//! Forwards come and go while the tunnel runs.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use underpass::{Bound, ErrorKind, Forward, ForwardId, Tunnel};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

use crate::support::{Bastion, PASSWORD, USER, connect, connect_to, echo, eventually, loopback, to, within};

fn place(tunnel: &Tunnel, id: ForwardId) -> SocketAddr {
    let forwards = tunnel.forwards();
    let forward = forwards.iter().find(|forward| forward.id == id).unwrap();
    match forward.bound.as_slice() {
        [Bound::Tcp(address)] => *address,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_forward_that_is_removed_frees_its_port_and_keeps_its_connections() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().open().await.unwrap();
    assert!(tunnel.forwards().is_empty());
    let id = within(tunnel.add_forward(to(target.address()))).await.unwrap();
    let address = place(&tunnel, id);
    assert_eq!(tunnel.local_address(), Some(address));
    let mut open = connect_to(address);
    open.write_all(b"a").await.unwrap();
    assert_eq!(within(open.read_u8()).await.unwrap(), b'a');

    assert!(within(tunnel.remove_forward(id)).await);
    assert!(!within(tunnel.remove_forward(id)).await);
    assert!(tunnel.forwards().is_empty());
    assert!(TcpStream::connect(address).await.is_err(), "somebody still listens");
    let taken = TcpListener::bind(address).unwrap();
    within(echo(open, Payload::new(1), 1_000_000)).await.unwrap();
    drop(taken);

    // The same port can be forwarded again.
    let again = within(tunnel.add_forward(Forward::local(address, target.address()))).await.unwrap();
    assert_ne!(again, id);
    within(echo(connect_to(address), Payload::new(2), 100_000)).await.unwrap();
}

#[tokio::test]
async fn a_forward_that_cannot_be_had_leaves_the_others_alone() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let before = tunnel.forwards();
    let taken = TcpListener::bind(loopback()).unwrap();
    let forward = Forward::local(taken.local_addr().unwrap(), target.address());
    let error = within(tunnel.add_forward(forward)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Bind { .. }), "{error}");
    let error = within(tunnel.add_forward(Forward::remote(loopback(), target.address()))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ForwardRefused { .. }), "{error}");
    assert_eq!(tunnel.forwards(), before);
    within(echo(connect(&tunnel), Payload::new(3), 100_000)).await.unwrap();
}

#[tokio::test]
async fn a_remote_forward_comes_and_goes() {
    let target = Target::Echo.start().unwrap();
    let bastion =
        Bastion::with(|gateway| gateway.allow_password(USER, PASSWORD).allow_remote_forwards(|_| true)).await;
    let tunnel = bastion.builder().open().await.unwrap();
    let id = within(tunnel.add_forward(Forward::remote(loopback(), target.address()))).await.unwrap();
    let bound = tunnel.forwards()[0].bound.clone();
    let [Bound::Remote { port, .. }] = bound[..] else { panic!("{bound:?}") };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut open = connect_to(address);
    open.write_all(b"a").await.unwrap();
    assert_eq!(within(open.read_u8()).await.unwrap(), b'a');
    assert!(within(tunnel.remove_forward(id)).await);
    eventually("the server listens no longer", || std::net::TcpStream::connect(address).is_err()).await;
    within(echo(open, Payload::new(4), 1_000_000)).await.unwrap();
}

#[tokio::test]
async fn a_tunnel_that_has_ended_takes_no_forward() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().open().await.unwrap();
    within(tunnel.stop(Duration::ZERO)).await;
    let error = within(tunnel.add_forward(to(target.address()))).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Stopped);
    assert!(tunnel.forwards().is_empty());
}
