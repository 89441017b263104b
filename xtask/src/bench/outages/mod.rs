//! `cargo xtask bench outages`: the same outages for Underpass and for autossh, in one run.

mod fault;
mod keeper;
mod watch;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lexopt::Arg::{Long, Short};

use self::fault::{FAULTS, Fault};
use self::keeper::{KEEPERS, Keeper};
use self::watch::{Outage, Watch};
use super::bed::Bed;
use super::clients::{TESTKIT_BINARY, UNDERPASS_BINARY};
use super::process::Process;
use super::{binaries, machine, report};
use crate::workspace;

/// What stands between the programs under comparison and the target, and can break.
pub(crate) struct Scene {
    // Processes before the directory that they log to.
    relay: Process,
    bed: Bed,
}

impl Scene {
    /// Tells the relay something; gives the number of connections that it has accepted so far.
    fn tell(&mut self, what: &str) -> Result<u64> {
        Ok(self.relay.ask(what, PATIENCE)?.parse()?)
    }
}

pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    let Some((runs, command_line)) = options(args)? else {
        println!("usage: cargo xtask bench outages [--runs N]\n{HELP}");
        return Ok(());
    };
    let autossh = machine::said_by("autossh", &["-V"]);
    ensure!(autossh.starts_with("autossh"), "autossh is missing; install Debian's autossh");
    let directory = binaries(None, &[&UNDERPASS_BINARY, &TESTKIT_BINARY])?;
    // For each fault and keeper, in order.
    let mut outages: Vec<Vec<Outage>> =
        FAULTS.iter().flat_map(|_| KEEPERS.iter().map(|_| Vec::new())).collect();
    for run in 1..=runs {
        let pairs = FAULTS.iter().flat_map(|fault| KEEPERS.iter().map(move |keeper| (fault, keeper)));
        for ((fault, keeper), outages) in pairs.zip(&mut outages) {
            let outage = measure(directory.clone(), fault, keeper)
                .with_context(|| format!("{}, {}, run {run}", fault.title, keeper.title))?;
            eprintln!("{}, {run}/{runs}, {}: {outage:?}", fault.title, keeper.title);
            outages.push(outage);
        }
    }
    let table = table(&outages);
    println!("{table}");
    let facts = machine::describe(runs, &command_line);
    let output = workspace::root().join("bench").join("OUTAGES.md");
    fs::write(&output, format!("{PREAMBLE}\n{facts}- autossh: {autossh}\n\n{}\n", table.trim_end()))
        .with_context(|| format!("cannot write {}", output.display()))?;
    eprintln!("written to {}", output.display());
    Ok(())
}

fn options(args: Vec<OsString>) -> Result<Option<(usize, String)>> {
    let mut runs = 3;
    // The first one is the name of this benchmark.
    let mut parser = lexopt::Parser::from_args(args.iter().skip(1));
    while let Some(arg) = parser.next()? {
        match arg {
            Long("runs") => runs = lexopt::ValueExt::parse(&parser.value()?)?,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(runs > 0, "--runs must be at least 1");
    Ok(Some((runs, super::command_line(&args))))
}

/// One outage, with fresh processes.
fn measure(directory: PathBuf, fault: &Fault, keeper: &Keeper) -> Result<Outage> {
    let bed = Bed::new(directory)?;
    let (relay, address) = bed.relay("cutting-relay", bed.sshd.address, &[])?;
    let mut scene = Scene { relay, bed };
    let mut running = keeper.start(&scene.bed, address)?;
    // The keeper is past whatever it treats a fresh connection differently for.
    thread::sleep(SETTLE);
    let before = scene.tell("count")?;
    let mut watch = Watch::start(running.address);
    (fault.breaks)(&mut scene)?;
    watch.began();
    watch.look_for(fault.lasts, &mut running);
    (fault.mends)(&mut scene)?;
    watch.ended();
    watch.look_until_served(&mut running)?;
    Ok(watch.outage(scene.tell("count")? - before))
}

fn table(outages: &[Vec<Outage>]) -> String {
    let mut rows = Vec::new();
    for (fault, of_fault) in FAULTS.iter().zip(outages.chunks(KEEPERS.len())) {
        for figure in FIGURES {
            let cell = |outages: &Vec<Outage>| {
                let values: Option<Vec<f64>> = outages.iter().map(figure.value).collect();
                values.map_or_else(
                    || report::NOTHING.to_owned(),
                    |values| report::value(&values, figure.digits),
                )
            };
            let mut cells = of_fault.iter().map(cell);
            let mut cell = || cells.next().unwrap_or_default();
            rows.push([format!("{}: {}", fault.title, figure.title), cell(), cell()]);
        }
    }
    report::markdown(&["", KEEPERS[0].title, KEEPERS[1].title], &rows)
}

struct Figure {
    title: &'static str,
    digits: usize,
    value: fn(&Outage) -> Option<f64>,
}

const FIGURES: &[Figure] = &[
    Figure { title: "noticed after (s)", digits: 2, value: |outage| Some(outage.noticed?.as_secs_f64()) },
    Figure {
        title: "first byte after its end (s)",
        digits: 2,
        value: |outage| Some(outage.back.as_secs_f64()),
    },
    Figure { title: "refused connections", digits: 0, value: |outage| Some(outage.refused as f64) },
    Figure { title: "lost connections", digits: 0, value: |outage| Some(outage.lost as f64) },
    Figure { title: "attempts at the server", digits: 0, value: |outage| Some(outage.attempts as f64) },
];

const HELP: &str = "  --runs N   have each outage N times and take medians (default 3)";

const PREAMBLE: &str = "\
# Outages

Written by `cargo xtask bench outages`; [README.md](README.md#outages) says what each figure means.
";

const PATIENCE: Duration = Duration::from_secs(10);

/// From the start to the outage.
const SETTLE: Duration = Duration::from_secs(2);
