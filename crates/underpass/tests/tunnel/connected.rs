//! A connection on which nobody is logged on yet.

use std::time::Duration;

use underpass::{Backoff, ErrorKind, Reconnect, Step};
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, connect, echo, eventually, to, within};

#[tokio::test]
async fn nobody_is_logged_on_until_that_is_asked_for_and_then_all_is_as_after_open() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let target = Target::Echo.start().unwrap();
    let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
    let connected = within(builder.connect()).await.unwrap();
    assert_eq!(events.names().last(), Some(&"key-exchange"), "{:?}", events.names());
    assert_eq!(events.count("host-key"), 1);
    let tunnel = within(connected.log_on()).await.unwrap();
    let names = events.names();
    let at = |name| names.iter().position(|each| *each == name).unwrap();
    assert!(at("key-exchange") < at("auth-attempt") && at("authenticated") < at("listening"), "{names:?}");
    within(echo(connect(&tunnel), underpass_testkit::Payload::new(1), 100_000)).await.unwrap();
    within(tunnel.stop(Duration::ZERO)).await;
    assert_eq!(events.count("closed"), 1);
}

#[tokio::test]
async fn the_time_for_logging_on_begins_when_that_is_asked_for() {
    let bastion = Bastion::start().await;
    let allowed = Duration::from_millis(300);
    let connected = within(bastion.builder().auth_timeout(allowed).connect()).await.unwrap();
    tokio::time::sleep(allowed * 2).await;
    within(connected.log_on()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_before_is_told() {
    let bastion = Bastion::start().await;
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let connected = within(bastion.builder_at(relay.address()).connect()).await.unwrap();
    relay.cut();
    let lost = within(connected.lost()).await;
    assert!(matches!(lost.kind(), ErrorKind::Lost { .. }), "{lost}");
    let error = within(connected.log_on()).await.unwrap_err();
    assert_eq!((error.step(), error.kind().name()), (Step::Authenticate, "lost"));
}

#[tokio::test]
async fn a_logon_that_fails_is_tried_again_on_another_connection_if_that_is_wanted() {
    let bastion = Bastion::start().await;
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let patient = Reconnect::always().backoff(Backoff::Fixed(Duration::from_millis(100)));
    let builder = bastion.builder_at(relay.address()).reconnect(patient);
    let connected = within(builder.connect()).await.unwrap();
    relay.cut();
    within(connected.lost()).await;
    within(connected.log_on()).await.unwrap();
    assert_eq!(relay.accepted(), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn a_connection_that_is_not_wanted_after_all_is_closed_and_what_it_listened_at_is_free() {
    let (seen, events) = (Events::default(), Events::default());
    let bastion = Bastion::with(|gateway| gateway.observer(std::sync::Arc::new(seen.observer()))).await;
    let path = bastion.path("socket");
    let forward = underpass::Forward::local(path.clone(), ("db", 5432));
    let builder = bastion.builder().forward(forward).observer(events.observer());
    let connected = within(builder.connect()).await.unwrap();
    assert!(path.exists());
    drop(connected);
    assert!(!path.exists());
    eventually("the server sees its end", || seen.count("detail") == 1).await;
    assert_eq!((events.count("auth-attempt"), events.count("closed")), (0, 0));
}

#[tokio::test]
async fn hops_are_logged_on_to_and_the_server_behind_them_is_not() {
    let (outer, inner, events) = (Bastion::start().await, Bastion::start().await, Events::default());
    let builder = inner.builder().jump(outer.builder()).observer(events.observer());
    let connected = within(builder.connect()).await.unwrap();
    assert_eq!(events.count("authenticated"), 1);
    let tunnel = within(connected.log_on()).await.unwrap();
    assert_eq!(events.count("authenticated"), 2);
    drop(tunnel);
}
