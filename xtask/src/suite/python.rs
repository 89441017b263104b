//! Python environments below the target directory.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// Makes the one in which asyncssh, a peer of the conformance tests, runs.
pub(super) fn prepare() -> Result<()> {
    environment("venv", "conformance/peers/requirements.txt").map(drop)
}

/// Makes an environment of this name and installs what the file lists. Does nothing when that was done already for the
/// same list.
pub(super) fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let requirements = workspace::root().join(requirements);
    let wanted =
        fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let venv = workspace::target().join(name);
    let installed = venv.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(venv);
    }
    run(Path::new("python3"), ["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), venv.as_os_str()])
        .context("cannot make a virtual environment; on Debian: apt-get install python3-venv")?;
    let pip = PIP.map(OsStr::new).into_iter().chain(["-r".as_ref(), requirements.as_os_str()]);
    run(&venv.join("bin/python"), pip).context("cannot install the Python packages")?;
    // Written last: an installation that was cut off is begun anew.
    fs::write(installed, wanted)?;
    Ok(venv)
}

/// Runs a program in the workspace and fails when it does.
pub(crate) fn run(program: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<()> {
    run_in(workspace::root(), program, args)
}

/// The same in another directory.
pub(super) fn run_in(
    directory: &Path,
    program: &Path,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<()> {
    let status = Command::new(program)
        .args(args)
        .current_dir(directory)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(status.success(), "{} ended with {status}", program.display());
    Ok(())
}

pub(super) const PIP: [&str; 5] = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
