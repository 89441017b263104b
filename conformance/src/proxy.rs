//! Proxies that we did not write, for the way to a server. Each knows a name that this machine does not.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::account::USER;
use crate::keys::{KeyType, Keys};
use crate::peer::{Peer, start_on_free_port};
use crate::process::Process;
use crate::{Failure, Result};

/// A name for 127.0.0.1 that only the proxies know.
pub const INSIDE: &str = "inside.test";

/// A running proxy; stopped when dropped.
#[derive(Debug)]
pub struct Proxy {
    process: Process,
    address: SocketAddr,
    scratch: TempDir,
}

impl Proxy {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until its log has these words.
    ///
    /// # Errors
    /// It has not within `deadline`.
    pub fn wait_for_log(&self, words: &str, deadline: Duration) -> Result<()> {
        self.process.wait_for(self.process.err(), deadline, |log| log.contains(words).then_some(()))
    }

    /// The certificate of [`tls`].
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.scratch.path().join(CERTIFICATE)
    }
}

/// SOCKS 4, 4a and 5 without credentials: `ssh -D` (Debian: `openssh-client`) through this server. It logs what it is
/// asked for.
///
/// # Errors
/// It is missing, or does not come up.
pub fn openssh(peer: &Peer) -> Result<Proxy> {
    let key = Keys::get()?.user(KeyType::Ed25519);
    let start = |address: SocketAddr, scratch: &Path| {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-vv", "-N", "-o", "BatchMode=yes", "-o", "IdentityAgent=none"]);
        command.arg("-o").arg(format!("UserKnownHostsFile={}", peer.known_hosts().display()));
        command.arg("-i").arg(&key).arg("-D").arg(address.to_string());
        command.args([
            "-p",
            &peer.address().port().to_string(),
            "-l",
            USER,
            &peer.address().ip().to_string(),
        ]);
        command.env("HOME", scratch);
        Ok(command)
    };
    start_proxy(start, |log| log.contains("Entering interactive session"))
}

/// HTTP CONNECT: tinyproxy (Debian: `tinyproxy-bin`) with these lines of configuration.
///
/// # Errors
/// It is missing, or does not come up.
pub fn http(lines: &[String]) -> Result<Proxy> {
    let start = |address: SocketAddr, scratch: &Path| {
        let (ip, port, lines) = (address.ip(), address.port(), lines.join("\n"));
        let config = scratch.join("tinyproxy.conf");
        fs::write(&config, format!("Listen {ip}\nPort {port}\nLogLevel Info\nTimeout 60\n{lines}\n"))?;
        // It logs to standard output.
        let mut command = Command::new("sh");
        command.args(["-c", "exec tinyproxy -d -c \"$0\" >&2"]).arg(config);
        Ok(command)
    };
    start_proxy(start, |log| log.contains("Accepting connections"))
}

/// SOCKS 4 and 5 without credentials: dante (Debian: `dante-server`). It connects to all ports but those `blocked`.
///
/// # Errors
/// It is missing, or does not come up.
pub fn socks(blocked: &[u16]) -> Result<Proxy> {
    let rules: String = blocked
        .iter()
        .map(|port| format!("socks block {{ from: 0.0.0.0/0 to: 0.0.0.0/0 port = {port} }}\n"))
        .collect();
    let start = |address: SocketAddr, scratch: &Path| {
        let config = scratch.join("danted.conf");
        let listen = format!("internal: {} port = {}\nexternal: {0}\n", address.ip(), address.port());
        fs::write(&config, [&listen, DANTE, &rules, DANTE_PASSES].concat())?;
        let mut command = Command::new("danted");
        command.arg("-f").arg(config);
        Ok(command)
    };
    start_proxy(start, |log| log.contains("running"))
}

/// SOCKS 5 for one user: microsocks (Debian: `microsocks`).
///
/// # Errors
/// It is missing, or does not come up.
pub fn socks5(user: &str, password: &str) -> Result<Proxy> {
    let scratch = scratch()?;
    let (process, address) = start_on_free_port(
        |address| {
            let (ip, port) = (address.ip().to_string(), address.port().to_string());
            let mut command = Command::new("microsocks");
            command.args(["-i", &ip, "-p", &port, "-u", user, "-P", password]);
            let mut process = Process::start(knowing(&mut command, scratch.path()))?;
            // It does not say that it listens.
            while !greets(address) && process.wait(PAUSE).is_err() {}
            Ok(process)
        },
        |log| !log.contains("in use"),
    )?;
    Ok(Proxy { process, address, scratch })
}

/// TLS before another proxy: stunnel (Debian: `stunnel4`), with a certificate for `localhost` that nobody trusts who is
/// not told to.
///
/// # Errors
/// It, or openssl, is missing, or does not come up.
pub fn tls(before: &Proxy) -> Result<Proxy> {
    let start = |address: SocketAddr, scratch: &Path| {
        make_certificate(scratch)?;
        let config = scratch.join("stunnel.conf");
        let before = before.address();
        fs::write(&config, format!("{STUNNEL}accept = {address}\nconnect = {before}\n"))?;
        let mut command = Command::new("stunnel");
        command.arg(config).current_dir(scratch);
        Ok(command)
    };
    start_proxy(start, |log| log.contains("Accepting new connections"))
}

fn start_proxy(
    command: impl Fn(SocketAddr, &Path) -> Result<Command>,
    ready: impl Fn(&str) -> bool,
) -> Result<Proxy> {
    let scratch = scratch()?;
    let start = |address| {
        let mut command = command(address, scratch.path())?;
        Process::start(knowing(&mut command, scratch.path()))
    };
    let (process, address) = start_on_free_port(start, ready)?;
    Ok(Proxy { process, address, scratch })
}

fn scratch() -> Result<TempDir> {
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join(HOSTS), format!("127.0.0.1 {INSIDE} localhost\n"))?;
    Ok(scratch)
}

/// Has `command` know [`INSIDE`], and find servers that are not in everyone's `PATH`.
fn knowing<'a>(command: &'a mut Command, scratch: &Path) -> &'a mut Command {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    command
        .env("LD_PRELOAD", "libnss_wrapper.so")
        .env("NSS_WRAPPER_HOSTS", scratch.join(HOSTS))
        .env("PATH", path)
}

/// Whether a SOCKS 5 proxy answers (RFC 1928 section 3).
fn greets(address: SocketAddr) -> bool {
    let greeted = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(&[5, 1, 2])?;
        let mut answer = [0; 2];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(answer == [5, 2])
    };
    greeted().unwrap_or(false)
}

fn make_certificate(scratch: &Path) -> Result<()> {
    fs::write(scratch.join("request.conf"), CERTIFICATE_REQUEST)?;
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-config", "request.conf", "-days", "2", "-nodes"]);
    command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-keyout", "key.pem", "-out", CERTIFICATE]).current_dir(scratch);
    let made = command.output().map_err(|error| Failure::from(error).during("starting openssl"))?;
    match made.status.success() {
        true => Ok(()),
        false => Err(Failure::new(String::from_utf8_lossy(&made.stderr)).during("making a certificate")),
    }
}

const HOSTS: &str = "hosts";

const CERTIFICATE: &str = "certificate.pem";

/// Between two looks at a proxy that is coming up.
const PAUSE: Duration = Duration::from_millis(20);

const DANTE: &str = "\
logoutput: stderr
clientmethod: none
socksmethod: none
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
";

const DANTE_PASSES: &str = "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 log: connect }\n";

const STUNNEL: &str = "\
foreground = yes
pid =
debug = info
[proxy]
cert = certificate.pem
key = key.pem
";

/// Not an authority of its own: such a certificate may not be a server's.
const CERTIFICATE_REQUEST: &str = "\
[req]
distinguished_name = name
x509_extensions = server
prompt = no
[name]
CN = proxy
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
";
