//! Logging in with keys that an agent holds: OpenSSH's, and ones that misbehave.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use underpass_conformance::agent::{Agent, SK_DUMMY, answer, request};
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::sshd;
use underpass_conformance::{Client, Peer, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

with_each_peer!(with_a_key_of_each_type);

fn with_a_key_of_each_type(kind: PeerKind) -> Result<()> {
    let peer = kind.start()?;
    let types = [KeyType::Ed25519, KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521, KeyType::Rsa];
    for key_type in types {
        let agent = Agent::start()?;
        agent.add(&Keys::get()?.user(key_type))?;
        carries(&peer, |client| with(client, &agent))?;
    }
    Ok(())
}

#[test]
fn with_an_rsa_key_by_either_sha_2() -> Result<()> {
    let (peer, agent) = (PeerKind::Sshd.start()?, Agent::start()?);
    agent.add(&Keys::get()?.user(KeyType::Rsa))?;
    for algorithm in ["rsa-sha2-256", "rsa-sha2-512"] {
        let peer_takes = |client: Client| client.option("PubkeyAcceptedAlgorithms", algorithm);
        carries(&peer, |client| peer_takes(with(client, &agent)))?;
    }
    Ok(())
}

#[test]
fn with_a_certificate() -> Result<()> {
    let keys = Keys::get()?;
    let authority = keys.authority().with_extension("pub");
    let trusted = format!("TrustedUserCAKeys {}", authority.display());
    let peer = sshd::start(&[&trusted, "AuthorizedKeysFile none"])?;
    for key_type in [KeyType::Ed25519, KeyType::Rsa] {
        let (agent, scratch) = (Agent::start()?, tempfile::tempdir()?);
        let key = scratch.path().join("key");
        fs::copy(keys.user(key_type), &key)?;
        let certificate = keys.certify(&keys.user(key_type), &["-n", "tess"], scratch.path())?;
        fs::rename(certificate, scratch.path().join("key-cert.pub"))?;
        agent.add(&key)?;
        carries(&peer, |client| with(client, &agent))?;
    }
    Ok(())
}

#[test]
fn with_a_key_in_a_device_with_and_without_a_certificate() -> Result<()> {
    let authority = Keys::get()?.authority().with_extension("pub");
    for (kind, algorithm) in [("ed25519-sk", "sk-ssh-ed25519"), ("ecdsa-sk", "sk-ecdsa-sha2-nistp256")] {
        let scratch = tempfile::tempdir()?;
        let key = scratch.path().join("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", kind, "-w", SK_DUMMY, "-N", "", "-f"]).arg(&key);
        assert!(keygen.status()?.success());
        let authorized = format!("AuthorizedKeysFile {}", key.with_extension("pub").display());
        let plain = sshd::start(&["LogLevel DEBUG3", &authorized])?;
        let agent = Agent::start()?;
        agent.add_from_device(&key)?;
        carries(&plain, |client| with(client, &agent))?;
        // And with its files, neither of which holds the private half.
        for file in [key.clone(), key.with_extension("pub")] {
            let named = |client| with(client, &agent).identity(file).option("IdentitiesOnly", "yes");
            carries(&plain, named)?;
        }
        plain.wait_for_log(0, &format!("have {algorithm}@openssh.com signature for"), PATIENCE)?;

        let aside = tempfile::tempdir()?;
        let certificate = Keys::get()?.certify(&key, &["-n", "tess"], aside.path())?;
        fs::copy(certificate, key.with_file_name("key-cert.pub"))?;
        let trusted = format!("TrustedUserCAKeys {}", authority.display());
        let certified = sshd::start(&["LogLevel DEBUG3", &trusted, "AuthorizedKeysFile none"])?;
        let named = key.with_file_name("key-cert.pub").display().to_string();
        carries(&certified, |client| with(client, &agent).option("CertificateFile", named.clone()))?;
        let agent = Agent::start()?;
        agent.add_from_device(&key)?;
        carries(&certified, |client| with(client, &agent))?;
        let signature = format!("have {algorithm}-cert-v01@openssh.com signature for");
        certified.wait_for_log(0, &signature, PATIENCE)?;
    }
    Ok(())
}

#[test]
fn with_the_key_that_a_public_file_names_before_the_others() -> Result<()> {
    let (keys, agent) = (Keys::get()?, Agent::start()?);
    let peer = sshd::start(&["MaxAuthTries 1"])?;
    agent.add(&keys.stranger())?;
    agent.add(&keys.user(KeyType::EcdsaP256))?;
    let named = keys.user(KeyType::EcdsaP256).with_extension("pub");
    for only in ["no", "yes"] {
        let client = |client| with(client, &agent).identity(named.clone()).option("IdentitiesOnly", only);
        carries(&peer, client)?;
    }
    // The first one alone is not let in, and the server does not wait for the second.
    fails(with(Client::of(&peer)?, &agent), &[LOGIN])
}

#[test]
fn with_the_key_of_a_file_if_the_agent_does_not_hold_it() -> Result<()> {
    let (peer, agent, keys) = (PeerKind::Sshd.start()?, Agent::start()?, Keys::get()?);
    agent.add(&keys.stranger())?;
    carries(&peer, |client| with(client, &agent).identity(keys.user(KeyType::Ed25519)))
}

#[test]
fn where_options_say_that_it_listens() -> Result<()> {
    let (peer, agent, keys) = (PeerKind::Sshd.start()?, Agent::start()?, Keys::get()?);
    agent.add(&keys.user(KeyType::Ed25519))?;
    let socket = agent.socket().display().to_string();
    for value in [socket.as_str(), "$OTHER", "${OTHER}"] {
        let named = |client: Client| client.ours().no_identity().option("IdentityAgent", value);
        carries(&peer, |client| named(client).variable("OTHER", &socket))?;
    }
    carries(&peer, |client| with(client, &agent).option("IdentityAgent", "SSH_AUTH_SOCK"))?;
    fails(with(Client::of(&peer)?, &agent).option("IdentityAgent", "none"), &[LOGIN])?;
    fails(with(Client::of(&peer)?, &agent).flags(&["--agent", "no"]), &[LOGIN])
}

/// `ssh-add -h`: the agent shows and uses such a key only where it has been told that the server is the one.
#[test]
fn with_a_key_that_is_for_this_server_alone() -> Result<()> {
    let (peer, agent, keys) = (PeerKind::Sshd.start()?, Agent::start()?, Keys::get()?);
    let key = keys.user(KeyType::Ed25519);
    agent.add_for(&key, &[keys.host(KeyType::Ed25519)])?;
    let as_host = |client, algorithm| with(client, &agent).option("HostKeyAlgorithms", algorithm);
    carries(&peer, |client| as_host(client, "ssh-ed25519"))?;
    // With another host key it is another server, to which the key is not even shown.
    let other = as_host(Client::of(&peer)?, "ecdsa-sha2-nistp256");
    fails(other.flags(&["--agent", "required"]), &[AGENT])?;
    carries(&peer, |client| as_host(client, "ecdsa-sha2-nistp256").identity(keys.user(KeyType::Rsa)))?;
    // Who says nothing of a server gets no signature. The private half is nowhere else.
    let scratch = tempfile::tempdir()?;
    let public = scratch.path().join("key.pub");
    fs::copy(key.with_extension("pub"), &public)?;
    let mut signer = Command::new("ssh-keygen");
    signer.args(["-q", "-Y", "sign", "-n", "test", "-f"]).arg(public);
    let output = signer.env("SSH_AUTH_SOCK", agent.socket()).stdin(Stdio::null()).output()?;
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("agent refused"));
    Ok(())
}

#[test]
fn a_locked_agent_has_no_keys_and_those_of_files_are_left() -> Result<()> {
    let (peer, agent, keys) = (PeerKind::Sshd.start()?, Agent::start()?, Keys::get()?);
    agent.add(&keys.user(KeyType::Ed25519))?;
    agent.lock()?;
    fails(with(Client::of(&peer)?, &agent), &[LOGIN])?;
    fails(with(Client::of(&peer)?, &agent).flags(&["--agent", "required"]), &[AGENT])?;
    carries(&peer, |client| with(client, &agent).identity(keys.user(KeyType::Rsa)))
}

#[test]
fn an_agent_that_is_required_leaves_out_everything_else() -> Result<()> {
    let (peer, agent, keys) = (PeerKind::Sshd.start()?, Agent::start()?, Keys::get()?);
    let required = |client: Client| client.flags(&["--agent", "required"]);
    agent.add(&keys.stranger())?;
    let client = with(Client::of(&peer)?, &agent).identity(keys.user(KeyType::Ed25519)).password("any");
    fails(required(client), &[LOGIN])?;
    // There is none.
    fails(required(Client::of(&peer)?.ours()), &[AGENT])
}

#[test]
fn an_agent_that_answers_rubbish_or_hangs_up_spoils_nothing_else() -> Result<()> {
    let (peer, keys) = (PeerKind::Sshd.start()?, Keys::get()?);
    let listing = [12, 0, 0, 0, 1, 0, 0, 0, 3, b'k', b'e', b'y', 0, 0, 0, 0];
    type Serve = fn(&mut UnixStream, &[u8]);
    let misbehaviours: [Serve; 6] = [
        |_, _| {},
        |stream, _| answer(stream, &[]),
        |stream, _| answer(stream, b"HTTP/1.1 400 Bad Request"),
        |stream, _| answer(stream, &[12, 0xff, 0xff, 0xff, 0xff]),
        // Announces two gigabytes.
        |stream, _| drop(std::io::Write::write_all(stream, &[0x7f, 0xff, 0xff, 0xff, 12])),
        // Holds a key that is none.
        |stream, listing| answer(stream, listing),
    ];
    for misbehave in misbehaviours {
        let agent = Agent::scripted(move |stream| {
            request(stream);
            misbehave(stream, &listing);
        })?;
        carries(&peer, |client| with(client, &agent).identity(keys.user(KeyType::Ed25519)))?;
        fails(with(Client::of(&peer)?, &agent).flags(&["--agent", "required"]), &[AGENT, LOGIN])?;
    }
    Ok(())
}

#[test]
fn an_agent_that_cannot_sign_after_all_leaves_the_turn_to_the_next_key() -> Result<()> {
    let (peer, keys) = (PeerKind::Sshd.start()?, Keys::get()?);
    let listing = listing(&keys.user(KeyType::EcdsaP256))?;
    for refusal in [&[5][..], &[14, 0, 0, 0, 9, 1], b""] {
        let listing = listing.clone();
        let agent = Agent::scripted(move |stream| match request(stream).first() {
            Some(11) => answer(stream, &listing),
            _ if refusal.is_empty() => {}
            _ => answer(stream, refusal),
        })?;
        carries(&peer, |client| with(client, &agent).identity(keys.user(KeyType::Ed25519)))?;
    }
    Ok(())
}

#[test]
fn an_agent_that_never_signs_holds_up_no_end() -> Result<()> {
    let (peer, keys) = (PeerKind::Sshd.start()?, Keys::get()?);
    let listing = listing(&keys.user(KeyType::Ed25519))?;
    let agent = Agent::scripted(move |stream| match request(stream).first() {
        Some(11) => answer(stream, &listing),
        // Waits until the client is gone.
        _ => drop(request(stream)),
    })?;
    let started = Instant::now();
    let client = with(Client::of(&peer)?, &agent).verbosity(1);
    let mut session = client.start_on_standard_streams("127.0.0.1:1")?;
    let offered = |told: &str| told.contains("of the agent").then_some(());
    session.process().wait_for(session.process().err(), PATIENCE, offered)?;
    session.process().interrupt()?;
    assert!(session.wait(PATIENCE)?.code.is_some_and(|code| code != 0));
    assert!(started.elapsed() < PATIENCE);
    Ok(())
}

/// An agent's answer that lists this key.
fn listing(key: &Path) -> Result<Vec<u8>> {
    use base64::Engine as _;
    let line = public_half(key)?;
    let encoded = line.split(' ').nth(1).unwrap_or_default();
    let blob = base64::engine::general_purpose::STANDARD.decode(encoded)?;
    let count = 1_u32.to_be_bytes();
    Ok([&[12][..], &count, &(blob.len() as u32).to_be_bytes(), &blob, &[0; 4]].concat())
}

/// Our client with this agent, and no key of its own.
fn with(client: Client, agent: &Agent) -> Client {
    client.ours().no_identity().variable("SSH_AUTH_SOCK", agent.socket().display().to_string())
}

fn carries(peer: &Peer, configure: impl FnOnce(Client) -> Client) -> Result<()> {
    let target = Target::Echo.start()?;
    let session = configure(Client::of(peer)?).forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(33), 10_000))
}

fn fails(client: Client, codes: &[i32]) -> Result<()> {
    let outcome = client.forward("127.0.0.1:1").run(PATIENCE)?;
    assert!(outcome.code.is_some_and(|code| codes.contains(&code)), "{outcome:?}");
    Ok(())
}

const LOGIN: i32 = 7;
const AGENT: i32 = 8;
const PATIENCE: Duration = Duration::from_secs(30);
