//! Files of ssh_config come to the same settings as with OpenSSH.

use underpass_conformance::settings::{Case, compare, generated, handwritten};
use underpass_conformance::{Failure, Result};

#[test]
fn files_that_people_wrote() -> Result<()> {
    same(&handwritten()?)
}

#[test]
fn files_that_nobody_would_write() -> Result<()> {
    same(&seeds())
}

#[test]
fn the_files_have_more_than_a_thousand_lines() -> Result<()> {
    let lines = |cases: &[Case]| cases.iter().map(|case| case.text.lines().count()).sum::<usize>();
    let (by_hand, by_seed) = (lines(&handwritten()?), lines(&seeds()));
    assert!(by_hand >= 200, "{by_hand} lines by hand");
    assert!(by_hand + by_seed > 1000, "{by_hand} lines by hand, {by_seed} by seed");
    Ok(())
}

/// Shows all cases that differ, not only the first one.
fn same(cases: &[Case]) -> Result<()> {
    let differences: Vec<String> =
        cases.iter().filter_map(|case| compare(case).err()).map(|failure| failure.to_string()).collect();
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(differences.join("\n"))),
    }
}

fn seeds() -> Vec<Case> {
    (0..SEEDS).map(generated).collect()
}

/// Each file has some thirty lines and is asked five times of both programs, which takes a tenth of a second.
const SEEDS: u64 = 60;
