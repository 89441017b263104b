//! Project automation: `cargo xtask COMMAND`.

mod bench;
mod debian;
mod fips;
mod interop;
mod pkd;
mod record;
mod soak;
mod suite;
mod tidy;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

type Run = fn(Vec<OsString>) -> anyhow::Result<()>;

/// Name, what it does, and the function that does it.
const COMMANDS: &[(&str, &str, Run)] = &[
    ("bench", "Compare Underpass with `ssh -L` and with plain relays", bench::run),
    ("fips", "Build OpenSSL's FIPS provider, and run the tests that need it", fips::run),
    ("interop", "Prove each algorithm with servers that are not ours", interop::run),
    ("pkd", "Run libssh's suite for clients", pkd::run),
    ("python", "Build, install and test the Python package", suite::package::run_all),
    ("record", "Record the transcripts that the engine's tests say again", record::run),
    ("soak", "Carry a gigabyte through each family of algorithms while keys are renewed", soak::run),
    ("test", "Set up what the tests need, and run all of them", suite::run),
    ("tidy", "Check what rustfmt and clippy do not", tidy::run),
];

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let name = args.next().unwrap_or_default();
    let Some((_, _, run)) = COMMANDS.iter().find(|(known, ..)| name == *known) else {
        eprintln!("usage: cargo xtask COMMAND");
        for (name, purpose, _) in COMMANDS {
            eprintln!("  {name:<8} {purpose}");
        }
        return ExitCode::from(2);
    };
    match run(args.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
