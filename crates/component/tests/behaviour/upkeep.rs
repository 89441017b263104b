//! A connection while it stands, and when it breaks.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use underpass_component::{Event, EventKind, ReconnectAttempt};
use underpass_testkit::relay::CuttingRelay;

use crate::support::{Record, Setup, echo, until};

/// A tunnel to the gateway through a relay that can cut.
fn through_relay(setup: &Setup) -> CuttingRelay {
    let relay = CuttingRelay::start(setup.gateway.address()).unwrap();
    let address: SocketAddr = relay.address();
    setup.tunnel.set_ssh_port(address.port().into()).unwrap();
    relay
}

/// How often new keys were agreed on.
fn renewals(record: &Record) -> usize {
    let is_one =
        |event: &&Event| matches!(event, Event::SshStatus(event) if event.message.starts_with("new keys"));
    record.events().iter().filter(is_one).count()
}

#[test]
fn keys_are_renewed_on_demand() {
    let setup = Setup::started();
    let record = Record::of(&setup.tunnel, &[EventKind::SshStatus]);
    assert_eq!(setup.tunnel.config("SSHKeyRenegotiate").unwrap(), "");
    until(&setup.tunnel, || renewals(&record) == 1);
    setup.client();
}

#[test]
fn keys_are_renewed_after_so_many_bytes() {
    for (threshold, renewed) in [(1_000_000, true), (100_000_000, false)] {
        let setup = Setup::new();
        setup.tunnel.config(&format!("KeyRenegotiationThreshold={threshold}")).unwrap();
        let record = Record::of(&setup.tunnel, &[EventKind::SshStatus]);
        setup.tunnel.start_listening().unwrap();
        let mut stream = setup.connect();
        for _ in 0..40 {
            echo(&setup.tunnel, &mut stream, &[7; 100_000]);
        }
        assert_eq!(renewals(&record) > 0, renewed);
    }
}

#[test]
fn strictness_is_negotiated_told_and_required() {
    use underpass::StrictKex;
    for (theirs, ours, cipher, expected) in [
        (StrictKex::Enabled, 0, "aes256-ctr", Ok("False")),
        (StrictKex::Enabled, 1, "aes256-ctr", Ok("True")),
        (StrictKex::Disabled, 1, "chacha20-poly1305@openssh.com", Ok("False")),
        (StrictKex::Disabled, 2, "chacha20-poly1305@openssh.com", Err(1003)),
        (StrictKex::Disabled, 2, "aes256-ctr", Ok("False")),
        (StrictKex::Disabled, 3, "aes256-ctr", Err(1003)),
        (StrictKex::Enabled, 3, "aes256-ctr", Ok("True")),
    ] {
        let gateway = crate::support::gateway_with(|gateway| gateway.strict_kex(theirs));
        let tunnel = crate::support::tunnel_through(&gateway);
        tunnel.set_ssh_encryption_algorithms(cipher).unwrap();
        tunnel.config(&format!("UseStrictKeyExchange={ours}")).unwrap();
        let result = tunnel.connect().map_err(|error| error.code());
        let told = result.map(|()| tunnel.config("NegotiatedStrictKex").unwrap());
        assert_eq!(told, expected.map(str::to_owned), "{theirs:?} {ours} {cipher}");
    }
}

#[test]
fn a_server_that_is_silent_is_given_up() {
    let setup = Setup::new();
    let relay = through_relay(&setup);
    for setting in ["AutoReconnect=0", "SSHKeepAliveInterval=1", "SSHKeepAliveCountMax=1"] {
        setup.tunnel.config(setting).unwrap();
    }
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    setup.tunnel.start_listening().unwrap();
    relay.black_hole();
    until(&setup.tunnel, || record.len() == 1);
    let events = record.take();
    assert!(matches!(&events[..], [Event::Disconnected(event)]
        if event.connection_id == -1 && event.status_code == 1039));
    assert!(!setup.tunnel.connected() && !setup.tunnel.listening());
}

#[test]
fn without_probes_a_silent_server_is_not_noticed() {
    let setup = Setup::new();
    let relay = through_relay(&setup);
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    setup.tunnel.start_listening().unwrap();
    relay.black_hole();
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(3) {
        setup.tunnel.do_events();
    }
    assert!(record.len() == 0 && setup.tunnel.connected());
}

/// Starts, breaks the connection, and keeps it broken.
fn broken(settings: &[&str]) -> (Setup, CuttingRelay, Record) {
    let setup = Setup::new();
    let relay = through_relay(&setup);
    settings.iter().for_each(|setting| drop(setup.tunnel.config(setting).unwrap()));
    let kinds = [
        EventKind::Connected,
        EventKind::Disconnected,
        EventKind::ReconnectAttempt,
        EventKind::ErrorReported,
    ];
    let record = Record::of(&setup.tunnel, &kinds);
    setup.tunnel.start_listening().unwrap();
    setup.tunnel.do_events();
    record.take();
    relay.refuse();
    relay.cut();
    (setup, relay, record)
}

fn attempts(record: &Record) -> Vec<ReconnectAttempt> {
    let attempt = |event: &Event| match event {
        Event::ReconnectAttempt(event) => Some(event.clone()),
        _ => None,
    };
    record.events().iter().filter_map(attempt).collect()
}

#[test]
fn a_broken_connection_is_made_anew() {
    let (setup, relay, record) = broken(&["RetryInterval=1"]);
    until(&setup.tunnel, || !attempts(&record).is_empty());
    relay.restore();
    let is_back = |event: &Event| matches!(event, Event::Connected(event) if event.connection_id == -1 && event.status_code == 0);
    until(&setup.tunnel, || record.events().iter().any(is_back));
    assert!(setup.tunnel.connected() && setup.tunnel.listening());
    setup.client();
    assert!(
        matches!(&record.events()[0], Event::Disconnected(event) if event.connection_id == -1 && event.status_code != 0)
    );
    let first = &attempts(&record)[0];
    assert_eq!((first.host.as_str(), first.port), ("127.0.0.1", setup.tunnel.ssh_port()));
    assert_eq!((first.retry_count, first.retries_remaining, first.max_retry_count), (1, -1, -1));
    assert_eq!((first.retry_interval, first.retry_type, first.remote_listening_port), (1, 0, 0));
}

#[test]
fn attempts_end_where_they_are_limited() {
    let (setup, _relay, record) = broken(&["RetryInterval=0", "MaxRetryCount=2"]);
    until(&setup.tunnel, || !setup.tunnel.listening());
    until(&setup.tunnel, || matches!(record.events().last(), Some(Event::ErrorReported(_))));
    let told: Vec<_> = attempts(&record)
        .iter()
        .map(|event| (event.retry_count, event.retries_remaining, event.max_retry_count))
        .collect();
    assert_eq!(told, [(1, 1, 2), (2, 0, 2)]);
    assert!(matches!(record.events().last(), Some(Event::ErrorReported(event)) if event.error_code == 1037));
}

#[test]
fn the_handler_may_end_the_attempts() {
    let (setup, _relay, record) = broken(&["RetryInterval=0"]);
    setup.tunnel.on_reconnect_attempt(|_, event| event.cancel = true);
    until(&setup.tunnel, || !setup.tunnel.listening());
    assert!(!setup.tunnel.connected());
    drop(record);
}

#[test]
fn a_broken_connection_stays_broken_if_that_is_wanted() {
    let (setup, _relay, record) = broken(&["AutoReconnect=0"]);
    until(&setup.tunnel, || !setup.tunnel.listening());
    assert!(attempts(&record).is_empty());
}

#[test]
fn the_first_logon_is_tried_again_if_that_is_wanted() {
    for (mode, tries) in [(1, 0), (2, 2)] {
        let setup = Setup::new();
        let relay = through_relay(&setup);
        relay.refuse();
        for setting in [&format!("AutoReconnect={mode}"), "RetryInterval=0", "MaxRetryCount=2"] {
            setup.tunnel.config(setting).unwrap();
        }
        let record = Record::of(&setup.tunnel, &[EventKind::ReconnectAttempt]);
        let error = setup.tunnel.start_listening().unwrap_err();
        assert_eq!((record.len(), error.code() == 1037), (tries, tries > 0), "{error}");
    }
}

#[test]
fn attempts_are_as_far_apart_as_is_set() {
    let (setup, _relay, record) = broken(&["RetryInterval=1", "MaxRetryCount=2"]);
    let since = Instant::now();
    until(&setup.tunnel, || !setup.tunnel.listening());
    // Waits are shorter by up to a tenth, at random.
    assert!(since.elapsed() >= Duration::from_millis(1800), "{:?}", since.elapsed());
    drop(record);
}

/// How long it takes to leave a server that has fallen silent, with these settings.
fn farewell(settings: &[&str]) -> Duration {
    let setup = Setup::new();
    let relay = through_relay(&setup);
    setup.tunnel.set_linger(false).unwrap();
    setup.tunnel.set_default_timeout(2).unwrap();
    settings.iter().for_each(|setting| drop(setup.tunnel.config(setting).unwrap()));
    setup.tunnel.start_listening().unwrap();
    setup.client();
    relay.black_hole();
    let since = Instant::now();
    setup.tunnel.shutdown();
    since.elapsed()
}

#[test]
fn the_server_is_waited_for_at_the_end_as_is_set() {
    let long = Duration::from_secs(2);
    for (settings, waits) in [
        (&["WaitForChannelClose=False"][..], false),
        (&["WaitForChannelClose=True"], true),
        (&["WaitForChannelClose=False", "WaitForServerDisconnect=True"], true),
    ] {
        let took = farewell(settings);
        assert_eq!(took >= long, waits, "{settings:?}: {took:?}");
    }
}
