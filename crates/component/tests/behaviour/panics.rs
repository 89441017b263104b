//! Handlers that panic, replace themselves, or drop what they hold.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use underpass_component::{EventKind, SshTunnel};

use crate::support::{Setup, read, read_to_end, until};

/// Delivers until a handler panics.
fn until_panic(tunnel: &SshTunnel) {
    let is_over = AtomicBool::new(false);
    until_with(tunnel, &is_over);
    assert!(is_over.load(Ordering::Relaxed));
}

fn until_with(tunnel: &SshTunnel, is_over: &AtomicBool) {
    let late = std::time::Instant::now() + crate::support::DEADLINE;
    while !is_over.load(Ordering::Relaxed) {
        assert!(std::time::Instant::now() < late, "nobody panics");
        let result = catch_unwind(AssertUnwindSafe(|| tunnel.do_events()));
        is_over.store(result.is_err(), Ordering::Relaxed);
    }
}

#[test]
fn a_panic_reaches_whoever_delivers_and_ends_nothing_else() {
    for kind in [EventKind::Connected, EventKind::DataIn, EventKind::Disconnected] {
        let setup = Setup::started();
        setup.tunnel.set_default_eol("\n").unwrap();
        setup.tunnel.on(kind, |_, _| panic!("as it should"));
        let mut stream = setup.connect();
        stream.write_all(b"one\ntwo\n").unwrap();
        drop(read_while_panicking(&setup, &stream, kind));
        drop(stream);
        if kind != EventKind::Connected {
            until_panic(&setup.tunnel);
        }
        // What is left is told of, and the client is forgotten.
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        setup.tunnel.on(kind, move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
        });
        until(&setup.tunnel, || setup.tunnel.client_count() == 0);
        assert_eq!(count.load(Ordering::Relaxed), usize::from(kind == EventKind::DataIn), "{kind:?}");
        setup.client();
    }
}

/// The first to panic may be the one that tells of the client.
fn read_while_panicking(setup: &Setup, stream: &std::net::TcpStream, kind: EventKind) -> Vec<u8> {
    if kind == EventKind::Connected {
        until_panic(&setup.tunnel);
    }
    let mut bytes = vec![0; 8];
    std::io::Read::read_exact(&mut &*stream, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_panic_refuses_what_was_asked() {
    let setup = Setup::started();
    setup.tunnel.on_connection_request(|_, _| panic!("as it should"));
    let stream = setup.connect();
    until_panic(&setup.tunnel);
    assert!(read_to_end(&setup.tunnel, &stream).unwrap_or_default().is_empty());
    setup.tunnel.off(EventKind::ConnectionRequest);
    setup.client();
}

#[test]
fn a_panic_while_it_starts_leaves_it_to_start_again() {
    for connect in [SshTunnel::connect, SshTunnel::start_listening] {
        let setup = Setup::new();
        for kind in [EventKind::SshServerAuthentication, EventKind::SshStatus, EventKind::Log] {
            setup.tunnel.on(kind, |_, _| panic!("as it should"));
            assert!(catch_unwind(AssertUnwindSafe(|| connect(&setup.tunnel))).is_err());
            assert!(!setup.tunnel.connected() && !setup.tunnel.listening());
            setup.tunnel.off(kind);
        }
        setup.tunnel.start_listening().unwrap();
        setup.client();
    }
}

#[test]
fn handlers_replace_and_remove_themselves() {
    let setup = Setup::started();
    setup.tunnel.config("RecordLength=1").unwrap();
    let seen: Arc<Mutex<Vec<(char, u8)>>> = Arc::default();
    let (first, second) = (seen.clone(), seen.clone());
    setup.tunnel.on_data_in(move |tunnel, event| {
        first.lock().unwrap().push(('a', event.text[0]));
        let second = second.clone();
        tunnel.on_data_in(move |tunnel, event| {
            second.lock().unwrap().push(('b', event.text[0]));
            tunnel.off(EventKind::DataIn);
        });
    });
    let mut stream = setup.connect();
    stream.write_all(b"123").unwrap();
    assert_eq!(read(&setup.tunnel, &stream, 3), b"123");
    until(&setup.tunnel, || seen.lock().unwrap().len() == 2);
    assert_eq!(*seen.lock().unwrap(), [('a', b'1'), ('b', b'2')]);
}

/// Sets handlers when it is dropped, as a program's own destructor might.
struct Meddler(SshTunnel, Arc<AtomicBool>);

impl Drop for Meddler {
    fn drop(&mut self) {
        self.0.on_connected(|_, _| {});
        self.0.off(EventKind::Connected);
        self.0.do_events();
        self.1.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_a_handler_holds_may_use_the_tunnel_when_it_goes() {
    let setup = Setup::started();
    let is_gone = Arc::new(AtomicBool::new(false));
    let meddler = Meddler(setup.tunnel.clone(), is_gone.clone());
    setup.tunnel.on_connected(move |tunnel, _| {
        let _held = &meddler;
        // It runs, and so is not gone before it is done.
        tunnel.off(EventKind::Connected);
    });
    let _stream = setup.connect();
    until(&setup.tunnel, || is_gone.load(Ordering::Relaxed));
}

#[test]
fn a_clone_may_be_dropped_by_a_handler() {
    let setup = Setup::started();
    let mut clone = Some(setup.tunnel.clone());
    let (dropped, is_dropped) = std::sync::mpsc::channel();
    setup.tunnel.on_connected(move |_, _| {
        drop(clone.take());
        dropped.send(()).unwrap();
    });
    let (_stream, _) = setup.client();
    is_dropped.try_recv().unwrap();
    assert!(setup.tunnel.listening());
}
