//! `cargo xtask record`: a transcript for each algorithm, for the engine's tests.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::workspace;

/// Writes all of them anew, or those with the argument in their subject: into a directory of the engine's tests, whose
/// README says when that is due.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    let wanted: Vec<_> = args.iter().filter_map(|arg| arg.to_str()).collect();
    ensure!(wanted.len() == args.len() && wanted.len() <= 1, "usage: cargo xtask record [NAME]");
    workspace::cargo(&[&["run", "--quiet", "-p", "xtask", "--example", "record", "--"], &wanted[..]].concat())
}
