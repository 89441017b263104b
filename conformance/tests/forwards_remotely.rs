//! `-R`: the server listens, and what comes to it arrives here; for as long as the client runs, and no longer.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use underpass_conformance::client::{ANY_PORT, Session};
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::{sshd, write_known_hosts};
use underpass_conformance::process::kill_all;
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, curl, traffic, with_each_peer};
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::{Receipt, Refusing, Target};
use underpass_testkit::{Payload, Server};

with_each_peer!(
    a_port_that_is_named,
    a_port_that_the_server_picks,
    a_proxy_at_the_server,
    a_target_that_refuses_resets_its_connection_alone,
    a_stop_frees_the_port,
    a_break_ends_with_the_same_port,
);

fn a_port_that_is_named(kind: PeerKind) -> Result<()> {
    let (peer, echo, port) = (kind.start()?, Target::Echo.start()?, free_port()?);
    let session = Client::of(&peer)?.forward_remotely(port, echo.address()).start()?;
    assert_eq!(session.remotes(), [port]);
    traffic::run_through(&session, &peer, PATIENCE, traffic::echo_in_parallel(port, 50, LENGTH))
}

fn a_port_that_the_server_picks(kind: PeerKind) -> Result<()> {
    let (peer, one, two) = (kind.start()?, Target::Echo.start()?, Target::Sink.start()?);
    let client = Client::of(&peer)?.forward_remotely(ANY_PORT, one.address());
    let session = client.forward_remotely(ANY_PORT, two.address()).start()?;
    let &[echo, sink] = session.remotes() else { return Err(session.process().failure("lacks a port")) };
    traffic::run_through(&session, &peer, PATIENCE, async {
        traffic::echo(echo, Payload::new(51), LENGTH).await?;
        traffic::upload(sink, Payload::new(52), LENGTH).await
    })
}

/// Names are looked up where the client is: the server's own are no use.
fn a_proxy_at_the_server(kind: PeerKind) -> Result<()> {
    let (payload, peer) = (Payload::new(53), kind.start()?);
    let web = Target::Http(payload, LENGTH).start()?;
    let session = Client::of(&peer)?.forward_remotely_and_dynamically(ANY_PORT).start()?;
    for scheme in ["socks4", "socks4a", "socks5", "socks5h", "http"] {
        let proxy = format!("{scheme}://{}", session.remotes()[0]);
        let fetch = |target: String| {
            curl::fetch(&["--proxytunnel", "--proxy", &proxy], &format!("http://{target}/"), PATIENCE)
        };
        fetch(format!("localhost:{}", web.address().port()))?
            .brought(payload, LENGTH)
            .map_err(|failure| failure.during(scheme))?;
        let refusing = Refusing::start()?;
        let (code, words) = match scheme {
            "http" => (56, "502"),
            "socks5" | "socks5h" => (97, "(5)"),
            _ => (97, "(91)"),
        };
        fetch(refusing.address().to_string())?
            .failed_with(code, words)
            .map_err(|failure| failure.during(scheme))?;
    }
    Ok(())
}

fn a_target_that_refuses_resets_its_connection_alone(kind: PeerKind) -> Result<()> {
    let (peer, refusing, echo) = (kind.start()?, Refusing::start()?, Target::Echo.start()?);
    let client = Client::of(&peer)?.forward_remotely(ANY_PORT, refusing.address());
    let session = client.forward_remotely(ANY_PORT, echo.address()).start()?;
    traffic::run_through(&session, &peer, PATIENCE, async {
        let mut stream = TcpStream::connect(session.remotes()[0]).await?;
        // The server decides between a reset and an end.
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        traffic::echo(session.remotes()[1], Payload::new(54), LENGTH).await
    })?;
    let failed = session.wait_for_event_that("connection-failed", PATIENCE, |_| true)?;
    assert_eq!(failed["target"], refusing.address().to_string(), "{failed}");
    let message = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("refused"), "{failed}");
    Ok(())
}

#[test]
fn bytes_are_counted_by_where_they_went() -> Result<()> {
    let (peer, sink) = (PeerKind::Sshd.start()?, Target::Sink.start()?);
    let session = Client::of(&peer)?.forward_remotely(ANY_PORT, sink.address()).start()?;
    let upload = traffic::upload(session.remotes()[0], Payload::new(56), LENGTH);
    traffic::run_through(&session, &peer, PATIENCE, upload)?;
    let closed = session.wait_for_event_that("connection-closed", PATIENCE, |_| true)?;
    let counted = (closed["sent"].as_u64(), closed["received"].as_u64());
    assert_eq!(counted, (Some(LENGTH), Some(Receipt::LENGTH as u64)), "{closed}");
    Ok(())
}

#[test]
fn no_more_connections_are_taken_than_are_allowed() -> Result<()> {
    let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
    let client = Client::of(&peer)?.flags(&["--max-connections", "1"]);
    let session = client.forward_remotely(ANY_PORT, echo.address()).start()?;
    let port = session.remotes()[0];
    traffic::run_through(&session, &peer, PATIENCE, async {
        let mut first = TcpStream::connect(port).await?;
        first.write_all(b"x").await?;
        first.read_exact(&mut [0]).await?;
        let mut second = TcpStream::connect(port).await?;
        assert_eq!(second.read(&mut [0]).await.unwrap_or(0), 0);
        session.wait_for_event_that("connection-failed", PATIENCE, |event| {
            event["error"]["kind"] == "too-many"
        })?;
        drop(first);
        session.wait_for_event("connection-closed", PATIENCE)?;
        traffic::echo(port, Payload::new(57), LENGTH).await
    })
}

/// dropbear is content with the port of ::1.
#[test]
fn a_port_that_is_taken_at_the_server_is_an_error() -> Result<()> {
    for kind in [PeerKind::Sshd, PeerKind::Asyncssh] {
        let (peer, taken) = (kind.start()?, TcpListener::bind(ANY_PORT)?);
        let client = Client::of(&peer)?.forward_remotely(taken.local_addr()?, "127.0.0.1:1");
        client.run(PATIENCE)?.failed_with(&[LISTEN])?;
    }
    Ok(())
}

#[test]
fn a_server_that_permits_no_remote_forward_is_an_error() -> Result<()> {
    let peer = sshd::start(&["AllowTcpForwarding local"])?;
    Client::of(&peer)?.forward_remotely(ANY_PORT, "127.0.0.1:1").run(PATIENCE)?.failed_with(&[LISTEN])
}

fn a_stop_frees_the_port(kind: PeerKind) -> Result<()> {
    let peer = kind.start()?;
    let client = Client::of(&peer)?.flags(&["--wait-ready", "30"]);
    let session = client.forward_remotely(ANY_PORT, "127.0.0.1:1").start()?;
    // Told to stop before that, it says that it was cut short.
    session.wait_for_event("ready", PATIENCE)?;
    let port = session.remotes()[0];
    assert!(TcpListener::bind(port).is_err(), "nobody listens on {port}");
    assert_eq!(session.stop(PATIENCE)?.code, Some(0));
    // The server may take a moment to see that its client has gone.
    let end = Instant::now() + PATIENCE;
    while TcpListener::bind(port).is_err() {
        assert!(Instant::now() < end, "{port} is still taken\n{}", peer.process().said());
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn a_break_ends_with_the_same_port(kind: PeerKind) -> Result<()> {
    let bed = Bed::new(kind)?;
    bed.relay.cut();
    bed.carries_again()
}

#[test]
fn a_session_that_is_killed_is_followed_by_one_with_the_same_port() -> Result<()> {
    let bed = Bed::new(PeerKind::Sshd)?;
    kill_all(&bed.peer.session_processes()?)?;
    bed.carries_again()
}

/// The client has lost its connection, and the server has not heard of it: the port is taken by the dead session.
#[test]
fn a_port_that_a_dead_session_holds_is_asked_for_until_it_is_free() -> Result<()> {
    let bed = Bed::new(PeerKind::Sshd)?;
    let dead = bed.peer.session_processes()?;
    bed.relay.strand();
    let port = bed.port.port().to_string();
    let asks_again = |event: &Value| {
        event["text"].as_str().is_some_and(|text| text.contains(&port) && text.contains("asking again"))
    };
    bed.session.wait_for_event_that("warning", PATIENCE, asks_again)?;
    kill_all(&dead)?;
    bed.carries_again()
}

/// A remote forward of a fixed port, through a link that can break.
struct Bed {
    peer: Peer,
    relay: CuttingRelay,
    session: Session,
    port: SocketAddr,
    _echo: Server,
    /// With the known hosts, which are read for each connection.
    _scratch: TempDir,
}

impl Bed {
    fn new(kind: PeerKind) -> Result<Self> {
        let (peer, echo, port) = (kind.start()?, Target::Echo.start()?, free_port()?);
        let relay = CuttingRelay::start(peer.address())?;
        let scratch = tempfile::tempdir()?;
        let known_hosts = scratch.path().join("known_hosts");
        write_known_hosts(&known_hosts, relay.address(), &[Keys::get()?.host(KeyType::Ed25519)])?;
        let session = Client::to(relay.address())
            .identity(Keys::get()?.user(KeyType::Ed25519))
            .option("UserKnownHostsFile", known_hosts.display().to_string())
            .forward_remotely(port, echo.address())
            .start()?;
        let bed = Self { peer, relay, session, port, _echo: echo, _scratch: scratch };
        bed.carries()?;
        Ok(bed)
    }

    fn carries(&self) -> Result<()> {
        let traffic = traffic::echo(self.port, Payload::new(55), LENGTH);
        traffic::run_through(&self.session, &self.peer, PATIENCE, traffic)
    }

    /// The client is connected again, listens on the same port as before, and data flows.
    fn carries_again(&self) -> Result<()> {
        self.session.wait_for_event("reconnected", PATIENCE)?;
        for event in self.session.wait_for_events("listening", 2, PATIENCE)? {
            if event["port"] != self.port.port() || event["remote"] != true {
                return Err(Failure::new(format!("not the port that there was: {event}")));
            }
        }
        self.carries()
    }
}

/// A loopback port that is free now.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind(ANY_PORT)?.local_addr()?)
}

const LENGTH: u64 = 300_011;

const LISTEN: i32 = 9;

/// Includes that an attempt is repeated after some seconds.
const PATIENCE: Duration = Duration::from_secs(30);
