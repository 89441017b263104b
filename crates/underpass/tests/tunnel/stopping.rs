//! How a tunnel is ended by its user.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use underpass::Event;
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::{Payload, target::Target};

use crate::support::{
    Bastion, Events, connect, connect_to, echo, entrance, eventually, is_reset, receive, to, within,
};

/// Long enough that a test which waits for its end fails.
const AGES: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_open_connections_finish_and_takes_no_more() {
    let (bastion, target, events) =
        (Bastion::start().await, Target::Echo.start().unwrap(), Events::default());
    let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
    let tunnel = builder.open().await.unwrap();
    let address = entrance(&tunnel);
    let mut stream = connect_to(address);
    stream.write_all(b"x").await.unwrap();
    within(stream.read_u8()).await.unwrap();
    let stopping = tokio::spawn({
        let tunnel = tunnel.clone();
        async move { tunnel.stop(AGES).await }
    });
    eventually("the tunnel is stopping", || events.count("stopping") == 1).await;
    eventually("the port is closed", || std::net::TcpStream::connect(address).is_err()).await;
    assert!(!stopping.is_finished());
    within(echo(stream, Payload::new(1), 3_000_000)).await.unwrap();
    within(stopping).await.unwrap();
    within(tunnel.closed()).await.unwrap();
    assert!(events.all().iter().any(|event| matches!(event, Event::Stopping { open: 1 })));
    assert!(matches!(events.all().last(), Some(Event::Closed { error: None })));
}

#[tokio::test]
async fn a_stop_cuts_what_has_not_ended_in_time() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    stream.write_all(b"x").await.unwrap();
    within(stream.read_u8()).await.unwrap();
    within(tunnel.stop(Duration::from_millis(50))).await;
    assert!(is_reset(&mut stream).await);
}

#[tokio::test]
async fn a_stop_without_grace_cuts_at_once() {
    let endless = Target::Source(Payload::new(1), u64::MAX).start().unwrap();
    let bastion = Bastion::start().await;
    let tunnel = bastion.tunnel_to(endless.address()).await;
    let mut stream = connect(&tunnel);
    within(stream.read_u8()).await.unwrap();
    within(tunnel.stop(Duration::ZERO)).await;
    assert!(is_reset(&mut stream).await);
    within(tunnel.closed()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_stop_cuts_the_first_one_short() {
    let (bastion, target) = (Bastion::start().await, Target::BlackHole.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    eventually("the connection is open", || tunnel.stats().open == 1).await;
    let both = async { tokio::join!(tunnel.stop(AGES), tunnel.stop(Duration::ZERO)) };
    within(both).await;
    assert!(is_reset(&mut stream).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_after_the_last_connection_waits_for_nothing() {
    let payload = Payload::new(4);
    let bursting = Target::Burst(payload, 100_000).start().unwrap();
    let echoing = Target::Echo.start().unwrap();
    let bastion = Bastion::start().await;
    let builder = bastion.builder().forward(to(bursting.address())).forward(to(echoing.address()));
    let tunnel = builder.open().await.unwrap();
    // Ended by the target, by both sides, and by the client.
    for _ in 0..50 {
        let mut stream = connect_to(tunnel.listeners()[0].1);
        assert_eq!(within(receive(&mut stream, payload)).await.unwrap(), 100_000);
        let stream = connect_to(tunnel.listeners()[1].1);
        within(echo(stream, payload, 1000)).await.unwrap();
        let stream = connect_to(tunnel.listeners()[1].1);
        stream.set_zero_linger().unwrap();
    }
    within(tunnel.stop(AGES)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_port_is_free_once_the_tunnel_has_stopped() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    for grace in [Duration::ZERO, AGES] {
        for _ in 0..20 {
            let tunnel = bastion.tunnel_to(target.address()).await;
            let address = entrance(&tunnel);
            within(tunnel.stop(grace)).await;
            TcpListener::bind(address).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_upload_that_was_taken_before_the_stop_arrives() {
    let (bastion, target) = (Bastion::start().await, Target::Sink.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    stream.write_all(&[7; 100_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let stopping = tokio::spawn({
        let tunnel = tunnel.clone();
        async move { tunnel.stop(AGES).await }
    });
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer[..8], 100_000_u64.to_be_bytes());
    within(stopping).await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_though_the_server_takes_nothing_any_more() {
    let (bastion, target) = (Bastion::start().await, Target::BlackHole.start().unwrap());
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let tunnel = bastion.builder_at(relay.address()).forward(to(target.address())).open().await.unwrap();
    let mut stream = connect(&tunnel);
    eventually("the connection is open", || tunnel.stats().open == 1).await;
    relay.black_hole();
    let filling = async { while stream.write_all(&[7; 64 * 1024]).await.is_ok() {} };
    tokio::time::timeout(Duration::from_millis(300), filling).await.unwrap_err();
    within(tunnel.stop(Duration::from_millis(10))).await;
    assert!(is_reset(&mut stream).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_may_stop_at_once() {
    for _ in 0..20 {
        let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
        let tunnel = bastion.tunnel_to(target.address()).await;
        let mut stream = connect(&tunnel);
        stream.write_all(b"x").await.unwrap();
        within(stream.read_u8()).await.unwrap();
        let stopping = tokio::spawn({
            let tunnel = tunnel.clone();
            async move { tunnel.stop(AGES).await }
        });
        bastion.gateway.stop();
        within(stopping).await.unwrap();
        assert!(is_reset(&mut stream).await);
    }
}
