//! OpenSSH's sshd (Debian: `openssh-server`).

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::{Peer, PeerKind, STARTUP, start_on_free_port};
use crate::keys::{KeyType, Keys};
use crate::process::Process;
use crate::{Result, account};

/// Starts it with these lines before the default configuration; sshd takes the first value of a keyword.
///
/// # Errors
/// It is missing, or does not come up.
pub fn start(lines: &[&str]) -> Result<Peer> {
    start_with(lines, &[])
}

/// Starts it with these variables in its environment, besides.
///
/// # Errors
/// It is missing, or does not come up.
pub fn start_with(lines: &[&str], environment: &[(&str, String)]) -> Result<Peer> {
    let scratch = tempfile::tempdir()?;
    account::create(scratch.path())?;
    let config = scratch.path().join(CONFIG);
    fs::write(&config, configuration(lines, scratch.path())?)?;
    // Debian's sshd insists on it when it runs as root. Elsewhere creating it fails, and sshd says what it lacks.
    let _ = fs::create_dir_all("/run/sshd");
    let (process, address) =
        start_on_free_port(|address| listen(address, scratch.path(), environment), is_ready)?;
    Peer::new(PeerKind::Sshd, process, address, scratch)
}

/// Kills the server and all its sessions.
///
/// # Errors
/// It has ended already.
pub fn stop(peer: &Peer) -> Result<()> {
    peer.process.signal_all(Signal::KILL)
}

/// Starts a server that was stopped, on its port and with its configuration.
///
/// # Errors
/// It does not come up.
pub fn restart(peer: &mut Peer) -> Result<()> {
    peer.process = listen(peer.address, peer.scratch.path(), &[])?;
    peer.process.wait_for(peer.process.err(), STARTUP, |log| is_ready(log).then_some(()))
}

fn listen(address: SocketAddr, scratch: &Path, environment: &[(&str, String)]) -> Result<Process> {
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f"]).arg(scratch.join(CONFIG));
    command.arg("-o").arg(format!("ListenAddress={address}"));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    Process::start(account::reveal(&mut command, scratch))
}

fn is_ready(log: &str) -> bool {
    log.contains("Server listening on")
}

fn configuration(lines: &[&str], scratch: &Path) -> Result<String> {
    let mut config = String::new();
    let mut add = |line: &str| {
        config.push_str(line);
        config.push('\n');
    };
    lines.iter().copied().for_each(&mut add);
    DEFAULTS.iter().copied().for_each(&mut add);
    let authorized = scratch.join(account::HOME).join(".ssh/authorized_keys");
    add(&format!("AuthorizedKeysFile {}", authorized.display()));
    for &key_type in KeyType::ALL {
        add(&format!("HostKey {}", Keys::get()?.host(key_type).display()));
    }
    Ok(config)
}

const CONFIG: &str = "sshd_config";

const DEFAULTS: &[&str] = &[
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "UseDNS no",
    "PermitRootLogin yes",
    "PasswordAuthentication yes",
    "KbdInteractiveAuthentication no",
    "AllowTcpForwarding yes",
    "AllowStreamLocalForwarding yes",
    // A failure shows the log.
    "LogLevel DEBUG1",
];
