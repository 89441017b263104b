//! `ProxyCommand`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use underpass_conformance::{Failure, Result};
use underpass_testkit::target::Target;

use crate::bed::{Bed, PATIENCE};

#[test]
fn a_program_carries_the_connection_and_is_told_where_to() -> Result<()> {
    let bed = Bed::new()?;
    bed.carries(bed.client()?.option("ProxyCommand", "nc %h %p"))?;
    // The shell's own words work, and a name is passed as it is.
    let command = format!("sh -c 'echo %r %n %%h > {}; exec nc 127.0.0.1 %p'", bed.path("told").display());
    bed.carries(bed.client()?.host("no-such-host.invalid").option("ProxyCommand", command))?;
    assert_eq!(fs::read_to_string(bed.path("told"))?, "tess no-such-host.invalid %h\n");
    Ok(())
}

#[test]
fn a_program_that_does_not_start_or_ends_at_once_is_blamed() -> Result<()> {
    let bed = Bed::new()?;
    let cases = [
        ("/no/such/program %h", "127"),
        ("true", "ended"),
        ("sh -c 'exit 3'", "3"),
        ("sh -c 'kill $$'", "signal"),
    ];
    for (command, words) in cases {
        bed.fails_at(bed.client()?.option("ProxyCommand", command), "command", &[words])?;
    }
    Ok(())
}

#[test]
fn a_program_that_hangs_is_killed_at_the_deadline() -> Result<()> {
    let bed = Bed::new()?;
    let file = bed.path("pid");
    let command = format!("sh -c 'echo $$ > {}; exec sleep 1000'", file.display());
    let client = bed.client()?.option("ProxyCommand", command).option("ConnectTimeout", "2");
    let outcome = client.forward("127.0.0.1:1").run(PATIENCE)?;
    outcome.failed_with(&[TIMEOUT])?;
    ends(&file)
}

#[test]
fn a_program_ends_with_the_tunnel() -> Result<()> {
    let (bed, echo) = (Bed::new()?, Target::Echo.start()?);
    let file = bed.path("pid");
    let command = format!("sh -c 'echo $$ > {}; exec nc %h %p'", file.display());
    let session = bed.client()?.option("ProxyCommand", command).forward(echo.address()).start()?;
    assert!(runs(&file)?);
    session.stop(PATIENCE)?;
    ends(&file)
}

fn runs(file: &Path) -> Result<bool> {
    let pid: u32 = fs::read_to_string(file)?.trim().parse()?;
    // One that has ended, and that nobody has asked about yet, is a zombie.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    Ok(stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z")))
}

fn ends(file: &Path) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while runs(file)? {
        if Instant::now() > end {
            return Err(Failure::new("the program outlives the tunnel"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

const TIMEOUT: i32 = 4;
