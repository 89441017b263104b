//! What an observer is told, and what nobody is told.

use std::fs;
use std::path::Path;

use underpass::{Error, Event, keys};
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, USER, connect, eventually, refused, to, within};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn the_events_of_a_tunnel_tell_its_story_in_order() {
    let (bastion, target, events) =
        (Bastion::start().await, Target::Echo.start().unwrap(), Events::default());
    let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
    let tunnel = builder.open().await.unwrap();
    let mut stream = connect(&tunnel);
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    within(stream.read_to_end(&mut Vec::new())).await.unwrap();
    eventually("the connection is closed", || events.count("connection-closed") == 1).await;
    within(tunnel.stop(std::time::Duration::from_secs(60))).await;
    let story = [
        "connecting",
        "connected",
        "identified",
        "host-key",
        "key-exchange",
        "auth-attempt",
        "detail",
        "auth-attempt",
        "authenticated",
        "listening",
        "connection-opened",
        "connection-closed",
        "stopping",
        "closed",
    ];
    assert_eq!(events.names(), story);
    let carried =
        |event: &Event| matches!(event, Event::ConnectionClosed { id: 1, sent: 5, received: 5, error: None });
    assert!(events.all().iter().any(carried), "{:?}", events.all());
}

#[tokio::test]
async fn a_tunnel_that_does_not_open_is_told_as_closed_once() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let error = refused(bastion.builder().password("wrong").observer(events.observer())).await;
    assert_eq!(events.count("closed"), 1);
    let last = events.all().pop().unwrap();
    let Event::Closed { error: Some(told) } = last else { panic!("{last}") };
    assert_eq!(told.to_string(), error.to_string());
}

#[tokio::test]
async fn the_gateway_tells_of_the_connections_through_it() {
    let (target, events) = (Target::Echo.start().unwrap(), Events::default());
    let observer = std::sync::Arc::new(events.observer());
    let bastion = Bastion::with(|gateway| {
        gateway.allow_password(USER, crate::support::PASSWORD).allow_targets(|_| true).observer(observer)
    });
    let bastion = bastion.await;
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    within(stream.read_to_end(&mut Vec::new())).await.unwrap();
    within(tunnel.stop(std::time::Duration::from_secs(60))).await;
    eventually("the session has ended", || events.count("detail") == 1).await;
    assert_eq!(events.names(), ["identified", "connection-opened", "connection-closed", "detail"]);
    let stats = bastion.gateway.stats();
    assert_eq!((stats.open, stats.total, stats.sent, stats.received), (0, 1, 5, 5));
}

const PASSPHRASE: &str = "open-sesame-of-the-tests";
const MARKER: &str = "payload-that-nobody-may-log";

/// Everything an event or an error shows of itself.
fn shown(events: &Events, errors: &[Error]) -> String {
    let events = events.all().into_iter().map(|event| format!("{event}\n{event:?}\n"));
    let errors = errors.iter().map(|error| format!("{error}\n{error:?}\n{:?}\n", error.advice()));
    events.chain(errors).collect()
}

#[tokio::test]
async fn no_secret_shows_in_anything_that_is_told() {
    let key_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/id_encrypted");
    let text = fs::read_to_string(&key_file).unwrap();
    let public = keys::public_of(text.as_bytes()).unwrap().blob().to_vec();
    let (target, events) = (Target::Echo.start().unwrap(), Events::default());
    let observers = [events.clone(), events.clone()];
    let bastion = Bastion::with(|gateway| {
        let gateway = gateway.allow_password(USER, "right-password").allow_key(USER, public);
        gateway.allow_targets(|_| true).observer(std::sync::Arc::new(observers[0].observer()))
    });
    let bastion = bastion.await;
    let builder = bastion.builder().observer(observers[1].observer()).forward(to(target.address()));
    let by_key = builder.clone().identity_file(&key_file).passphrase(PASSPHRASE);
    let mut shown_too = format!("{by_key:?}");
    let tunnel = by_key.open().await.unwrap();
    let mut stream = connect(&tunnel);
    stream.write_all(MARKER.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut echo = String::new();
    within(stream.read_to_string(&mut echo)).await.unwrap();
    assert_eq!(echo, MARKER);
    shown_too += &format!("{tunnel:?} {:?}", bastion.gateway);
    within(tunnel.stop(std::time::Duration::from_secs(60))).await;
    let errors = [
        refused(builder.clone().password("wrong-password")).await,
        refused(builder.clone().identity_file(&key_file).passphrase("wrong-passphrase")).await,
    ];
    within(builder.password("right-password").open()).await.unwrap();

    let shown = shown(&events, &errors) + &shown_too;
    let body = text.lines().filter(|line| !line.starts_with("-----"));
    let secrets = ["wrong-password", "right-password", "wrong-passphrase", PASSPHRASE, MARKER];
    for secret in secrets.into_iter().chain(body) {
        assert!(!shown.contains(secret), "{secret} shows");
    }
    // The search looks at the right text.
    for expected in ["id_encrypted", "SHA256:", "connection 1 closed", "did not let `me` in"] {
        assert!(shown.contains(expected), "{expected} is missing in {shown}");
    }
}
