//! Between whatever accepts connections and the SSH connection of the moment: while there is none, connections wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::mpsc::error::SendError;

use crate::blocking::lock;
use crate::session::{Carry, Command, ConnectionInfo, farewell};
use crate::stats::Counters;
use crate::{Error, Event, Settings};

pub(crate) struct Switchboard {
    settings: Arc<Settings>,
    stats: Arc<Counters>,
    line: Mutex<Line>,
    /// Up to where windows of any session may grow now, in bytes. Changed while the line is locked.
    max_window: AtomicU32,
}

enum Line {
    /// Connections go to the session.
    Up(UnboundedSender<Command>),
    /// They wait for the next one, in the order in which they came.
    Down(VecDeque<Carry>),
    /// There will be none.
    Over(Error),
}

impl Switchboard {
    pub(crate) fn new(settings: Arc<Settings>, stats: Arc<Counters>) -> Self {
        let max_window = AtomicU32::new(settings.max_window);
        Self { settings, stats, line: Mutex::new(Line::Down(VecDeque::new())), max_window }
    }

    /// Has a connection carried, now or as soon as there is a session.
    pub(crate) fn carry(&self, carry: Carry) {
        let mut line = self.lock();
        if carry.is_withdrawn() {
            drop(line);
            return self.turn_away(carry, Error::withdrawn());
        }
        let carry = match &*line {
            Line::Up(commands) => match commands.send(Command::Carry(Box::new(carry))) {
                Ok(()) => return,
                // The session has ended, and whoever replaces it does not know yet.
                Err(SendError(Command::Carry(carry))) => *carry,
                Err(SendError(_)) => return,
            },
            _ => carry,
        };
        match &mut *line {
            Line::Over(error) => {
                let error = error.clone();
                drop(line);
                self.turn_away(carry, error);
            }
            Line::Down(waiting) if waiting.len() >= self.settings.waiting_connections => {
                drop(line);
                self.turn_away(carry, Error::not_connected(&self.settings.host, Duration::ZERO));
            }
            Line::Down(waiting) => waiting.push_back(carry),
            Line::Up(_) => *line = Line::Down(VecDeque::from([carry])),
        }
    }

    /// There is a session: whoever waited is carried.
    pub(crate) fn connect(&self, commands: UnboundedSender<Command>) {
        let waiting = {
            let mut line = self.lock();
            // A session that has just ended has no windows.
            let _ = commands.send(Command::MaxWindow(self.max_window.load(Ordering::Relaxed)));
            std::mem::replace(&mut *line, Line::Up(commands))
        };
        self.carry_all(waiting.into_waiting());
    }

    /// Lets windows grow further: those of this session, of connections that come from now on, and of later sessions.
    pub(crate) fn raise_max_window(&self, bytes: u32) {
        let line = self.lock();
        self.max_window.fetch_max(bytes, Ordering::Relaxed);
        if let Line::Up(commands) = &*line {
            let _ = commands.send(Command::MaxWindow(bytes));
        }
    }

    /// There is no session for the moment. `unserved` were with it and have not reached their targets.
    pub(crate) fn disconnect(&self, unserved: Vec<Carry>) {
        {
            let mut line = self.lock();
            if let Line::Up(_) = &*line {
                *line = Line::Down(VecDeque::new());
            }
        }
        self.carry_all(unserved);
    }

    /// There will be no session any more.
    pub(crate) fn close(&self, error: &Error) {
        let waiting = std::mem::replace(&mut *self.lock(), Line::Over(error.clone()));
        for carry in waiting.into_waiting() {
            self.turn_away(carry, error.clone());
        }
    }

    /// Turns away who has waited long enough. Gives the moment of the next.
    pub(crate) fn expire(&self, now: Instant) -> Option<Instant> {
        let patience = self.settings.waiting_timeout;
        let mut expired = Vec::new();
        let next = match &mut *self.lock() {
            Line::Down(waiting) => {
                // Those that come back from a session are older than their neighbours.
                let due = |carry: &Carry| carry.info.since + patience;
                let (late, kept): (VecDeque<_>, VecDeque<_>) =
                    std::mem::take(waiting).into_iter().partition(|carry| due(carry) <= now);
                expired.extend(late);
                *waiting = kept;
                waiting.iter().map(due).min()
            }
            _ => None,
        };
        for carry in expired {
            self.turn_away(carry, Error::not_connected(&self.settings.host, patience));
        }
        next
    }

    /// Tells the session of the moment something. Without one there is nobody to be told.
    pub(crate) fn tell(&self, command: Command) {
        if let Line::Up(commands) = &*self.lock() {
            let _ = commands.send(command);
        }
    }

    fn carry_all(&self, waiting: impl IntoIterator<Item = Carry>) {
        waiting.into_iter().for_each(|carry| self.carry(carry));
    }

    /// Turns away the one with this number, if it waits here.
    pub(crate) fn withdraw(&self, id: u64) {
        let withdrawn = match &mut *self.lock() {
            Line::Down(waiting) => {
                let at = waiting.iter().position(|carry| carry.info.id == id);
                at.and_then(|at| waiting.remove(at))
            }
            Line::Up(_) | Line::Over(_) => None,
        };
        if let Some(carry) = withdrawn {
            self.turn_away(carry, Error::withdrawn());
        }
    }

    /// Counts and tells a connection that does not reach its target.
    pub(crate) fn turn_away(&self, carry: Carry, error: Error) {
        self.stats.fail();
        let ConnectionInfo { id, peer, target, .. } = carry.info.clone();
        self.settings.tell(|| Event::ConnectionFailed { id, peer, target, error: error.clone() });
        farewell(carry, error);
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        // Each change is a single assignment.
        lock(&self.line)
    }
}

impl Line {
    fn into_waiting(self) -> VecDeque<Carry> {
        match self {
            Self::Down(waiting) => waiting,
            Self::Up(_) | Self::Over(_) => VecDeque::new(),
        }
    }
}
