//! The Python environment in which asyncssh, one of the peers, runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// Makes `venv` under the target directory and installs what the conformance tests list. Does nothing when that
/// was done already for the same list.
pub(super) fn prepare() -> Result<()> {
    let requirements = workspace::root().join("conformance/peers/requirements.txt");
    let wanted =
        fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let venv = workspace::target().join("venv");
    let installed = venv.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), venv.as_ref()])
        .context("cannot make a virtual environment; on Debian: apt-get install python3-venv")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"].map(Path::new);
    run(&venv.join("bin/python"), &[&pip[..], &[&requirements]].concat())
        .context("cannot install the Python packages")?;
    // Written last: an installation that was cut off is begun anew.
    fs::write(installed, wanted)?;
    Ok(())
}

fn run(program: &Path, args: &[&Path]) -> Result<()> {
    let status = Command::new(program)
        .args(args)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(status.success(), "{} ended with {status}", program.display());
    Ok(())
}
