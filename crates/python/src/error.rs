//! Errors as exceptions. Which class there is for which kind is a table in `underpass._errors`.

use pyo3::prelude::*;
use underpass::Error;

/// The exception for an error.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

/// The same, not yet raised.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let make = py.import("underpass._errors")?.getattr("from_native")?;
    make.call1((
        underpass_component::Error::from(error).code(),
        error.kind().name(),
        error.step().name(),
        error.host(),
        error.to_string(),
        error.advice().as_deref(),
    ))
}

/// The exception for an error of the component.
pub(crate) fn of_code(py: Python<'_>, code: u16, message: &str) -> PyErr {
    let exception =
        py.import("underpass._errors").and_then(|errors| errors.getattr("from_code")?.call1((code, message)));
    exception.map_or_else(|other| other, PyErr::from_value)
}
