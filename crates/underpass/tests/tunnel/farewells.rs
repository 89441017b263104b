//! How a server is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use underpass::{Event, Farewell};
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, connect, eventually, to, within};

/// Long enough that a test which waits for its end fails.
const AGES: Duration = Duration::from_secs(3600);

const BRIEF: Duration = Duration::from_millis(300);

fn farewell(channel_close: Option<Duration>, server_close: Option<Duration>) -> Farewell {
    let mut farewell = Farewell::default();
    farewell.channel_close = channel_close;
    farewell.server_close = server_close;
    farewell
}

/// What the gateway says about the end of the only connection that it carries.
fn end_of_the_connection(seen: &Events) -> Option<String> {
    let closed = |event| if let Event::ConnectionClosed { error, .. } = event { error } else { None };
    seen.all().into_iter().find_map(closed)
}

async fn end_with(farewell: Farewell) -> String {
    let seen = Events::default();
    let bastion = Bastion::with(|gateway| {
        let gateway = gateway.observer(Arc::new(seen.observer()));
        gateway.allow_password(crate::support::USER, crate::support::PASSWORD).allow_targets(|_| true)
    });
    let (bastion, target) = (bastion.await, Target::Echo.start().unwrap());
    let events = Events::default();
    let builder = bastion.builder().forward(to(target.address())).farewell(farewell);
    let tunnel = within(builder.observer(events.observer()).open()).await.unwrap();
    let _client = connect(&tunnel);
    eventually("a connection", || events.count("connection-opened") == 1).await;
    within(tunnel.stop(Duration::ZERO)).await;
    assert_eq!(events.count("connection-closed"), 1);
    eventually("the gateway sees the end", || seen.count("connection-closed") == 1).await;
    end_of_the_connection(&seen).unwrap_or_default()
}

#[tokio::test]
async fn channels_are_closed_before_the_connection_if_that_is_wanted() {
    let with_the_connection = end_with(Farewell::default()).await;
    assert!(with_the_connection.contains("the SSH connection ended"), "{with_the_connection}");
    let before = end_with(farewell(Some(AGES), None)).await;
    assert!(!before.contains("the SSH connection ended"), "{before}");
}

#[tokio::test]
async fn a_server_that_closes_the_connection_is_waited_for_no_longer() {
    assert!(!end_with(farewell(Some(AGES), Some(AGES))).await.contains("SSH connection"));
    assert!(end_with(farewell(None, Some(AGES))).await.contains("SSH connection"));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_as_long_as_is_allowed() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    for (channel_close, server_close) in
        [(Some(Duration::ZERO), None), (Some(BRIEF), None), (None, Some(BRIEF)), (Some(BRIEF), Some(BRIEF))]
    {
        let (relay, events) = (CuttingRelay::start(bastion.gateway.address()).unwrap(), Events::default());
        let builder = bastion.builder_at(relay.address()).forward(to(target.address()));
        let builder = builder.farewell(farewell(channel_close, server_close)).observer(events.observer());
        let tunnel = within(builder.open()).await.unwrap();
        let _client = connect(&tunnel);
        eventually("a connection", || events.count("connection-opened") == 1).await;
        relay.black_hole();
        let began = Instant::now();
        within(tunnel.stop(Duration::ZERO)).await;
        let allowed = channel_close.unwrap_or_default() + server_close.unwrap_or_default();
        assert!(began.elapsed() >= allowed, "{channel_close:?} {server_close:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_second_stop_does_not_wait_for_channels() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let (relay, events) = (CuttingRelay::start(bastion.gateway.address()).unwrap(), Events::default());
    let builder = bastion.builder_at(relay.address()).forward(to(target.address()));
    let builder = builder.farewell(farewell(Some(AGES), None)).observer(events.observer());
    let tunnel = within(builder.open()).await.unwrap();
    let _client = connect(&tunnel);
    eventually("a connection", || events.count("connection-opened") == 1).await;
    relay.black_hole();
    let stopping = tokio::spawn({
        let tunnel = tunnel.clone();
        async move { tunnel.stop(Duration::ZERO).await }
    });
    eventually("the connection is cut", || events.count("connection-closed") == 1).await;
    assert!(!stopping.is_finished());
    within(tunnel.stop(Duration::ZERO)).await;
    within(stopping).await.unwrap();
}
