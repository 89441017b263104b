//! What a program and the session share of a connection that the program steers.
//!
//! The program changes what it wants and wakes the connection, which looks in its next turn. So the session pays for
//! one look a turn, and for nothing else.

use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::watch;

use super::SSH_ENDED;
use crate::{Close, End, Ended, Error, Tap};

/// The program's hold on a connection.
pub(crate) struct Reins {
    state: watch::Sender<State>,
    send_buffer: usize,
    close_on_eof: bool,
    tap: Option<Arc<dyn Tap>>,
    sent: AtomicU64,
    received: AtomicU64,
}

/// What is settled when a connection is taken over.
pub(crate) struct Terms {
    /// A connection that carries nothing for so long is cut.
    pub(crate) idle: Option<Duration>,
    /// Nothing is read from the client at first.
    pub(crate) paused: bool,
    /// Bytes of the program's that may wait for the client.
    pub(crate) send_buffer: usize,
    /// The end of the server's side ends the whole connection.
    pub(crate) close_on_eof: bool,
    pub(crate) tap: Option<Arc<dyn Tap>>,
}

/// The connection's end of the reins. Dropped, it tells that the connection is over, if nobody has.
pub(crate) struct Steered(Arc<Reins>);

/// What the program wants at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orders {
    /// Nothing is to be read from the client.
    pub(super) paused: bool,
    pub(super) idle: Option<Duration>,
    pub(super) close: Option<Close>,
}

struct State {
    stage: Stage,
    orders: Orders,
    /// The program's bytes that the relay has not taken yet.
    queue: Vec<u8>,
    /// How many it has taken that the client's socket has not.
    taken: usize,
    /// The client's side has ended: it is given nothing any more.
    ended: bool,
    /// Has the connection looked at.
    waker: Option<Waker>,
}

enum Stage {
    Underway,
    Open,
    Over(Ended),
}

/// Both ends of the reins of one connection.
pub(crate) fn reins(terms: Terms) -> (Arc<Reins>, Steered) {
    let state = State {
        stage: Stage::Underway,
        orders: Orders { paused: terms.paused, idle: terms.idle, close: None },
        queue: Vec::new(),
        taken: 0,
        ended: false,
        waker: None,
    };
    let reins = Arc::new(Reins {
        state: watch::Sender::new(state),
        send_buffer: terms.send_buffer,
        close_on_eof: terms.close_on_eof,
        tap: terms.tap,
        sent: AtomicU64::new(0),
        received: AtomicU64::new(0),
    });
    (reins.clone(), Steered(reins))
}

/// The program's side.
impl Reins {
    /// Bytes carried to the target, and from it.
    pub(crate) fn carried(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed))
    }

    pub(crate) async fn reached(&self) -> Result<(), Error> {
        self.until(|state| match &state.stage {
            Stage::Underway => None,
            Stage::Over(Ended { end: End::Unreached(error), .. }) => Some(Err(error.clone())),
            Stage::Open | Stage::Over(_) => Some(Ok(())),
        })
        .await
    }

    pub(crate) async fn ended(&self) -> Ended {
        self.until(|state| if let Stage::Over(ended) = &state.stage { Some(ended.clone()) } else { None })
            .await
    }

    /// Until it is to be closed, however.
    pub(crate) async fn closing(&self) {
        self.until(|state| state.orders.close.map(drop)).await;
    }

    /// Until there is room for so many bytes, or as many as there can be.
    pub(crate) async fn writable(&self, bytes: usize) {
        let wanted = bytes.min(self.send_buffer);
        self.until(|state| (state.is_deaf() || self.room(state) >= wanted).then_some(())).await;
    }

    pub(crate) fn queued(&self) -> usize {
        self.state.borrow().queued()
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = Err(io::ErrorKind::BrokenPipe.into());
        self.order(|state| {
            if !state.is_deaf() {
                let count = bytes.len().min(self.room(state));
                state.queue.extend_from_slice(&bytes[..count]);
                taken = Ok(count);
            }
        });
        taken
    }

    pub(crate) fn pause(&self, paused: bool) {
        self.order(|state| state.orders.paused = paused);
    }

    pub(crate) fn set_idle(&self, idle: Option<Duration>) {
        self.order(|state| state.orders.idle = idle);
    }

    /// A reset overtakes a close that delivers what is queued, and is not taken back.
    pub(crate) fn close(&self, how: Close) {
        self.state.send_modify(|state| {
            if state.orders.close != Some(Close::Reset) {
                state.orders.close = Some(how);
            }
        });
        self.wake();
    }

    /// Has the connection looked at.
    pub(crate) fn wake(&self) {
        let waker = self.state.borrow().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A change that only the session has to see.
    fn order(&self, change: impl FnOnce(&mut State)) {
        self.state.send_if_modified(|state| {
            change(state);
            false
        });
        self.wake();
    }

    fn room(&self, state: &State) -> usize {
        self.send_buffer.saturating_sub(state.queued())
    }

    async fn until<T>(&self, mut found: impl FnMut(&State) -> Option<T>) -> T {
        let mut state = self.state.subscribe();
        loop {
            if let Some(found) = found(&state.borrow_and_update()) {
                return found;
            }
            if state.changed().await.is_err() {
                // The sender is here.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The session's side.
impl Steered {
    pub(crate) fn reins(&self) -> Arc<Reins> {
        self.0.clone()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.orders().close.is_some()
    }

    /// A session has the connection: `waker` is how it is told to look.
    pub(super) fn follow(&self, waker: &Waker) {
        self.state.send_modify(|state| state.waker = Some(waker.clone()));
        // Something may have been wanted before.
        waker.wake_by_ref();
    }

    pub(super) fn orders(&self) -> Orders {
        self.state.borrow().orders
    }

    /// Adds the program's bytes to what waits for the client's socket.
    pub(super) fn take(&self, waiting: &mut Vec<u8>) {
        if self.state.borrow().queue.is_empty() {
            return;
        }
        self.state.send_if_modified(|state| {
            if waiting.is_empty() {
                *waiting = std::mem::take(&mut state.queue);
            } else {
                waiting.append(&mut state.queue);
            }
            state.taken = waiting.len();
            false
        });
    }

    /// So many of them are still waiting.
    pub(super) fn left(&self, waiting: usize) {
        self.state.send_modify(|state| state.taken = waiting);
    }

    /// The client's side is to end. False: the program has sent something meanwhile, which goes first.
    pub(super) fn end_client(&self) -> bool {
        self.state.send_if_modified(|state| {
            state.ended = state.queue.is_empty();
            state.ended
        })
    }

    pub(super) fn tap(&self) -> Option<&dyn Tap> {
        self.tap.as_deref()
    }

    pub(super) fn closes_on_eof(&self) -> bool {
        self.close_on_eof
    }

    pub(super) fn note(&self, sent: u64, received: u64) {
        self.sent.store(sent, Ordering::Relaxed);
        self.received.store(received, Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        self.state.send_modify(|state| state.stage = Stage::Open);
    }

    /// It is over. What is said first counts.
    pub(crate) fn over(&self, end: End) {
        let (sent, received) = self.carried();
        self.state.send_if_modified(|state| {
            if let Stage::Over(_) = state.stage {
                return false;
            }
            state.stage = Stage::Over(Ended { sent, received, end });
            state.waker = None;
            state.queue = Vec::new();
            state.taken = 0;
            true
        });
    }
}

impl Deref for Steered {
    type Target = Reins;

    fn deref(&self) -> &Reins {
        &self.0
    }
}

impl Drop for Steered {
    fn drop(&mut self) {
        let reached = matches!(self.state.borrow().stage, Stage::Open);
        self.over(if reached {
            End::Cut { kind: io::ErrorKind::NotConnected, why: SSH_ENDED.to_owned() }
        } else {
            End::Unreached(Error::stopped())
        });
    }
}

impl State {
    fn queued(&self) -> usize {
        self.queue.len() + self.taken
    }

    /// What the program sends would not be delivered any more.
    fn is_deaf(&self) -> bool {
        self.ended || self.orders.close.is_some() || matches!(self.stage, Stage::Over(_))
    }
}
