//! The programs under comparison and how each is started.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::bed::Bed;
use super::ciphers::CipherSet;
use super::load::Echo;
use super::process::Process;
use super::sshd;
use super::target::Service;

/// A program under comparison.
pub(crate) struct Client {
    /// For `--clients`.
    pub(crate) name: &'static str,
    /// Column heading.
    pub(crate) title: &'static str,
    /// The binary of ours that it runs.
    pub(crate) binary: Option<&'static Binary>,
    start: Start,
}

/// A binary of the workspace and the package that it is built from.
pub(crate) struct Binary {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

pub(crate) const UNDERPASS_BINARY: Binary = Binary { name: "underpass", package: "underpass-cli" };
pub(crate) const TESTKIT_BINARY: Binary = Binary { name: "testkit", package: "underpass-testkit" };

enum Start {
    /// Logs in to sshd with a cipher set.
    Ssh(fn(&Bed, &CipherSet, SocketAddr) -> Result<(Process, SocketAddr)>),
    /// A relay of the testkit, straight to the target.
    Relay(&'static str),
}

pub(crate) const UNDERPASS: &Client = &Client {
    name: "underpass",
    title: "Underpass",
    binary: Some(&UNDERPASS_BINARY),
    start: Start::Ssh(start_underpass),
};
pub(crate) const SSH: &Client =
    &Client { name: "ssh", title: "ssh -L", binary: None, start: Start::Ssh(start_openssh) };
pub(crate) const SEALING_RELAY: &Client = &Client {
    name: "seal",
    title: "sealing relay",
    binary: Some(&TESTKIT_BINARY),
    start: Start::Relay("seal-relay"),
};
pub(crate) const PLAIN_RELAY: &Client = &Client {
    name: "plain",
    title: "plain relay",
    binary: Some(&TESTKIT_BINARY),
    start: Start::Relay("relay"),
};

/// In the order of columns and of interleaving.
pub(crate) const CLIENTS: &[&Client] = &[UNDERPASS, SSH, SEALING_RELAY, PLAIN_RELAY];

impl Client {
    /// Whether it speaks SSH, so that a cipher set makes a difference.
    pub(crate) fn takes_ciphers(&self) -> bool {
        matches!(self.start, Start::Ssh(_))
    }
}

/// A client that listens. Dropping it stops it.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    _delay: Option<Process>,
}

impl Running {
    /// Starts a client with a forward to the target; its connection to the far side takes `delay` each way.
    pub(crate) fn start(
        bed: &Bed,
        client: &Client,
        ciphers: Option<&CipherSet>,
        delay: Duration,
    ) -> Result<Self> {
        bed.target.serve(Service::Echo)?;
        let far = if client.takes_ciphers() { bed.sshd.address } else { bed.target.address };
        let (relay, far) = bed.path(far, delay)?;
        let (process, address) = match (&client.start, ciphers) {
            (Start::Ssh(start), Some(ciphers)) => start(bed, ciphers, far)?,
            (Start::Ssh(_), None) => bail!("{} needs a cipher set", client.name),
            (Start::Relay(kind), _) => bed.relay(kind, far, &[])?,
        };
        // The first connection pays for what is set up lazily.
        Echo::open(address)
            .with_context(|| format!("no echo through {}: {}", client.name, process.last_words()))?;
        Ok(Self { process, address, _delay: relay })
    }
}

fn start_underpass(bed: &Bed, ciphers: &CipherSet, server: SocketAddr) -> Result<(Process, SocketAddr)> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut args = login(bed, ciphers, server, listen)?;
    args.splice(0..0, ["--json".into(), "-Fnone".into(), format!("--max-connections={ENOUGH}").into()]);
    let mut process = Process::start("underpass", &bed.binary(&UNDERPASS_BINARY), args, bed.scratch())?;
    let address = listening(&mut process)?;
    Ok((process, address))
}

/// Where our client says that it listens.
pub(crate) fn listening(process: &mut Process) -> Result<SocketAddr> {
    loop {
        let line = process.line(LOGIN)?;
        let event: Value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
        match event["event"].as_str() {
            Some("listening") => {
                let address = event["address"].as_str().context("`listening` without an address")?;
                return Ok(address.parse()?);
            }
            Some("error") => bail!("underpass: {line}"),
            _ => {}
        }
    }
}

fn start_openssh(bed: &Bed, ciphers: &CipherSet, server: SocketAddr) -> Result<(Process, SocketAddr)> {
    sshd::retry_on_taken_port(|port| {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut args = login(bed, ciphers, server, listen)?;
        args.splice(0..0, OPENSSH.split(' ').map(OsString::from));
        let mut process = Process::start("ssh", Path::new("ssh"), args, bed.scratch())?;
        process.wait_until(LOGIN, || Echo::open(listen).is_ok())?;
        Ok((process, listen))
    })
}

/// The part of the command line that Underpass and `ssh` share.
pub(crate) fn login(
    bed: &Bed,
    ciphers: &CipherSet,
    server: SocketAddr,
    listen: SocketAddr,
) -> Result<Vec<OsString>> {
    let known_hosts = bed.sshd.known_hosts(&bed.scratch, server)?;
    let mut args: Vec<OsString> =
        vec!["-N".into(), "-L".into(), format!("{listen}:{}", bed.target.address).into()];
    args.extend(["-p".into(), server.port().to_string().into()]);
    args.extend(["-i".into(), bed.sshd.identity.clone().into_os_string()]);
    let options = [
        format!("UserKnownHostsFile={}", known_hosts.display()),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        "IdentitiesOnly=yes".to_owned(),
        "BatchMode=yes".to_owned(),
        format!("Ciphers={}", ciphers.ciphers),
    ];
    let macs = ciphers.macs.map(|macs| format!("MACs={macs}"));
    for option in options.into_iter().chain(macs) {
        args.extend(["-o".into(), option.into()]);
    }
    args.push(format!("{}@{}", bed.sshd.user, server.ip()).into());
    Ok(args)
}

/// What only `ssh` has: no configuration file, no compression, no shared connection.
pub(crate) const OPENSSH: &str = "-F none -o Compression=no -o ControlPath=none -o ExitOnForwardFailure=yes";

/// More connections than any measurement opens; ssh has no limit to set.
const ENOUGH: u32 = 50_000;

/// A login on loopback, through 100 ms of delay as well, takes about a second.
pub(crate) const LOGIN: Duration = Duration::from_secs(20);
