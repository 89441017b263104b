//! Where things are in the checkout, and how to run cargo in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The directory that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a member directory of the workspace")
}

/// The directory that cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The command, built as the tests are.
pub(crate) fn command() -> Result<PathBuf> {
    as_tested()?;
    Ok(target().join("debug/underpass"))
}

/// An example of this name, built as the tests are.
pub(crate) fn example(name: &str) -> Result<PathBuf> {
    as_tested()?;
    Ok(target().join("debug/examples").join(name))
}

/// Builds executables with the features that the tests of all packages need together. One package by itself has fewer, and
/// with them most of what it depends on would be built a second time.
fn as_tested() -> Result<()> {
    cargo(&["build", "--quiet", "--workspace", "--bins", "--examples"])
}

/// Runs cargo in the workspace and fails when it does.
pub(crate) fn cargo(args: &[&str]) -> Result<()> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(program).args(args).current_dir(root()).status().context("cannot start cargo")?;
    ensure!(status.success(), "cargo {} failed: {status}", args.join(" "));
    Ok(())
}
