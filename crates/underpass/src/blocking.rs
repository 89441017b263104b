//! Work that blocks, perhaps for ever, and what it shares with the rest.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Does what blocks, perhaps for ever, on a thread that nobody waits for. `None`: there is none, or it panicked.
///
/// A runtime waits at its end for the threads that it lends, and nobody may ever answer a prompt.
pub(crate) async fn elsewhere<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    // Whoever has stopped waiting needs no answer.
    let work = move || drop(answer.send(work()));
    thread::Builder::new().name(name.to_owned()).spawn(work).ok()?;
    answered.await.ok()
}

/// What the threads are called that answer the engine's questions.
pub(crate) const QUESTION: &str = "underpass question";

/// For what is changed by single assignments and moves: what a panicking holder left is still sound.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
