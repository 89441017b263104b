//! `cargo xtask bench`: Underpass, `ssh -L` and two relays side by side, in one run on loopback.
//!
//! `bench/README.md` says what each figure means.

mod bed;
mod ciphers;
mod clients;
mod component;
mod load;
mod machine;
mod metrics;
mod options;
mod outages;
mod process;
mod python;
mod report;
mod samples;
mod scale;
mod scratch;
mod sealing;
mod sshd;
mod stats;
mod target;
mod unpaced;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use bed::Bed;
use clients::{Binary, Running, TESTKIT_BINARY};
use metrics::Metric;
use options::Options;
use samples::{Entrant, Samples};

use crate::workspace;

/// Runs the benchmark, or one of the helper processes that it starts itself.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    match args.first().and_then(|arg| arg.to_str()) {
        Some("hold") => return process::hold(&args[1..]),
        Some("target") => return target::run(),
        Some("outages") => return outages::run(args),
        Some("python") => return python::run(&args[1..]),
        Some("scale") => return scale::run(args),
        Some("component") => return component::run(&args),
        Some("sealing") => return sealing::run(&args),
        _ => {}
    }
    let command_line = command_line(&args);
    let Some(options) = Options::parse(args)? else {
        println!("{}", options::help());
        return Ok(());
    };
    compare(&options, &command_line)
}

fn compare(options: &Options, command_line: &str) -> Result<()> {
    let binaries = binaries(options.binaries.as_deref(), &needed(options))?;
    process::raise_file_limit(4 * options.sizes.idle as u64)?;
    let bed = Bed::new(binaries)?;
    let samples = measure(options, &bed);
    let tables = report::tables(&samples, &options.ciphers, &options.metrics);
    println!("{tables}");

    let machine = machine::describe(options.runs, command_line);
    let output = output(options);
    if let Some(directory) = output.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&output, format!("{PREAMBLE}\n{machine}\n{}\n", tables.trim_end()))
        .with_context(|| format!("cannot write {}", output.display()))?;
    eprintln!("written to {}", output.display());
    ensure!(samples.failures.is_empty(), "{} measurements failed", samples.failures.len());
    Ok(())
}

/// Measures all entrants in turn, then all again: what disturbs the machine for a while disturbs all alike.
fn measure(options: &Options, bed: &Bed) -> Samples {
    let entrants = Entrant::all(&options.clients, &options.ciphers);
    let mut samples = Samples::default();
    for metric in &options.metrics {
        for run in 1..=options.runs {
            for entrant in &entrants {
                let title = entrant.title();
                match measure_one(options, bed, metric, entrant) {
                    Ok(values) => {
                        eprintln!(
                            "{} {run}/{}, {title}: {}",
                            metric.name,
                            options.runs,
                            shown(metric, &values)
                        );
                        samples.add(metric, entrant, &values);
                    }
                    Err(error) => {
                        let failure = format!("{}, run {run}, {title}: {error:#}", metric.name);
                        eprintln!("{failure}");
                        samples.failures.push(failure);
                    }
                }
            }
        }
    }
    samples
}

/// Every figure comes from a fresh process of the client.
fn measure_one(options: &Options, bed: &Bed, metric: &Metric, entrant: &Entrant) -> Result<Vec<f64>> {
    let client = Running::start(bed, entrant.client, entrant.ciphers, metric.delay)?;
    (metric.measure)(bed, &client, options.sizes)
        .with_context(|| format!("it said: {}", client.process.last_words()))
}

fn shown(metric: &Metric, values: &[f64]) -> String {
    let values = metric.figures.iter().zip(values);
    let words = values.map(|(figure, value)| format!("{value:.*} {}", figure.digits, figure.unit));
    words.collect::<Vec<_>>().join(", ")
}

fn needed(options: &Options) -> Vec<&'static Binary> {
    let mut needed: Vec<_> = options.clients.iter().filter_map(|client| client.binary).collect();
    if options.metrics.iter().any(|metric| !metric.delay.is_zero()) {
        needed.push(&TESTKIT_BINARY);
    }
    needed
}

/// The directory of these binaries: the given one, or that of a release build made now.
fn binaries(given: Option<&Path>, needed: &[&Binary]) -> Result<PathBuf> {
    let directory = match given {
        Some(directory) => std::path::absolute(directory)?,
        None => {
            let packages = needed.iter().flat_map(|binary| ["-p", binary.package]);
            workspace::cargo(&["build", "--release"].into_iter().chain(packages).collect::<Vec<_>>())?;
            workspace::target().join("release")
        }
    };
    for binary in needed {
        ensure!(directory.join(binary.name).exists(), "{} is not in {}", binary.name, directory.display());
    }
    Ok(directory)
}

fn output(options: &Options) -> PathBuf {
    let published = if options.complete { workspace::root().to_owned() } else { workspace::target() };
    options.output.clone().unwrap_or_else(|| published.join("bench").join("RESULTS.md"))
}

fn command_line(args: &[OsString]) -> String {
    let args = args.iter().map(|arg| arg.to_string_lossy());
    ["cargo".into(), "xtask".into(), "bench".into()].into_iter().chain(args).collect::<Vec<_>>().join(" ")
}

const PREAMBLE: &str = "\
# Results

Written by `cargo xtask bench`; [README.md](README.md) says what each figure means and how it is measured.
Ratios divide Underpass by the other; the goals are for the ratio to `ssh -L` with aes128-gcm@openssh.com.
";
