//! A server to reach, with a target behind it.

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, secrets, traffic};
use underpass_testkit::target::Target;
use underpass_testkit::{Payload, Server};

/// The user of every proxy that wants one.
pub(crate) const USER: &str = "pat";

/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "herring-7c19";

/// A password that is not.
pub(crate) const WRONG: &str = "mackerel-20e4";

/// For everything here: a busy machine takes a few seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const UNREACHABLE: i32 = 3;

pub(crate) struct Bed {
    pub(crate) peer: Peer,
    echo: Server,
    scratch: TempDir,
}

impl Bed {
    pub(crate) fn new() -> Result<Self> {
        let bed = Self {
            peer: PeerKind::Sshd.start()?,
            echo: Target::Echo.start()?,
            scratch: tempfile::tempdir()?,
        };
        let key = public_half(&Keys::get()?.host(KeyType::Ed25519))?;
        fs::write(bed.path("known_hosts"), format!("{ALIAS} {key}"))?;
        Ok(bed)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A client that knows the server's key whatever name it is reached by, and logs everything.
    pub(crate) fn client(&self) -> Result<Client> {
        let known_hosts = self.path("known_hosts").display().to_string();
        let client = Client::to(self.peer.address()).identity(Keys::get()?.user(KeyType::Ed25519));
        let client = client.option("UserKnownHostsFile", known_hosts).option("HostKeyAlias", ALIAS);
        Ok(client.ours().verbosity(3))
    }

    /// The same through a proxy.
    pub(crate) fn through(&self, url: impl Display) -> Result<Client> {
        Ok(self.client()?.flags(&["--proxy", &url.to_string()]))
    }

    /// The client carries data, and says nothing that is secret.
    pub(crate) fn carries(&self, client: Client) -> Result<()> {
        let session = client.forward(self.echo.address()).start()?;
        let echo = traffic::echo(session.local(), Payload::new(41), LENGTH);
        traffic::run_through(&session, &self.peer, PATIENCE, echo)?;
        let outcome = session.stop(PATIENCE)?;
        keeps_secrets(&(outcome.out + &outcome.err))
    }

    /// The client ends as one whose proxy, shown as `proxy`, is at fault, in words that have all of `words`, and says
    /// nothing that is secret.
    pub(crate) fn fails_at(&self, client: Client, proxy: impl Display, words: &[&str]) -> Result<()> {
        let message = self.fails(client, "proxy")?;
        let proxy = proxy.to_string();
        match words.iter().copied().chain([proxy.as_str()]).find(|word| !message.contains(word)) {
            None => Ok(()),
            Some(word) => Err(Failure::new(format!("`{word}` is missing in: {message}"))),
        }
    }

    /// The client ends as one that cannot reach its server, with an error of this kind. Gives its words.
    pub(crate) fn fails(&self, client: Client, kind: &str) -> Result<String> {
        let outcome = client.option("ConnectTimeout", "2").forward(self.echo.address()).run(PATIENCE)?;
        outcome.failed_with(&[UNREACHABLE])?;
        keeps_secrets(&format!("{}{}", outcome.out, outcome.err))?;
        let error = outcome.error().cloned().unwrap_or_default();
        match error["kind"] == kind {
            true => Ok(error["message"].as_str().unwrap_or_default().to_owned()),
            false => Err(Failure::new(format!("expected the kind {kind}: {error}"))),
        }
    }
}

fn keeps_secrets(log: &str) -> Result<()> {
    let found = secrets::found_in(log, &[PASSWORD, WRONG].map(String::from));
    // What an HTTP proxy is sent: the user is in front, and shifts the letters.
    let sent = [PASSWORD, WRONG].map(|password| secrets::basic(USER, password));
    match found.is_empty() && !sent.iter().any(|sent| log.contains(sent.as_str())) {
        true => Ok(()),
        false => Err(Failure::new(format!("a password shows in:\n{log}"))),
    }
}

const ALIAS: &str = "the-server";

/// Enough for several packets and window adjustments.
const LENGTH: u64 = 300_000;
