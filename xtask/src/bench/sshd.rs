//! A private sshd: its own keys, configuration and port.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::process::Process;
use super::scratch::Scratch;

/// sshd wants its absolute path.
pub(crate) const PROGRAM: &str = "/usr/sbin/sshd";

/// A running server and what a client needs to log in.
pub(crate) struct Sshd {
    pub(crate) address: SocketAddr,
    pub(crate) user: String,
    pub(crate) identity: PathBuf,
    host_key: String,
    process: Process,
}

impl Sshd {
    pub(crate) fn start(scratch: &Scratch) -> Result<Self> {
        ensure!(Path::new(PROGRAM).exists(), "{PROGRAM} is missing; install Debian's openssh-server");
        let host = generate_key(scratch, "host_key")?;
        let identity = generate_key(scratch, "identity")?;
        fs::copy(scratch.file("identity.pub"), scratch.file("authorized_keys"))?;
        // Privilege separation chroots there; only a service manager would create it.
        if rustix::process::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").context("cannot create /run/sshd")?;
        }
        let (process, address) = retry_on_taken_port(|port| start_on(port, scratch, &host))?;
        let host_key = fs::read_to_string(scratch.file("host_key.pub"))?.trim().to_owned();
        Ok(Self { address, user: user()?, identity, host_key, process })
    }

    /// The server, whose descendants are its sessions.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Starts a server that was killed, where it was.
    pub(crate) fn restart(&mut self, scratch: &Scratch) -> Result<()> {
        self.process = listen(self.address, scratch)?;
        Ok(())
    }

    /// A known_hosts file for clients that reach this server at `address`, perhaps through a relay.
    pub(crate) fn known_hosts(&self, scratch: &Scratch, address: SocketAddr) -> Result<PathBuf> {
        let line = format!("[{}]:{} {}\n", address.ip(), address.port(), self.host_key);
        scratch.write(&format!("known_hosts-{}", address.port()), &line)
    }
}

/// A loopback port that was free a moment ago, for programs that cannot be told to pick one.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Tries again with another port: someone else may take it between our look and the program's bind.
pub(crate) fn retry_on_taken_port<T>(start: impl Fn(u16) -> Result<T>) -> Result<T> {
    let mut result = start(free_port()?);
    for _ in 1..PORT_TRIES {
        if result.is_ok() {
            break;
        }
        result = start(free_port()?);
    }
    result
}

fn start_on(port: u16, scratch: &Scratch, host_key: &Path) -> Result<(Process, SocketAddr)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let config = format!(
        "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\n{SETTINGS}",
        host_key.display(),
        scratch.file("authorized_keys").display()
    );
    scratch.write(CONFIG, &config)?;
    Ok((listen(address, scratch)?, address))
}

fn listen(address: SocketAddr, scratch: &Scratch) -> Result<Process> {
    let config = scratch.file(CONFIG);
    let args = ["-D".as_ref(), "-e".as_ref(), "-f".as_ref(), config.as_os_str()];
    let mut process = Process::start("sshd", Path::new(PROGRAM), args, scratch.path())?;
    process.wait_until(START, || TcpStream::connect(address).is_ok())?;
    Ok(process)
}

fn generate_key(scratch: &Scratch, name: &str) -> Result<PathBuf> {
    let path = scratch.file(name);
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f"])
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .context("cannot run ssh-keygen; install Debian's openssh-client")?;
    ensure!(status.success(), "ssh-keygen failed: {status}");
    Ok(path)
}

fn user() -> Result<String> {
    let output = Command::new("id").arg("-un").output().context("cannot run id")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

const CONFIG: &str = "sshd_config";

/// Everything else is sshd's default, its ciphers and its rekeying included.
const SETTINGS: &str = "\
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding yes
MaxSessions 10000
MaxStartups 100
LogLevel ERROR
";

const PORT_TRIES: usize = 5;

const START: Duration = Duration::from_secs(10);
