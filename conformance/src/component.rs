//! The component as a client of the peers.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use underpass::keys::public_of;
use underpass::{FingerprintHash, hex_fingerprint};
use underpass_component::SshTunnel;
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

use crate::account::{PASSWORD, USER};
use crate::keys::{KeyType, Keys, public_half};
use crate::process::Process;
use crate::{Failure, Peer, Result, traffic};

/// How long anything may take. A busy machine takes a few seconds.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A tunnel to this server, as the account with its password. It accepts the server's Ed25519 key and goes nowhere yet.
///
/// # Errors
/// A member does not take its value.
pub fn of(peer: &Peer) -> Result<SshTunnel> {
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(peer.address().ip().to_string())?;
    tunnel.set_ssh_port(peer.address().port().into())?;
    tunnel.set_ssh_user(USER)?;
    tunnel.set_ssh_password(PASSWORD)?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={}", fingerprint()?))?;
    Ok(tunnel)
}

/// The SHA-256 fingerprint of the servers' Ed25519 key, in hexadecimal.
///
/// # Errors
/// There is no such key.
pub fn fingerprint() -> Result<String> {
    let key = public_of(public_half(&Keys::get()?.host(KeyType::Ed25519))?.as_bytes())?;
    Ok(hex_fingerprint(key.blob(), FingerprintHash::Sha256))
}

/// Starts the tunnel and carries bytes to an echo server behind it and back.
///
/// # Errors
/// It does not start, or a byte is wrong.
pub fn carries(tunnel: &SshTunnel) -> Result<()> {
    let target = Target::Echo.start()?;
    tunnel.set_ssh_forward_host(target.address().ip().to_string())?;
    tunnel.set_ssh_forward_port(target.address().port().into())?;
    tunnel.start_listening()?;
    let local = ([127, 0, 0, 1], u16::try_from(tunnel.local_port())?).into();
    traffic::run(PATIENCE, traffic::echo(local, Payload::new(7), 100_000))
}

/// The tunnel does not start, for this reason.
///
/// # Errors
/// It starts, or for another.
pub fn refuses(tunnel: &SshTunnel, code: u16) -> Result<()> {
    match tunnel.start_listening() {
        Err(error) if error.code() == code => Ok(()),
        Err(error) => Err(Failure::new(format!("expected {code}: {error}"))),
        Ok(()) => Err(Failure::new(format!("expected {code}, and it listens"))),
    }
}

/// Delivers events until something is so.
///
/// # Errors
/// It does not become so.
pub fn until(tunnel: &SshTunnel, is_so: impl Fn() -> bool) -> Result<()> {
    let late = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > late {
            return Err(Failure::new(format!("it is not so after {PATIENCE:?}")));
        }
        tunnel.do_events();
    }
    Ok(())
}

/// A component in a process of its own, for what the environment decides: the program `one_component` at `program`, with
/// members set in this order (`NAME=VALUE`), started.
///
/// # Errors
/// It does not start.
pub fn apart(
    program: &Path,
    peer: &Peer,
    environment: &[(&str, String)],
    members: &[&str],
) -> Result<Process> {
    let mut command = Command::new(program);
    command.env_remove("SSH_AUTH_SOCK").envs(environment.iter().map(|(name, value)| (name, value)));
    command.args([
        format!("ssh_host={}", peer.address().ip()),
        format!("ssh_port={}", peer.address().port()),
        format!("ssh_user={USER}"),
        "local_host=127.0.0.1".to_owned(),
        format!("SSHAcceptServerHostKeyFingerPrint={}", fingerprint()?),
    ]);
    Process::start(command.args(members))
}

/// What becomes of such a component: whether it listens, or the code of the error.
///
/// # Errors
/// It does not say.
pub fn outcome(process: &Process) -> Result<std::result::Result<(), u16>> {
    process.wait_for(process.out(), PATIENCE, |out| {
        let line =
            out.split_inclusive('\n').find(|line| line.ends_with('\n') && !line.starts_with("status "))?;
        match line.trim_end().strip_prefix("error ") {
            Some(error) => Some(Err(error.split(' ').next()?.parse().ok()?)),
            None => line.starts_with("listening ").then_some(Ok(())),
        }
    })
}
