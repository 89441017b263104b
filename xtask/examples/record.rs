//! What `cargo xtask record` runs: a transcript for each algorithm, with a server that proves it.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("crates/proto/tests/transcripts");
    let wanted = std::env::args().nth(1).unwrap_or_default();
    match underpass_conformance::record::all(&directory, &wanted) {
        Ok(files) => {
            println!("{} transcripts in {}", files.len(), directory.display());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
