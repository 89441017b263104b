//! The threads on which all tunnels of the process run.

use std::sync::Mutex;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::Error;
use crate::lock::lock;

/// Threads. Each tunnel keeps to one at a time; more than a few help only with many busy tunnels.
const MAX_THREADS: usize = 4;

/// The runtime of the process, which a child that was forked does not have: the threads are not there.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// Where tunnels run.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn handle() -> Result<&'static Handle, Error> {
    let process = std::process::id();
    let mut runtime = lock(&RUNTIME);
    match *runtime {
        Some((of, runtime)) if of == process => Ok(runtime.handle()),
        _ => {
            let started = start()?;
            *runtime = Some((process, started));
            Ok(started.handle())
        }
    }
}

/// It is there until the process ends.
fn start() -> Result<&'static Runtime, Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let runtime =
        Builder::new_multi_thread().worker_threads(threads).thread_name("underpass").enable_all().build();
    let runtime =
        runtime.map_err(|error| Error::new(211).because(format!("The system starts no threads: {error}.")));
    runtime.map(|runtime| &*Box::leak(Box::new(runtime)))
}
