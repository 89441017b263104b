//! `cargo xtask test`: sets up what the tests need, then runs every check and every test. All in the dev profile.

pub(crate) mod package;
mod peers;
pub(crate) mod python;

use std::ffi::OsString;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::workspace::cargo;
use crate::{fips, interop, pkd, tidy};

type Step = fn() -> Result<()>;

/// What is run, in this order: what fails fast comes first.
const STEPS: &[(&str, Step)] = &[
    ("peers", peers::check),
    ("python", python::prepare),
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", || tidy::run(Vec::new())),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("tests", tests),
    ("fips", || fips::run(Vec::new())),
    ("interop", || interop::run(Vec::new())),
    ("pkd", || pkd::run(Vec::new())),
    ("package", || package::run_all(Vec::new())),
];

/// Most tests wait for servers, for most of the time: two for each core.
fn tests() -> Result<()> {
    let threads = 2 * available_parallelism()?.get();
    cargo(&["test", "--workspace", "--", "--test-threads", &threads.to_string()])
}

/// Runs all steps and stops at the first that fails.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.is_empty(), "test takes no arguments; for a part of it use cargo test");
    let start = Instant::now();
    for (name, step) in STEPS {
        println!("xtask test: {name}");
        let start = Instant::now();
        step().with_context(|| format!("stopped at `{name}`"))?;
        println!("xtask test: {name} took {} s", start.elapsed().as_secs());
    }
    println!("xtask test: all {} steps passed in {} s", STEPS.len(), start.elapsed().as_secs());
    Ok(())
}
