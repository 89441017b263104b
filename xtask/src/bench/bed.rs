//! What all clients share in one run: the server, the target, the keys and where our binaries are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::clients::{Binary, TESTKIT_BINARY};
use super::process::Process;
use super::scratch::Scratch;
use super::sshd::Sshd;
use super::target::Target;

pub(crate) struct Bed {
    // Fields are dropped in order: processes before the directory that they log to.
    pub(crate) sshd: Sshd,
    pub(crate) target: Target,
    binaries: PathBuf,
    pub(crate) scratch: Scratch,
}

impl Bed {
    pub(crate) fn new(binaries: PathBuf) -> Result<Self> {
        let scratch = Scratch::new()?;
        let target = Target::start(scratch.path())?;
        let sshd = Sshd::start(&scratch)?;
        Ok(Self { sshd, target, binaries, scratch })
    }

    pub(crate) fn binary(&self, binary: &Binary) -> PathBuf {
        self.binaries.join(binary.name)
    }

    /// Starts one of the testkit's relays in front of `to`.
    pub(crate) fn relay(
        &self,
        kind: &str,
        to: SocketAddr,
        options: &[String],
    ) -> Result<(Process, SocketAddr)> {
        let to = to.to_string();
        let args = [kind, "--listen", "127.0.0.1:0", "--to", &to];
        let args = args.into_iter().chain(options.iter().map(String::as_str));
        let mut process = Process::start(kind, &self.binary(&TESTKIT_BINARY), args, self.scratch.path())?;
        let address = announced_address(&mut process)?;
        Ok((process, address))
    }

    /// A way to `to` that takes `delay` in each direction; without a delay, `to` itself.
    pub(crate) fn path(&self, to: SocketAddr, delay: Duration) -> Result<(Option<Process>, SocketAddr)> {
        if delay.is_zero() {
            return Ok((None, to));
        }
        let options = ["--delay".to_owned(), delay.as_millis().to_string()];
        let (process, address) = self.relay("delay-relay", to, &options)?;
        Ok((Some(process), address))
    }

    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }
}

/// The address that a relay prints first.
fn announced_address(process: &mut Process) -> Result<SocketAddr> {
    let line = process.line(START)?;
    line.parse().with_context(|| format!("expected an address, got {line:?}"))
}

/// Relays bind a socket and print; anything longer is a fault.
const START: Duration = Duration::from_secs(10);
