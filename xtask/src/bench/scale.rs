//! `cargo xtask bench scale`: many connections at once, and many one after the other.

use std::ffi::OsString;
use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::bed::Bed;
use super::ciphers::CIPHER_SETS;
use super::clients::{Client, Running, SSH, UNDERPASS, UNDERPASS_BINARY};
use super::load::{Echo, parallel};
use super::process::{Process, raise_file_limit};
use super::{binaries, machine, report, stats};
use crate::workspace;

/// The programs under comparison, in the order of the columns.
const CLIENTS: [&Client; 2] = [UNDERPASS, SSH];

/// Connections open at the same time. OpenSSH has room for about ten more.
const OPEN: usize = 10_000;

/// Those that carry data.
const BUSY: usize = 100;

/// Threads that each have a share of the busy ones.
const LOAD: usize = 4;

/// How many connections are opened, and looked at in the end, at a time; a divisor of the numbers above and of their difference.
const OPENING: usize = 100;

/// How long they carry data.
const WINDOW: Duration = Duration::from_secs(10);

/// Connections opened and closed.
const CYCLES: usize = 100_000;

/// As many at a time.
const AT_A_TIME: usize = 8;

/// Lets the client finish what it does after the last byte.
const SETTLE: Duration = Duration::from_secs(1);

/// A row of the table, a value for each client.
struct Row {
    title: &'static str,
    digits: usize,
    values: Vec<f64>,
}

/// What each client has measured, in order.
type Figures = Vec<(&'static str, usize, f64)>;

pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.len() == 1, "usage: cargo xtask bench scale");
    // Inherited by whatever is started from here on.
    raise_file_limit(2 * OPEN as u64)?;
    let bed = Bed::new(binaries(None, &[&UNDERPASS_BINARY])?)?;
    let mut rows: Vec<Row> = Vec::new();
    for client in CLIENTS {
        let mut figures = at_once(&bed, client).with_context(|| format!("{} at once", client.title))?;
        figures.extend(in_turn(&bed, client).with_context(|| format!("{} in turn", client.title))?);
        for (at, (title, digits, value)) in figures.into_iter().enumerate() {
            eprintln!("{}: {title}: {value:.digits$}", client.title);
            match rows.get_mut(at) {
                Some(row) => row.values.push(value),
                None => rows.push(Row { title, digits, values: vec![value] }),
            }
        }
    }
    let table = table(&rows);
    println!("{table}");
    let facts = machine::describe(1, &super::command_line(&args));
    let output = workspace::root().join("bench").join("SCALE.md");
    fs::write(&output, format!("{PREAMBLE}\n{facts}\n{}\n", table.trim_end()))
        .with_context(|| format!("cannot write {}", output.display()))?;
    eprintln!("written to {}", output.display());
    Ok(())
}

fn start(bed: &Bed, client: &Client) -> Result<Running> {
    let running = Running::start(bed, client, Some(&CIPHER_SETS[0]), Duration::ZERO)?;
    thread::sleep(SETTLE);
    Ok(running)
}

/// Many idle connections, and traffic on a few of them.
fn at_once(bed: &Bed, client: &Client) -> Result<Figures> {
    let running = start(bed, client)?;
    let before = running.process.resident()?;
    let mut open = connect(&running, BUSY)?;
    let alone = trips(&mut open)?;
    open.extend(connect(&running, OPEN - BUSY)?);
    thread::sleep(SETTLE);
    let grown = running.process.resident()?.saturating_sub(before) as f64 / OPEN as f64;
    let among_many = trips(&mut open[..BUSY])?;
    let lost = lost(&mut open);
    let micros = |trips: &[Duration], share| stats::percentile(trips, share).as_secs_f64() * 1e6;
    Ok(vec![
        ("memory per connection, 10,000 open (KiB)", 1, grown / 1024.0),
        ("round trip, 100 busy of 100, p50 (µs)", 0, micros(&alone, 0.50)),
        ("round trip, 100 busy of 100, p99 (µs)", 0, micros(&alone, 0.99)),
        ("round trip, 100 busy of 10,000, p50 (µs)", 0, micros(&among_many, 0.50)),
        ("round trip, 100 busy of 10,000, p99 (µs)", 0, micros(&among_many, 0.99)),
        ("connections lost of 10,000", 0, lost as f64),
    ])
}

/// Opens so many, several at a time: sshd looks at all of them for each byte, and then serves several in one go.
fn connect(running: &Running, count: usize) -> Result<Vec<Echo>> {
    let (address, open) = (running.address, Mutex::new(Vec::with_capacity(count)));
    parallel(OPENING, || {
        for _ in 0..count / OPENING {
            let echo = Echo::open(address)?;
            open.lock().expect("no thread panics while it holds the lock").push(echo);
        }
        Ok(())
    })?;
    Ok(open.into_inner().expect("no thread panics while it holds the lock"))
}

/// Round trips over all of these connections, some at a time, sorted.
fn trips(open: &mut [Echo]) -> Result<Vec<Duration>> {
    let share = open.len().div_ceil(LOAD);
    let end = Instant::now() + WINDOW;
    let one_share = move |echoes: &mut [Echo]| -> Result<Vec<Duration>> {
        let mut trips = Vec::new();
        while Instant::now() < end {
            for echo in &mut *echoes {
                trips.push(echo.trip()?);
            }
        }
        Ok(trips)
    };
    let mut trips = thread::scope(|scope| {
        let running: Vec<_> =
            open.chunks_mut(share).map(|part| scope.spawn(move || one_share(part))).collect();
        let parts =
            running.into_iter().map(|thread| thread.join().expect("load threads return their errors"));
        parts.collect::<Result<Vec<_>>>().map(|parts| parts.concat())
    })?;
    trips.sort_unstable();
    Ok(trips)
}

/// Many connections one after the other: what is left of them.
fn in_turn(bed: &Bed, client: &Client) -> Result<Figures> {
    let running = start(bed, client)?;
    let address = running.address;
    let cycles = || (0..CYCLES / 10 / AT_A_TIME).try_for_each(|_| Echo::open(address).map(drop));
    let tenth = || parallel(AT_A_TIME, cycles);
    tenth()?;
    let first = Left::of(&running.process)?;
    (1..10).try_for_each(|_| tenth())?;
    let last = Left::of(&running.process)?;
    Ok(vec![
        ("memory after 10,000 connections (MiB)", 2, first.memory),
        ("memory after 100,000 connections (MiB)", 2, last.memory),
        ("descriptors after 10,000 connections", 0, first.descriptors),
        ("descriptors after 100,000 connections", 0, last.descriptors),
        ("threads after 10,000 connections", 0, first.threads),
        ("threads after 100,000 connections", 0, last.threads),
    ])
}

/// How many of these connections carry nothing any more.
fn lost(open: &mut [Echo]) -> usize {
    let share = open.len().div_ceil(OPENING);
    let of_share = |echoes: &mut [Echo]| echoes.iter_mut().filter_map(|echo| echo.trip().err()).count();
    thread::scope(|scope| {
        let running: Vec<_> =
            open.chunks_mut(share).map(|part| scope.spawn(move || of_share(part))).collect();
        running.into_iter().map(|thread| thread.join().expect("counting does not panic")).sum()
    })
}

/// What a process holds while nothing is open.
struct Left {
    memory: f64,
    descriptors: f64,
    threads: f64,
}

impl Left {
    fn of(process: &Process) -> Result<Self> {
        thread::sleep(SETTLE);
        Ok(Self {
            memory: process.resident()? as f64 / f64::from(1 << 20),
            descriptors: process.descriptors()? as f64,
            threads: process.threads()? as f64,
        })
    }
}

fn table(rows: &[Row]) -> String {
    let cells: Vec<[String; 4]> = rows
        .iter()
        .map(|Row { title, digits, values }| {
            let cell =
                |at: usize| values.get(at).map(|value| format!("{value:.digits$}")).unwrap_or_default();
            let ratio = match values[..] {
                [ours, theirs] if theirs > 0.0 => format!("{:.2}", ours / theirs),
                _ => report::NOTHING.to_owned(),
            };
            [(*title).to_owned(), cell(0), cell(1), ratio]
        })
        .collect();
    report::markdown(&["figure", CLIENTS[0].title, CLIENTS[1].title, "to ssh"], &cells)
}

const PREAMBLE: &str = "\
# Scale

Written by `cargo xtask bench scale`; [README.md](README.md#scale) says what each figure means.
";
