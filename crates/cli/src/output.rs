//! What the command tells, and where: lines on standard error, or JSON on standard output.
//!
//! A thread of its own writes, so that a reader that stalls does not stall the tunnel.

use std::{
    io::{self, IsTerminal as _, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use serde_json::Value;
use underpass::{Error, Event};
use underpass_options::{Output, Verbosity};
use underpass_wire::Untrusted;

use crate::json;

/// Takes what is to be told. Clones tell to the same place.
#[derive(Clone)]
pub(crate) struct Reporter {
    output: Output,
    desk: Arc<Desk>,
}

/// The writing thread.
pub(crate) struct Writer {
    desk: Arc<Desk>,
    done: mpsc::Receiver<()>,
}

/// Where the tunnel leaves what the writing thread takes.
#[derive(Default)]
struct Desk {
    pending: Mutex<Pending>,
    changed: Condvar,
}

/// What is not written yet.
#[derive(Default)]
struct Pending {
    /// Whole lines.
    text: String,
    /// What the line at the bottom is to be.
    status: Option<String>,
    /// Lines given up since the last one in `text`.
    dropped: u64,
    ended: bool,
    /// The writing thread sleeps until it is woken.
    idle: bool,
}

/// Starts to write. Tell the writer to finish before the process ends.
pub(crate) fn start(output: &Output) -> (Reporter, Writer) {
    let (finished, done) = mpsc::channel();
    let desk = Arc::new(Desk::default());
    let json = output.json;
    let on_stdout = json && !output.on_stderr;
    thread::spawn({
        let desk = Arc::clone(&desk);
        move || {
            let out: Box<dyn Write> = if on_stdout { Box::new(io::stdout()) } else { Box::new(io::stderr()) };
            Sink { out, json, status: String::new() }.write_all(&desk);
            // The receiver is gone when nobody waits for this any more.
            let _ = finished.send(());
        }
    });
    (Reporter { output: output.clone(), desk: Arc::clone(&desk) }, Writer { desk, done })
}

impl Writer {
    /// Waits until all is written, but not for a reader that has stopped reading.
    pub(crate) fn finish(self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        self.desk.lock().ended = true;
        self.desk.changed.notify_one();
        // Either way there is nothing more to do.
        let _ = self.done.recv_timeout(PATIENCE);
    }
}

impl Desk {
    /// Leaves something, and wakes the writing thread if it sleeps: a system call that a busy tunnel is spared.
    fn leave(&self, put: impl FnOnce(&mut Pending)) {
        let mut pending = self.lock();
        put(&mut pending);
        if mem::take(&mut pending.idle) {
            drop(pending);
            self.changed.notify_one();
        }
    }

    /// Waits for something to write, and takes it. Nothing comes after what says that it is the end.
    fn take(&self) -> Pending {
        let mut pending = self.lock();
        while pending.is_empty() {
            pending.idle = true;
            pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        mem::take(&mut *pending)
    }

    /// Lets things gather for a moment, unless it is the end.
    fn linger(&self) {
        let ended = self.changed.wait_timeout_while(self.lock(), LINGER, |pending| !pending.ended);
        drop(ended);
    }

    /// Each change is whole before the next can panic.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.status.is_none() && self.dropped == 0 && !self.ended
    }

    /// Adds lines that must not be lost.
    fn insist(&mut self, text: &str, json: bool) {
        self.tell_gap(json);
        self.text.push_str(text);
    }

    /// Adds lines, if no more than so much waits then: if anybody keeps up.
    fn offer(&mut self, text: &str, json: bool, most: usize) {
        if self.text.len() + text.len() > most {
            self.dropped += 1;
        } else {
            self.insist(text, json);
        }
    }

    /// Says that something is missing here.
    fn tell_gap(&mut self, json: bool) {
        let gap = match mem::take(&mut self.dropped) {
            0 => return,
            dropped if json => line(&json::dropped(dropped)),
            dropped => format!("warning: {dropped} lines were dropped, as nobody read them fast enough\n"),
        };
        self.text.push_str(&gap);
    }
}

impl Reporter {
    /// Tells an event, if it is wanted and anybody keeps up.
    pub(crate) fn event(&self, event: &Event) {
        if let Some(text) = self.text(event) {
            // However many packets there are, other events find room.
            let most = if matches!(event, Event::Packet { .. }) { MAX_WAITING / 2 } else { MAX_WAITING };
            self.offer(&text, most);
        }
    }

    /// Tells the error that ends the command.
    pub(crate) fn error(&self, error: &Error) {
        let text = match self.output.json {
            true => line(&json::error(error)),
            false => match error.advice() {
                Some(advice) => format!("underpass: {error}\n  what to do: {advice}\n"),
                None => format!("underpass: {error}\n"),
            },
        };
        self.desk.leave(|pending| pending.insist(&text, self.output.json));
    }

    /// Tells what the command itself did: an event of this name and these members.
    pub(crate) fn step(&self, event: &str, members: Value, text: &str) {
        if self.output.json {
            self.offer(&line(&json::object(event, members)), MAX_WAITING);
        } else if self.output.verbosity >= Verbosity::default() {
            self.offer(&format!("{text}\n"), MAX_WAITING);
        }
    }

    /// Whether a status line has a place to be.
    pub(crate) fn has_status(&self) -> bool {
        !self.output.json && self.output.verbosity == Verbosity::default() && io::stderr().is_terminal()
    }

    /// Renews the status line. What does not fit on the screen is cut off: a line that wraps cannot be renewed.
    pub(crate) fn status(&self, line: &str) {
        let line = line.chars().take(columns().saturating_sub(1)).collect();
        self.desk.leave(|pending| pending.status = Some(line));
    }

    fn text(&self, event: &Event) -> Option<String> {
        let Output { json, verbosity: Verbosity(most), .. } = self.output;
        let level = match event {
            // They only come where they are asked for.
            Event::Packet { .. } => 0,
            event => i8::try_from(event.level()).unwrap_or(i8::MAX),
        };
        if json {
            // Each change of state is wanted; details only as asked for.
            return (level <= most.max(1)).then(|| line(&json::event(event)));
        }
        if level > most {
            return None;
        }
        match event {
            Event::Banner { text } => {
                Some(text.lines().map(|line| format!("{}\n", Untrusted(line.as_bytes()))).collect())
            }
            Event::Packet { bytes: Some(bytes), .. } => Some(format!("{event}\n{}\n", bytes.dump())),
            // The error that ends the command is told at its end, with advice.
            Event::Closed { error: Some(_) } => None,
            // Whoever reads the payload from standard output sees its end.
            Event::Closed { .. } if self.output.on_stderr && most <= 0 => None,
            event => Some(format!("{event}\n")),
        }
    }

    /// Tells what may be lost.
    fn offer(&self, text: &str, most: usize) {
        self.desk.leave(|pending| pending.offer(text, self.output.json, most));
    }
}

/// Where it is written.
struct Sink<W> {
    out: W,
    json: bool,
    /// The status line that is on the screen; empty for none.
    status: String,
}

impl<W: Write> Sink<W> {
    /// Writes until the end. A reader that has gone away is no reason to end a tunnel, and nobody is left to be told:
    /// so failures to write are passed over.
    fn write_all(mut self, desk: &Desk) {
        loop {
            let pending = desk.take();
            let ended = pending.ended;
            let _ = self.write(pending);
            if ended {
                return;
            }
            desk.linger();
        }
    }

    /// Writes lines above the status line, and that again. It does not outlive the command.
    fn write(&mut self, mut pending: Pending) -> io::Result<()> {
        pending.tell_gap(self.json);
        let status = match pending.status {
            _ if pending.ended => String::new(),
            Some(status) => status,
            None => self.status.clone(),
        };
        if pending.text.is_empty() && status == self.status {
            return Ok(());
        }
        let clear = if self.status.is_empty() { "" } else { CLEAR };
        self.out.write_all(format!("{clear}{}{status}", pending.text).as_bytes())?;
        self.status = status;
        self.out.flush()
    }
}

/// The width of the terminal behind standard error.
#[cfg(unix)]
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(USUAL_COLUMNS)
}

#[cfg(not(unix))]
fn columns() -> usize {
    USUAL_COLUMNS
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

const USUAL_COLUMNS: usize = 80;

/// Goes to the beginning of the line and empties it (ECMA-48: EL).
const CLEAR: &str = "\r\x1b[K";

/// The most that waits for a slow reader, in bytes.
const MAX_WAITING: usize = 256 << 10;

/// How long lines gather after some were written. Nobody sees the difference, and a tunnel that opens thousands of
/// connections a second does not wake a thread, and its reader, for each.
const LINGER: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use underpass::{PacketBytes, PacketDirection};

    use super::*;

    fn reporter(json: bool, verbosity: i8) -> Reporter {
        let output = Output { json, verbosity: Verbosity(verbosity), ..Output::default() };
        Reporter { output, desk: Arc::default() }
    }

    fn told(json: bool, verbosity: i8, events: &[Event]) -> String {
        let reporter = reporter(json, verbosity);
        events.iter().for_each(|event| reporter.event(event));
        mem::take(&mut reporter.desk.lock().text)
    }

    fn text(text: &str) -> Pending {
        Pending { text: text.to_owned(), ..Pending::default() }
    }

    fn status(text: &str) -> Pending {
        Pending { status: Some(text.to_owned()), ..Pending::default() }
    }

    fn written(json: bool, all: impl IntoIterator<Item = Pending>) -> String {
        let mut sink = Sink { out: Vec::new(), json, status: String::new() };
        all.into_iter().for_each(|pending| sink.write(pending).unwrap());
        String::from_utf8(sink.out).unwrap()
    }

    fn events() -> Vec<Event> {
        vec![
            Event::Warning { text: "w".to_owned() },
            Event::Connecting { host: "h".to_owned(), port: 22 },
            Event::Detail { level: 3, text: "d".to_owned() },
        ]
    }

    #[test]
    fn people_are_told_as_much_as_they_ask_for() {
        assert_eq!(told(false, -1, &events()), "");
        assert_eq!(told(false, 0, &events()), "warning: w\n");
        assert_eq!(told(false, 1, &events()), "warning: w\nconnecting to h port 22\n");
        assert_eq!(told(false, 3, &events()).lines().count(), 3);
    }

    #[test]
    fn machines_are_told_every_change_of_state() {
        for verbosity in [-1, 0, 1] {
            let text = told(true, verbosity, &events());
            let names: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone())
                .collect();
            assert_eq!(names, ["warning", "connecting"]);
        }
        assert_eq!(told(true, 3, &events()).lines().count(), 3);
    }

    #[test]
    fn a_banner_keeps_its_lines_but_not_its_escapes() {
        let banner = Event::Banner { text: "one\r\ntwo\u{1b}[2J\n".to_owned() };
        assert_eq!(told(false, 0, &[banner]), "one\ntwo\\u{1b}[2J\n");
    }

    #[test]
    fn lines_go_above_the_status_line() {
        let end = Pending { ended: true, ..Pending::default() };
        let screen = written(false, [text("a\n"), status("s"), status("s"), text("b\n"), end]);
        assert_eq!(screen, format!("a\ns{CLEAR}b\ns{CLEAR}"));
        let both = Pending { status: Some("t".to_owned()), ..text("c\n") };
        assert_eq!(written(false, [status("s"), both]), format!("s{CLEAR}c\nt"));
    }

    #[test]
    fn nothing_piles_up_before_a_reader_that_stalls_and_the_gap_is_told() {
        let reporter = reporter(true, 0);
        let warning = Event::Warning { text: "w".repeat(1 << 10) };
        for _ in 0..MAX_WAITING >> 10 {
            reporter.event(&warning);
        }
        let dropped = reporter.desk.lock().dropped;
        assert!(dropped > 0);
        reporter.error(&Error::configuration("x"));
        let told = reporter.desk.take().text;
        assert!(told.len() <= MAX_WAITING + 1024);
        let last: Vec<&str> = told.lines().rev().take(2).collect();
        assert_eq!(last[1], format!("{{\"event\":\"dropped\",\"count\":{dropped}}}"));
        assert!(last[0].contains("\"error\""), "errors are never dropped: {}", last[0]);
        let gap = Pending { dropped: 7, ..Pending::default() };
        assert_eq!(written(true, [gap]), "{\"event\":\"dropped\",\"count\":7}\n");
    }

    #[test]
    fn packets_are_told_where_they_come_and_leave_room_for_other_events() {
        let packet = Event::Packet {
            host: "h".to_owned(),
            direction: PacketDirection::Received,
            sequence: 4,
            number: 2,
            message: Some("SSH_MSG_IGNORE"),
            channel: None,
            length: Some(1),
            bytes: Some(PacketBytes::default()),
        };
        let line = "receive packet: type 2 SSH_MSG_IGNORE, 1 bytes, number 4, h\n\n";
        assert_eq!(told(false, 0, std::slice::from_ref(&packet)), line);
        assert_eq!(told(false, -1, std::slice::from_ref(&packet)), "");
        let json = "{\"event\":\"packet\",\"direction\":\"received\",\"type\":2,\"message\":\"SSH_MSG_IGNORE\",\
                    \"channel\":null,\"length\":1,\"number\":4,\"host\":\"h\",\"bytes\":\"\",\"omitted\":0}\n";
        assert_eq!(told(true, 0, std::slice::from_ref(&packet)), json);

        let reporter = reporter(false, 0);
        (0..MAX_WAITING / line.len()).for_each(|_| reporter.event(&packet));
        let dropped = reporter.desk.lock().dropped;
        assert!(dropped > 0);
        reporter.event(&Event::Warning { text: "w".to_owned() });
        let told = reporter.desk.take().text;
        let end =
            format!("warning: {dropped} lines were dropped, as nobody read them fast enough\nwarning: w\n");
        assert!(told.ends_with(&end), "{}", &told[told.len() - 200..]);
    }

    #[test]
    fn all_is_written_in_order_before_the_end() {
        let desk = Arc::new(Desk::default());
        let sink = |out| Sink { out, json: true, status: String::new() };
        let mut out = Vec::new();
        thread::scope(|scope| {
            scope.spawn(|| sink(&mut out).write_all(&desk));
            for number in 0..1000 {
                desk.leave(|pending| pending.offer(&format!("{number}\n"), true, MAX_WAITING));
                thread::yield_now();
            }
            Writer { desk: Arc::clone(&desk), done: mpsc::channel().1 }.finish();
        });
        let all: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(out).unwrap(), all);
    }

    #[test]
    fn an_error_is_told_with_what_to_do() {
        let reporter = reporter(false, -1);
        reporter.error(&Error::configuration("x").with_advice("do y"));
        let told = reporter.desk.take().text;
        assert_eq!(told, "underpass: cannot use the settings: x\n  what to do: do y\n");
    }
}
