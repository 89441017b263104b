//! What goes wrong ends in time, with the exit code or event of its class, and says what to do.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use underpass_conformance::client::{ClientKind, Session};
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::{sshd, write_known_hosts};
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::script::Script;
use underpass_testkit::target::{Refusing, Target};

with_each_peer!(
    a_wrong_password,
    an_unknown_user,
    a_key_that_is_not_authorized,
    a_target_that_refuses,
    a_target_without_an_address,
);

fn a_wrong_password(kind: PeerKind) -> Result<()> {
    let peer = kind.start()?;
    fails(Client::of(&peer)?.no_identity().password("wrong"), &[LOGIN])
}

fn an_unknown_user(kind: PeerKind) -> Result<()> {
    let peer = kind.start()?;
    fails(Client::of(&peer)?.user("nobody-here").password("any"), &[LOGIN])
}

fn a_key_that_is_not_authorized(kind: PeerKind) -> Result<()> {
    let peer = kind.start()?;
    fails(Client::of(&peer)?.no_identity().identity(Keys::get()?.stranger()), &[LOGIN])
}

fn a_target_that_refuses(kind: PeerKind) -> Result<()> {
    let refusing = Refusing::start()?;
    fails_alone(&kind.start()?, &refusing.address().to_string())
}

fn a_target_without_an_address(kind: PeerKind) -> Result<()> {
    fails_alone(&kind.start()?, "nowhere.invalid:80")
}

#[test]
fn a_server_that_permits_no_forwarding() -> Result<()> {
    let target = Target::Echo.start()?;
    let peer = sshd::start(&["AllowTcpForwarding no"])?;
    let session = Client::of(&peer)?.forward(target.address()).start()?;
    assert_refused(&session)
}

#[test]
fn a_host_key_that_has_changed() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    let scratch = tempfile::tempdir()?;
    let known_hosts = scratch.path().join("known_hosts");
    write_known_hosts(&known_hosts, peer.address(), &[Keys::get()?.stranger()])?;
    let client = Client::of(&peer)?.option("UserKnownHostsFile", known_hosts.display().to_string());
    fails(client, &[HOST_KEY])
}

#[test]
fn a_host_that_is_unknown_when_nobody_can_be_asked() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    for policy in ["yes", "ask"] {
        let client = Client::of(&peer)?.option("UserKnownHostsFile", "/dev/null");
        fails(client.option("StrictHostKeyChecking", policy), &[HOST_KEY])?;
    }
    Ok(())
}

#[test]
fn a_wrong_passphrase() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    let client = Client::of(&peer)?.no_identity().identity(Keys::get()?.encrypted());
    fails(client.passphrase("wrong"), &[KEY_FILE])
}

#[test]
fn a_server_without_an_address() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    fails(Client::of(&peer)?.host("nowhere.invalid"), &[UNREACHABLE, TIMEOUT])
}

#[test]
fn a_server_that_refuses_connections() -> Result<()> {
    let refusing = Refusing::start()?;
    fails(Client::to(refusing.address()), &[UNREACHABLE])
}

#[test]
fn a_server_without_an_algorithm_in_common() -> Result<()> {
    let peer = sshd::start(&["Ciphers aes256-ctr"])?;
    fails(Client::of(&peer)?.option("Ciphers", "aes128-ctr"), &[PROTOCOL])
}

#[test]
fn a_local_port_that_is_taken() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    fails(Client::of(&peer)?.forward_from(taken.local_addr()?, "127.0.0.1:1"), &[LISTEN])
}

#[test]
fn a_server_that_says_nothing() -> Result<()> {
    fails_with_script(Script::Silent, &[TIMEOUT])
}

#[test]
fn a_server_that_says_nothing_after_its_banner() -> Result<()> {
    fails_with_script(Script::SilentAfterBanner, &[TIMEOUT])
}

#[test]
fn a_server_that_says_nothing_after_its_algorithms() -> Result<()> {
    fails_with_script(Script::SilentAfterKexInit, &[TIMEOUT])
}

#[test]
fn a_server_that_drips_its_banner() -> Result<()> {
    fails_with_script(Script::DripBanner, &[TIMEOUT])
}

#[test]
fn a_server_that_never_comes_to_its_banner() -> Result<()> {
    fails_with_script(Script::EndlessLines, &[PROTOCOL])
}

#[test]
fn a_server_that_ignores_for_ever() -> Result<()> {
    fails_with_script(Script::EndlessIgnore, &[PROTOCOL, TIMEOUT])
}

#[test]
fn a_web_server() -> Result<()> {
    fails_with_script(Script::Http, &[PROTOCOL])
}

#[test]
fn a_server_that_hangs_up() -> Result<()> {
    fails_with_script(Script::CloseAtOnce, &[PROTOCOL, LOST])
}

#[test]
fn a_server_of_the_first_protocol() -> Result<()> {
    fails_with_script(Script::Ssh1Only, &[PROTOCOL])
}

#[test]
fn a_server_with_too_many_clients() -> Result<()> {
    fails_with_script(Script::MaxStartups, &[PROTOCOL, LOST])
}

#[test]
fn a_connection_that_is_cut() -> Result<()> {
    breaks(&[], CuttingRelay::cut)
}

#[test]
fn a_connection_that_falls_silent() -> Result<()> {
    let keepalive = [("ServerAliveInterval", "1"), ("ServerAliveCountMax", "2")];
    breaks(&keepalive, CuttingRelay::black_hole)?;
    breaks(&keepalive, CuttingRelay::half_open)
}

/// Each failure that a person has to tell from the others has words of its own, and mostly advice of its own.
#[test]
fn no_two_failures_read_the_same() -> Result<()> {
    let peer = sshd::start(&[])?;
    let (stranger, other_key) = (Keys::get()?.stranger(), tempfile::tempdir()?);
    let changed = other_key.path().join("known_hosts");
    write_known_hosts(&changed, peer.address(), std::slice::from_ref(&stranger))?;
    let (refusing, taken) = (Refusing::start()?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    let client = || Client::of(&peer);
    let known_hosts = "UserKnownHostsFile";
    let silent = [Script::Silent, Script::SilentAfterBanner, Script::SilentAfterKexInit];
    let silent = silent.map(Script::start).into_iter().collect::<std::io::Result<Vec<_>>>()?;

    let failures = [
        ("a wrong password", client()?.no_identity().password("wrong")),
        ("an unknown user", client()?.user("nobody-here").no_identity().password("wrong")),
        ("a refused key", client()?.no_identity().identity(stranger)),
        ("a changed host key", client()?.option(known_hosts, changed.display().to_string())),
        ("an unknown host", client()?.option(known_hosts, "/dev/null")),
        ("a name without an address", client()?.host("nowhere.invalid")),
        ("a server that refuses", Client::to(refusing.address())),
        ("a port that is taken", client()?.forward_from(taken.local_addr()?, "127.0.0.1:1")),
        ("silence", Client::to(silent[0].address())),
        ("silence after the banner", Client::to(silent[1].address())),
        ("silence after the algorithms", Client::to(silent[2].address())),
    ];
    let mut told: Vec<(&str, String)> = Vec::new();
    for (name, client) in failures {
        let client = client.option("ConnectTimeout", "2").option("NumberOfPasswordPrompts", "1");
        let outcome = client.forward("127.0.0.1:1").run(PATIENCE)?;
        let words = outcome.words().ok_or_else(|| Failure::new(format!("{name}: no error event")))?;
        if let Some((other, _)) = told.iter().find(|(_, known)| *known == words) {
            return Err(Failure::new(format!("{name} and {other} both say: {words}")));
        }
        told.push((name, words));
    }
    Ok(())
}

fn fails_with_script(script: Script, codes: &[i32]) -> Result<()> {
    let server = script.start()?;
    fails(Client::to(server.address()), codes)
}

/// The client ends by itself, with one of these exit codes.
fn fails(client: Client, codes: &[i32]) -> Result<()> {
    let client = client.option("ConnectTimeout", "2").option("NumberOfPasswordPrompts", "1");
    client.forward("127.0.0.1:1").run(PATIENCE)?.failed_with(codes)
}

/// Connections to this target end, and the tunnel goes on.
fn fails_alone(peer: &Peer, target: &str) -> Result<()> {
    let echo = Target::Echo.start()?;
    let session = Client::of(peer)?.forward(target).forward(echo.address()).start()?;
    assert_refused(&session)?;
    traffic::run(PATIENCE, traffic::echo(session.locals()[1], Payload::new(31), 100_000))
}

/// A connection to the first forward ends without a byte, and an event explains it.
fn assert_refused(session: &Session) -> Result<()> {
    traffic::run(PATIENCE, async {
        let mut stream = TcpStream::connect(session.local()).await?;
        // Either end will do, a reset being the clearer one.
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        Ok(())
    })?;
    if let Some(event) = session.wait_for_event("connection-failed", PATIENCE)? {
        let error = &event["error"];
        assert_eq!(error["exit_code"], TARGET, "{event}");
        assert!(error["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{event}");
    }
    Ok(())
}

/// A client whose link to its server breaks ends by itself.
fn breaks(options: &[(&str, &str)], how: impl Fn(&CuttingRelay)) -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    let echo = Target::Echo.start()?;
    let relay = CuttingRelay::start(peer.address())?;
    let scratch = tempfile::tempdir()?;
    let known_hosts = scratch.path().join("known_hosts");
    let host_key = Keys::get()?.host(KeyType::Ed25519);
    write_known_hosts(&known_hosts, relay.address(), &[host_key])?;
    let client = Client::to(relay.address())
        .identity(Keys::get()?.user(KeyType::Ed25519))
        .option("UserKnownHostsFile", known_hosts.display().to_string());
    let client = options.iter().fold(client, |client, &(keyword, value)| client.option(keyword, value));
    let client = match client.kind() {
        ClientKind::Underpass => client.flag(["--reconnect", "never"]),
        ClientKind::Ssh => client,
    };
    let mut session = client.forward(echo.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(32), 100_000))?;
    how(&relay);
    session.wait(PATIENCE)?.failed_with(&[LOST])
}

/// Within this everything above has to end: the deadlines that the clients are given are 2 and 3 seconds, and the
/// machine may be busy.
const PATIENCE: Duration = Duration::from_secs(15);

// Exit codes of our client.
const UNREACHABLE: i32 = 3;
const TIMEOUT: i32 = 4;
const PROTOCOL: i32 = 5;
const HOST_KEY: i32 = 6;
const LOGIN: i32 = 7;
const KEY_FILE: i32 = 8;
const LISTEN: i32 = 9;
const TARGET: i32 = 10;
const LOST: i32 = 11;
