//! OpenSSH's sshd (Debian: `openssh-server`).

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Peer, PeerKind, start_on_free_port};
use crate::keys::{KeyType, Keys};
use crate::process::Process;
use crate::{Result, account};

/// Starts it with these lines before the default configuration; sshd takes the first value of a keyword.
///
/// # Errors
/// It is missing, or does not come up.
pub fn start(lines: &[&str]) -> Result<Peer> {
    let scratch = tempfile::tempdir()?;
    account::create(scratch.path())?;
    let config = scratch.path().join("sshd_config");
    fs::write(&config, configuration(lines, scratch.path())?)?;
    // Debian's sshd insists on it when it runs as root. Elsewhere creating it fails, and sshd says what it lacks.
    let _ = fs::create_dir_all("/run/sshd");
    let (process, address) = start_on_free_port(
        |address| {
            let mut command = Command::new("/usr/sbin/sshd");
            command.args(["-D", "-e", "-f"]).arg(&config);
            command.arg("-o").arg(format!("ListenAddress={address}"));
            Process::start(account::reveal(&mut command, scratch.path()))
        },
        |log| log.contains("Server listening on"),
    )?;
    Peer::new(PeerKind::Sshd, process, address, scratch)
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
