//! The account that exists only for the peers.
//!
//! Servers ask the C library for accounts. With `libnss_wrapper` loaded into them, they see one account that owns
//! nothing and whose password and home are known, so that no test depends on, or touches, an account of the machine.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::keys::Keys;

/// Its name.
pub const USER: &str = "tess";

/// Its password.
pub const PASSWORD: &str = "swordfish-9f2c";

/// Names of the loopback address that the peers alone know.
pub const PRIVATE_NAMES: [&str; 4] = ["first.test", "second.test", "third.test", "last.test"];

/// Writes the account's files and its home with an `authorized_keys` file into `scratch`.
///
/// # Errors
/// A file cannot be written.
pub fn create(scratch: &Path) -> Result<()> {
    let ssh = scratch.join(HOME).join(".ssh");
    fs::create_dir_all(&ssh)?;
    for directory in [scratch, &scratch.join(HOME), &ssh] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    }
    let authorized = ssh.join("authorized_keys");
    fs::write(&authorized, Keys::get()?.authorized()?)?;
    fs::set_permissions(&authorized, fs::Permissions::from_mode(0o600))?;

    let owner = fs::metadata(scratch)?;
    let (uid, gid) = (owner.uid(), owner.gid());
    let home = scratch.join(HOME);
    let home = home.display();
    // sshd wants an account of its own to shed its privileges to.
    let files = [
        (
            "passwd",
            format!("{USER}:x:{uid}:{gid}::{home}:/bin/sh\nsshd:x:65534:65534::/run/sshd:/bin/false\n"),
        ),
        ("group", format!("{USER}:x:{gid}:\nnogroup:x:65534:\n")),
        ("hosts", format!("127.0.0.1 localhost {}\n::1 localhost\n", PRIVATE_NAMES.join(" "))),
        ("shadow", format!("{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n")),
    ];
    for (name, content) in files {
        fs::write(scratch.join(name), content)?;
    }
    Ok(())
}

/// Makes `command` see the account in `scratch` instead of the machine's accounts.
pub fn reveal<'a>(command: &'a mut Command, scratch: &Path) -> &'a mut Command {
    command
        .env("LD_PRELOAD", "libnss_wrapper.so")
        .env("NSS_WRAPPER_PASSWD", scratch.join("passwd"))
        .env("NSS_WRAPPER_GROUP", scratch.join("group"))
        .env("NSS_WRAPPER_SHADOW", scratch.join("shadow"))
        .env("NSS_WRAPPER_HOSTS", scratch.join("hosts"))
}

/// The account's home within the scratch directory.
pub const HOME: &str = "home";

/// `openssl passwd -6 -salt underpass` of the password.
const PASSWORD_HASH: &str =
    "$6$underpass$xL5cHPrYZ3rWHxrGrkeDbF8a68cpdhEh7J4NxmfzP/QypNgPGvt/xKnLV9/Of1VuQEi0T6hJo4ekLH6rfshR61";
