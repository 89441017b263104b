//! A program is asked before each attempt to connect again.

use std::error::Error as _;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use underpass::{Backoff, Error, ErrorKind, Reconnect, ReconnectAttempt, State};
use underpass_testkit::relay::CuttingRelay;

use crate::support::{Bastion, Events, eventually, within};

const SOON: Duration = Duration::from_millis(100);

fn soon() -> Reconnect {
    Reconnect::default().backoff(Backoff::Fixed(SOON)).at_most(9)
}

#[tokio::test]
async fn an_attempt_that_the_program_wants_is_made_and_it_knows_why() {
    let (bastion, seen) = (Bastion::start().await, Arc::new(Mutex::new(Vec::<ReconnectAttempt>::new())));
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let (events, noted) = (Events::default(), seen.clone());
    let builder = bastion.builder_at(relay.address()).reconnect(soon()).observer(events.observer());
    let wanted = move |due: &ReconnectAttempt| {
        noted.lock().unwrap().push(due.clone());
        true
    };
    let _tunnel = within(builder.before_reconnect(wanted).open()).await.unwrap();
    assert!(seen.lock().unwrap().is_empty());
    relay.refuse();
    relay.cut();
    eventually("a third attempt", || seen.lock().unwrap().len() >= 3).await;
    relay.restore();
    eventually("a new connection", || events.count("reconnected") == 1).await;
    let seen = seen.lock().unwrap();
    for (at, due) in seen.iter().enumerate() {
        assert_eq!((due.attempt as usize, due.max_attempts), (at + 1, Some(9)));
        assert!(due.after <= SOON);
        // A connection that is taken and reset at once may be one that was never made.
        assert!(matches!(due.error.kind(), ErrorKind::Lost { .. } | ErrorKind::Dial { .. }), "{}", due.error);
    }
    assert_eq!(events.count("reconnecting"), seen.len());
}

#[tokio::test]
async fn an_attempt_that_the_program_does_not_want_is_the_end_of_the_tunnel() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let builder = bastion.builder_at(relay.address()).reconnect(soon()).observer(events.observer());
    let tunnel = within(builder.before_reconnect(|_| false).open()).await.unwrap();
    relay.cut();
    let error = within(tunnel.closed()).await.unwrap_err();
    let ErrorKind::NotReconnected { attempt: 1, .. } = error.kind() else { panic!("{error}") };
    let cause = error.source().and_then(|source| source.downcast_ref::<Error>()).unwrap();
    assert!(matches!(cause.kind(), ErrorKind::Lost { .. }), "{cause}");
    assert_eq!((error.step(), error.host()), (cause.step(), cause.host()));
    assert_eq!((relay.accepted(), events.count("reconnecting")), (1, 0));
}

#[tokio::test]
async fn a_program_that_does_not_answer_keeps_nobody_from_stopping() {
    let bastion = Bastion::start().await;
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let (_never, answers) = mpsc::channel::<bool>();
    let answers = Mutex::new(answers);
    let builder = bastion.builder_at(relay.address()).reconnect(soon());
    let builder = builder.before_reconnect(move |_| answers.lock().unwrap().recv().unwrap_or(false));
    let tunnel = within(builder.open()).await.unwrap();
    relay.cut();
    eventually("it is asked", || tunnel.state() == State::Reconnecting).await;
    within(tunnel.stop(Duration::ZERO)).await;
    within(tunnel.closed()).await.unwrap();
}
