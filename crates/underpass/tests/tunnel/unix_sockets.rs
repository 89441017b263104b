//! A Unix-domain socket of this machine in place of a port.

use std::fs;
use std::time::Duration;

use tokio::net::UnixStream;
use underpass::{Bound, ErrorKind, Event, Forward, Peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, receive, refused, send, within};

#[tokio::test]
async fn a_socket_leads_to_the_target_and_goes_with_the_tunnel() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let (path, events) = (bastion.path("socket"), Events::default());
    let builder = bastion.builder().forward(Forward::local(path.clone(), target.address()));
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    assert_eq!(tunnel.forwards()[0].bound, [Bound::Unix(path.clone())]);
    assert!(tunnel.listeners().is_empty(), "it is no port");
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let (mut read, mut write) = stream.split();
    let payload = Payload::new(1);
    let both = async { tokio::join!(send(&mut write, payload, 2_000_000), receive(&mut read, payload)) };
    let (sent, received) = within(both).await;
    sent.unwrap();
    assert_eq!(received.unwrap(), 2_000_000);
    let from_socket = |event: &Event| matches!(event, Event::ConnectionOpened { peer: Peer::Unix, .. });
    assert_eq!(events.all().iter().filter(|event| from_socket(event)).count(), 1);
    within(tunnel.stop(Duration::ZERO)).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_is_left_over_is_replaced_only_if_that_is_wanted() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let path = bastion.path("socket");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let builder = bastion.builder().forward(Forward::local(path.clone(), target.address()));
    let error = refused(builder.clone()).await;
    assert!(matches!(error.kind(), ErrorKind::BindUnix { path: named, .. } if *named == path), "{error}");
    assert!(fs::exists(&path).unwrap());
    let tunnel = builder.clone().unlink_sockets(true).open().await.unwrap();
    UnixStream::connect(&path).await.unwrap();
    // One that is in use is not left over.
    refused(builder.unlink_sockets(true)).await;
    UnixStream::connect(&path).await.unwrap();
    drop(tunnel);
}
