//! dropbear (Debian: `dropbear-bin`).

use std::process::Command;

use super::{Peer, PeerKind, start_on_free_port};
use crate::keys::{KeyType, Keys};
use crate::process::Process;
use crate::{Result, account};

/// Starts it with these arguments on top of the necessary ones.
///
/// # Errors
/// It is missing, or does not come up.
pub fn start(arguments: &[&str]) -> Result<Peer> {
    let scratch = tempfile::tempdir()?;
    account::create(scratch.path())?;
    let keys = Keys::get()?;
    let (process, address) = start_on_free_port(
        |address| {
            let mut command = Command::new("/usr/sbin/dropbear");
            command.args(["-F", "-E", "-p"]).arg(address.to_string());
            command.arg("-P").arg(scratch.path().join("pid"));
            for key_type in HOST_KEYS {
                command.arg("-r").arg(keys.dropbear_host(key_type));
            }
            command.args(arguments);
            Process::start(account::reveal(&mut command, scratch.path()))
        },
        // Said after it has bound its port.
        |log| log.contains("Not backgrounding"),
    )?;
    Peer::new(PeerKind::Dropbear, process, address, scratch)
}

/// It takes four; the P-384 key is left to the other peers.
const HOST_KEYS: [KeyType; 4] = [KeyType::Ed25519, KeyType::EcdsaP256, KeyType::EcdsaP521, KeyType::Rsa];
