//! `cargo xtask pkd`: libssh's own suite for clients, with ours. `conformance/pkd/README.md` says what it shows.

mod build;
mod cases;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::debian;
use crate::workspace;

/// Runs every case; fails when one did not pass that is not listed with a reason, or passed and is listed.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.len() <= 1, "usage: cargo xtask pkd [SOURCE OF LIBSSH]");
    let start = Instant::now();
    let work = workspace::target().join("pkd");
    fs::create_dir_all(&work)?;
    let source = match args.first() {
        Some(path) => PathBuf::from(path),
        None => debian::source("libssh", "tests/pkd", &work)?,
    };
    let server = build::server(&source, &work)?;
    let outcome = cases::run(&server, &work, &workspace::command()?)?;
    let skipped = cases::listed(&fs::read_to_string(directory().join("skipped.txt"))?)?;
    let passed = outcome.iter().filter(|(_, passed)| *passed).count();
    println!("pkd: {passed} of {} cases passed in {} s", outcome.len(), start.elapsed().as_secs());
    for (pattern, reason) in &skipped {
        let count = outcome.iter().filter(|(name, _)| name.contains(pattern)).count();
        println!("pkd: {count} with `{pattern}` in their name are skipped: {reason}");
    }
    let complaints = cases::complaints(&outcome, &skipped);
    ensure!(complaints.is_empty(), "{}\nlogs are below {}", complaints.join("\n"), work.display());
    Ok(())
}

/// What is ours of the suite.
fn directory() -> PathBuf {
    workspace::root().join("conformance/pkd")
}
