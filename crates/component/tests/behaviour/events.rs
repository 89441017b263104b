//! Events: who is told what, when, and what answers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use underpass_component::{Event, EventKind, Log};

use crate::support::{PASSWORD, Record, Setup, echo, nobody, read_to_end, until};

#[test]
fn a_client_may_be_turned_away() {
    let setup = Setup::new();
    let record = Record::of(&setup.tunnel, &[EventKind::Connected]);
    setup.tunnel.on_connection_request(|_, request| {
        assert!(request.accept && request.address == "127.0.0.1" && request.port > 0);
        request.accept = false;
    });
    setup.tunnel.start_listening().unwrap();
    let stream = setup.connect();
    let nothing = read_to_end(&setup.tunnel, &stream).unwrap_or_default();
    assert!(nothing.is_empty() && setup.tunnel.client_count() == 0);
    let clients = |event: &Event| matches!(event, Event::Connected(event) if event.connection_id != -1);
    assert!(!record.take().iter().any(clients));
}

#[test]
fn lists_decide_unless_the_handler_does() {
    for (setting, accept) in [
        ("AllowedClients=10.0.0.*", false),
        ("BlockedClients=127.0.0.1", false),
        ("AllowedClients=127.*.*.*", true),
    ] {
        let setup = Setup::new();
        setup.tunnel.config(setting).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let seen = asked.clone();
        setup.tunnel.on_connection_request(move |_, request| {
            assert_eq!(request.accept, accept);
            // Once as the lists say, then against them.
            request.accept ^= seen.fetch_add(1, Ordering::Relaxed) == 1;
        });
        setup.tunnel.start_listening().unwrap();
        for expected in [accept, !accept] {
            let mut stream = setup.connect();
            if expected {
                echo(&setup.tunnel, &mut stream, b"in");
            } else {
                assert!(read_to_end(&setup.tunnel, &stream).unwrap_or_default().is_empty());
            }
        }
    }
    assert_eq!(Setup::new().tunnel.config("AllowedClients=1.2.3.4/99").unwrap_err().code(), 10022);
}

#[test]
fn a_target_that_refuses_is_told() {
    let setup = Setup::new();
    let (_refusing, address) = nobody();
    setup.tunnel.set_ssh_forward_port(address.port().into()).unwrap();
    setup.tunnel.start_listening().unwrap();
    let record = Record::of(&setup.tunnel, &[EventKind::Connected, EventKind::ErrorReported]);
    let stream = setup.connect();
    let _ = read_to_end(&setup.tunnel, &stream);
    until(&setup.tunnel, || record.len() == 2);
    let events = record.take();
    assert!(
        matches!(&events[0], Event::Connected(event) if event.connection_id > 0 && event.status_code == 1201)
    );
    assert!(matches!(&events[1], Event::ErrorReported(event)
        if event.error_code == 1201 && event.description.starts_with("Could not forward connection.")));
    assert_eq!(setup.tunnel.client_count(), 0);
}

#[test]
fn events_never_nest() {
    let setup = Setup::new();
    let depth = Arc::new(AtomicUsize::new(0));
    let calls = Arc::new(AtomicUsize::new(0));
    let (inside, count) = (depth.clone(), calls.clone());
    setup.tunnel.on_ssh_status(move |tunnel, _| {
        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
        count.fetch_add(1, Ordering::Relaxed);
        // Within a handler these do nothing, or say that they cannot.
        tunnel.do_events();
        assert_eq!(tunnel.start_listening().unwrap_err().code(), 211);
        inside.fetch_sub(1, Ordering::Relaxed);
    });
    setup.tunnel.start_listening().unwrap();
    until(&setup.tunnel, || calls.load(Ordering::Relaxed) > 3);
    assert_eq!(depth.load(Ordering::Relaxed), 0);
}

#[test]
fn the_log_has_as_much_detail_as_is_wanted() {
    for (level, expected) in [(0, false), (1, true)] {
        let setup = Setup::new();
        setup.tunnel.config(&format!("LogLevel={level}")).unwrap();
        let record = Record::of(&setup.tunnel, &[EventKind::Log]);
        setup.tunnel.start_listening().unwrap();
        setup.client();
        let lines = record.take();
        assert_eq!(!lines.is_empty(), expected, "{level}");
        let shows = |event: &Event| matches!(event, Event::Log(log) if log.message.contains(crate::support::PASSWORD));
        assert!(!lines.iter().any(shows));
    }
}

/// What the log has of packets.
fn packets(record: &Record) -> Vec<Log> {
    let log = |event| if let Event::Log(log) = event { Some(log) } else { None };
    record.take().into_iter().filter_map(log).filter(|log| log.message.contains(" packet: type ")).collect()
}

/// Whether the log shows the password among the bytes of a packet.
fn shows_password(log: &[Log]) -> bool {
    log.iter().any(|log| {
        // A line has a place, sixteen bytes, and their characters.
        let digits = log.message.lines().skip(1).flat_map(|line| line.split_whitespace().skip(1).take(16));
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_default()).collect();
        bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes())
    })
}

#[test]
fn the_log_has_packets_and_their_bytes_as_far_as_they_are_wanted() {
    for (level, is_masked, has_packets, has_bytes) in
        [(1, true, false, false), (2, true, true, false), (3, true, true, true), (3, false, true, true)]
    {
        let setup = Setup::new();
        setup.tunnel.config(&format!("MaskSensitive={is_masked}")).unwrap();
        setup.tunnel.config(&format!("LogLevel={level}")).unwrap();
        let record = Record::of(&setup.tunnel, &[EventKind::Log]);
        setup.tunnel.start_listening().unwrap();
        setup.client();
        let log = packets(&record);
        assert_eq!(!log.is_empty(), has_packets, "{level}");
        assert!(log.iter().all(|log| log.log_level == level && log.message.contains('\n') == has_bytes));
        assert_eq!(shows_password(&log), level == 3 && !is_masked, "{level} {is_masked}");
        let named = |name: &str| log.iter().any(|log| log.message.contains(name));
        assert_eq!(named("send packet: type 50 SSH_MSG_USERAUTH_REQUEST"), has_packets);
        assert_eq!(named("receive packet: type 94 SSH_MSG_CHANNEL_DATA, channel 0, 10 bytes"), has_packets);
    }
}

#[test]
fn the_log_has_packets_from_the_moment_at_which_they_are_wanted() {
    let setup = Setup::started();
    let record = Record::of(&setup.tunnel, &[EventKind::Log]);
    setup.client();
    assert_eq!(packets(&record).len(), 0);
    setup.tunnel.config("LogLevel=2").unwrap();
    let (mut stream, _) = setup.client();
    let logged = packets(&record);
    assert!(logged.iter().any(|log| log.message.contains("SSH_MSG_CHANNEL_OPEN,")));
    setup.tunnel.config("LogLevel=3").unwrap();
    echo(&setup.tunnel, &mut stream, b"seen");
    assert!(
        packets(&record)
            .iter()
            .any(|log| log.message.contains("73 65 65 6e") && log.message.contains("seen"))
    );
    setup.tunnel.config("LogLevel=1").unwrap();
    echo(&setup.tunnel, &mut stream, b"not seen");
    assert_eq!(packets(&record).len(), 0);
}

#[test]
fn packets_that_nobody_fetches_are_counted() {
    let setup = Setup::started();
    setup.tunnel.config("LogLevel=3").unwrap();
    let record = Record::of(&setup.tunnel, &[EventKind::Log]);
    let mut stream = setup.connect();
    // Nobody calls do_events meanwhile.
    let mut bytes = [7; 2048];
    for _ in 0..1_500 {
        std::io::Write::write_all(&mut stream, &bytes).unwrap();
        std::io::Read::read_exact(&mut stream, &mut bytes).unwrap();
    }
    setup.tunnel.do_events();
    let log = record.take();
    let text = |event: &Event| if let Event::Log(log) = event { log.message.clone() } else { String::new() };
    assert!(
        text(&log[0]).ends_with("lines of the log were lost, since nobody called do_events"),
        "{}",
        text(&log[0])
    );
    assert!(log.iter().map(|event| text(event).len()).sum::<usize>() < 17 << 20);
}

#[test]
fn data_flow_without_do_events() {
    let setup = Setup::started();
    let mut stream = setup.connect();
    std::io::Write::write_all(&mut stream, b"by itself").unwrap();
    let mut bytes = [0; 9];
    std::io::Read::read_exact(&mut stream, &mut bytes).unwrap();
    assert_eq!(&bytes, b"by itself");
}
