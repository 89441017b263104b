//! `cargo xtask fips`: the tests that need OpenSSL's FIPS provider. Debian leaves it out of its packages, so it is built
//! from Debian's source, and set up as its administrator would.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::debian::{self, succeed};
use crate::workspace;

/// The targets of cargo whose ignored tests are those that need it.
const TESTS: &[&str] = &["openssl", "fips"];

/// Runs them. An argument is the path of OpenSSL's source.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.len() <= 1, "usage: cargo xtask fips [SOURCE OF OPENSSL]");
    let start = Instant::now();
    let work = workspace::target().join("fips");
    fs::create_dir_all(&work)?;
    let source = match args.first() {
        Some(path) => PathBuf::from(path),
        None => debian::source("openssl", "providers/fips", &work)?,
    };
    let module = build(&source)?;
    let place = work.join("place");
    let configuration = set_up(&module, &place)?;
    println!("fips: the provider is ready after {} s", start.elapsed().as_secs());
    test(&configuration, &place)
}

/// The provider and nothing else of OpenSSL: about a minute, once.
fn build(source: &Path) -> Result<PathBuf> {
    let module = source.join("providers/fips.so");
    if module.exists() {
        return Ok(module);
    }
    succeed(Command::new("./Configure").args(OPTIONS).current_dir(source))?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    // Headers are made first: the provider's own rule does not ask for them.
    for target in ["build_generated", "providers/fips.so"] {
        let mut make = Command::new("make");
        succeed(make.args(["--silent", &format!("--jobs={jobs}"), target]).current_dir(source))?;
    }
    Ok(module)
}

/// What `openssl fipsinstall` does, which tests the provider and notes down that it did; and a configuration around that.
fn set_up(module: &Path, place: &Path) -> Result<PathBuf> {
    fs::create_dir_all(place)?;
    let (installed, noted) = (place.join("fips.so"), place.join("fipsmodule.cnf"));
    fs::copy(module, &installed)?;
    let mut install = Command::new("openssl");
    install
        .args(["fipsinstall", "-provider_name", "fips", "-module"])
        .arg(&installed)
        .arg("-out")
        .arg(&noted);
    succeed(&mut install)?;
    let configuration = place.join("openssl.cnf");
    let text = format!(
        "openssl_conf = init\n.include {}\n[init]\nproviders = providers\n[providers]\nfips = fips_sect\nbase = base_sect\n\
         [base_sect]\nactivate = 1\n",
        noted.display()
    );
    fs::write(&configuration, text)?;
    Ok(configuration)
}

/// The tests know where the provider is by the variables that OpenSSL has for that; cargo itself does not.
fn test(configuration: &Path, place: &Path) -> Result<()> {
    for target in TESTS {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, value) in [("OPENSSL_CONF", configuration), ("OPENSSL_MODULES", place)] {
            cargo.arg("--config").arg(format!("env.{name}={:?}", value.to_string_lossy()));
        }
        cargo.args(["test", "--workspace", "--test", target, "--", "--ignored"]);
        let output = cargo.current_dir(workspace::root()).output().context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&output.stdout);
        print!("{said}");
        ensure!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
        ensure!(passed(&said) > 0, "{target}: no test ran");
    }
    Ok(())
}

/// How many tests passed, as the harness says at the end.
fn passed(said: &str) -> usize {
    let ends = said.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    ends.filter_map(|end| end.split_once(" passed")?.0.parse::<usize>().ok()).sum()
}

const OPTIONS: [&str; 4] = ["enable-fips", "no-tests", "no-legacy", "no-engine"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_were_left_out_did_not_pass() {
        let end = |passed| {
            format!("running {passed} tests\ntest result: ok. {passed} passed; 0 failed; 3 ignored\n")
        };
        assert_eq!(passed(&[end(0), end(21)].concat()), 21);
        assert_eq!(passed(&end(0)), 0);
        assert_eq!(passed("test result: FAILED. 20 passed; 1 failed\n"), 0);
    }
}
