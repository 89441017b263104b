//! `cargo xtask bench python`: the Python package beside what one would use instead.

use std::ffi::{OsStr, OsString};

use anyhow::Result;

use super::{binaries, clients::UNDERPASS_BINARY};
use crate::suite::{package, python};
use crate::workspace;

/// Builds everything as it is released, and has `bench/python/compare.py` measure it. `--quick` leaves the published
/// figures alone.
pub(super) fn run(args: &[OsString]) -> Result<()> {
    let command = binaries(None, &[&UNDERPASS_BINARY])?.join(UNDERPASS_BINARY.name);
    let interpreter = package::released("python-bench", "bench/python/requirements.txt")?;
    let root = workspace::root();
    let (script, output) = (root.join("bench/python/compare.py"), root.join("bench/PYTHON.md"));
    let mut words = vec![script.as_os_str(), command.as_os_str()];
    if args.is_empty() {
        words.extend([OsStr::new("--output"), output.as_os_str()]);
    }
    python::run(&interpreter, words.into_iter().chain(args.iter().map(OsString::as_os_str)))
}
