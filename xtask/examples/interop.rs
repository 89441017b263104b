//! What `cargo xtask interop` runs: each algorithm against each server that has it, as a printed matrix.
//!
//! An example, because a dev-dependency does not make every `cargo xtask` wait for the library to compile.

use std::process::ExitCode;

fn main() -> ExitCode {
    let table = underpass_conformance::interop::run();
    println!("{table}");
    if table.is_proven() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
