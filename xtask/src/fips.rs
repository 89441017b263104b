//! `cargo xtask fips`: the tests that need OpenSSL's FIPS provider. Debian leaves it out of its packages, so it is built
//! from Debian's source, and set up as its administrator would.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::debian::{self, succeed};
use crate::workspace;

/// The targets of cargo whose ignored tests are those that need it; some are of two packages.
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

/// The tests know where the provider is by the variables that OpenSSL has for that. Cargo is not given them: it would build
/// everything anew.
fn test(configuration: &Path, place: &Path) -> Result<()> {
    let executables = executables()?;
    for name in TESTS {
        let found: Vec<_> = executables.iter().filter(|built| built.target == *name).collect();
        ensure!(!found.is_empty(), "there is no test {name}");
        for Built { package, executable, .. } in found {
            let mut tests = Command::new(executable);
            tests.arg("--ignored").current_dir(package);
            tests.env("OPENSSL_CONF", configuration).env("OPENSSL_MODULES", place);
            let output = tests.output().with_context(|| format!("cannot start {name}"))?;
            let said = String::from_utf8_lossy(&output.stdout);
            print!("{said}");
            ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            ensure!(passed(&said) > 0, "{name}: no test ran");
        }
    }
    Ok(())
}

/// A target that is a test.
struct Built {
    target: String,
    /// The directory of its package, in which cargo would run it.
    package: PathBuf,
    executable: PathBuf,
}

/// All of them.
fn executables() -> Result<Vec<Built>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"]);
    let output = cargo.current_dir(workspace::root()).output().context("cannot start cargo")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    let built = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let target = &message["target"];
        let executable = message["executable"].as_str().filter(|_| target["kind"][0] == "test")?;
        let package = Path::new(message["manifest_path"].as_str()?).parent()?;
        Some(Built {
            target: target["name"].as_str()?.to_owned(),
            package: package.to_owned(),
            executable: executable.into(),
        })
    };
    Ok(lines.lines().filter_map(built).collect())
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
