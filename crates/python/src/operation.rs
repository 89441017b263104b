//! Work on the runtime that Python waits for.
//!
//! Nobody waits here. Python is called back, once: it then opens a lock of its own, for which a thread can wait so that
//! Ctrl-C interrupts it on every system, or wakes an event loop.

use std::sync::Arc;

use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use tokio::task::AbortHandle;
use underpass::Error;

use crate::error;
use crate::process::{Lane, Process};

/// Something that is being done, and can be given up.
#[pyclass(frozen, module = "underpass._native")]
pub(crate) struct Operation {
    task: AbortHandle,
    process: u32,
}

#[pymethods]
impl Operation {
    /// Gives up. The callback is called all the same, with an error, unless it was called already.
    fn cancel(&self) {
        if self.process == std::process::id() {
            self.task.abort();
        }
    }
}

/// Makes a Python object of an outcome, where the GIL is held.
pub(crate) type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// Starts `work`, and has `done` called with its outcome and `None`, or with `None` and an exception.
pub(crate) fn start<W>(process: &Arc<Process>, done: Py<PyAny>, work: W) -> Operation
where
    W: Future<Output = Result<Outcome, Error>> + Send + 'static,
{
    let mut completion = Completion { lane: process.completions.clone(), done: Some(done) };
    let task = process.runtime.spawn(async move {
        let result = work.await;
        completion.tell(result);
    });
    Operation { task: task.abort_handle(), process: process.id }
}

/// What is of no interest but for being done.
pub(crate) fn nothing() -> Outcome {
    Box::new(|py| Ok(py.None()))
}

/// A plain value.
pub(crate) fn value<T>(value: T) -> Outcome
where
    T: for<'py> IntoPyObject<'py> + Send + 'static,
{
    Box::new(move |py| value.into_py_any(py))
}

/// Sees to it that the callback is called, whatever becomes of the work.
struct Completion {
    lane: Lane,
    done: Option<Py<PyAny>>,
}

impl Completion {
    fn tell(&mut self, result: Result<Outcome, Error>) {
        let Some(done) = self.done.take() else { return };
        self.lane.post(move |py| {
            let outcome = match result {
                Ok(outcome) => outcome(py),
                Err(error) => Err(error::raised(py, &error)),
            };
            let told = match outcome {
                Ok(value) => done.call1(py, (value, py.None())),
                Err(error) => done.call1(py, (py.None(), error.into_value(py))),
            };
            if let Err(error) = told {
                error.write_unraisable(py, Some(done.bind(py)));
            }
        });
    }
}

impl Drop for Completion {
    /// The work was given up, or has panicked.
    fn drop(&mut self) {
        self.tell(Err(Error::stopped()));
    }
}
