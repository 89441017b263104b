//! Which of a session's many sockets want attention, without asking each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Wake, Waker};

use crate::blocking::lock;

/// The sockets that became ready, and the task to wake for them.
#[derive(Default)]
pub(super) struct ReadySet(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    tokens: Vec<u32>,
    task: Option<Waker>,
}

/// One socket's place in the set. As a waker, it queues the socket once and wakes the session's task.
pub(super) struct Token {
    id: u32,
    queued: AtomicBool,
    set: Arc<ReadySet>,
}

impl ReadySet {
    /// Says which task is to be woken.
    pub(super) fn register(&self, task: &Waker) {
        let mut inner = self.lock();
        match &mut inner.task {
            Some(known) if known.will_wake(task) => {}
            slot => *slot = Some(task.clone()),
        }
    }

    /// Takes all that became ready, in order, exchanging the list for the empty `spare`.
    pub(super) fn take(&self, spare: &mut Vec<u32>) {
        debug_assert!(spare.is_empty());
        std::mem::swap(&mut self.lock().tokens, spare);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The list is sound whatever happened to a holder.
        lock(&self.0)
    }
}

impl Token {
    pub(super) fn new(id: u32, set: &Arc<ReadySet>) -> Arc<Self> {
        Arc::new(Self { id, queued: AtomicBool::new(false), set: set.clone() })
    }

    /// The socket is being looked at: from now on it can be queued again.
    pub(super) fn looked_at(&self) {
        self.queued.store(false, Ordering::Release);
    }
}

impl Wake for Token {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut inner = self.set.lock();
        inner.tokens.push(self.id);
        let task = inner.task.clone();
        drop(inner);
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_queued_once_until_it_is_looked_at() {
        let set = Arc::new(ReadySet::default());
        let token = Token::new(7, &set);
        let waker = Waker::from(token.clone());
        waker.wake_by_ref();
        waker.wake_by_ref();
        let mut ready = Vec::new();
        set.take(&mut ready);
        assert_eq!(ready, [7]);
        token.looked_at();
        waker.wake_by_ref();
        ready.clear();
        set.take(&mut ready);
        assert_eq!(ready, [7]);
    }
}
