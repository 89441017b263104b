//! The events that wait for the program, and the thread that delivers them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::client::Client;
use crate::lock::lock;
use crate::{Disconnected, Event};

/// Lines of the log that wait. A program that does not fetch them loses the later ones, and is told how many.
const MAX_LINES: usize = 10_000;

/// Their text, in bytes: those of packets are long.
const MAX_TEXT: usize = 16 << 20;

/// Events of all kinds that wait. While there are more, no clients are accepted.
const MANY: usize = 100_000;

/// What the program is to be told.
pub(crate) enum Item {
    /// Something happened.
    Tell(Event),
    /// Something is to be decided. The event comes back as the handler leaves it.
    Ask(Event, oneshot::Sender<Event>),
    /// A client's data wait.
    Data(Arc<Client>),
    /// A client is gone.
    Gone(Arc<Client>, Disconnected),
}

#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits, or something that is waited for is there.
    arrived: Condvar,
    /// Who delivers.
    turn: Mutex<Option<ThreadId>>,
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    lines: usize,
    /// Of the lines.
    text: usize,
    lost_lines: u64,
    /// Nobody is there any more who could be told.
    closed: bool,
}

impl Queue {
    /// Puts it last. Once the queue is closed it is dropped, so that who asks gets no answer.
    pub(crate) fn put(&self, item: Item) {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return;
        }
        waiting.items.push_back(item);
        drop(waiting);
        self.arrived.notify_all();
    }

    /// Puts a line of the log, unless too many wait.
    pub(crate) fn put_line(&self, line: Event) {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return;
        }
        let text = text_of(&line);
        if waiting.lines >= MAX_LINES || waiting.text + text > MAX_TEXT {
            waiting.lost_lines += 1;
            return;
        }
        waiting.lines += 1;
        waiting.text += text;
        waiting.items.push_back(Item::Tell(line));
        drop(waiting);
        self.arrived.notify_all();
    }

    pub(crate) fn take(&self) -> Option<Item> {
        let mut waiting = lock(&self.waiting);
        let item = waiting.items.pop_front();
        if let Some(Item::Tell(event @ (Event::Log(_) | Event::SshStatus(_)))) = &item {
            waiting.lines -= 1;
            waiting.text -= text_of(event);
        }
        item
    }

    /// How many lines were lost since this was asked last.
    pub(crate) fn lost_lines(&self) -> u64 {
        std::mem::take(&mut lock(&self.waiting).lost_lines)
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.waiting).items.len()
    }

    /// Whether the program is so far behind that nothing should be added.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MANY
    }

    /// Has the questions answered with nothing: whoever asked them is not interested any more.
    pub(crate) fn drop_questions(&self) {
        lock(&self.waiting).items.retain(|item| !matches!(item, Item::Ask(..)));
    }

    /// Drops what waits and whatever is put from now on.
    pub(crate) fn close(&self) {
        let mut waiting = lock(&self.waiting);
        let dropped = std::mem::take(&mut *waiting);
        waiting.closed = true;
        drop(waiting);
        // What is dropped may put something, which takes the lock.
        drop(dropped);
    }

    /// Waits until something has arrived, or until then. Whether something has.
    pub(crate) fn wait(&self, until: Instant, is_there: impl Fn() -> bool) -> bool {
        let mut waiting = lock(&self.waiting);
        loop {
            if !waiting.items.is_empty() || is_there() {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self.wait_once(waiting, left);
        }
    }

    /// Waits for news of any kind, or until then, while another thread delivers.
    pub(crate) fn pause(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            drop(self.wait_once(lock(&self.waiting), left));
        }
    }

    fn wait_once<'a>(&self, waiting: MutexGuard<'a, Waiting>, most: Duration) -> MutexGuard<'a, Waiting> {
        match self.arrived.wait_timeout(waiting, most) {
            Ok((waiting, _)) => waiting,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }

    /// Something that is waited for is there.
    pub(crate) fn notify(&self) {
        // Whoever is about to wait holds the lock until it waits.
        drop(lock(&self.waiting));
        self.arrived.notify_all();
    }

    /// The right to deliver, which one thread has at a time.
    pub(crate) fn begin(&self) -> Option<Turn<'_>> {
        let mut turn = lock(&self.turn);
        if turn.is_some() {
            return None;
        }
        *turn = Some(thread::current().id());
        Some(Turn(self))
    }

    /// Whether a handler calls, on the thread that delivers.
    pub(crate) fn is_in_handler(&self) -> bool {
        *lock(&self.turn) == Some(thread::current().id())
    }
}

/// How much text a line has, in bytes.
fn text_of(line: &Event) -> usize {
    match line {
        Event::Log(log) => log.message.len(),
        Event::SshStatus(status) => status.message.len(),
        _ => 0,
    }
}

/// The right to deliver; given back at its end, also by a handler's panic.
pub(crate) struct Turn<'a>(&'a Queue);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.turn) = None;
        // Whoever waits for something else may deliver now.
        self.0.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Log, SshStatus};

    fn line(message: &str) -> Event {
        Log { log_level: 1, message: message.to_owned(), log_type: String::new() }.into()
    }

    #[test]
    fn lines_that_nobody_fetches_are_lost_and_counted() {
        let queue = Queue::default();
        for _ in 0..MAX_LINES + 3 {
            queue.put_line(line("x"));
        }
        queue.put_line(SshStatus { message: String::new() }.into());
        assert_eq!((queue.len(), queue.lost_lines(), queue.lost_lines()), (MAX_LINES, 4, 0));
        assert!(queue.take().is_some());
        queue.put_line(line("y"));
        assert_eq!((queue.len(), queue.lost_lines()), (MAX_LINES, 0));
    }

    #[test]
    fn long_lines_are_lost_sooner() {
        let queue = Queue::default();
        let long = "x".repeat(MAX_TEXT / 4);
        (0..6).for_each(|_| queue.put_line(line(&long)));
        assert_eq!((queue.len(), queue.lost_lines()), (4, 2));
        assert!(queue.take().is_some());
        queue.put_line(line(&long));
        assert_eq!((queue.len(), queue.lost_lines()), (4, 0));
    }

    #[test]
    fn one_thread_at_a_time_delivers() {
        let queue = Queue::default();
        let turn = queue.begin();
        assert!(turn.is_some() && queue.begin().is_none() && queue.is_in_handler());
        let elsewhere = thread::scope(|scope| scope.spawn(|| queue.is_in_handler()).join().unwrap());
        assert!(!elsewhere);
        drop(turn);
        assert!(queue.begin().is_some() && !queue.is_in_handler());
    }

    #[test]
    fn a_wait_ends_with_whatever_comes_first() {
        let queue = Queue::default();
        assert!(!queue.wait(Instant::now(), || false));
        assert!(queue.wait(Instant::now(), || true));
        thread::scope(|scope| {
            scope.spawn(|| queue.put_line(line("x")));
            assert!(queue.wait(Instant::now() + Duration::from_secs(60), || false));
        });
    }
}
