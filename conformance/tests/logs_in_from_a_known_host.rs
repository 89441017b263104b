//! Host-based logins (RFC 4252 section 9) to asyncssh, which knows the key of the client's host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::asyncssh;
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// A server that takes nothing but the word of `client.example`, by these keys, for its user `alice`.
struct Server {
    peer: Peer,
    _scratch: TempDir,
}

impl Server {
    fn knowing(keys: &[PathBuf]) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let known = scratch.path().join("client_hosts");
        let lines = keys.iter().map(|key| Ok(format!("{HOST} {}", public_half(key)?)));
        fs::write(&known, lines.collect::<Result<Vec<_>>>()?.join("\n") + "\n")?;
        let settings = json!({
            "authorized_keys": null, "password": null, "client_hosts": known, "client_user": USER,
        });
        Ok(Self { peer: asyncssh::start(&settings)?, _scratch: scratch })
    }

    /// A client whose host has this key and this name, and whose user is this one.
    fn client(&self, key: &Path, host: &str, user: &str) -> Result<Client> {
        let client = Client::of(&self.peer)?.ours().no_identity();
        Ok(client
            .option("HostbasedAuthentication", "yes")
            .option("HostbasedKeyFile", key.display().to_string())
            .option("HostbasedClientHost", host)
            .option("HostbasedClientUser", user))
    }
}

#[test]
fn a_host_vouches_with_keys_of_each_type() -> Result<()> {
    let keys = Keys::get()?;
    let files: Vec<_> = TYPES.iter().map(|key_type| keys.user(*key_type)).collect();
    let server = Server::knowing(&files)?;
    for file in &files {
        let told = carries(server.client(file, HOST, USER)?)?;
        holds(&told, &format!("{USER} of {HOST}. with {}", file.display()))?;
    }
    Ok(())
}

#[test]
fn one_key_after_the_other_is_tried_with_an_algorithm_that_is_allowed() -> Result<()> {
    let keys = Keys::get()?;
    let rsa = keys.user(KeyType::Rsa);
    let server = Server::knowing(std::slice::from_ref(&rsa))?;
    let client =
        server.client(&keys.stranger(), HOST, USER)?.option("HostbasedKeyFile", rsa.display().to_string());
    carries(client.option("HostbasedAcceptedAlgorithms", "ssh-ed25519,rsa-sha2-256"))?;
    refused(
        server.client(&rsa, HOST, USER)?.option("HostbasedAcceptedAlgorithms", "ssh-ed25519"),
        "hostbased",
    )
}

#[test]
fn the_word_of_a_strange_host_or_for_a_strange_user_is_refused() -> Result<()> {
    let keys = Keys::get()?;
    let key = keys.user(KeyType::Ed25519);
    let server = Server::knowing(std::slice::from_ref(&key))?;
    refused(server.client(&keys.stranger(), HOST, USER)?, "hostbased (alice of client.example. with")?;
    refused(server.client(&key, "other.example", USER)?, "hostbased (alice of other.example. with")?;
    refused(server.client(&key, HOST, "mallory")?, "hostbased (mallory of client.example. with")?;
    carries(server.client(&key, HOST, USER)?)?;
    Ok(())
}

#[test]
fn nothing_is_said_of_the_host_unless_that_is_asked_for() -> Result<()> {
    let key = Keys::get()?.user(KeyType::Ed25519);
    let server = Server::knowing(std::slice::from_ref(&key))?;
    let outcome = Client::of(&server.peer)?
        .ours()
        .no_identity()
        .option("HostbasedKeyFile", key.display().to_string())
        .option("BatchMode", "yes")
        .forward("127.0.0.1:1")
        .run(PATIENCE)?;
    outcome.failed_with(&[LOGIN])?;
    match server.peer.process().err().text().contains(HOST) {
        true => Err(Failure::new("the server has heard of the host")),
        false => Ok(()),
    }
}

/// Data goes through. Gives all that was told.
fn carries(client: Client) -> Result<String> {
    let target = Target::Echo.start()?;
    let session = client.verbosity(1).forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(41), 10_000))?;
    let process = session.process();
    Ok(process.out().text() + &process.err().text())
}

/// Nobody logs in, and the error has these words.
fn refused(client: Client, words: &str) -> Result<()> {
    let outcome = client.option("BatchMode", "yes").forward("127.0.0.1:1").run(PATIENCE)?;
    outcome.failed_with(&[LOGIN])?;
    holds(&outcome.error().map(ToString::to_string).unwrap_or_default(), words)
}

fn holds(text: &str, words: &str) -> Result<()> {
    match text.contains(words) {
        true => Ok(()),
        false => Err(Failure::new(format!("expected `{words}`: {text}"))),
    }
}

const HOST: &str = "client.example";
const USER: &str = "alice";
const LOGIN: i32 = 7;
const PATIENCE: Duration = Duration::from_secs(60);
const TYPES: [KeyType; 3] = [KeyType::Ed25519, KeyType::EcdsaP256, KeyType::Rsa];
