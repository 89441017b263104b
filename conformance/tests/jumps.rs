//! `-J`: through one server to the next, each with a key, a user's key and records of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use underpass_conformance::account::{PRIVATE_NAMES, USER};
use underpass_conformance::client::ANY_PORT;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::sshd;
use underpass_conformance::process::kill_all;
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, traffic};
use underpass_testkit::target::{Refusing, Target};

#[test]
fn three_hops_are_each_met_with_their_own_settings() -> Result<()> {
    let chain = Chain::start()?;
    let echo = Target::Echo.start()?;
    let client = chain.client(&chain.stations)?;
    let session = client.forward(echo.address()).forward_remotely(ANY_PORT, echo.address()).start()?;
    traffic::run(PATIENCE, async {
        traffic::echo_in_parallel(session.local(), 50, LENGTH).await?;
        traffic::echo_in_parallel(session.remotes()[0], 20, LENGTH).await
    })
    .map_err(|failure| session.process().failure(failure))?;
    // Each server has met one client, and nobody took a way around one.
    for (peer, station) in chain.peers.iter().zip(&chain.stations) {
        let met = peer.process().err().text().matches("Accepted publickey").count();
        assert_eq!(met, 1, "{}", station.name);
    }
    assert_eq!(session.stop(PATIENCE)?.code, Some(0));
    Ok(())
}

#[test]
fn servers_of_all_kinds_are_hops() -> Result<()> {
    let peers = PeerKind::ALL.iter().map(|kind| kind.start()).collect::<Result<Vec<_>>>()?;
    let (target, echo, scratch) = (PeerKind::Sshd.start()?, Target::Echo.start()?, tempfile::tempdir()?);
    let records: Vec<String> = peers
        .iter()
        .chain([&target])
        .map(|peer| Ok(fs::read_to_string(peer.known_hosts())?))
        .collect::<Result<_>>()?;
    let known_hosts = scratch.path().join("known_hosts");
    fs::write(&known_hosts, records.concat())?;
    let hops: Vec<String> = peers.iter().map(|peer| format!("{USER}@{}", peer.address())).collect();
    let hops: Vec<&str> = hops.iter().map(String::as_str).collect();
    let session = Client::of(&target)?
        .option("UserKnownHostsFile", known_hosts.display().to_string())
        .jump(&hops)
        .forward(echo.address())
        .start()?;
    let traffic = traffic::echo_in_parallel(session.local(), 50, LENGTH);
    traffic::run_through(&session, &target, PATIENCE, traffic)
}

#[test]
fn a_changed_key_of_a_hop_is_refused_and_the_hop_named() -> Result<()> {
    let chain = Chain::start()?;
    let mut stations = chain.stations.clone();
    stations[1].host_key = Keys::get()?.stranger();
    chain.fails(&stations, HOST_KEY, &[SECOND])
}

#[test]
fn an_unknown_key_of_a_hop_is_refused_and_the_hop_named() -> Result<()> {
    let chain = Chain::start()?;
    let mut stations = chain.stations.clone();
    stations[2].known = false;
    chain.fails(&stations, HOST_KEY, &[THIRD])
}

#[test]
fn a_hop_that_refuses_the_user_is_named() -> Result<()> {
    let chain = Chain::start()?;
    let mut stations = chain.stations.clone();
    stations[1].user_key = Keys::get()?.stranger();
    chain.fails(&stations, LOGIN, &[SECOND])
}

#[test]
fn a_hop_that_is_not_reached_is_named_with_the_reason() -> Result<()> {
    let (chain, refusing) = (Chain::start()?, Refusing::start()?);
    let mut stations = chain.stations.clone();
    stations[1].port = refusing.address().port();
    chain.fails(&stations, UNREACHED, &[SECOND, "refused"])
}

#[test]
fn a_hop_that_breaks_is_named_and_gone_through_again() -> Result<()> {
    let (chain, echo) = (Chain::start()?, Target::Echo.start()?);
    let session = chain.client(&chain.stations)?.forward(echo.address()).start()?;
    kill_all(&chain.peers[1].session_processes()?)?;
    let lost = session.wait_for_event_that("reconnecting", PATIENCE, |_| true)?;
    assert_eq!(lost["error"]["host"], SECOND, "{lost}");
    session.wait_for_event("reconnected", PATIENCE)?;
    let traffic = traffic::echo_in_parallel(session.local(), 20, LENGTH);
    traffic::run(PATIENCE, traffic).map_err(|failure| session.process().failure(failure))
}

/// Four servers, each with a host key of its own, and each open to another user's key.
struct Chain {
    peers: Vec<Peer>,
    stations: Vec<Station>,
    scratch: TempDir,
}

/// What the client is told of a server.
#[derive(Clone)]
struct Station {
    name: &'static str,
    port: u16,
    known: bool,
    host_key: PathBuf,
    user_key: PathBuf,
}

impl Chain {
    fn start() -> Result<Self> {
        let keys = Keys::get()?;
        let (mut peers, mut stations) = (Vec::new(), Vec::new());
        for (name, (key_type, algorithm)) in PRIVATE_NAMES.into_iter().zip(HOST_KEYS) {
            let user_key = keys.user(key_type);
            let peer = sshd::start(&[
                &format!("HostKeyAlgorithms {algorithm}"),
                &format!("AuthorizedKeysFile {}", user_key.with_extension("pub").display()),
            ])?;
            let port = peer.address().port();
            stations.push(Station { name, port, known: true, host_key: keys.host(key_type), user_key });
            peers.push(peer);
        }
        Ok(Self { peers, stations, scratch: tempfile::tempdir()? })
    }

    /// A client of the last server through the others. Only the first one's address is given: names are looked up
    /// by the server before.
    fn client(&self, stations: &[Station]) -> Result<Client> {
        let file = self.scratch.path().join("config");
        let blocks = stations.iter().enumerate().map(|(at, station)| self.block(at, station));
        fs::write(&file, blocks.collect::<Result<Vec<_>>>()?.concat())?;
        let last = SocketAddr::from(([127, 0, 0, 1], stations[3].port));
        Ok(Client::to(last).host("station-3").jump(&["station-0", "station-1", "station-2"]).config(file))
    }

    fn block(&self, at: usize, station: &Station) -> Result<String> {
        let Station { name, port, known, host_key, user_key } = station;
        let host = if at == 0 { "127.0.0.1" } else { name };
        let known_hosts = self.scratch.path().join(format!("known_hosts-{at}"));
        let record =
            if *known { format!("[{host}]:{port} {}", public_half(host_key)?) } else { String::new() };
        fs::write(&known_hosts, record)?;
        Ok(format!(
            "Host station-{at}\n HostName {host}\n Port {port}\n User {USER}\n IdentityFile {}\n \
             UserKnownHostsFile {}\n StrictHostKeyChecking yes\n",
            user_key.display(),
            known_hosts.display()
        ))
    }

    /// The client ends with this exit code and names all of these.
    fn fails(&self, stations: &[Station], code: i32, named: &[&str]) -> Result<()> {
        let outcome = self.client(stations)?.forward("127.0.0.1:1").run(PATIENCE)?;
        outcome.failed_with(&[code])?;
        let message = outcome.words().unwrap_or_default();
        match named.iter().find(|&&word| !message.contains(word)) {
            None => Ok(()),
            Some(word) => Err(Failure::new(format!("`{word}` is not in: {message}"))),
        }
    }
}

const HOST_KEYS: [(KeyType, &str); 4] = [
    (KeyType::Ed25519, "ssh-ed25519"),
    (KeyType::EcdsaP256, "ecdsa-sha2-nistp256"),
    (KeyType::Rsa, "rsa-sha2-512"),
    (KeyType::EcdsaP521, "ecdsa-sha2-nistp521"),
];

const SECOND: &str = PRIVATE_NAMES[1];
const THIRD: &str = PRIVATE_NAMES[2];

const LENGTH: u64 = 200_003;

// Exit codes of our client.
const HOST_KEY: i32 = 6;
const LOGIN: i32 = 7;
const UNREACHED: i32 = 3;

const PATIENCE: Duration = Duration::from_secs(30);
