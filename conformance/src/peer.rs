//! Servers that we did not write.

pub mod asyncssh;
pub mod dropbear;
pub mod sshd;

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::keys::{Keys, public_half};
use crate::process::Process;
use crate::{Failure, Result, account};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerKind {
    /// OpenSSH's sshd.
    Sshd,
    /// dropbear.
    Dropbear,
    /// asyncssh, in a small Python program.
    Asyncssh,
}

impl PeerKind {
    /// Every server.
    pub const ALL: &[Self] = &[Self::Sshd, Self::Dropbear, Self::Asyncssh];

    /// Starts it with its defaults: every key and the password of the account are accepted, forwarding is on.
    ///
    /// # Errors
    /// It is missing, or does not come up.
    pub fn start(self) -> Result<Peer> {
        match self {
            Self::Sshd => sshd::start(&[]),
            Self::Dropbear => dropbear::start(&[]),
            Self::Asyncssh => asyncssh::start(&serde_json::Value::Null),
        }
    }
}

impl fmt::Display for PeerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sshd => "sshd",
            Self::Dropbear => "dropbear",
            Self::Asyncssh => "asyncssh",
        })
    }
}

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct Peer {
    kind: PeerKind,
    process: Process,
    address: SocketAddr,
    scratch: TempDir,
}

impl Peer {
    /// Which server it is.
    #[must_use]
    pub fn kind(&self) -> PeerKind {
        self.kind
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A `known_hosts` file with all its host keys.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.scratch.path().join("known_hosts")
    }

    /// The home directory of its account.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.scratch.path().join(account::HOME)
    }

    /// Its process, for its log (on standard error).
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until its log has these words behind a [mark](crate::process::Transcript::mark): that of a busy peer comes late.
    ///
    /// # Errors
    /// It ended, or `deadline` passed, before that.
    pub fn wait_for_log(&self, mark: usize, words: &str, deadline: Duration) -> Result<()> {
        let log = self.process.err();
        let is_there = |log: &str| log.get(mark..).unwrap_or(log).contains(words).then_some(());
        self.process.wait_for(log, deadline, is_there).map_err(|failure| failure.during(words))
    }

    /// The processes that serve its clients, for as long as they do. Only sshd and dropbear have such.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn session_processes(&self) -> Result<Vec<u32>> {
        let mut found = vec![self.process.pid()];
        let parents = parents()?;
        // Children of children, too: a privileged one watches the one that serves.
        for at in 0.. {
            let Some(&parent) = found.get(at) else { break };
            found.extend(parents.iter().filter(|&&(_, of)| of == parent).map(|&(pid, _)| pid));
        }
        Ok(found.split_off(1))
    }

    fn new(kind: PeerKind, process: Process, address: SocketAddr, scratch: TempDir) -> Result<Self> {
        let peer = Self { kind, process, address, scratch };
        let host_keys =
            crate::keys::KeyType::ALL.iter().map(|&key_type| Keys::get().map(|keys| keys.host(key_type)));
        let host_keys: Vec<PathBuf> = host_keys.collect::<Result<_>>()?;
        write_known_hosts(&peer.known_hosts(), address, &host_keys)?;
        Ok(peer)
    }
}

/// Every process of the machine, with its parent.
fn parents() -> Result<Vec<(u32, u32)>> {
    let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = |pid: u32| {
        // One that has ended meanwhile is nobody's child.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in brackets, may hold anything; after it come the state and the parent.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((pid, parent))
    };
    Ok(pids.filter_map(parent).collect())
}

/// Writes a `known_hosts` file in which the server at `address` has these keys.
///
/// # Errors
/// A public half cannot be read, or the file not be written.
pub fn write_known_hosts(file: &Path, address: SocketAddr, private_keys: &[PathBuf]) -> Result<()> {
    let line = |key: &PathBuf| Ok(format!("[{}]:{} {}", address.ip(), address.port(), public_half(key)?));
    let lines: Vec<String> = private_keys.iter().map(line).collect::<Result<_>>()?;
    Ok(fs::write(file, lines.concat())?)
}

/// Starts a server that cannot pick its port itself: picks one that is free now, and another when it was lost to
/// somebody else in the meantime.
pub(crate) fn start_on_free_port(
    start: impl Fn(SocketAddr) -> Result<Process>,
    ready: impl Fn(&str) -> bool,
) -> Result<(Process, SocketAddr)> {
    let mut last = None;
    for _ in 0..PORT_ATTEMPTS {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = start(address)?;
        match process.wait_for(process.err(), STARTUP, |log| ready(log).then_some(())) {
            Ok(()) => return Ok((process, address)),
            Err(failure) if process.err().text().contains("in use") => last = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    Err(last.unwrap_or_else(|| Failure::new("no free port")))
}

const PORT_ATTEMPTS: usize = 5;

/// How long a server may take to listen. Python takes a second; the machine may be busy.
const STARTUP: Duration = Duration::from_secs(30);
