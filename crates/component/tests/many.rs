//! A thousand clients with handlers for everything: no event is lost, none comes within another, memory stays flat.
//! Alone in its process, since it looks at the memory of all of it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use underpass::gateway::Gateway;
use underpass_component::{Event, EventKind, SshTunnel};
use underpass_testkit::target::Target;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CLIENTS: usize = 1000;

/// What each client sends: two lines.
const LINES: &[u8] = b"hello\nworld\n";

/// What was told of each connection, by its number.
#[derive(Default, Clone)]
struct Told {
    connected: usize,
    disconnected: usize,
    lines: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Seen {
    requests: usize,
    of_client: BTreeMap<i64, Told>,
    busy: bool,
}

/// Of each connection there are four ends in this process, and the system's limit is often 1,024.
#[cfg(unix)]
fn raise_the_limit_of_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let needed = 6 * CLIENTS as u64;
    if limit.current.is_some_and(|current| current < needed) {
        let current = Some(limit.maximum.map_or(needed, |most| most.min(needed)));
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    }
}

#[test]
fn a_thousand_clients_are_served_and_told_of() {
    #[cfg(unix)]
    raise_the_limit_of_files();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gateway = Gateway::builder().allow_password("me", "secret").allow_targets(|_| true);
    let gateway = runtime.block_on(gateway.start((Ipv4Addr::LOCALHOST, 0).into())).unwrap();
    let target = Target::Echo.start().unwrap();
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(gateway.address().ip().to_string()).unwrap();
    tunnel.set_ssh_port(gateway.address().port().into()).unwrap();
    tunnel.set_ssh_user("me").unwrap();
    tunnel.set_ssh_password("secret").unwrap();
    tunnel.set_ssh_forward_host(target.address().ip().to_string()).unwrap();
    tunnel.set_ssh_forward_port(target.address().port().into()).unwrap();
    tunnel.set_local_host("127.0.0.1").unwrap();
    tunnel.set_default_eol("\n").unwrap();
    tunnel.set_connection_backlog(1024).unwrap();
    tunnel.config("SSHAcceptAnyServerHostKey=True").unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    for kind in EventKind::ALL {
        let seen = seen.clone();
        tunnel.on(*kind, move |_, event| note(&seen, event));
    }
    tunnel.start_listening().unwrap();

    // The first round fills what is kept for later; after it, memory comes back to where it was.
    round(&tunnel, &seen);
    let before = ALLOCATOR.current_usage();
    for _ in 0..3 {
        round(&tunnel, &seen);
    }
    let after = ALLOCATOR.current_usage();
    assert!(after < before + before / 4, "{before} bytes before, {after} after");
    tunnel.shutdown();
}

fn note(seen: &Mutex<Seen>, event: &Event) {
    {
        let mut seen = seen.lock().unwrap();
        assert!(!std::mem::replace(&mut seen.busy, true), "an event came within another");
    }
    let mut seen = seen.lock().unwrap();
    match event {
        Event::ConnectionRequest(_) => seen.requests += 1,
        Event::Connected(event) if event.connection_id > 0 => {
            assert_eq!(event.status_code, 0, "{}", event.description);
            seen.of_client.entry(event.connection_id).or_default().connected += 1;
        }
        Event::DataIn(event) => {
            seen.of_client.entry(event.connection_id).or_default().lines.push(event.text.clone());
        }
        Event::Disconnected(event) => {
            seen.of_client.entry(event.connection_id).or_default().disconnected += 1;
        }
        Event::ErrorReported(event) => panic!("{}", event.description),
        _ => {}
    }
    seen.busy = false;
}

/// All clients at once: each sends its lines, gets them back, and leaves when all have.
fn round(tunnel: &SshTunnel, seen: &Mutex<Seen>) {
    let port = u16::try_from(tunnel.local_port()).unwrap();
    let over = AtomicBool::new(false);
    let late = Instant::now() + Duration::from_secs(240);
    thread::scope(|scope| {
        let clients = scope.spawn(|| {
            let streams: Vec<TcpStream> =
                (0..CLIENTS).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();
            for mut stream in &streams {
                stream.write_all(LINES).unwrap();
            }
            for mut stream in &streams {
                let mut back = [0; LINES.len()];
                stream.read_exact(&mut back).unwrap();
                assert_eq!(back, LINES);
            }
            over.store(true, Ordering::Relaxed);
        });
        while !over.load(Ordering::Relaxed) && !clients.is_finished() {
            assert!(Instant::now() < late, "the clients take too long");
            tunnel.do_events();
        }
    });
    let gone = || seen.lock().unwrap().of_client.values().map(|told| told.disconnected).sum::<usize>();
    while gone() < CLIENTS {
        assert!(Instant::now() < late, "{} clients are gone", gone());
        tunnel.do_events();
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!((seen.requests, seen.of_client.len(), tunnel.client_count()), (CLIENTS, CLIENTS, 0));
    for told in seen.of_client.values() {
        assert_eq!((told.connected, told.disconnected), (1, 1));
        assert_eq!(told.lines, [b"hello", b"world"]);
    }
}
