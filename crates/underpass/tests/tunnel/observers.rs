//! Observers run on the tunnel's own task, and are other people's code.

use std::time::Duration;

use underpass::{ErrorKind, Event};
use underpass_testkit::{Payload, target::Target};

use crate::support::{Bastion, Events, connect, echo, entrance, eventually, is_reset, refused, to, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_that_panics_ends_the_tunnel_with_resets() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let panicking = |event: &Event| {
        assert!(!matches!(event, Event::ConnectionOpened { id: 2, .. }), "as the test wants it");
    };
    let builder = bastion.builder().forward(to(target.address())).observer(panicking);
    let tunnel = builder.open().await.unwrap();
    let mut first = connect(&tunnel);
    eventually("the first one is open", || tunnel.stats().open == 1).await;
    let mut second = connect(&tunnel);
    let error = within(tunnel.closed()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Internal { .. }), "{error}");
    assert!(is_reset(&mut first).await);
    assert!(is_reset(&mut second).await);
    eventually("the port is closed", || std::net::TcpStream::connect(entrance(&tunnel)).is_err()).await;
    within(tunnel.stop(Duration::ZERO)).await;
}

#[tokio::test]
async fn an_observer_that_panics_while_the_tunnel_opens_is_an_error() {
    let bastion = Bastion::start().await;
    let panicking = |event: &Event| {
        assert!(!matches!(event, Event::KeyExchange { .. }), "as the test wants it");
    };
    let error = refused(bastion.builder().observer(panicking)).await;
    assert!(matches!(error.kind(), ErrorKind::Internal { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_observer_slows_and_loses_nothing() {
    let (bastion, target, events) =
        (Bastion::start().await, Target::Echo.start().unwrap(), Events::default());
    let observer = events.observer();
    let slow = move |event: &Event| {
        std::thread::sleep(Duration::from_millis(20));
        observer(event);
    };
    let tunnel = bastion.builder().forward(to(target.address())).observer(slow).open().await.unwrap();
    for seed in 0..5 {
        within(echo(connect(&tunnel), Payload::new(seed), 300_000)).await.unwrap();
    }
    within(tunnel.stop(Duration::from_secs(60))).await;
    assert_eq!((events.count("connection-opened"), events.count("connection-closed")), (5, 5));
}
