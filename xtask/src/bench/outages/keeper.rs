//! The programs that keep a tunnel up, and how each is started.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::process::Signal;

use crate::bench::bed::Bed;
use crate::bench::ciphers::CIPHER_SETS;
use crate::bench::clients::{LOGIN, OPENSSH, UNDERPASS_BINARY, listening, login};
use crate::bench::load::Echo;
use crate::bench::process::Process;
use crate::bench::sshd;

pub(super) struct Keeper {
    pub(super) title: &'static str,
    start: fn(&Bed, SocketAddr) -> Result<Running>,
}

pub(super) const KEEPERS: [Keeper; 2] = [
    Keeper { title: "Underpass", start: start_underpass },
    Keeper { title: "autossh", start: start_autossh },
];

impl Keeper {
    /// Starts it with a forward to the target, and waits until that carries data.
    pub(super) fn start(&self, bed: &Bed, server: SocketAddr) -> Result<Running> {
        let running = (self.start)(bed, server)?;
        Echo::open(running.address)?;
        Ok(running)
    }
}

/// A keeper that listens. Dropping it stops it.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    process: Process,
    /// What it says when it has noticed a loss.
    words: &'static str,
    /// Where it says it; without a file, on standard output.
    log: Option<PathBuf>,
}

impl Running {
    /// Whether it has said that the connection is lost.
    pub(super) fn has_noticed(&mut self) -> bool {
        match &self.log {
            Some(log) => fs::read_to_string(log).is_ok_and(|text| text.contains(self.words)),
            None => {
                // The rest goes on filling the pipe, and has to be taken.
                let lines = std::iter::from_fn(|| self.process.line_so_far());
                lines.filter(|line| line.contains(self.words)).count() > 0
            }
        }
    }

    pub(super) fn last_words(&self) -> String {
        self.process.last_words()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // autossh would leave its ssh behind.
        self.process.signal_all(Signal::KILL);
    }
}

fn start_underpass(bed: &Bed, server: SocketAddr) -> Result<Running> {
    let args = arguments(bed, server, 0, "--json -Fnone")?;
    let mut process = Process::start("underpass", &bed.binary(&UNDERPASS_BINARY), args, bed.scratch())?;
    let address = listening(&mut process)?;
    Ok(Running { address, process, words: r#""event":"reconnecting""#, log: None })
}

fn start_autossh(bed: &Bed, server: SocketAddr) -> Result<Running> {
    sshd::retry_on_taken_port(|port| {
        let log = bed.scratch.file("autossh-events.log");
        let mut args: Vec<OsString> = vec!["AUTOSSH_GATETIME=0".into()];
        args.push(format!("AUTOSSH_LOGFILE={}", log.display()).into());
        args.extend(["autossh", "-M", "0"].map(OsString::from));
        args.extend(arguments(bed, server, port, OPENSSH)?);
        let mut process = Process::start("autossh", Path::new("env"), args, bed.scratch())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let up = process.wait_until(LOGIN, || Echo::open(address).is_ok());
        let running = Running { address, process, words: "ssh exited", log: Some(log) };
        up.map(|()| running)
    })
}

/// The command line of both, which `own` begins: defaults, but for a dead peer that is to be found soon.
fn arguments(bed: &Bed, server: SocketAddr, port: u16, own: &str) -> Result<Vec<OsString>> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut args: Vec<OsString> = own.split(' ').map(OsString::from).collect();
    args.extend(["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"].map(OsString::from));
    args.extend(login(bed, &CIPHER_SETS[0], server, listen)?);
    Ok(args)
}
