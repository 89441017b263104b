//! A client under test, as a process.

mod binary;
mod events;
mod forwards;

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use binary::ClientKind;
pub use forwards::{ANY_PORT, Listen};
use forwards::{Door, Forward};

use crate::account::USER;
use crate::keys::{KeyType, Keys};
use crate::peer::Peer;
use crate::process::{Process, Transcript};
use crate::{Failure, Result};

/// A client about to be started. It gets no configuration file, no agent, no proxy and no terminal unless it is asked for.
#[derive(Debug, Clone)]
pub struct Client {
    kind: ClientKind,
    host: String,
    port: u16,
    user: String,
    identities: Vec<PathBuf>,
    forwards: Vec<Forward>,
    options: Vec<(String, String)>,
    flags: Vec<OsString>,
    config: PathBuf,
    environment: Vec<(String, String)>,
    answers: Option<Vec<(String, String)>>,
    verbosity: usize,
}

impl Client {
    /// A client of this server: knows its host keys, and logs in with an Ed25519 key.
    ///
    /// # Errors
    /// The keys could not be made.
    pub fn of(peer: &Peer) -> Result<Self> {
        let known_hosts = peer.known_hosts().display().to_string();
        let key = Keys::get()?.user(KeyType::Ed25519);
        Ok(Self::to(peer.address()).option("UserKnownHostsFile", known_hosts).identity(key))
    }

    /// A client of whatever is at this address, with nothing to log in with.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        Self {
            kind: ClientKind::chosen(),
            host: address.ip().to_string(),
            port: address.port(),
            user: USER.into(),
            identities: Vec::new(),
            forwards: Vec::new(),
            options: Vec::new(),
            flags: Vec::new(),
            config: "none".into(),
            environment: Vec::new(),
            answers: None,
            verbosity: 0,
        }
        .option("GlobalKnownHostsFile", "/dev/null")
        .option("StrictHostKeyChecking", "yes")
        .option("ExitOnForwardFailure", "yes")
    }

    /// Which client it is.
    #[must_use]
    pub fn kind(&self) -> ClientKind {
        self.kind
    }

    /// Our client in any case, for what ssh does not have.
    #[must_use]
    pub fn ours(mut self) -> Self {
        self.kind = ClientKind::Underpass;
        self
    }

    /// OpenSSH's client in any case, for servers of ours.
    #[must_use]
    pub fn openssh(mut self) -> Self {
        self.kind = ClientKind::Ssh;
        self
    }

    /// Names another host than the address.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = host.into();
        self
    }

    /// Logs in as somebody else.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.user = user.into();
        self
    }

    /// Sets `-o keyword=value`; a value set later replaces an earlier one.
    #[must_use]
    pub fn option(mut self, keyword: &str, value: impl Into<String>) -> Self {
        self.options.retain(|(earlier, _)| earlier != keyword);
        self.options.push((keyword.into(), value.into()));
        self
    }

    /// Goes through these servers first, `host` or `user@host:port` each.
    #[must_use]
    pub fn jump(self, hops: &[&str]) -> Self {
        self.flags(&["-J", &hops.join(",")])
    }

    /// Reads this file of ssh_config(5).
    #[must_use]
    pub fn config(mut self, file: PathBuf) -> Self {
        self.config = file;
        self
    }

    /// Arguments that only our client has; ssh goes without.
    #[must_use]
    pub fn own_arguments(self, arguments: &[&str]) -> Self {
        match self.kind {
            ClientKind::Underpass => self.flags(arguments),
            ClientKind::Ssh => self,
        }
    }

    /// Gives it these words of its command line besides.
    #[must_use]
    pub fn flags(mut self, words: &[&str]) -> Self {
        self.flags.extend(words.iter().map(OsString::from));
        self
    }

    /// Gives it this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Offers this key, too.
    #[must_use]
    pub fn identity(mut self, key: PathBuf) -> Self {
        self.identities.push(key);
        self
    }

    /// Offers no key.
    #[must_use]
    pub fn no_identity(mut self) -> Self {
        self.identities.clear();
        self
    }

    /// Knows this password.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        self.variable(PASSWORD_VARIABLE, password)
    }

    /// Knows this passphrase of its keys.
    #[must_use]
    pub fn passphrase(self, passphrase: &str) -> Self {
        self.variable(PASSPHRASE_VARIABLE, passphrase)
    }

    /// Runs on a terminal of its own, where somebody waits for each of these prompts in turn and types the answer.
    #[must_use]
    pub fn on_terminal(mut self, answers: &[(&str, &str)]) -> Self {
        self.answers = Some(answers.iter().map(|&(prompt, answer)| (prompt.into(), answer.into())).collect());
        self
    }

    /// Logs with this many `-v`; three is the most that there is.
    #[must_use]
    pub fn verbosity(mut self, verbosity: usize) -> Self {
        self.verbosity = verbosity;
        self
    }

    /// Starts it and waits until all its forwards listen.
    ///
    /// # Errors
    /// It ends, or does not listen in time; with all that it said.
    pub fn start(mut self) -> Result<Session> {
        let (mut process, scratch) = self.spawn()?;
        self.answer(&mut process)?;
        let listening = |text: &str| match self.kind {
            ClientKind::Underpass => events::listening(text, self.forwards.len()),
            // ssh prints no addresses; it was given free ports.
            ClientKind::Ssh => text
                .contains("Entering interactive session")
                .then(|| self.forwards.iter().map(Forward::door).collect()),
        };
        let doors: Vec<Door> = process.wait_for(self.narrator(&process), READY, listening)?;
        let on = |remote| {
            let doors = doors.iter().filter(move |door| door.remote == remote);
            doors.filter_map(|door| door.address).collect()
        };
        Ok(Session { kind: self.kind, process, local: on(false), remote: on(true), _scratch: scratch })
    }

    /// Starts it with its standard input and output connected to `target`, a `host:port`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_on_standard_streams(self, target: impl Display) -> Result<Session> {
        let mut client = self.flags(&["-W", &target.to_string()]);
        let (process, scratch) = client.spawn()?;
        Ok(Session { kind: client.kind, process, local: Vec::new(), remote: Vec::new(), _scratch: scratch })
    }

    /// The command line that connects the standard streams to `target`, for another program's `ProxyCommand`.
    ///
    /// # Errors
    /// There is no such program.
    pub fn proxy_command(self, target: &str) -> Result<String> {
        let mut client = self.flags(&["-W", target]);
        let words = [client.kind.program()?.into_os_string()].into_iter().chain(client.arguments()?);
        let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
        Ok(words.join(" "))
    }

    /// Starts it and waits until it ends by itself.
    ///
    /// # Errors
    /// It still runs after `deadline`.
    pub fn run(mut self, deadline: Duration) -> Result<Outcome> {
        let started = Instant::now();
        let (mut process, _scratch) = self.spawn()?;
        let status = process.wait(deadline)?;
        let elapsed = started.elapsed();
        let (out, err) = (process.out().text(), process.err().text());
        Ok(Outcome { kind: self.kind, code: status.code(), elapsed, events: events::all(&out), out, err })
    }

    /// Plays the person at the terminal.
    fn answer(&self, process: &mut Process) -> Result<()> {
        let mut seen = 0;
        for (prompt, answer) in self.answers.iter().flatten() {
            let after_prompt =
                |shown: &str| Some(seen + shown.get(seen..)?.find(prompt.as_str())? + prompt.len());
            let asked = process.wait_for(process.out(), READY, after_prompt);
            seen = asked.map_err(|failure| failure.during(format_args!("waiting for `{prompt}`")))?;
            process.write(format!("{answer}\n"))?;
        }
        Ok(())
    }

    /// The stream on which the client reports its progress.
    fn narrator<'a>(&self, process: &'a Process) -> &'a Transcript {
        match self.kind {
            ClientKind::Ssh if self.answers.is_none() => process.err(),
            _ => process.out(),
        }
    }

    fn spawn(&mut self) -> Result<(Process, TempDir)> {
        let scratch = tempfile::tempdir()?;
        let mut arguments = self.arguments()?;
        let program = self.kind.program()?;
        let mut command = match &self.answers {
            None => Command::new(program),
            Some(_) => on_terminal(&program, &mut arguments),
        };
        command.args(arguments);
        for name in PROXY_VARIABLES {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.env_remove("SSH_AUTH_SOCK").env("HOME", scratch.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.kind == ClientKind::Ssh && self.answers.is_none() {
            command.env("SSH_ASKPASS", write_askpass(&scratch)?).env("SSH_ASKPASS_REQUIRE", "force");
        }
        Ok((Process::start(&command)?, scratch))
    }

    fn arguments(&mut self) -> Result<Vec<OsString>> {
        let mut arguments = match self.kind {
            ClientKind::Underpass => self.underpass_arguments(),
            ClientKind::Ssh => self.ssh_arguments()?,
        };
        arguments.extend(["-F".into(), self.config.clone().into()]);
        arguments.extend(self.forwards.iter().flat_map(Forward::arguments));
        arguments.extend_from_slice(&self.flags);
        for (keyword, value) in &self.options {
            arguments.extend(["-o".into(), format!("{keyword}={value}").into()]);
        }
        for identity in &self.identities {
            arguments.extend(["-i".into(), identity.into()]);
        }
        arguments.extend(["-p".into(), self.port.to_string().into()]);
        arguments.extend(["-l".into(), self.user.clone().into(), self.host.clone().into()]);
        Ok(arguments)
    }

    fn underpass_arguments(&self) -> Vec<OsString> {
        let batch = if self.answers.is_some() { "BatchMode=no" } else { "BatchMode=yes" };
        let mut arguments: Vec<OsString> = ["--json", "-N", "-o", batch].map(OsString::from).into();
        if self.verbosity > 0 {
            arguments.push(format!("-{}", "v".repeat(self.verbosity)).into());
        }
        arguments
    }

    fn ssh_arguments(&mut self) -> Result<Vec<OsString>> {
        self.forwards.iter_mut().try_for_each(Forward::choose_port)?;
        // With batch mode, ssh would not even ask the program that stands for a person.
        let asks = !self.environment.is_empty() || self.answers.is_some();
        let verbosity = format!("-{}", "v".repeat(self.verbosity.max(1)));
        let batch = if asks { "BatchMode=no" } else { "BatchMode=yes" };
        let mut arguments: Vec<OsString> = [&verbosity, "-N", "-o", batch].map(OsString::from).into();
        arguments.extend(SSH_ARGUMENTS.map(OsString::from));
        Ok(arguments)
    }
}

/// A client whose forwards listen; killed when dropped.
#[derive(Debug)]
pub struct Session {
    kind: ClientKind,
    process: Process,
    local: Vec<SocketAddr>,
    remote: Vec<SocketAddr>,
    _scratch: TempDir,
}

impl Session {
    /// Which client it is.
    #[must_use]
    pub fn kind(&self) -> ClientKind {
        self.kind
    }

    /// Where the first forward listens.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local[0]
    }

    /// Where the forwards listen on this side, in their order; Unix-domain sockets are left out.
    #[must_use]
    pub fn locals(&self) -> &[SocketAddr] {
        &self.local
    }

    /// Where the server listened at first, in the order of the forwards; Unix-domain sockets are left out.
    #[must_use]
    pub fn remotes(&self) -> &[SocketAddr] {
        &self.remote
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its process, to write to its standard input.
    #[must_use]
    pub fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The most memory that was resident at any time, in bytes.
    ///
    /// # Errors
    /// The process has ended.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.pid()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        let kib: u64 = peak.ok_or_else(|| self.process.failure("has no memory left"))?.parse()?;
        Ok(kib * 1024)
    }

    /// How many key exchanges there have been, as told by a client with a verbosity of 2.
    #[must_use]
    pub fn key_exchanges(&self) -> usize {
        match self.kind {
            ClientKind::Ssh => self.process.err().text().matches("SSH2_MSG_NEWKEYS received").count(),
            ClientKind::Underpass => {
                let events = events::all(&self.process.out().text());
                events.iter().filter(|event| event["event"] == "key-exchange").count()
            }
        }
    }

    /// The events so far; ssh has none.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        events::all(&self.process.out().text())
    }

    /// Waits for an event of this name. ssh has no events; there it returns `None` at once.
    ///
    /// # Errors
    /// It did not come in time.
    pub fn wait_for_event(&self, name: &str, deadline: Duration) -> Result<Option<Value>> {
        match self.kind {
            ClientKind::Ssh => Ok(None),
            ClientKind::Underpass => self.wait_for_event_that(name, deadline, |_| true).map(Some),
        }
    }

    /// Waits for an event of this name for which `holds`. Only our client has events.
    ///
    /// # Errors
    /// It did not come in time.
    pub fn wait_for_event_that(
        &self,
        name: &str,
        deadline: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let wanted = |event: &Value| event["event"] == name && holds(event);
        self.process
            .wait_for(self.process.out(), deadline, |text| events::all(text).into_iter().find(wanted))
            .map_err(|failure| failure.during(format_args!("waiting for the event {name}")))
    }

    /// Waits until there are this many events of this name.
    ///
    /// # Errors
    /// They did not come in time.
    pub fn wait_for_events(&self, name: &str, count: usize, deadline: Duration) -> Result<Vec<Value>> {
        let named = |text: &str| {
            let events = events::all(text).into_iter().filter(|event| event["event"] == name);
            let events: Vec<Value> = events.collect();
            (events.len() >= count).then_some(events)
        };
        self.process
            .wait_for(self.process.out(), deadline, named)
            .map_err(|failure| failure.during(format_args!("waiting for {count} events {name}")))
    }

    /// Asks it to stop, as Ctrl-C does, and waits until it has.
    ///
    /// # Errors
    /// It still runs after `deadline`.
    pub fn stop(mut self, deadline: Duration) -> Result<Outcome> {
        self.process.interrupt()?;
        self.wait(deadline)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It still runs after `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> Result<Outcome> {
        let started = Instant::now();
        let status = self.process.wait(deadline)?;
        let elapsed = started.elapsed();
        let (out, err) = (self.process.out().text(), self.process.err().text());
        Ok(Outcome { kind: self.kind, code: status.code(), elapsed, events: events::all(&out), out, err })
    }
}

/// A client that has ended.
#[derive(Debug)]
pub struct Outcome {
    kind: ClientKind,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// How long it ran, or how long it took to stop.
    pub elapsed: Duration,
    /// Its events.
    pub events: Vec<Value>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Outcome {
    /// Checks that it failed with one of these exit codes, and said why and what to do. Of ssh, which has one exit
    /// code for everything, it is only checked that it failed and said anything.
    ///
    /// # Errors
    /// It did not.
    pub fn failed_with(&self, codes: &[i32]) -> Result<()> {
        match self.kind {
            ClientKind::Ssh if self.code == Some(255) && !self.err.is_empty() => Ok(()),
            ClientKind::Ssh => Err(self.failure("did not fail as ssh does")),
            ClientKind::Underpass if !self.code.is_some_and(|code| codes.contains(&code)) => {
                Err(self.failure(&format!("exit code {:?}, expected one of {codes:?}", self.code)))
            }
            ClientKind::Underpass => {
                events::explained(&self.events, self.code).map_err(|why| self.failure(why))
            }
        }
    }

    /// The error that ended it, as its last event tells.
    #[must_use]
    pub fn error(&self) -> Option<&Value> {
        events::error(&self.events)
    }

    /// What its error says, without the numbers, which differ from run to run.
    pub fn words(&self) -> Option<String> {
        let message = events::error(&self.events)?["message"].as_str()?;
        Some(message.chars().filter(|c| !c.is_ascii_digit()).collect())
    }

    fn failure(&self, why: &str) -> Failure {
        Failure::new(format!("{why}\n--- its output\n{}\n--- its errors\n{}\n---", self.out, self.err))
    }
}

/// `script` gives the program a terminal, and passes on what is typed into its own standard input.
fn on_terminal(program: &std::path::Path, arguments: &mut Vec<OsString>) -> Command {
    let words = [program.as_os_str().to_owned()].into_iter().chain(arguments.drain(..));
    let line: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("exec {}", line.join(" ")), "/dev/null"]);
    command
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn write_askpass(scratch: &TempDir) -> Result<PathBuf> {
    let path = scratch.path().join("askpass");
    fs::write(&path, ASKPASS)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(path)
}

/// How a client that is ready gets its forwards listening: start, handshake, log in, all on a busy machine.
const READY: Duration = Duration::from_secs(30);

const PROXY_VARIABLES: [&str; 3] = ["ALL_PROXY", "HTTPS_PROXY", "NO_PROXY"];
const PASSWORD_VARIABLE: &str = "UNDERPASS_PASSWORD";
const PASSPHRASE_VARIABLE: &str = "UNDERPASS_PASSPHRASE";

const SSH_ARGUMENTS: [&str; 8] = [
    "-oControlPath=none",
    "-oIdentitiesOnly=yes",
    "-oIdentityAgent=none",
    "-oIdentityFile=none",
    "-oUpdateHostKeys=no",
    "-oGSSAPIAuthentication=no",
    "-oNumberOfPasswordPrompts=1",
    "-oClearAllForwardings=no",
];

const ASKPASS: &str = r#"#!/bin/sh
case "$1" in
*passphrase*) echo "$UNDERPASS_PASSPHRASE" ;;
*) echo "$UNDERPASS_PASSWORD" ;;
esac
"#;
