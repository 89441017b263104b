//! The native half of the Python package `underpass`: tunnels as objects that start work and call back when it is done.
//!
//! Everything that has a shape of Python's (keyword arguments, `with`, asyncio, logging) is in `python/underpass`. Here
//! is what that half cannot have:
//!
//! - [`process`]: the runtime and the threads that call into Python, one set for each process;
//! - [`operation`]: work that is waited for elsewhere: by a lock of Python's, or by an event loop;
//! - [`component`]: the component, by the names of its members;
//! - [`tunnel`], [`events`], [`ask`], [`error`]: a tunnel, and what it tells, asks and raises.

mod ask;
mod component;
mod error;
mod events;
mod operation;
mod pair;
mod process;
mod tunnel;

use pyo3::prelude::*;

/// The native half of the package; see `underpass` for what it is good for.
#[pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use crate::{
        ask::Question,
        component::Component,
        events::Event,
        operation::Operation,
        process::shutdown,
        tunnel::{Forward, Stats, Tunnel, open},
    };
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
