//! Children that do not outlive the benchmark, and what the operating system says about them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Resource, Signal};

/// A running child. Dropping it kills and reaps it.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    /// Starts `program`; its standard error goes to a file in `scratch` that failures quote.
    ///
    /// Call it from a thread that lives as long as the child should: the kernel kills the child when that
    /// thread ends (PR_SET_PDEATHSIG).
    pub(crate) fn start<A: AsRef<OsStr>>(
        name: &str,
        program: &Path,
        args: impl IntoIterator<Item = A>,
        scratch: &Path,
    ) -> Result<Self> {
        let log = scratch.join(format!("{name}.log"));
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", "hold"])
            .arg(std::process::id().to_string())
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let input = child.stdin.take().expect("stdin was asked for as a pipe");
        let lines = read_lines(child.stdout.take().expect("stdout was asked for as a pipe"));
        Ok(Self { name: name.to_owned(), child, log, input, lines })
    }

    /// Writes a line to the child's standard input and returns the line that it answers.
    pub(crate) fn ask(&mut self, line: &str, patience: Duration) -> Result<String> {
        writeln!(self.input, "{line}").with_context(|| format!("{} does not listen", self.name))?;
        self.line(patience)
    }

    /// The next line on the child's standard output.
    pub(crate) fn line(&mut self, patience: Duration) -> Result<String> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => bail!("{} said nothing for {patience:?}", self.name),
            Err(RecvTimeoutError::Disconnected) => bail!("{} ended: {}", self.name, self.last_words()),
        }
    }

    /// The next line, if it is there already.
    pub(crate) fn line_so_far(&mut self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// Sends a signal to the children of the child, to theirs, and so on.
    pub(crate) fn signal_descendants(&self, signal: Signal) {
        for pid in self.descendants() {
            // It may have ended since it was found.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Sends a signal to the child and to its descendants.
    pub(crate) fn signal_all(&self, signal: Signal) {
        // Found while their parent is known.
        let descendants = self.descendants();
        for pid in [Pid::from_child(&self.child)].into_iter().chain(descendants) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// As proc_pid_task(5) lists them.
    fn descendants(&self) -> Vec<Pid> {
        let (mut found, mut looked_at) = (vec![self.child.id().to_string()], 0);
        while let Some(pid) = found.get(looked_at) {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            found.extend(children.split_whitespace().map(str::to_owned));
            looked_at += 1;
        }
        found[1..].iter().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }

    /// Waits until `ready` says so; an error when the child ends first or `patience` runs out.
    pub(crate) fn wait_until(&mut self, patience: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + patience;
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.last_words());
            }
            ensure!(Instant::now() < deadline, "{} was not ready within {patience:?}", self.name);
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// User and system time of all threads so far, those that ended included. The kernel counts it to the
    /// nanosecond and shows it in ticks, 10 ms as a rule.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .with_context(|| format!("{} is gone: {}", self.name, self.last_words()))?;
        let ticks = cpu_ticks(&stat).with_context(|| format!("cannot read {stat:?}"))?;
        Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
    }

    /// Resident memory in bytes. `smaps_rollup` walks the pages; `status` has a counter that may lag.
    pub(crate) fn resident(&self) -> Result<u64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))
            .with_context(|| format!("{} is gone: {}", self.name, self.last_words()))?;
        let kib = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Rss:")?.strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(kib.context("no Rss line in smaps_rollup")? * 1024)
    }

    /// How many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> Result<usize> {
        self.entries("fd")
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> Result<usize> {
        self.entries("task")
    }

    fn entries(&self, directory: &str) -> Result<usize> {
        let entries = fs::read_dir(format!("/proc/{}/{directory}", self.child.id()))
            .with_context(|| format!("{} is gone: {}", self.name, self.last_words()))?;
        Ok(entries.count())
    }

    /// The end of what the child wrote to its standard error.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let tail = &log[log.len().saturating_sub(LAST_WORDS)..];
        let text = String::from_utf8_lossy(tail).trim().to_owned();
        if text.is_empty() { "it said nothing".to_owned() } else { text }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the child is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `bench hold PARENT PROGRAM ARGS…`: asks the kernel to kill this process with its parent, then becomes the
/// program. The process id stays, so that the accounting is the program's.
pub(crate) fn hold(args: &[OsString]) -> Result<()> {
    let [parent, program, args @ ..] = args else { bail!("usage: bench hold PARENT PROGRAM ARGS…") };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the request was in place.
    let actual = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().to_string());
    ensure!(parent.to_str() == actual.as_deref(), "the benchmark has ended");
    Err(Command::new(program).args(args).exec()).with_context(|| format!("cannot run {}", program.display()))
}

/// Raises the limit of open files as far as it goes: children inherit it, and each idle connection costs a
/// descriptor in every process on its way.
pub(crate) fn raise_file_limit(needed: u64) -> Result<()> {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(Resource::Nofile, limit)?;
    ensure!(
        limit.maximum.is_none_or(|maximum| maximum >= needed),
        "{needed} open files are needed; raise the hard limit (ulimit -Hn)"
    );
    Ok(())
}

/// Reads lines on a thread until the pipe ends, so that a talkative child never blocks on a full pipe.
fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(LINES_KEPT);
    thread::spawn(move || {
        // A client may print a line for every connection; what nobody waits for is dropped.
        for line in BufReader::new(stdout).lines().map_while(io::Result::ok) {
            if let Err(TrySendError::Disconnected(_)) = sender.try_send(line) {
                break;
            }
        }
    });
    receiver
}

/// Fields 14 and 15 of proc_pid_stat(5). The second field, the name, may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Enough for the last few lines of a log.
const LAST_WORDS: usize = 600;

/// Readiness is announced within the first few lines.
const LINES_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_an_odd_process_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 17 0 0 20 0 1 0 5 0 0";
        assert_eq!(cpu_ticks(stat), Some(267));
    }

    #[test]
    fn a_shortened_stat_line_is_refused() {
        assert_eq!(cpu_ticks("7 (x) S 1 7"), None);
    }
}
