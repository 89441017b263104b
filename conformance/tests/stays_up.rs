//! A tunnel outlives every kind of outage of its server and of the way there: the loss is noticed, the local port goes
//! on taking connections, they are served once the server is back, and the server is not stormed meanwhile.
//!
//! `cargo test --test stays_up -- --nocapture` shows the times. OpenSSH's client does not reconnect, so that these
//! tests fail when it stands in.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use underpass_conformance::client::Session;
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::{sshd, write_known_hosts};
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result};
use underpass_testkit::Server;
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::Target;

#[test]
fn when_the_servers_session_is_killed() -> Result<()> {
    survives(|scene| scene.peer.process().signal_descendants(Signal::KILL), None)
}

#[test]
fn when_the_server_is_stopped_and_started_again() -> Result<()> {
    survives(|scene| sshd::stop(&scene.peer), Some(|scene| sshd::restart(&mut scene.peer)))
}

#[test]
fn when_the_link_is_cut() -> Result<()> {
    survives(|scene| on(&scene.relay, CuttingRelay::cut), None)
}

#[test]
fn when_the_link_goes_deaf() -> Result<()> {
    let restored: Act = |scene| on(&scene.relay, CuttingRelay::restore);
    survives(|scene| on(&scene.relay, CuttingRelay::black_hole), Some(restored))
}

#[test]
fn when_the_far_side_is_gone_without_a_word() -> Result<()> {
    survives(|scene| on(&scene.relay, CuttingRelay::half_open), None)
}

#[test]
fn when_the_server_freezes_for_a_while() -> Result<()> {
    let thawed: Act = |scene| scene.peer.process().signal_all(Signal::CONT);
    survives(|scene| scene.peer.process().signal_all(Signal::STOP), Some(thawed))
}

#[test]
fn when_the_server_freezes_and_has_to_be_replaced() -> Result<()> {
    let replaced: Act = |scene| {
        sshd::stop(&scene.peer)?;
        sshd::restart(&mut scene.peer)
    };
    survives(|scene| scene.peer.process().signal_all(Signal::STOP), Some(replaced))
}

type Act = fn(&mut Scene) -> Result<()>;

fn on(relay: &CuttingRelay, act: impl Fn(&CuttingRelay)) -> Result<()> {
    act(relay);
    Ok(())
}

/// A tunnel lives through an outage that `breaks` begins, and that `mends` ends unless it is over by itself.
fn survives(breaks: Act, mends: Option<Act>) -> Result<()> {
    let mut scene = Scene::start()?;
    let mut open = scene.connect()?;
    trip(&mut open)?;
    let prober = Prober::start(scene.session.local());
    let (began, before) = (Instant::now(), scene.relay.accepted());

    breaks(&mut scene)?;
    scene.session.wait_for_event("reconnecting", PATIENCE)?;
    let (noticed, mut over) = (began.elapsed(), Instant::now());
    let reset = open.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(reset, Err(ErrorKind::ConnectionReset), "a connection that broke did not end so");

    let mut waiting = scene.connect()?;
    if let Some(mends) = mends {
        thread::sleep(OUTAGE);
        over = Instant::now();
        mends(&mut scene)?;
    }
    trip(&mut waiting).map_err(|error| scene.session.process().failure(error))?;
    let (back, outage) = (over.elapsed(), began.elapsed());

    let attempts = scene.relay.accepted() - before;
    println!("noticed after {noticed:.2?}, back {back:.2?} later or after the repair, {attempts} attempts");
    prober.finish()?;
    scene.attempts_are_within_the_policy(attempts, outage);
    Ok(())
}

/// The server behind a relay, a tunnel through both, and an echo.
struct Scene {
    session: Session,
    relay: CuttingRelay,
    peer: Peer,
    _echo: Server,
    _scratch: tempfile::TempDir,
}

impl Scene {
    fn start() -> Result<Self> {
        let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
        let relay = CuttingRelay::start(peer.address())?;
        let scratch = tempfile::tempdir()?;
        let known_hosts = scratch.path().join("known_hosts");
        write_known_hosts(&known_hosts, relay.address(), &[Keys::get()?.host(KeyType::Ed25519)])?;
        let client = Client::to(relay.address())
            .identity(Keys::get()?.user(KeyType::Ed25519))
            .option("UserKnownHostsFile", known_hosts.display().to_string())
            .option("ServerAliveInterval", "1")
            .option("ServerAliveCountMax", "2")
            .own_arguments(&["--reconnect-delay", "1s-2s"]);
        let session = client.forward(echo.address()).start()?;
        Ok(Self { session, relay, peer, _echo: echo, _scratch: scratch })
    }

    fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.session.local())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Each attempt was announced, and came no sooner than the delays allow: at least a tenth of a second, and half of
    /// one from then on.
    fn attempts_are_within_the_policy(&self, attempts: u64, outage: Duration) {
        let announced = self.session.events().iter().filter(|event| event["event"] == "reconnecting").count();
        assert!(attempts >= 1 && attempts <= announced as u64, "{attempts} attempts, {announced} announced");
        let least = Duration::from_millis(100 + 500 * (attempts - 1));
        assert!(outage >= least, "{attempts} attempts in {outage:?}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // What is frozen would stay behind. It fails only when the server is gone already.
        let _ = self.peer.process().signal_all(Signal::KILL);
    }
}

/// A byte there and back.
fn trip(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"x")?;
    Ok(stream.read_exact(&mut [0])?)
}

/// Connects to an address again and again, on a thread of its own.
struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<u32>>,
}

impl Prober {
    fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut connected = 0;
            while !stopped.load(Ordering::Relaxed) {
                TcpStream::connect(address).map_err(|error| {
                    Failure::new(format!("connection {connected} to the local port: {error}"))
                })?;
                connected += 1;
                thread::sleep(BETWEEN_PROBES);
            }
            Ok(connected)
        });
        Self { stop, thread }
    }

    /// # Errors
    /// A connection was refused.
    fn finish(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let connected = self.thread.join().map_err(|_| Failure::new("the prober panicked"))??;
        assert!(connected > 1);
        Ok(())
    }
}

const BETWEEN_PROBES: Duration = Duration::from_millis(20);

/// From the moment when a loss is noticed to its end: time for a few attempts.
const OUTAGE: Duration = Duration::from_millis(2500);

/// A loss that is not told is noticed after 2 seconds, and attempts are two seconds apart; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(25);
