//! `cargo xtask bench component`: how fast the component carries with no handler of data, beside the tunnel that it is
//! made of.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::stats::{median, spread};
use crate::workspace;

/// What the component may cost, as a share of the speed.
const GOAL: f64 = 0.95;

pub(crate) fn run(args: &[OsString]) -> Result<()> {
    ensure!(args.len() == 1, "usage: cargo xtask bench component");
    let runs = runs()?;
    println!("| direction | tunnel (MB/s) | component (MB/s) | ratio | |\n|---|---:|---:|---:|---|");
    for direction in ["up", "down"] {
        // The first is to warm up.
        let runs: Vec<&Run> = runs.iter().filter(|run| run.direction == direction).skip(1).collect();
        let of = |value: fn(&Run) -> f64| runs.iter().map(|run| value(run)).collect::<Vec<_>>();
        let ratios = of(|run| run.component / run.native);
        let middle = |values: &[f64]| median(values).context("the example has measured nothing");
        let (ratio, about) = (middle(&ratios)?, spread(&ratios).unwrap_or(0.0));
        let verdict = if ratio >= GOAL { "met" } else { "short" };
        println!(
            "| {direction} | {:.0} | {:.0} | {ratio:.2} ± {:.0} % | {verdict} |",
            middle(&of(|run| run.native))?,
            middle(&of(|run| run.component))?,
            100.0 * about
        );
    }
    Ok(())
}

/// One transfer through each.
#[derive(Debug, PartialEq)]
struct Run {
    direction: String,
    native: f64,
    component: f64,
}

/// What the example of the crate measures.
fn runs() -> Result<Vec<Run>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--release", "-p", "underpass-component", "--example", "throughput"]);
    let output = cargo.current_dir(workspace::root()).output().context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the example ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| read(line).with_context(|| format!("not a run: {line}"))).collect()
}

fn read(line: &str) -> Option<Run> {
    let mut fields = line.split('\t');
    let direction = fields.next()?.to_owned();
    Some(Run { direction, native: fields.next()?.parse().ok()?, component: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_example_is_read() {
        let run = Run { direction: "up".to_owned(), native: 1200.0, component: 1188.0 };
        assert_eq!(read("up\t1200\t1188"), Some(run));
        assert_eq!(read("up\t1200"), None);
    }
}
