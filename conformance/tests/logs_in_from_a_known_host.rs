//! Host-based logins (RFC 4252 section 9) to servers that know the key of the client's host.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// A server that takes nothing but the word of `client.example`, by some keys, for its user `alice`.
struct Server {
    peer: Peer,
    _scratch: Option<TempDir>,
}

impl Server {
    /// asyncssh, and OpenSSH's sshd.
    fn each(keys: &[PathBuf]) -> Result<[Self; 2]> {
        let lines = keys.iter().map(|key| Ok(format!("{HOST} {}", public_half(key)?)));
        let known = lines.collect::<Result<Vec<_>>>()?.join("\n") + "\n";
        Ok([Self::asyncssh(&known)?, Self::sshd(&known)?])
    }

    fn asyncssh(known: &str) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("client_hosts");
        fs::write(&file, known)?;
        let settings = json!({
            "authorized_keys": null, "password": null, "client_hosts": file, "client_user": USER,
        });
        Ok(Self { peer: asyncssh::start(&settings)?, _scratch: Some(scratch) })
    }

    /// The account has a home of its own, with which sshd does without files of the machine.
    fn sshd(known: &str) -> Result<Self> {
        let peer = sshd::start(&[
            "HostbasedAuthentication yes",
            "HostbasedUsesNameFromPacketOnly yes",
            "IgnoreRhosts no",
            "PubkeyAuthentication no",
            "PasswordAuthentication no",
        ])?;
        fs::write(peer.home().join(".ssh/known_hosts"), known)?;
        let trusted = peer.home().join(".shosts");
        fs::write(&trusted, format!("{HOST} {USER}\n"))?;
        fs::set_permissions(trusted, fs::Permissions::from_mode(0o600))?;
        Ok(Self { peer, _scratch: None })
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
    for server in Server::each(&files)? {
        for file in &files {
            let told = carries(server.client(file, HOST, USER)?)?;
            holds(&told, &format!("{USER} of {HOST}. with {}", file.display()))?;
        }
    }
    Ok(())
}

#[test]
fn one_key_after_the_other_is_tried_with_an_algorithm_that_is_allowed() -> Result<()> {
    let keys = Keys::get()?;
    let rsa = keys.user(KeyType::Rsa);
    for server in Server::each(std::slice::from_ref(&rsa))? {
        let client = server
            .client(&keys.stranger(), HOST, USER)?
            .option("HostbasedKeyFile", rsa.display().to_string());
        carries(client.option("HostbasedAcceptedAlgorithms", "ssh-ed25519,rsa-sha2-256"))?;
        let client = server.client(&rsa, HOST, USER)?;
        refused(client.option("HostbasedAcceptedAlgorithms", "ssh-ed25519"), "hostbased")?;
    }
    Ok(())
}

#[test]
fn a_certificate_beside_the_key_is_shown_to_a_server_that_knows_the_authority_alone() -> Result<()> {
    let (keys, scratch) = (Keys::get()?, tempfile::tempdir()?);
    let known = format!("@cert-authority {HOST} {}\n", public_half(&keys.authority())?);
    for (key_type, name) in [(KeyType::Ed25519, "ssh_host_ed25519_key"), (KeyType::Rsa, "ssh_host_rsa_key")] {
        let (user, key) = (keys.user(key_type), scratch.path().join(name));
        fs::copy(&user, &key)?;
        let certify = |principal: &str| {
            let certificate = keys.certify(&user, &["-h", "-n", principal], scratch.path())?;
            fs::rename(certificate, scratch.path().join(format!("{name}-cert.pub")))?;
            Result::Ok(())
        };
        let server = Server::sshd(&known)?;
        refused(server.client(&key, HOST, USER)?, "hostbased (alice of client.example. with")?;
        certify(HOST)?;
        let told = carries(server.client(&key, HOST, USER)?)?;
        holds(&told, &format!("{USER} of {HOST}. with {}-cert.pub", key.display()))?;
        certify("other.example")?;
        refused(server.client(&key, HOST, USER)?, "but it does not name the host client.example")?;
    }
    Ok(())
}

#[test]
fn the_word_of_a_strange_host_or_for_a_strange_user_is_refused() -> Result<()> {
    let keys = Keys::get()?;
    let key = keys.user(KeyType::Ed25519);
    for server in Server::each(std::slice::from_ref(&key))? {
        refused(server.client(&keys.stranger(), HOST, USER)?, "hostbased (alice of client.example. with")?;
        refused(server.client(&key, "other.example", USER)?, "hostbased (alice of other.example. with")?;
        refused(server.client(&key, HOST, "mallory")?, "hostbased (mallory of client.example. with")?;
        carries(server.client(&key, HOST, USER)?)?;
    }
    Ok(())
}

#[test]
fn nothing_is_said_of_the_host_unless_that_is_asked_for() -> Result<()> {
    let key = Keys::get()?.user(KeyType::Ed25519);
    for server in Server::each(std::slice::from_ref(&key))? {
        let outcome = Client::of(&server.peer)?
            .ours()
            .no_identity()
            .option("HostbasedKeyFile", key.display().to_string())
            .option("BatchMode", "yes")
            .forward("127.0.0.1:1")
            .run(PATIENCE)?;
        outcome.failed_with(&[LOGIN])?;
        if server.peer.process().err().text().contains(HOST) {
            return Err(Failure::new("the server has heard of the host"));
        }
    }
    Ok(())
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
