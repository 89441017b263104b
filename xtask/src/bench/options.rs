//! The command line of `cargo xtask bench`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use lexopt::Arg::{Long, Short};
use lexopt::ValueExt as _;

use super::ciphers::{CIPHER_SETS, CipherSet};
use super::clients::{CLIENTS, Client};
use super::metrics::{METRICS, Metric, Sizes};

/// What to measure and how often.
pub(crate) struct Options {
    pub(crate) runs: usize,
    pub(crate) sizes: &'static Sizes,
    pub(crate) clients: Vec<&'static Client>,
    pub(crate) ciphers: Vec<&'static CipherSet>,
    pub(crate) metrics: Vec<&'static Metric>,
    /// Where the binaries are; built first when it is not given.
    pub(crate) binaries: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
    /// Everything at full size: only such a run replaces the published results.
    pub(crate) complete: bool,
}

impl Options {
    /// `None` when help was asked for.
    pub(crate) fn parse(args: Vec<OsString>) -> Result<Option<Self>> {
        let mut options = Self {
            runs: 5,
            sizes: &Sizes::FULL,
            clients: CLIENTS.to_vec(),
            ciphers: CIPHER_SETS.iter().collect(),
            metrics: METRICS.iter().collect(),
            binaries: None,
            output: None,
            complete: true,
        };
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next()? {
            options.complete &= matches!(arg, Long("runs" | "output" | "binaries"));
            match arg {
                Long("runs") => options.runs = parser.value()?.parse()?,
                Long("quick") => options.sizes = &Sizes::QUICK,
                Long("clients") => {
                    options.clients =
                        select(&parser.value()?.string()?, CLIENTS.iter().copied(), |c| c.name)?;
                }
                Long("ciphers") => {
                    options.ciphers = select(&parser.value()?.string()?, CIPHER_SETS, |c| c.name)?;
                }
                Long("only") => options.metrics = select(&parser.value()?.string()?, METRICS, |m| m.name)?,
                Long("binaries") => options.binaries = Some(parser.value()?.into()),
                Long("output") => options.output = Some(parser.value()?.into()),
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        ensure!(options.runs > 0, "--runs must be at least 1");
        Ok(Some(options))
    }
}

pub(crate) fn help() -> String {
    let names = |names: Vec<&str>| names.join(",");
    format!(
        "\
usage: cargo xtask bench [OPTION]…
       cargo xtask bench component           the component beside the tunnel that it is made of
       cargo xtask bench outages [OPTION]…   the same outages for Underpass and for autossh
       cargo xtask bench scale               many connections at once, and many one after the other
       cargo xtask bench sealing             each pair of cipher and MAC beside OpenSSL's primitives
  --runs N          measure everything N times and take medians (default 5)
  --quick           small amounts, for a first look
  --clients LIST    of {clients}
  --ciphers LIST    of {ciphers}
  --only LIST       of {metrics}
  --binaries DIR    take `underpass` and `testkit` from DIR instead of building them
  --output FILE     where the table goes (default bench/RESULTS.md; when quick or partial,
                    bench/RESULTS.md under the target directory)",
        clients = names(CLIENTS.iter().map(|client| client.name).collect()),
        ciphers = names(CIPHER_SETS.iter().map(|ciphers| ciphers.name).collect()),
        metrics = names(METRICS.iter().map(|metric| metric.name).collect()),
    )
}

/// Picks the named items out of `all`, in the order of `all`; an unknown name is an error.
fn select<T>(
    list: &str,
    all: impl IntoIterator<Item = T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<Vec<T>> {
    let mut wanted: Vec<&str> = list.split(',').collect();
    let mut known = Vec::new();
    let mut selected = Vec::new();
    for item in all {
        known.push(name(&item));
        if wanted.contains(&name(&item)) {
            wanted.retain(|wanted| *wanted != name(&item));
            selected.push(item);
        }
    }
    if let Some(unknown) = wanted.first() {
        bail!("`{unknown}` is none of {}", known.join(", "));
    }
    Ok(selected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let args = line.split_whitespace().map(OsString::from).collect();
        Options::parse(args).map(|options| options.expect("no help asked for"))
    }

    #[test]
    fn without_options_everything_is_measured_five_times() {
        let options = parse("").unwrap();
        assert_eq!((options.runs, options.clients.len(), options.metrics.len()), (5, 4, METRICS.len()));
        assert!(options.complete);
    }

    #[test]
    fn a_selection_keeps_the_order_of_the_table() {
        let options = parse("--clients plain,ssh --only latency").unwrap();
        assert_eq!(options.clients.iter().map(|client| client.name).collect::<Vec<_>>(), ["ssh", "plain"]);
        assert!(!options.complete);
    }

    #[test]
    fn an_unknown_name_is_named_with_the_known_ones() {
        let error = parse("--ciphers aes-gcm,rot13").err().unwrap().to_string();
        assert!(error.contains("`rot13`") && error.contains("chacha"), "{error}");
    }

    #[test]
    fn a_quick_run_does_not_count_as_complete() {
        assert!(!parse("--quick").unwrap().complete);
        assert!(parse("--runs 9").unwrap().complete);
    }
}
