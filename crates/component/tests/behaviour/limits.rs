//! Times, rates and numbers that have a limit.

use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use underpass_component::EventKind;
use underpass_testkit::payload::Payload;
use underpass_testkit::target::Target;

use crate::support::{
    DEADLINE, PASSWORD, Record, Setup, USER, echo, gateway_at, read, read_to_end, tunnel_through, until,
};

#[test]
fn there_are_only_so_many_clients() {
    let setup = Setup::new();
    setup.tunnel.config("MaxConnections=2").unwrap();
    setup.tunnel.start_listening().unwrap();
    let (first, _) = setup.client();
    let (_second, _) = setup.client();
    let is_turned_away = || read_to_end(&setup.tunnel, &setup.connect()).unwrap_or_default().is_empty();
    assert!(is_turned_away());
    // Those who came before it listened anew count, too.
    setup.tunnel.stop_listening();
    setup.tunnel.start_listening().unwrap();
    assert!(is_turned_away());
    assert_eq!(setup.tunnel.client_count(), 2);
    drop(first);
    until(&setup.tunnel, || setup.tunnel.client_count() == 1);
    setup.client();
}

#[test]
fn a_fast_client_does_not_starve_another() {
    let setup = Setup::to(Target::Discard);
    setup.tunnel.config("RecordLength=1").unwrap();
    setup.tunnel.config("MaxReadTime=30").unwrap();
    let (fast, slow) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (of_fast, of_slow) = (fast.clone(), slow.clone());
    setup.tunnel.on_data_in(move |_, event| match event.text[..] {
        [b'f'] => {
            of_fast.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(1));
        }
        _ => {
            of_slow.fetch_add(1, Ordering::Relaxed);
        }
    });
    setup.tunnel.start_listening().unwrap();
    // What waits of the fast one would take minutes to tell, also when it has gone.
    setup.connect().write_all(&[b'f'; 200_000]).unwrap();
    until(&setup.tunnel, || fast.load(Ordering::Relaxed) > 0);
    setup.connect().write_all(b"s").unwrap();
    until(&setup.tunnel, || slow.load(Ordering::Relaxed) == 1);
    assert!(fast.load(Ordering::Relaxed) < 100_000);
    setup.tunnel.off(EventKind::DataIn);
}

#[test]
fn no_more_is_carried_than_is_allowed() {
    const RATE: usize = 50_000;
    let setup = Setup::new();
    setup.tunnel.config(&format!("MaxTransferRate={RATE}")).unwrap();
    setup.tunnel.start_listening().unwrap();
    let (stream, _) = setup.client();
    let (mut writer, mut reader) = (stream.try_clone().unwrap(), stream);
    let start = Instant::now();
    let writing = thread::spawn(move || {
        let _ = writer.write_all(&vec![1; 100 * RATE]);
    });
    // Twice what may come at once and in the first second.
    let mut bytes = vec![0; 4 * RATE];
    reader.read_exact(&mut bytes).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    drop(reader);
    setup.tunnel.shutdown();
    writing.join().unwrap();
}

#[test]
fn what_comes_from_the_server_has_no_limit() {
    let setup = Setup::to(Target::Source(Payload::new(3), 2_000_000));
    // At this pace it would take a day, which nobody waits for.
    setup.tunnel.config("MaxTransferRate=20").unwrap();
    setup.tunnel.start_listening().unwrap();
    let stream = setup.connect();
    Payload::new(3).check(0, &read(&setup.tunnel, &stream, 2_000_000)).unwrap();
}

/// Sends more than the system's buffers take to a client that reads slowly.
fn send_slowly(absolute: bool) -> Option<u16> {
    let setup = Setup::started();
    let (stream, _) = setup.client();
    setup.tunnel.set_client_timeout(0, 1).unwrap();
    setup.tunnel.config(&format!("AbsoluteTimeout={absolute}")).unwrap();
    thread::spawn(move || {
        let mut bytes = vec![0; 256 * 1024];
        while (&stream).read(&mut bytes).is_ok_and(|count| count > 0) {
            thread::sleep(Duration::from_millis(30));
        }
    });
    let length = if absolute { 256 << 20 } else { 24 << 20 };
    let result = setup.tunnel.set_client_data_to_send(0, vec![1; length]);
    setup.tunnel.disconnect(setup.tunnel.client_connection_id(0).unwrap().parse().unwrap()).unwrap();
    result.err().map(|error| error.code())
}

#[test]
fn a_timeout_begins_anew_with_each_byte_unless_it_is_absolute() {
    assert_eq!((send_slowly(false), send_slowly(true)), (None, Some(201)));
}

#[test]
fn connecting_takes_only_so_long() {
    for settings in [&["ConnectionTimeout=1"][..], &[]] {
        let silent = Target::BlackHole.start().unwrap();
        let setup = Setup::new();
        setup.tunnel.set_ssh_port(silent.address().port().into()).unwrap();
        // The general one holds where the other is not set.
        setup.tunnel.set_default_timeout(if settings.is_empty() { 1 } else { 3600 }).unwrap();
        settings.iter().for_each(|setting| drop(setup.tunnel.config(setting).unwrap()));
        let tunnel = setup.tunnel.clone();
        let starting = thread::spawn(move || tunnel.start_listening());
        let late = Instant::now() + DEADLINE;
        while !starting.is_finished() {
            assert!(Instant::now() < late, "{settings:?}");
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(starting.join().unwrap().unwrap_err().code(), 201);
    }
}

#[test]
fn a_client_that_takes_nothing_has_some_time_when_it_is_closed() {
    let setup = Setup::to(Target::Source(Payload::new(1), 64 << 20));
    setup.tunnel.config("LingerTime=1").unwrap();
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    setup.tunnel.start_listening().unwrap();
    let stream = setup.connect();
    until(&setup.tunnel, || setup.tunnel.client_count() == 1);
    drop(read(&setup.tunnel, &stream, 1));
    setup.tunnel.set_client_connected(0, false).unwrap();
    until(&setup.tunnel, || record.len() == 1);
    drop(stream);
}

#[test]
fn a_client_that_lingers_gets_what_was_sent() {
    let setup = Setup::started();
    let (stream, id) = setup.client();
    setup.tunnel.set_client_data_to_send(0, vec![7; 60_000]).unwrap();
    setup.tunnel.disconnect(id).unwrap();
    assert_eq!(read_to_end(&setup.tunnel, &stream).unwrap(), vec![7; 60_000]);
}

#[test]
fn a_channel_is_closed_with_the_last_byte_if_asked_for() {
    for close in [true, false] {
        let setup = Setup::to(Target::Source(Payload::new(1), 5));
        setup.tunnel.config(&format!("ShutdownChannelOnEOF={close}")).unwrap();
        let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
        setup.tunnel.start_listening().unwrap();
        let stream = setup.connect();
        assert_eq!(read_to_end(&setup.tunnel, &stream).unwrap().len(), 5);
        if close {
            until(&setup.tunnel, || record.len() == 1);
        } else {
            // Its own direction is still open.
            (&stream).write_all(b"more").unwrap();
            setup.tunnel.do_events();
            assert_eq!((record.len(), setup.tunnel.client_count()), (0, 1));
        }
    }
}

#[test]
fn families_of_addresses_are_chosen() {
    let gateway =
        gateway_at((Ipv6Addr::LOCALHOST, 0).into(), |gateway| gateway.allow_password(USER, PASSWORD));
    for (setting, v4, v6) in [("UseIPv6=1", false, true), ("UseIPv6=2", true, true)] {
        let tunnel = tunnel_through(&gateway);
        tunnel.set_local_host("").unwrap();
        tunnel.config(setting).unwrap();
        tunnel.start_listening().unwrap();
        let port = u16::try_from(tunnel.local_port()).unwrap();
        assert_eq!(TcpStream::connect(("127.0.0.1", port)).is_ok(), v4, "{setting}");
        assert_eq!(TcpStream::connect(("::1", port)).is_ok(), v6, "{setting}");
    }
    // The server has no address of the family.
    let tunnel = tunnel_through(&gateway);
    assert_eq!(tunnel.start_listening().unwrap_err().code(), 11004);
    let setup = Setup::new();
    setup.tunnel.config("UseIPv6=1").unwrap();
    assert_eq!(setup.tunnel.start_listening().unwrap_err().code(), 11004);
}

#[test]
fn lists_know_names_and_both_families() {
    for (setting, host, accept) in [
        ("AllowedClients=localhost", "127.0.0.1", true),
        ("BlockedClients=localhost", "127.0.0.1", false),
        ("BlockedClients=10.*.*.*, 127.0.0.*", "127.0.0.1", false),
        ("BlockedClients=::1", "::1", false),
        ("BlockedClients=::1", "127.0.0.1", true),
        ("AllowedClients=::1", "127.0.0.1", false),
    ] {
        let setup = Setup::new();
        setup.tunnel.set_local_host("").unwrap();
        setup.tunnel.config("UseIPv6=2").unwrap();
        setup.tunnel.config(setting).unwrap();
        setup.tunnel.start_listening().unwrap();
        let port = u16::try_from(setup.tunnel.local_port()).unwrap();
        let mut stream = TcpStream::connect((host, port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        match accept {
            true => echo(&setup.tunnel, &mut stream, b"in"),
            false => assert!(read_to_end(&setup.tunnel, &stream).unwrap_or_default().is_empty(), "{setting}"),
        }
    }
}
