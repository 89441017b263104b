//! The component, whose members are called by name: `underpass._sshtunnel` gives them their shape.

use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use underpass_component::model::Type;
use underpass_component::{Error, EventKind, SshTunnel, Variant, property};

use crate::error;

/// A tunnel as a component. It belongs to the process that made it.
#[pyclass(frozen, module = "underpass._native")]
pub(crate) struct Component {
    /// A child of this process leaves it alone: the threads that it needs are not there.
    tunnel: Own,
    raised: Raised,
}

/// What a handler has raised, or Ctrl-C, while a call waited.
#[derive(Clone, Default)]
struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    /// Keeps the first.
    fn keep(&self, error: PyErr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl Component {
    #[new]
    fn new() -> Self {
        let (tunnel, raised) = (SshTunnel::new(), Raised::default());
        let interrupted = raised.clone();
        tunnel.interrupt_when(move || {
            // The interpreter may be ending; then nobody waits for long.
            let checked = Python::try_attach(|py| py.check_signals());
            match checked {
                Some(Err(error)) => {
                    interrupted.keep(error);
                    true
                }
                Some(Ok(())) => false,
                None => true,
            }
        });
        Self { tunnel: Own::new(tunnel), raised }
    }

    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let value = self.run(py, |tunnel| tunnel.get(name))?;
        to_python(py, value)
    }

    fn set(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = from_python(name, value)?;
        self.run(py, |tunnel| tunnel.set(name, value))
    }

    fn get_client<'py>(&self, py: Python<'py>, name: &str, client_id: i64) -> PyResult<Bound<'py, PyAny>> {
        let value = self.run(py, |tunnel| tunnel.get_client(name, client_id))?;
        to_python(py, value)
    }

    fn set_client(
        &self,
        py: Python<'_>,
        name: &str,
        client_id: i64,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let value = from_python(name, value)?;
        self.run(py, |tunnel| tunnel.set_client(name, client_id, value))
    }

    fn config(&self, py: Python<'_>, configuration_string: &str) -> PyResult<String> {
        self.run(py, |tunnel| tunnel.config(configuration_string))
    }

    fn connect(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, SshTunnel::connect)
    }

    fn start_listening(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, SshTunnel::start_listening)
    }

    fn stop_listening(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |tunnel| {
            tunnel.stop_listening();
            Ok(())
        })
    }

    fn disconnect(&self, py: Python<'_>, connection_id: i64) -> PyResult<()> {
        self.run(py, |tunnel| tunnel.disconnect(connection_id))
    }

    fn do_events(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |tunnel| {
            tunnel.do_events();
            Ok(())
        })
    }

    fn shutdown(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |tunnel| {
            tunnel.shutdown();
            Ok(())
        })
    }

    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |tunnel| {
            tunnel.reset();
            Ok(())
        })
    }

    fn encode_packet(&self, packet: &[u8]) -> String {
        self.tunnel.encode_packet(packet)
    }

    fn decode_packet<'py>(&self, py: Python<'py>, encoded_packet: &str) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |tunnel| tunnel.decode_packet(encoded_packet))
    }

    fn set_ssh_param<'py>(
        &self,
        py: Python<'py>,
        payload: Vec<u8>,
        field_type: &str,
        field_value: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |tunnel| tunnel.set_ssh_param(payload, field_type, field_value))
    }

    fn get_ssh_param(&self, py: Python<'_>, payload: &[u8], field: &str) -> PyResult<String> {
        self.run(py, |tunnel| tunnel.get_ssh_param(payload, field))
    }

    fn get_ssh_param_bytes<'py>(
        &self,
        py: Python<'py>,
        payload: &[u8],
        field: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |tunnel| tunnel.get_ssh_param_bytes(payload, field))
    }

    /// Has `handle` called with the fields of each such event; it gives those that it has set.
    fn on(&self, event: &str, handle: Option<Py<PyAny>>) -> PyResult<()> {
        let kind = EventKind::ALL.iter().find(|kind| kind.name() == event);
        let kind = *kind.ok_or_else(|| PyTypeError::new_err(format!("there is no event {event}")))?;
        let Some(handle) = handle else {
            self.tunnel.off(kind);
            return Ok(());
        };
        let raised = self.raised.clone();
        self.tunnel.on(kind, move |_, event| {
            let told = Python::try_attach(|py| tell(py, &handle, event));
            if let Some(Err(error)) = told {
                raised.keep(error);
            }
        });
        Ok(())
    }
}

impl Component {
    /// Does something without the GIL, and raises what it gives, or what a handler has raised meanwhile.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&SshTunnel) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        if !self.tunnel.is_ours() {
            let message =
                "this tunnel belongs to the process that forked this one; make a new SSHTunnel here";
            return Err(error::of_code(py, 1117, message));
        }
        let result = py.detach(|| work(&self.tunnel));
        match self.raised.take() {
            Some(raised) => Err(raised),
            None => result.map_err(|problem| error::of_code(py, problem.code(), problem.message())),
        }
    }

    fn bytes<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(&SshTunnel) -> Result<Vec<u8>, Error> + Send,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.run(py, work).map(|bytes| PyBytes::new(py, &bytes))
    }
}

/// What is dropped only by the process that made it.
struct Own(Option<SshTunnel>, u32);

impl Own {
    fn new(tunnel: SshTunnel) -> Self {
        Self(Some(tunnel), std::process::id())
    }

    /// Whether this is the process that made it.
    fn is_ours(&self) -> bool {
        self.1 == std::process::id()
    }
}

impl Deref for Own {
    type Target = SshTunnel;

    fn deref(&self) -> &SshTunnel {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if !self.is_ours() {
            mem::forget(self.0.take());
        }
    }
}

/// Tells Python of an event, and takes its answers.
fn tell(py: Python<'_>, handle: &Py<PyAny>, event: &mut underpass_component::Event) -> PyResult<()> {
    let fields = PyDict::new(py);
    for (name, value) in event.fields() {
        fields.set_item(name, to_python(py, value)?)?;
    }
    let answers = handle.call1(py, (&fields,))?;
    for (name, value) in answers.bind(py).cast::<PyDict>()? {
        let name: String = name.extract()?;
        let value = answer(&value)?;
        event
            .set_field(&name, value)
            .map_err(|problem| error::of_code(py, problem.code(), problem.message()))?;
    }
    Ok(())
}

/// Whatever it is; the event knows whether it fits.
fn answer(value: &Bound<'_, PyAny>) -> PyResult<Variant> {
    if let Ok(value) = value.extract::<bool>() {
        return Ok(Variant::Bool(value));
    }
    if let Ok(value) = value.extract::<i64>() {
        return Ok(Variant::Int(value));
    }
    match value.extract::<String>() {
        Ok(value) => Ok(Variant::Text(value)),
        Err(_) => value.extract::<Vec<u8>>().map(Variant::Bytes),
    }
}

fn to_python(py: Python<'_>, value: Variant) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Variant::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Variant::Int(value) => value.into_pyobject(py)?.into_any(),
        Variant::Text(value) => value.into_pyobject(py)?.into_any(),
        Variant::Bytes(value) => PyBytes::new(py, &value).into_any(),
    })
}

/// As the property has it. Text is taken where bytes are wanted.
fn from_python(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Variant> {
    let Some(row) = property(name) else { return answer(value) };
    let wrong = |wanted: &str| {
        let found =
            value.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("{name} is {wanted}, not {found}"))
    };
    match row.value.value_type() {
        Type::Bool => value.extract().map(Variant::Bool).map_err(|_| wrong("a bool")),
        Type::Int => value.extract().map(Variant::Int).map_err(|_| wrong("an int")),
        Type::Text => value.extract().map(Variant::Text).map_err(|_| wrong("a str")),
        Type::Bytes => match value.extract::<String>() {
            Ok(text) => Ok(Variant::Bytes(text.into_bytes())),
            Err(_) => value.extract::<Vec<u8>>().map(Variant::Bytes).map_err(|_| wrong("bytes")),
        },
    }
}
