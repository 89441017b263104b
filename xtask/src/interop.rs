//! `cargo xtask interop`: each algorithm against each server that has it, as a printed matrix.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace;

/// Prints the matrix; fails when a cell that must be proven is not.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.is_empty(), "interop takes no arguments");
    let status = Command::new(workspace::example("interop")?).current_dir(workspace::root()).status()?;
    ensure!(status.success(), "the matrix ended with {status}");
    Ok(())
}
