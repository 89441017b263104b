//! `cargo xtask soak`: a gigabyte through each family of ciphers and MACs, with new keys after each MiB.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace;

/// Takes about twenty minutes with the slowest servers, so it is no part of the tests.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.is_empty(), "soak takes no arguments");
    workspace::cargo(&["build", "--release", "-p", "underpass-cli"])?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "-p", "xtask", "--example", "soak"]).current_dir(workspace::root());
    let status = cargo.env("UNDERPASS_BIN", workspace::target().join("release/underpass")).status()?;
    ensure!(status.success(), "not every family has carried all bytes");
    Ok(())
}
