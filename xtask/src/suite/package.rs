//! `cargo xtask python`: the Python package, built, installed and tested as its users have it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::python::{PIP, environment, run, run_in};
use crate::workspace;

/// Builds the wheel, installs it, and tests it. Arguments go to pytest.
pub(crate) fn run_all(args: Vec<OsString>) -> Result<()> {
    let venv = environment("python", "python/requirements-test.txt")?;
    let wheel = build(&venv, "dev", &["--features", "as-tested"]).context("cannot build the package")?;
    stands_alone(&wheel).context("the package is of no use by itself")?;
    install(&venv.join("bin/python"), &[], &wheel)?;
    let (sources, program) = (workspace::root().join("python"), |name| venv.join("bin").join(name));
    // The types of the package, and of programs that use it.
    run_in(&sources, &program("mypy"), ["underpass", "tests", "examples"])?;
    // Whether the native half is what its stub says; the other half is its own.
    run(&program("python"), ["-m", "mypy.stubtest", "underpass._native"])?;
    // Not as a module, which would find the sources instead of what is installed.
    run_in(&sources, &program("pytest"), [OsString::from("-q")].into_iter().chain(args))
}

/// An environment with the package as it is released, and what a file lists besides.
pub(crate) fn released(name: &str, requirements: &str) -> Result<PathBuf> {
    let tools = environment("python", "python/requirements-test.txt")?;
    let wheel = build(&tools, "wheel", &[]).context("cannot build the package")?;
    let python = environment(name, requirements)?.join("bin/python");
    install(&python, &[], &wheel)?;
    Ok(python)
}

/// With the profile `dev` and the feature `as-tested` it is made of what the other tests are made of.
fn build(venv: &Path, profile: &str, features: &[&str]) -> Result<PathBuf> {
    let target = workspace::target();
    let wheels = target.join("wheels");
    if wheels.exists() {
        fs::remove_dir_all(&wheels)?;
    }
    let words = ["build", "--quiet", "--profile", profile].map(OsStr::new).into_iter();
    let words = words.chain(features.iter().map(OsStr::new)).chain(["--interpreter".as_ref()]);
    let python = venv.join("bin/python");
    let words = words.chain([python.as_os_str()]);
    let words =
        words.chain(["--target-dir".as_ref(), target.as_os_str(), "--out".as_ref(), wheels.as_os_str()]);
    run_in(&workspace::root().join("python"), &venv.join("bin/maturin"), words)?;
    let built = fs::read_dir(&wheels)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    ensure!(built.len() == 1, "expected one wheel in {}", wheels.display());
    Ok(built.into_iter().next().expect("there is one"))
}

/// It needs nothing else: an environment with nothing but it has all of it.
fn stands_alone(wheel: &Path) -> Result<()> {
    let bare = workspace::target().join("python-bare");
    run(Path::new("python3"), ["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), bare.as_os_str()])?;
    let python = bare.join("bin/python");
    install(&python, &["--no-index"], wheel)?;
    run(
        &python,
        [
            "-W",
            "error",
            "-c",
            "import underpass, underpass.compat; print('underpass', underpass.__version__)",
        ],
    )
}

fn install(python: &Path, more: &[&str], wheel: &Path) -> Result<()> {
    let words = PIP.into_iter().chain(["--force-reinstall", "--no-deps"]).chain(more.iter().copied());
    run(python, words.map(OsStr::new).chain([wheel.as_os_str()]))
}
