//! asyncssh (PyPI), in the small program `peers/asyncssh_server.py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Peer, PeerKind, STARTUP};
use crate::account::{PASSWORD, USER};
use crate::keys::{KeyType, Keys, target_directory};
use crate::process::Process;
use crate::{Failure, Result, account};

/// Starts it with these settings over the default ones; the program documents them.
///
/// # Errors
/// Python or asyncssh is missing, or the server does not come up.
pub fn start(settings: &Value) -> Result<Peer> {
    let scratch = tempfile::tempdir()?;
    account::create(scratch.path())?;
    let mut all = defaults(scratch.path())?;
    for (name, value) in settings.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    let mut command = Command::new(python()?);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/asyncssh_server.py")).arg(all.to_string());
    let process = Process::start(account::reveal(&mut command, scratch.path()))?;
    let address = process.wait_for(process.out(), STARTUP, |out| out.lines().next()?.parse().ok())?;
    Peer::new(PeerKind::Asyncssh, process, address, scratch)
}

fn defaults(scratch: &Path) -> Result<Value> {
    let keys = Keys::get()?;
    let host_keys: Vec<PathBuf> = KeyType::ALL.iter().map(|&key_type| keys.host(key_type)).collect();
    Ok(json!({
        "host_keys": host_keys,
        "authorized_keys": scratch.join(account::HOME).join(".ssh/authorized_keys"),
        "user": USER,
        "password": PASSWORD,
    }))
}

/// The interpreter of the environment into which the Python packages were installed.
///
/// # Errors
/// It is missing.
pub fn python() -> Result<PathBuf> {
    if let Some(python) = std::env::var_os("UNDERPASS_PYTHON") {
        return Ok(python.into());
    }
    let python = target_directory().join("venv/bin/python");
    if python.exists() {
        return Ok(python);
    }
    Err(Failure::new(format!(
        "{} does not exist; `cargo xtask test` makes it, and so do: python3 -m venv target/venv && \
         target/venv/bin/pip install -r conformance/peers/requirements.txt",
        python.display()
    )))
}
