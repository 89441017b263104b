//! What tunnels tell, on its way to Python.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use underpass::FieldValue;

use crate::error;
use crate::process::Lane;

/// Something that happened in a tunnel.
#[pyclass(frozen, module = "underpass._native")]
pub(crate) struct Event(underpass::Event);

#[pymethods]
impl Event {
    /// A short name, such as `"listening"`.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// How much somebody must want to know to be told: 0, always, to 3.
    #[getter]
    fn level(&self) -> u8 {
        self.0.level()
    }

    /// One line, in which text from the server is escaped.
    #[getter]
    fn message(&self) -> String {
        self.0.to_string()
    }

    /// Its parts, by name; times in seconds, errors as exceptions.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        for (name, value) in self.0.fields() {
            match value {
                FieldValue::Flag(flag) => fields.set_item(name, flag)?,
                FieldValue::Count(number) => fields.set_item(name, number)?,
                FieldValue::Seconds(seconds) => fields.set_item(name, seconds)?,
                FieldValue::Text(text) => fields.set_item(name, text)?,
                FieldValue::Texts(texts) => fields.set_item(name, texts)?,
                FieldValue::Error(error) => fields.set_item(name, error::exception(py, &error)?)?,
                // And what later versions of the library add.
                _ => fields.set_item(name, py.None())?,
            }
        }
        Ok(fields)
    }

    /// Of a packet: lines of its bytes, where they are told.
    #[getter]
    fn dump(&self) -> Option<String> {
        match &self.0 {
            underpass::Event::Packet { bytes: Some(bytes), .. } => Some(bytes.dump()),
            _ => None,
        }
    }

    fn __str__(&self) -> String {
        self.message()
    }

    fn __repr__(&self) -> String {
        format!("<Event {}: {}>", self.name(), self.message())
    }
}

/// Hands the events of one tunnel to Python's listener, from a thread of its own: the tunnel waits for nobody.
pub(crate) struct Telling {
    lane: Lane,
    /// Gone after the last event, so that whatever it refers to can go as well.
    listener: Mutex<Option<Py<PyAny>>>,
    /// The highest level that the listener wants.
    most: AtomicU8,
    /// How many events are on their way.
    waiting: AtomicUsize,
    /// How many were given up since the last one.
    dropped: AtomicUsize,
}

impl Telling {
    /// `listener` is called with each event, and gives the highest level that it wants from then on.
    pub(crate) fn new(lane: Lane, listener: Py<PyAny>, most: u8) -> Arc<Self> {
        let (waiting, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let listener = Mutex::new(Some(listener));
        Arc::new(Self { lane, listener, most: AtomicU8::new(most), waiting, dropped })
    }

    pub(crate) fn tell(self: &Arc<Self>, event: &underpass::Event) {
        if event.level() > self.most.load(Ordering::Relaxed) {
            return;
        }
        if event.level() > 0 && self.waiting.load(Ordering::Relaxed) >= MAX_WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        match self.dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            dropped => self.send(underpass::Event::Warning {
                text: format!("{dropped} events were dropped, as no handler took them fast enough"),
            }),
        }
        self.send(event.clone());
    }

    fn send(self: &Arc<Self>, event: underpass::Event) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let this = Arc::clone(self);
        self.lane.post(move |py| this.deliver(py, event));
    }

    fn deliver(&self, py: Python<'_>, event: underpass::Event) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let is_last = matches!(event, underpass::Event::Closed { .. });
        let mut place = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let listener =
            if is_last { place.take() } else { place.as_ref().map(|listener| listener.clone_ref(py)) };
        drop(place);
        let Some(listener) = listener else { return };
        let most = listener.call1(py, (Event(event),)).and_then(|most| most.extract::<u8>(py));
        match most {
            Ok(most) => self.most.store(most, Ordering::Relaxed),
            Err(error) => error.write_unraisable(py, Some(listener.bind(py))),
        }
    }
}

/// Events of a level above 0 that wait for a slow handler; what everybody must know is always kept.
const MAX_WAITING: usize = 10_000;
