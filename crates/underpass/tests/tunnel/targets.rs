//! Targets that are not to be had fail alone, and say why.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use underpass::{Builder, Error, ErrorKind, OpenFailureReason, Step};
use underpass_testkit::Payload;
use underpass_testkit::target::{Refusing, Target};

use crate::support::{
    Bastion, Events, PASSWORD, USER, connect, connect_to, echo, eventually, is_reset, to, unanswering, within,
};

/// What became of a connection to `target`, which is not to be had.
async fn failure(builder: Builder, target: SocketAddr) -> Error {
    let events = Events::default();
    let tunnel = builder.forward(to(target)).observer(events.observer()).open().await.unwrap();
    let mut stream = connect(&tunnel);
    assert!(is_reset(&mut stream).await, "it looked like an empty answer");
    eventually("it is counted", || tunnel.stats().failed == 1).await;
    assert_eq!((tunnel.stats().total, tunnel.stats().open), (0, 0));
    assert_eq!(events.count("connection-opened") + events.count("connection-closed"), 0);
    let [failure] = events.failures().try_into().unwrap();
    failure
}

fn reason(error: &Error) -> Option<OpenFailureReason> {
    match error.kind() {
        ErrorKind::TargetRefused { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_target_that_refuses_is_reported_with_advice() {
    let (bastion, refusing) = (Bastion::start().await, Refusing::start().unwrap());
    let error = failure(bastion.builder(), refusing.address()).await;
    assert_eq!(reason(&error), Some(OpenFailureReason::CONNECT_FAILED));
    assert_eq!(error.step(), Step::OpenChannel);
    assert!(error.to_string().contains(&refusing.address().to_string()), "{error}");
    assert!(error.advice().unwrap().contains("as seen from the server"), "{error:?}");
}

#[tokio::test]
async fn a_target_that_the_server_forbids_is_reported_with_advice() {
    let target = Target::Echo.start().unwrap();
    let bastion = Bastion::with(|gateway| gateway.allow_password(USER, PASSWORD)).await;
    let error = failure(bastion.builder(), target.address()).await;
    assert_eq!(reason(&error), Some(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED));
    assert!(error.advice().unwrap().contains("administrator"), "{error:?}");
    assert_eq!(target.accepted(), 0);
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_given_up() {
    let (bastion, (listener, _waiting)) = (Bastion::start().await, unanswering().await);
    let soon = Duration::from_millis(300);
    let error = failure(bastion.builder().open_timeout(soon), listener.local_addr().unwrap()).await;
    assert_eq!(*error.kind(), ErrorKind::Timeout { after: soon });
    assert_eq!(error.step(), Step::OpenChannel);
}

#[tokio::test]
async fn a_target_that_does_not_answer_holds_up_nobody() {
    let (bastion, (listener, _waiting)) = (Bastion::start().await, unanswering().await);
    let echoing = Target::Echo.start().unwrap();
    let builder =
        bastion.builder().forward(to(listener.local_addr().unwrap())).forward(to(echoing.address()));
    let tunnel = builder.open().await.unwrap();
    let mut stuck = Vec::new();
    for _ in 0..20 {
        stuck.push(connect(&tunnel));
    }
    let stream = connect_to(tunnel.listeners()[1].1);
    within(echo(stream, Payload::new(1), 1_000_000)).await.unwrap();
    assert_eq!(tunnel.stats().total, 1, "the others are still opening");
}

#[tokio::test]
async fn one_target_that_fails_leaves_the_others_alone() {
    let (bastion, refusing) = (Bastion::start().await, Refusing::start().unwrap());
    let echoing = Target::Echo.start().unwrap();
    let builder = bastion.builder().forward(to(echoing.address())).forward(to(refusing.address()));
    let tunnel = builder.open().await.unwrap();
    let stream = connect(&tunnel);
    let transfer = tokio::spawn(echo(stream, Payload::new(1), 4_000_000));
    for _ in 0..50 {
        let mut stream = connect_to(tunnel.listeners()[1].1);
        assert!(is_reset(&mut stream).await);
    }
    within(transfer).await.unwrap().unwrap();
    assert_eq!(tunnel.stats().failed, 50);
}

#[tokio::test]
async fn connections_that_are_still_opening_when_the_tunnel_ends_have_failed() {
    let asked = Arc::new(Notify::new());
    let (listener, _waiting) = unanswering().await;
    let events = Events::default();
    let notify = asked.clone();
    let bastion = Bastion::with(|gateway| {
        gateway.allow_password(USER, PASSWORD).allow_targets(move |_| {
            notify.notify_one();
            true
        })
    });
    let bastion = bastion.await;
    let builder = bastion.builder().forward(to(listener.local_addr().unwrap())).observer(events.observer());
    let tunnel = builder.open().await.unwrap();
    let mut stream = connect(&tunnel);
    within(asked.notified()).await;
    within(tunnel.stop(Duration::ZERO)).await;
    assert!(is_reset(&mut stream).await);
    let [failure] = events.failures().try_into().unwrap();
    assert_eq!(*failure.kind(), ErrorKind::Stopped);
    assert_eq!(events.count("connection-closed"), 0);
}
