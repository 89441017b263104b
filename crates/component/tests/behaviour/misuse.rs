//! Calls that nobody should make, from everywhere at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use underpass_component::{EventKind, SshTunnel};

use crate::support::{Setup, connect, until};

/// Random calls, also of what cannot work.
fn call(tunnel: &SshTunnel, random: u64) {
    let number = i64::try_from(random >> 40).unwrap() % 5 - 1;
    match random % 25 {
        0 => drop(tunnel.start_listening()),
        1 => tunnel.stop_listening(),
        2 if random.is_multiple_of(7) => tunnel.shutdown(),
        3 => drop(tunnel.connect()),
        4 => drop(tunnel.disconnect(number)),
        5 => drop(tunnel.set_client_connected(number, false)),
        6 => drop(tunnel.set_client_data_to_send(number, "x")),
        7 => drop(tunnel.client_connection_id(number)),
        8 => drop(tunnel.set_client_accept_data(number, random.is_multiple_of(3))),
        9 => drop(tunnel.set_client_record_length(number, number)),
        10 => drop(tunnel.config("SSHKeyRenegotiate")),
        11 => drop(tunnel.config("ConnectionUID[2]")),
        12 => drop(tunnel.set_default_eol("\n")),
        13 => drop(tunnel.set_ssh_port(number)),
        14 => drop(tunnel.set("no_such", true)),
        15 => tunnel.off(EventKind::SshStatus),
        16 => tunnel.on_ssh_status(|tunnel, _| tunnel.do_events()),
        17 => drop(tunnel.client_count()),
        18 => drop(tunnel.config("x=y")),
        19 => drop(tunnel.set_listening(random.is_multiple_of(3))),
        20 => drop(tunnel.set_connected(!random.is_multiple_of(7))),
        21 => tunnel.off(EventKind::DataIn),
        22 => tunnel.on_data_in(|tunnel, event| drop(tunnel.disconnect(event.connection_id))),
        23 => drop(tunnel.config("ChannelDataEOL[1]=;")),
        24 => drop(tunnel.clone()),
        _ => tunnel.do_events(),
    }
}

fn next(state: &AtomicU64) -> u64 {
    // A step of splitmix64.
    let mut z = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn random_calls_from_two_threads_and_handlers_end() {
    const CALLS: usize = 200;
    let setup = Setup::new();
    setup.tunnel.set_default_timeout(1).unwrap();
    let random = Arc::new(AtomicU64::new(1));
    for kind in EventKind::ALL {
        let random = random.clone();
        setup.tunnel.on(*kind, move |tunnel, _| {
            let choice = next(&random);
            if choice.is_multiple_of(4) {
                call(tunnel, choice);
            }
        });
    }
    let over = AtomicBool::new(false);
    let late = Instant::now() + Duration::from_secs(120);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..CALLS {
                        assert!(Instant::now() < late, "the calls take too long");
                        call(&setup.tunnel, next(&random));
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if setup.tunnel.listening() && setup.tunnel.local_port() > 0 {
                    let _ = std::panic::catch_unwind(|| drop(connect(&setup.tunnel)));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        over.store(true, Ordering::Relaxed);
    });
    setup.tunnel.shutdown();
    assert!(!setup.tunnel.listening() && !setup.tunnel.connected());
}

/// Each kind that a plain tunnel tells of.
const KINDS: &[EventKind] = &[
    EventKind::ConnectionRequest,
    EventKind::Connected,
    EventKind::DataIn,
    EventKind::Disconnected,
    EventKind::Log,
    EventKind::SshStatus,
    EventKind::SshServerAuthentication,
];

#[test]
fn every_call_from_every_handler_returns() {
    for kind in KINDS {
        let setup = Setup::new();
        let count = Arc::new(AtomicU64::new(0));
        let seen = count.clone();
        setup.tunnel.on(*kind, move |tunnel, _| {
            if seen.fetch_add(1, Ordering::Relaxed) > 0 {
                return;
            }
            tunnel.do_events();
            for result in [tunnel.connect(), tunnel.start_listening()] {
                assert_eq!(result.unwrap_err().code(), 211);
            }
            assert_eq!(tunnel.disconnect(99).unwrap_err().code(), 126);
            assert_eq!(tunnel.set_client_data_to_send(99, "x").unwrap_err().code(), 126);
            // They may do something or not, but return.
            let _ = (tunnel.set_client_data_to_send(0, "x"), tunnel.set_client_connected(0, false));
            let _ = (tunnel.config("SSHKeyRenegotiate"), tunnel.set_ssh_port(22));
            tunnel.stop_listening();
            tunnel.shutdown();
        });
        // What happens on the way ends it.
        let is_early = setup.tunnel.start_listening().is_err_and(|error| error.code() == 10053);
        assert!(is_early || setup.tunnel.listening() || count.load(Ordering::Relaxed) > 0);
        if setup.tunnel.listening() {
            let mut stream = connect(&setup.tunnel);
            let _ = std::io::Write::write_all(&mut stream, b"!");
            until(&setup.tunnel, || setup.tunnel.client_count() == 1 || count.load(Ordering::Relaxed) > 0);
            drop(stream);
        }
        until(&setup.tunnel, || count.load(Ordering::Relaxed) > 0);
        setup.tunnel.shutdown();
        assert!(!setup.tunnel.listening() && !setup.tunnel.connected());
    }
}

#[test]
fn shutting_down_ends_an_attempt_to_connect() {
    for from_handler in [true, false] {
        let silent = underpass_testkit::target::Target::BlackHole.start().unwrap();
        let setup = Setup::new();
        setup.tunnel.set_ssh_port(silent.address().port().into()).unwrap();
        setup.tunnel.config("AutoReconnect=2").unwrap();
        if from_handler {
            setup.tunnel.on_ssh_status(|tunnel, _| tunnel.shutdown());
        }
        let tunnel = setup.tunnel.clone();
        let starting = std::thread::spawn(move || tunnel.start_listening());
        let late = Instant::now() + crate::support::DEADLINE;
        while !starting.is_finished() {
            assert!(Instant::now() < late);
            if !from_handler && silent.accepted() > 0 {
                setup.tunnel.shutdown();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(starting.join().unwrap().unwrap_err().code(), 10053);
        assert!(!setup.tunnel.connected() && setup.tunnel.set_ssh_port(22).is_ok());
    }
}

#[test]
fn after_the_end_members_answer() {
    let setup = Setup::started();
    let (_stream, id) = setup.client();
    setup.tunnel.shutdown();
    setup.tunnel.do_events();
    assert_eq!(setup.tunnel.disconnect(id).unwrap_err().code(), 126);
    assert_eq!(setup.tunnel.set_client_data_to_send(0, "x").unwrap_err().code(), 126);
    assert_eq!(setup.tunnel.config("SSHKeyRenegotiate").unwrap_err().code(), 212);
    setup.tunnel.shutdown();
    setup.tunnel.stop_listening();
}
