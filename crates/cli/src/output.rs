//! What the command tells, and where: lines on standard error, or JSON on standard output.
//!
//! A thread of its own writes, so that a reader that stalls does not stall the tunnel.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use underpass::{Error, Event};
use underpass_wire::Untrusted;

use crate::{
    args::{Output, Verbosity},
    json,
};

/// Takes what is to be told. Clones tell to the same place.
#[derive(Clone)]
pub(crate) struct Reporter {
    output: Output,
    messages: mpsc::Sender<Message>,
    backlog: Arc<Backlog>,
}

/// The writing thread.
pub(crate) struct Writer {
    messages: mpsc::Sender<Message>,
    done: mpsc::Receiver<()>,
}

enum Message {
    /// Text of whole lines, to be written.
    Text(String),
    /// The line that stays at the bottom.
    Status(String),
    End,
}

#[derive(Default)]
struct Backlog {
    /// Messages that are not written yet.
    waiting: AtomicUsize,
    /// Messages that were given up since the last one that was written.
    dropped: AtomicU64,
}

/// Starts to write. Tell the writer to finish before the process ends.
pub(crate) fn start(output: &Output) -> (Reporter, Writer) {
    let (messages, received) = mpsc::channel();
    let (finished, done) = mpsc::channel();
    let backlog = Arc::new(Backlog::default());
    let reporter =
        Reporter { output: output.clone(), messages: messages.clone(), backlog: Arc::clone(&backlog) };
    let json = output.json;
    let on_stdout = json && !output.on_stderr;
    thread::spawn(move || {
        let out: Box<dyn Write> = if on_stdout { Box::new(io::stdout()) } else { Box::new(io::stderr()) };
        Sink { out, json, status: String::new() }.write_all(&received, &backlog);
        // The receiver is gone when nobody waits for this any more.
        let _ = finished.send(());
    });
    (reporter, Writer { messages, done })
}

impl Writer {
    /// Waits until all is written, but not for a reader that has stopped reading.
    pub(crate) fn finish(self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        if self.messages.send(Message::End).is_ok() {
            // Either way there is nothing more to do.
            let _ = self.done.recv_timeout(PATIENCE);
        }
    }
}

impl Reporter {
    /// Tells an event, if it is wanted and anybody keeps up.
    pub(crate) fn event(&self, event: &Event) {
        if let Some(text) = self.text(event) {
            self.offer(Message::Text(text));
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
        self.send(Message::Text(text));
    }

    /// Tells what the command itself did: an event of this name and these members.
    pub(crate) fn step(&self, event: &str, members: Value, text: &str) {
        if self.output.json {
            self.offer(Message::Text(line(&json::object(event, members))));
        } else if self.output.verbosity >= Verbosity::default() {
            self.offer(Message::Text(format!("{text}\n")));
        }
    }

    /// Whether a status line has a place to be.
    pub(crate) fn has_status(&self) -> bool {
        !self.output.json && self.output.verbosity == Verbosity::default() && io::stderr().is_terminal()
    }

    /// Renews the status line. What does not fit on the screen is cut off: a line that wraps cannot be renewed.
    pub(crate) fn status(&self, line: &str) {
        self.offer(Message::Status(line.chars().take(columns().saturating_sub(1)).collect()));
    }

    fn text(&self, event: &Event) -> Option<String> {
        let Output { json, verbosity: Verbosity(most), .. } = self.output;
        let level = i8::try_from(event.level()).unwrap_or(i8::MAX);
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
            // The error that ends the command is told at its end, with advice.
            Event::Closed { error: Some(_) } => None,
            // Whoever reads the payload from standard output sees its end.
            Event::Closed { .. } if self.output.on_stderr && most <= 0 => None,
            event => Some(format!("{event}\n")),
        }
    }

    /// Sends what may be lost.
    fn offer(&self, message: Message) {
        if self.backlog.waiting.load(Ordering::Relaxed) >= MAX_WAITING {
            self.backlog.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            self.send(message);
        }
    }

    fn send(&self, message: Message) {
        self.backlog.waiting.fetch_add(1, Ordering::Relaxed);
        // The thread only ends when it is told to, and nothing is told after that.
        let _ = self.messages.send(message);
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
    fn write_all(mut self, messages: &mpsc::Receiver<Message>, backlog: &Backlog) {
        for message in messages {
            backlog.waiting.fetch_sub(1, Ordering::Relaxed);
            let dropped = backlog.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let _ = self.text(&self.gap(dropped));
            }
            let _ = match message {
                Message::Text(text) => self.text(&text),
                Message::Status(status) => self.renew(status),
                Message::End => {
                    let _ = self.renew(String::new());
                    return;
                }
            };
        }
    }

    /// Says that something is missing here.
    fn gap(&self, dropped: u64) -> String {
        match self.json {
            true => line(&json::dropped(dropped)),
            false => format!("warning: {dropped} lines were dropped, as nobody read them fast enough\n"),
        }
    }

    /// Writes lines above the status line.
    fn text(&mut self, text: &str) -> io::Result<()> {
        let status = std::mem::take(&mut self.status);
        let clear = if status.is_empty() { "" } else { CLEAR };
        self.out.write_all(format!("{clear}{text}{status}").as_bytes())?;
        self.status = status;
        self.out.flush()
    }

    fn renew(&mut self, status: String) -> io::Result<()> {
        if status == self.status {
            return Ok(());
        }
        self.out.write_all(format!("{CLEAR}{status}").as_bytes())?;
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

/// The most messages that wait for a slow reader: a few hundred kilobytes.
const MAX_WAITING: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn reporter(json: bool, verbosity: i8) -> (Reporter, mpsc::Receiver<Message>) {
        let (messages, received) = mpsc::channel();
        let output = Output { json, on_stderr: false, verbosity: Verbosity(verbosity) };
        (Reporter { output, messages, backlog: Arc::default() }, received)
    }

    fn told(json: bool, verbosity: i8, events: &[Event]) -> String {
        let (reporter, received) = reporter(json, verbosity);
        events.iter().for_each(|event| reporter.event(event));
        let texts = received.try_iter().map(|message| match message {
            Message::Text(text) => text,
            Message::Status(_) | Message::End => panic!("only text was told"),
        });
        texts.collect()
    }

    fn written(messages: Vec<Message>, dropped: u64) -> String {
        let (sender, received) = mpsc::channel();
        let backlog = Backlog { waiting: AtomicUsize::new(messages.len()), dropped: AtomicU64::new(dropped) };
        messages.into_iter().for_each(|message| sender.send(message).unwrap());
        drop(sender);
        let mut out = Vec::new();
        Sink { out: &mut out, json: true, status: String::new() }.write_all(&received, &backlog);
        String::from_utf8(out).unwrap()
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
        let text = |text: &str| Message::Text(text.to_owned());
        let status = |text: &str| Message::Status(text.to_owned());
        let screen = written(vec![text("a\n"), status("s"), status("s"), text("b\n"), Message::End], 0);
        assert_eq!(screen, format!("a\n{CLEAR}s{CLEAR}b\ns{CLEAR}"));
    }

    #[test]
    fn nothing_piles_up_before_a_reader_that_stalls_and_the_gap_is_told() {
        let (reporter, received) = reporter(true, 0);
        let warning = Event::Warning { text: "w".to_owned() };
        for _ in 0..MAX_WAITING + 7 {
            reporter.event(&warning);
        }
        reporter.error(&Error::configuration("x"));
        assert_eq!(reporter.backlog.dropped.load(Ordering::Relaxed), 7);
        assert_eq!(received.try_iter().count(), MAX_WAITING + 1, "errors are never dropped");
        let text = written(vec![Message::Text(String::new())], 7);
        assert_eq!(text, "{\"event\":\"dropped\",\"count\":7}\n");
    }

    #[test]
    fn an_error_is_told_with_what_to_do() {
        let (reporter, received) = reporter(false, -1);
        reporter.error(&Error::configuration("x").with_advice("do y"));
        let Ok(Message::Text(text)) = received.try_recv() else { panic!("the error was told") };
        assert_eq!(text, "underpass: cannot use the settings: x\n  what to do: do y\n");
    }
}
