//! Servers with X.509 certificates, made by `openssl` and shown by asyncssh.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::asyncssh;
use underpass_conformance::x509::{Authority, CA, HOST};
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// The key of every server here.
fn host_key() -> Result<PathBuf> {
    Ok(Keys::get()?.host(KeyType::EcdsaP256))
}

const ALGORITHM: &str = "x509v3-ecdsa-sha2-nistp256";

const SUBJECT: &str = "/O=Tests, Inc./CN=the host";

/// A server, and who is trusted.
struct Scene {
    peer: Peer,
    scratch: TempDir,
    /// The file of roots.
    roots: PathBuf,
}

impl Scene {
    /// A server that shows this, as PEM. The root is the one of all tests.
    fn new(shown: &str) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let chain = scratch.path().join("chain.pem");
        fs::write(&chain, shown)?;
        let peer = asyncssh::start(&json!({ "host_keys": [[host_key()?, chain]] }))?;
        Ok(Self { peer, scratch, roots: Keys::get()?.x509_root().path() })
    }

    /// One whose certificate the root has made.
    fn certified(extensions: &[&str]) -> Result<Self> {
        Self::new(&Keys::get()?.x509_root().certify(&host_key()?, SUBJECT, extensions)?)
    }

    /// One whose certificate was made by an authority with these extensions.
    fn certified_by(authority: &[&str]) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let authority = Keys::get()?.x509_root().authority(scratch.path(), "between", authority)?;
        Self::new(&(authority.certify(&host_key()?, SUBJECT, HOST)? + &authority.certificate()?))
    }

    /// A client with these lines on record, in which `KEY` stands for the server's.
    fn client(&self, record: &str) -> Result<Client> {
        let file = self.scratch.path().join("known_hosts");
        fs::write(&file, record.replace("KEY", public_half(&host_key()?)?.trim()))?;
        let client = Client::of(&self.peer)?.ours().option("UserKnownHostsFile", file.display().to_string());
        Ok(client.option("CACertificateFile", self.roots.display().to_string()))
    }

    /// The tunnel carries data, and the key was found good for this reason.
    fn is_trusted(&self, record: &str, verdict: &str) -> Result<()> {
        carries(self.client(record)?, verdict)
    }

    /// Nobody logs in, and the words say why.
    fn is_refused(&self, record: &str, kind: &str, words: &str) -> Result<()> {
        refuses(self.client(record)?, kind, words)
    }
}

fn carries(client: Client, verdict: &str) -> Result<()> {
    let echo = Target::Echo.start()?;
    let session = client.forward(echo.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(5), 100_000))?;
    let event = session.wait_for_event("host-key", PATIENCE)?.unwrap_or_default();
    let names = (event["subject"].as_str(), event["key_type"].as_str());
    match event["verdict"] == verdict && names == (Some("CN=the host,O=Tests\\, Inc."), Some(ALGORITHM)) {
        true => Ok(()),
        false => Err(Failure::new(format!("expected {verdict}: {event}"))),
    }
}

fn refuses(client: Client, kind: &str, words: &str) -> Result<()> {
    let outcome = client.forward("127.0.0.1:1").run(PATIENCE)?;
    outcome.failed_with(&[6])?;
    let error = outcome.error().cloned().unwrap_or_default();
    let said = error["message"].as_str().is_some_and(|message| message.contains(words));
    let helps = error["advice"].as_str().is_some_and(|advice| !advice.is_empty());
    match error["kind"] == kind && said && helps {
        true => Ok(()),
        false => Err(Failure::new(format!("expected {kind} and `{words}`: {error}"))),
    }
}

#[test]
fn a_root_vouches_for_its_hosts_through_others_or_not() -> Result<()> {
    Scene::certified(HOST)?.is_trusted("", "certified")?;
    let scene = Scene::certified_by(CA)?;
    scene.is_trusted("", "certified")?;
    // X.509 is asked for where there are roots; elsewhere the key counts, and the certificate does not.
    let without = |record: &str| Ok::<_, Failure>(scene.client(record)?.option("CACertificateFile", "none"));
    let asked = |record: &str| Ok::<_, Failure>(without(record)?.option("HostKeyAlgorithms", ALGORITHM));
    carries(asked("127.0.0.1 KEY\n")?, "known")?;
    refuses(asked("")?, "host-key-unknown", "not on record")?;
    let plain: Client = without("127.0.0.1 KEY\n")?;
    let session = plain.forward(Target::Echo.start()?.address()).start()?;
    let event = session.wait_for_event("host-key", PATIENCE)?.unwrap_or_default();
    match event["subject"].is_null() {
        true => Ok(()),
        false => Err(Failure::new(format!("a certificate came unasked: {event}"))),
    }
}

#[test]
fn a_certificate_that_does_not_hold_is_refused_unless_the_key_is_known() -> Result<()> {
    let root = Keys::get()?.x509_root();
    let scratch = tempfile::tempdir()?;
    let stranger = Authority::root(scratch.path(), "x509-root")?;
    let purpose = |it: &'static str| ["subjectAltName=IP:127.0.0.1", it];
    let cases = [
        (Scene::new(&stranger.certify(&host_key()?, SUBJECT, HOST)?)?, "a signature in its chain is wrong"),
        (Scene::new(&root.certify_for(&host_key()?, SUBJECT, HOST, -1)?)?, "it expired 1 day ago"),
        (Scene::certified(&["subjectAltName=IP:127.0.0.2,DNS:localhost"])?, "does not name this host"),
        (Scene::certified(&purpose("extendedKeyUsage=serverAuth"))?, "not for SSH servers"),
        (Scene::certified(&purpose("keyUsage=keyEncipherment"))?, "not for SSH servers"),
        (Scene::certified(&purpose("1.2.3.4=critical,ASN1:NULL"))?, "a condition that is not known"),
        (Scene::certified_by(&["basicConstraints=critical,CA:FALSE"])?, "who may not make certificates"),
        (
            Scene::certified_by(&["basicConstraints=CA:TRUE", "keyUsage=cRLSign"])?,
            "who may not make certificates",
        ),
    ];
    for (scene, words) in cases {
        scene.is_refused("", "host-certificate", words)?;
        scene.is_trusted("127.0.0.1 KEY\n", "known")?;
    }
    Ok(())
}

#[test]
fn a_chain_that_is_too_long_or_leads_elsewhere_is_refused() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let chain = |last: &[&str], count: usize| {
        let mut authority = Keys::get()?.x509_root();
        let mut certificates = String::new();
        for at in 0..count {
            let extensions = if at == 0 { last } else { CA };
            authority = authority.authority(scratch.path(), &format!("a{at}"), extensions)?;
            certificates.insert_str(0, &authority.certificate()?);
        }
        Ok::<_, Failure>(authority.certify(&host_key()?, SUBJECT, HOST)? + &certificates)
    };
    Scene::new(&chain(CA, 6)?)?.is_trusted("", "certified")?;
    Scene::new(&chain(CA, 7)?)?.is_refused("", "host-certificate", "more authorities than are permitted")?;
    // More than are read, so that not even the signature of the exchange can be verified.
    let outcome =
        Scene::new(&chain(CA, 8)?)?.client("127.0.0.1 KEY\n")?.forward("127.0.0.1:1").run(PATIENCE)?;
    outcome.failed_with(&[5])?;
    let last = ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=keyCertSign"];
    Scene::new(&chain(&last, 1)?)?.is_trusted("", "certified")?;
    Scene::new(&chain(&last, 2)?)?.is_refused(
        "",
        "host-certificate",
        "more authorities than are permitted",
    )?;
    // Without the one between.
    let all = chain(CA, 1)?;
    let alone = all.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap_or_default();
    Scene::new(alone)?.is_refused("", "host-certificate", "leads to no root")
}

#[test]
fn what_is_on_record_as_revoked_is_refused_whoever_vouches_for_it() -> Result<()> {
    let scene = Scene::certified(HOST)?;
    scene.is_refused("@revoked * KEY\n", "host-key-revoked", "revoked")?;
    let root = Keys::get()?.x509_root().public_line()?;
    scene.is_refused(&format!("@revoked * {root}\n"), "host-key-revoked", "revoked")
}

#[test]
fn a_file_of_roots_that_is_none_is_a_mistake() -> Result<()> {
    let mut scene = Scene::certified(HOST)?;
    for (content, words) in [(Some("no certificate"), "it holds none"), (None, "No such file")] {
        scene.roots = scene.scratch.path().join("roots.pem");
        match content {
            Some(content) => fs::write(&scene.roots, content)?,
            None => fs::remove_file(&scene.roots)?,
        }
        let outcome = scene.client("")?.forward("127.0.0.1:1").run(PATIENCE)?;
        outcome.failed_with(&[2])?;
        let message = outcome.error().map(|error| error["message"].to_string()).unwrap_or_default();
        if !message.contains(words) {
            return Err(Failure::new(format!("expected `{words}`: {message}")));
        }
    }
    Ok(())
}

/// For everything here: a busy machine takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);
