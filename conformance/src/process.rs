//! Child processes whose output is kept and can be waited for.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::{Failure, Result};

/// A child process; killed when dropped, and when the thread that started it ends without dropping it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    out: Arc<Transcript>,
    err: Arc<Transcript>,
}

impl Process {
    /// Starts `command` with a pipe on each standard stream.
    ///
    /// # Errors
    /// The program is missing, or could not be started.
    pub fn start(command: &Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = with_parent(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::from(error).during(format_args!("starting {name}")))?;
        let input = child.stdin.take();
        let out = Transcript::of(child.stdout.take());
        let err = Transcript::of(child.stderr.take());
        Ok(Self { name, child, input, out, err })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard output so far.
    #[must_use]
    pub fn out(&self) -> &Transcript {
        &self.out
    }

    /// What it wrote to standard error so far.
    #[must_use]
    pub fn err(&self) -> &Transcript {
        &self.err
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// It closed its standard input.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        let input = self.input.as_mut().ok_or_else(|| Failure::new("standard input is closed"))?;
        Ok(input.write_all(bytes.as_ref())?)
    }

    /// Ends its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until `find` finds something in what `stream` has brought.
    ///
    /// # Errors
    /// The process closed the stream, or `deadline` passed, before that.
    pub fn wait_for<T>(
        &self,
        stream: &Transcript,
        deadline: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        stream.wait_for(deadline, find).map_err(|why| self.failure(why))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It still runs after `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + deadline;
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.out.wait_until_closed(LINGER);
                self.err.wait_until_closed(LINGER);
                return Ok(status);
            }
            if Instant::now() > end {
                return Err(self.failure(format!("still runs after {deadline:?}")));
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Interrupts it, as Ctrl-C does.
    ///
    /// # Errors
    /// The process has ended.
    pub fn interrupt(&self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).map_err(|error| self.failure(error))
    }

    /// Sends a signal to the processes that it has started, and to those that they have started.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn signal_descendants(&self, signal: Signal) -> Result<()> {
        for pid in descendants(self.pid())? {
            // One that has ended in the meantime needs no signal.
            let _ = kill_process(pid, signal);
        }
        Ok(())
    }

    /// Sends a signal to it, then to its descendants.
    ///
    /// # Errors
    /// It has ended, or they cannot be listed.
    pub fn signal_all(&self, signal: Signal) -> Result<()> {
        // Listed while their parent is known.
        let descendants = descendants(self.pid())?;
        kill_process(Pid::from_child(&self.child), signal).map_err(|error| self.failure(error))?;
        for pid in descendants {
            let _ = kill_process(pid, signal);
        }
        Ok(())
    }

    /// A failure of this process, with what it said.
    #[must_use]
    pub fn failure(&self, why: impl std::fmt::Display) -> Failure {
        Failure::new(format!("{} {why}\n{}", self.name, self.said()))
    }

    /// What it wrote to both streams, for a person; of much, only the end.
    #[must_use]
    pub fn said(&self) -> String {
        let Self { name, out, err, .. } = self;
        format!("--- output of {name}\n{}\n--- its errors\n{}\n---", tail(&out.text()), tail(&err.text()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either can only fail because the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills processes that a child has started.
///
/// # Errors
/// One of them is somebody else's.
pub fn kill_all(pids: &[u32]) -> Result<()> {
    for &pid in pids {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::new("no process has such a number"))?;
        match kill_process(pid, Signal::KILL) {
            // It has gone with one that was killed before it.
            Err(Errno::SRCH) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// All that a process has written to one stream, as text.
#[derive(Debug, Default)]
pub struct Transcript {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    closed: bool,
}

impl Transcript {
    /// The text so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_from(0)
    }

    /// The bytes so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// The text from a [`mark`](Self::mark) on.
    #[must_use]
    pub fn text_from(&self, mark: usize) -> String {
        String::from_utf8_lossy(&self.lock().bytes[mark..]).into_owned()
    }

    /// Where the text ends now.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.lock().bytes.len()
    }

    fn of(stream: Option<impl Read + Send + 'static>) -> Arc<Self> {
        let transcript = Arc::new(Self::default());
        let writer = Arc::clone(&transcript);
        let mut stream = stream.expect("every stream of a child is piped");
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                // An error means the same as the end: nothing more will come.
                let n = stream.read(&mut buffer).unwrap_or(0);
                let mut state = writer.lock();
                state.bytes.extend_from_slice(&buffer[..n]);
                state.closed = n == 0;
                writer.changed.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        transcript
    }

    fn wait_for<T>(
        &self,
        deadline: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> std::result::Result<T, String> {
        let end = Instant::now() + deadline;
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&String::from_utf8_lossy(&state.bytes)) {
                return Ok(found);
            }
            if state.closed {
                return Err("ended without the words that were waited for".into());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("did not say what was waited for within {deadline:?}"));
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wait_until_closed(&self, deadline: Duration) {
        // A grandchild may hold the stream open; what matters has been written by then.
        let _ = self.wait_for(deadline, |_| None::<()>);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The children of a process, their children, and so on, as proc_pid_task(5) lists them.
fn descendants(ancestor: u32) -> Result<Vec<Pid>> {
    let (mut found, mut looked_at) = (vec![ancestor.to_string()], 0);
    while let Some(pid) = found.get(looked_at) {
        // Whoever has ended since it was found has none.
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(str::to_owned));
        looked_at += 1;
    }
    found[1..]
        .iter()
        .map(|pid| Pid::from_raw(pid.parse()?).ok_or_else(|| Failure::new("no process 0")))
        .collect()
}

/// The same command, started so that the kernel kills it when its parent dies: a test runner that is killed runs no
/// destructors.
fn with_parent(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        wrapped.current_dir(directory);
    }
    wrapped
}

/// The last part of a long text.
fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(SHOWN);
    let start = (start..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    text[start..].trim_end()
}

/// How much of each stream a failure shows: enough for a handshake, little enough to be read.
const SHOWN: usize = 6 * 1024;

/// How long to wait for the streams of a process that has ended.
const LINGER: Duration = Duration::from_secs(1);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(&command).unwrap()
    }

    #[test]
    fn words_are_found_when_they_come() {
        let process = shell("echo one; echo two >&2; exec sleep 100");
        let found = process.wait_for(process.err(), PATIENCE, |text| text.find("two"));
        assert_eq!(found.unwrap(), 0);
        process.wait_for(process.out(), PATIENCE, |text| text.find("one")).unwrap();
    }

    #[test]
    fn a_process_that_ends_too_early_is_shown_with_what_it_said() {
        let process = shell("echo ready; echo no key >&2; exit 1");
        let failure = process.wait_for(process.out(), PATIENCE, |text| text.find("listening")).unwrap_err();
        let words = failure.to_string();
        assert!(words.contains("ended without"), "{words}");
        assert!(words.contains("ready"), "{words}");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let mut process = Process::start(&Command::new("no-such-server")).unwrap();
        let status = process.wait(PATIENCE).unwrap();
        assert!(!status.success());
        assert!(process.err().text().contains("no-such-server"), "{}", process.err().text());
    }

    #[test]
    fn a_signal_reaches_grandchildren() {
        let mut process = shell("(sleep 100 & echo begun; wait; echo over); echo the end");
        process.wait_for(process.out(), PATIENCE, |text| text.find("begun")).unwrap();
        process.signal_descendants(Signal::TERM).unwrap();
        process.wait(PATIENCE).unwrap();
        assert_eq!(process.out().text(), "begun\nthe end\n");
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let process = shell("exec sleep 100");
        let stat = format!("/proc/{}/stat", process.pid());
        assert!(std::fs::exists(&stat).unwrap());
        drop(process);
        assert!(!std::fs::exists(&stat).unwrap());
    }
}
