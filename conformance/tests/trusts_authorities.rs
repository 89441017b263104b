//! Servers with certificates, made by OpenSSH's ssh-keygen and shown by its sshd.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::sshd;
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// A server whose only certificate was made with these options.
struct Scene {
    peer: Peer,
    scratch: TempDir,
}

impl Scene {
    fn new(options: &[&str]) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let certificate =
            Keys::get()?.certify(&Keys::get()?.host(KeyType::Ed25519), options, scratch.path())?;
        let peer = sshd::start(&[&format!("HostCertificate {}", certificate.display())])?;
        Ok(Self { peer, scratch })
    }

    /// A client with these lines on record, in which `CA` and `KEY` stand for the authority's and the server's key.
    fn client(&self, record: &str) -> Result<Client> {
        let keys = Keys::get()?;
        let record = record
            .replace("CA", public_half(&keys.authority())?.trim())
            .replace("KEY", public_half(&keys.host(KeyType::Ed25519))?.trim());
        let file = self.scratch.path().join("known_hosts");
        fs::write(&file, record)?;
        Ok(Client::of(&self.peer)?.option("UserKnownHostsFile", file.display().to_string()))
    }

    /// The tunnel carries data, and the key was found good for this reason.
    fn is_trusted(&self, record: &str, verdict: &str) -> Result<()> {
        let echo = Target::Echo.start()?;
        let session = self.client(record)?.ours().forward(echo.address()).start()?;
        traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(5), 100_000))?;
        let event = session.wait_for_event("host-key", PATIENCE)?.unwrap_or_default();
        match event["verdict"] == verdict {
            true => Ok(()),
            false => Err(Failure::new(format!("expected {verdict}: {event}"))),
        }
    }

    /// Nobody logs in, and the words say why.
    fn is_refused(&self, record: &str, kind: &str, words: &str) -> Result<()> {
        let outcome = self.client(record)?.ours().forward("127.0.0.1:1").run(PATIENCE)?;
        outcome.failed_with(&[6])?;
        let error = outcome.error().cloned().unwrap_or_default();
        let said = error["message"].as_str().is_some_and(|message| message.contains(words));
        match error["kind"] == kind && said {
            true => Ok(()),
            false => Err(Failure::new(format!("expected {kind} and `{words}`: {error}"))),
        }
    }
}

/// Options for a host's certificate.
const FOR_HOST: [&str; 3] = ["-h", "-n", "127.0.0.1"];

#[test]
fn an_authority_vouches_for_its_hosts() -> Result<()> {
    let scene = Scene::new(&FOR_HOST)?;
    scene.is_trusted("@cert-authority 127.0.0.* CA\n@cert-authority [127.0.0.1]:* CA\n", "certified")?;
    scene.is_trusted("@cert-authority * CA\n", "certified")?;
    // Without its authority a certificate is a key like any other.
    scene.is_trusted("127.0.0.1 KEY\n", "known")?;
    scene.is_refused("@cert-authority other CA\n", "host-key-unknown", "not on record")?;
    scene.is_refused("@cert-authority * KEY\n", "host-key-unknown", "not on record")
}

#[test]
fn a_revoked_authority_and_a_revoked_key_are_refused() -> Result<()> {
    let scene = Scene::new(&FOR_HOST)?;
    for revoked in ["CA", "KEY"] {
        let record = format!("@cert-authority * CA\n@revoked * {revoked}\n");
        scene.is_refused(&record, "host-key-revoked", "revoked")?;
    }
    Ok(())
}

#[test]
fn a_certificate_that_does_not_hold_is_refused_unless_the_key_is_known() -> Result<()> {
    for (options, words) in [
        (&["-h", "-n", "192.0.2.1"][..], "does not name this host"),
        (&["-h", "-n", "127.0.0.1", "-V", "20200101:20210101"], "expired"),
        (&["-h", "-n", "127.0.0.1", "-V", "20990101:21000101"], "valid only in"),
        (&["-h"], "does not name this host"),
        (&["-h", "-n", "127.0.0.1", "-O", "critical:never@example.com=1"], "condition"),
    ] {
        let scene = Scene::new(options)?;
        scene.is_refused("@cert-authority * CA\n", "host-certificate", words)?;
        scene.is_trusted("@cert-authority * CA\n127.0.0.1 KEY\n", "known")?;
    }
    Ok(())
}

/// For everything here: a busy machine takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);
