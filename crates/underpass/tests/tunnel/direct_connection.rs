//! `Tunnel::connect`: a connection without a port on this machine.

use std::io::ErrorKind::ConnectionReset;
use std::sync::mpsc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use underpass::{ErrorKind, Peer, Tunnel};
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::{Receipt, Refusing, Target};
use underpass_testkit::{Payload, Server};

use crate::support::{Bastion, Events, eventually, receive, send, within};

async fn open(bastion: &Bastion) -> Tunnel {
    bastion.builder().open().await.unwrap()
}

#[tokio::test]
async fn it_carries_both_ways_at_once() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let events = Events::default();
    let tunnel = bastion.builder().observer(events.observer()).open().await.unwrap();
    assert_eq!(tunnel.state(), underpass::State::Open);
    let stream = within(tunnel.connect(target.address())).await.unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    let payload = Payload::new(1);
    let both = async { tokio::join!(send(&mut write, payload, 5_000_000), receive(&mut read, payload)) };
    let (sent, received) = within(both).await;
    sent.unwrap();
    assert_eq!(received.unwrap(), 5_000_000);
    eventually("it is over", || tunnel.stats().open == 0).await;
    assert_eq!((tunnel.stats().sent, tunnel.stats().received), (5_000_000, 5_000_000));
    let told = |event: &underpass::Event| {
        matches!(event, underpass::Event::ConnectionOpened { peer: Peer::Program, .. })
    };
    assert_eq!(events.all().iter().filter(|event| told(event)).count(), 1);
}

#[tokio::test]
async fn each_half_ends_by_itself() {
    let bastion = Bastion::start().await;
    let payload = Payload::new(2);
    let reply = Target::Reply(payload, 1_000_000).start().unwrap();
    let tunnel = open(&bastion).await;
    let mut stream = tunnel.connect(reply.address()).await.unwrap();
    within(send(&mut stream, Payload::new(3), 300_000)).await.unwrap();
    assert_eq!(stream.write(b"x").await.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(within(receive(&mut stream, payload)).await.unwrap(), 1_000_000);

    // The target ends first; what is sent after that still arrives.
    let (tell, told) = mpsc::channel();
    let first = Server::start(move |mut target| {
        let tell = tell.clone();
        async move {
            target.shutdown().await?;
            let mut heard = Vec::new();
            target.read_to_end(&mut heard).await?;
            let _ = tell.send(heard);
            Ok(())
        }
    });
    let first = first.unwrap();
    let mut stream = tunnel.connect(first.address()).await.unwrap();
    assert_eq!(within(stream.read(&mut [0])).await.unwrap(), 0);
    stream.write_all(b"after the end").await.unwrap();
    stream.shutdown().await.unwrap();
    let heard = tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(60)));
    assert_eq!(heard.await.unwrap().unwrap(), b"after the end");
}

#[tokio::test]
async fn what_was_written_before_a_drop_is_sent() {
    const LENGTH: usize = 200_000;
    let bastion = Bastion::start().await;
    let (tell, told) = mpsc::channel();
    let counting = Server::start(move |mut target| {
        let tell = tell.clone();
        async move {
            let mut heard = Vec::new();
            let end = target.read_to_end(&mut heard).await;
            let _ = tell.send((heard.len(), end.is_ok()));
            Ok(())
        }
    });
    let counting = counting.unwrap();
    let tunnel = open(&bastion).await;
    let mut stream = tunnel.connect(counting.address()).await.unwrap();
    within(stream.write_all(&vec![7; LENGTH])).await.unwrap();
    drop(stream);
    let heard = tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(60)));
    assert_eq!(heard.await.unwrap().unwrap(), (LENGTH, true));
    eventually("it is over", || tunnel.stats().open == 0).await;
}

#[tokio::test]
async fn a_loss_is_an_error_and_not_an_end() {
    let (bastion, endless) =
        (Bastion::start().await, Target::Source(Payload::new(4), u64::MAX).start().unwrap());
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let tunnel = bastion.builder_at(relay.address()).open().await.unwrap();
    let mut stream = tunnel.connect(endless.address()).await.unwrap();
    within(stream.read_u8()).await.unwrap();
    relay.cut();
    let error = within(async {
        let mut buffer = vec![0; 65536];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => panic!("a loss looked like an end"),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    });
    assert_eq!(error.await.kind(), ConnectionReset);
    assert!(stream.write(b"x").await.is_err());
    within(tunnel.closed()).await.unwrap_err();
    let error = within(tunnel.connect(endless.address())).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Lost { .. }), "{error}");
}

#[tokio::test]
async fn a_target_that_refuses_is_an_error_with_its_name() {
    let (bastion, refusing) = (Bastion::start().await, Refusing::start().unwrap());
    let tunnel = open(&bastion).await;
    let error = within(tunnel.connect(refusing.address())).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetRefused { .. }), "{error}");
    assert!(error.to_string().contains(&refusing.address().to_string()), "{error}");
    assert_eq!((tunnel.stats().failed, tunnel.stats().open), (1, 0));
}

#[tokio::test]
async fn only_as_many_as_are_allowed_are_open_at_once() {
    let (bastion, sink) = (Bastion::start().await, Target::Sink.start().unwrap());
    let tunnel = bastion.builder().max_connections(2).open().await.unwrap();
    let mut first = tunnel.connect(sink.address()).await.unwrap();
    let _second = tunnel.connect(sink.address()).await.unwrap();
    let error = within(tunnel.connect(sink.address())).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::TooMany { most: 2 });
    first.shutdown().await.unwrap();
    let mut receipt = Vec::new();
    within(first.read_to_end(&mut receipt)).await.unwrap();
    assert_eq!(receipt, Receipt::of(Payload::new(0), 0).encode());
    eventually("its place is free", || tunnel.stats().open == 1).await;
    within(tunnel.connect(sink.address())).await.unwrap();
}

#[tokio::test]
async fn a_stopped_tunnel_connects_to_nothing() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = open(&bastion).await;
    let mut stream = tunnel.connect(target.address()).await.unwrap();
    within(tunnel.stop(Duration::ZERO)).await;
    assert_eq!(within(stream.read(&mut [0])).await.unwrap_err().kind(), ConnectionReset);
    let error = within(tunnel.connect(target.address())).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Stopped);
}

#[tokio::test]
async fn a_program_can_tell_what_the_connection_to_the_server_goes_over() {
    let (seen, hop) = (Events::default(), Bastion::start().await);
    let bastion = Bastion::with(|gateway| {
        let gateway = gateway.observer(std::sync::Arc::new(seen.observer()));
        gateway.allow_password(crate::support::USER, crate::support::PASSWORD)
    });
    let bastion = bastion.await;
    let connected = within(bastion.builder().connect()).await.unwrap();
    let ends = connected.server_connection().unwrap();
    let tunnel = within(connected.log_on()).await.unwrap();
    crate::support::eventually("it serves", || tunnel.server_connection() == Some(ends)).await;
    assert_eq!(ends.remote, bastion.gateway.address());
    within(tunnel.stop(std::time::Duration::ZERO)).await;
    assert_eq!(tunnel.server_connection(), None);
    // The gateway names its clients by address and port.
    let client = ends.local.to_string();
    let named = || seen.all().iter().any(|event| event.to_string().contains(&client));
    crate::support::eventually("the other end knows the same", named).await;
    let through = within(bastion.builder().jump(hop.builder()).connect()).await.unwrap();
    assert_eq!(through.server_connection().unwrap().remote, hop.gateway.address());
}
