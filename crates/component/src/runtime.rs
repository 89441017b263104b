//! The threads on which all tunnels of the process run.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::Error;

/// Threads. Each tunnel keeps to one at a time; more than a few help only with many busy tunnels.
const MAX_THREADS: usize = 4;

/// Where tunnels run.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn handle() -> Result<&'static Handle, Error> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let start = || {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let runtime =
            Builder::new_multi_thread().worker_threads(threads).thread_name("underpass").enable_all().build();
        runtime.map_err(|error| error.to_string())
    };
    match RUNTIME.get_or_init(start) {
        Ok(runtime) => Ok(runtime.handle()),
        Err(problem) => Err(Error::new(211).because(format!("The system starts no threads: {problem}."))),
    }
}
