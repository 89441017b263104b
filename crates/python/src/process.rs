//! What there is once in a process: the runtime that carries the tunnels, and the threads that call into Python.
//!
//! A fork copies neither. So everything is made when it is first needed, and belongs to the process that made it: a child
//! finds that what it has inherited is not its own, leaves it untouched (locks in it may be held by threads that are not
//! there any more), and gets a set of its own.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};

/// The set of this process.
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) runtime: Handle,
    /// Tells those who wait that something is done. Nothing that runs there takes long.
    pub(crate) completions: Lane,
    /// Runs what the program has given to be called.
    pub(crate) handlers: Lane,
    /// Taken at the end.
    owned: Mutex<Option<Runtime>>,
}

enum Slot {
    Empty,
    Running(Arc<Process>),
    /// The interpreter of this process ends.
    Ended(u32),
}

/// It is locked for moments only, by threads that have the GIL: so no fork finds it locked.
static SLOT: Mutex<Slot> = Mutex::new(Slot::Empty);

impl Process {
    /// The set of this process, made if need be.
    pub(crate) fn current(_: Python<'_>) -> PyResult<Arc<Self>> {
        let id = std::process::id();
        let mut slot = SLOT.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Slot::Running(process) if process.id == id => return Ok(Arc::clone(process)),
            Slot::Ended(ended) if *ended == id => {
                return Err(PyRuntimeError::new_err("the interpreter is ending"));
            }
            _ => {}
        }
        let process = Arc::new(Self::start(id)?);
        // What a parent left is not touched.
        mem::forget(mem::replace(&mut *slot, Slot::Running(Arc::clone(&process))));
        Ok(process)
    }

    fn start(id: u32) -> PyResult<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("underpass")
            .enable_all()
            .build()?;
        Ok(Self {
            id,
            runtime: runtime.handle().clone(),
            completions: Lane::start("underpass-done")?,
            handlers: Lane::start("underpass-handlers")?,
            owned: Mutex::new(Some(runtime)),
        })
    }

    fn end(&self) {
        let runtime = self.owned.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(PATIENCE);
        }
        self.handlers.end();
        self.completions.end();
    }
}

/// Ends everything that calls into Python, before the interpreter goes away. What is still open is cut.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) {
    let id = std::process::id();
    let mut slot = SLOT.lock().unwrap_or_else(PoisonError::into_inner);
    let old = mem::replace(&mut *slot, Slot::Ended(id));
    drop(slot);
    match old {
        Slot::Running(process) if process.id == id => py.detach(|| process.end()),
        old => mem::forget(old),
    }
}

/// A thread that calls into Python, one thing after the other.
#[derive(Clone)]
pub(crate) struct Lane {
    jobs: mpsc::Sender<Option<Job>>,
    /// Hears when the thread has ended.
    ended: Arc<Mutex<mpsc::Receiver<()>>>,
}

type Job = Box<dyn FnOnce(Python<'_>) + Send>;

impl Lane {
    fn start(name: &str) -> PyResult<Self> {
        let (jobs, todo) = mpsc::channel::<Option<Job>>();
        let (end, ended) = mpsc::channel();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = end;
            work(&todo);
        })?;
        Ok(Self { jobs, ended: Arc::new(Mutex::new(ended)) })
    }

    /// Has this done. After the end it is dropped.
    pub(crate) fn post(&self, job: impl FnOnce(Python<'_>) + Send + 'static) {
        let _ = self.jobs.send(Some(Box::new(job)));
    }

    /// Lets what was posted be done, but waits for no handler for ever.
    fn end(&self) {
        let _ = self.jobs.send(None);
        // The thread never sends: its end is what is heard.
        let _ = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE);
    }
}

/// Does what comes, as much as there is with each hold of the GIL.
fn work(todo: &mpsc::Receiver<Option<Job>>) {
    while let Ok(Some(first)) = todo.recv() {
        let going_on = Python::try_attach(|py| {
            first(py);
            for next in todo.try_iter().take(AT_ONCE) {
                let Some(next) = next else { return false };
                next(py);
            }
            true
        });
        if going_on != Some(true) {
            return;
        }
    }
}

/// Tunnels run side by side on as many threads; one busy tunnel keeps one busy.
const WORKERS: usize = 2;

/// How long the end of the interpreter waits for tunnels, and for handlers.
const PATIENCE: Duration = Duration::from_secs(2);

/// The GIL is let go after so many calls, for other threads of the program.
const AT_ONCE: usize = 64;
