//! A tunnel as an object of Python's.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::IntoPyDict;
use underpass::{ActiveForward, Adopt, Bound as Place, Builder, Endpoint, Error, ForwardId, Step};

use crate::ask::Asking;
use crate::error;
use crate::events::Telling;
use crate::operation::{self, Operation, Outcome, nothing, value};
use crate::pair::pair;
use crate::process::Process;

/// An open tunnel. It belongs to the process that opened it.
#[pyclass(frozen, module = "underpass._native")]
pub(crate) struct Tunnel {
    /// Always there, but for the moment of its end.
    inner: Option<underpass::Tunnel>,
    process: Arc<Process>,
}

/// Opens a tunnel with these options of the command; `done` is called with it, or with an exception.
#[pyfunction]
#[pyo3(signature = (words, password, passphrase, pin, listener, level, ask, done))]
#[expect(clippy::too_many_arguments, reason = "the caller is one function in Python, which names them")]
pub(crate) fn open(
    py: Python<'_>,
    words: Vec<String>,
    password: Option<String>,
    passphrase: Option<String>,
    pin: Option<String>,
    listener: Py<PyAny>,
    level: u8,
    ask: Option<Py<PyAny>>,
    done: Py<PyAny>,
) -> PyResult<Operation> {
    let process = Process::current(py)?;
    let telling = Telling::new(process.handlers.clone(), listener, level);
    let complete = move |mut builder: Builder| {
        builder = password.into_iter().fold(builder, Builder::password);
        builder = passphrase.into_iter().fold(builder, Builder::passphrase);
        builder = pin.into_iter().fold(builder, Builder::pin);
        builder = ask.into_iter().fold(builder, |builder, ask| builder.prompter(Asking(ask)));
        builder.observer(move |event| telling.tell(event))
    };
    let owner = Arc::clone(&process);
    Ok(operation::start(&process, done, async move {
        // It reads files.
        let builder = owner.runtime.spawn_blocking(move || underpass_options::builder(words)).await;
        let builder = builder.unwrap_or_else(|_| Err(panicked()))?;
        let tunnel = complete(builder).open().await?;
        Ok::<Outcome, _>(value(Tunnel { inner: Some(tunnel), process: owner }))
    }))
}

#[pymethods]
impl Tunnel {
    /// What it is doing: `"connecting"`, `"open"`, `"reconnecting"`, `"stopping"` or `"closed"`.
    #[getter]
    fn state(&self) -> &'static str {
        self.own().map_or("closed", |tunnel| tunnel.state().name())
    }

    /// Whether it was opened by the process that asks, and not by one that has forked since.
    #[getter]
    fn is_own(&self) -> bool {
        self.own().is_some()
    }

    /// What it has carried so far.
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        Ok(Stats(self.get(py)?.stats()))
    }

    /// Its forwards, in the order in which they were added.
    fn forwards(&self, py: Python<'_>) -> PyResult<Vec<Forward>> {
        Ok(self.get(py)?.forwards().into_iter().map(Forward).collect())
    }

    /// Agrees on new keys with the server.
    fn rekey(&self, py: Python<'_>) -> PyResult<()> {
        self.get(py).map(underpass::Tunnel::rekey)
    }

    /// Says that the network has changed.
    fn network_changed(&self, py: Python<'_>) -> PyResult<()> {
        self.get(py).map(underpass::Tunnel::network_changed)
    }

    /// Waits until it is of use.
    fn wait_ready(&self, py: Python<'_>, seconds: f64, done: Py<PyAny>) -> PyResult<Operation> {
        let patience = duration(py, seconds)?;
        self.start(py, done, async move |tunnel| tunnel.wait_ready(patience).await.map(|()| nothing()))
    }

    /// Waits for its end.
    fn wait_closed(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<Operation> {
        self.start(py, done, async move |tunnel| tunnel.closed().await.map(|()| nothing()))
    }

    /// Connects to a host and port behind the server, or to a Unix-domain socket there if the port is `None`. Gives a
    /// `socket.socket`.
    fn connect(
        &self,
        py: Python<'_>,
        host: String,
        port: Option<u16>,
        done: Py<PyAny>,
    ) -> PyResult<Operation> {
        let target = match port {
            Some(port) => Endpoint::from((host.as_str(), port)),
            None => Endpoint::from(PathBuf::from(host)),
        };
        self.start(py, done, async move |tunnel| {
            let failed = |error: std::io::Error| Error::internal(Step::OpenChannel, error.to_string());
            let (near, far) = pair().await.map_err(failed)?;
            tunnel.adopt(far, Adopt::to(target)).reached().await?;
            let near = near.into_std().map_err(failed)?;
            near.set_nonblocking(false).map_err(failed)?;
            Ok::<Outcome, _>(Box::new(move |py| socket(py, near)))
        })
    }

    /// Adds a forward of a kind (`"local"`, `"remote"`, `"dynamic"`), written as the command takes it.
    fn add_forward(&self, py: Python<'_>, kind: &str, text: &str, done: Py<PyAny>) -> PyResult<Operation> {
        let forward = match kind {
            "local" => underpass::Forward::parse_local(text),
            "remote" => underpass::Forward::parse_remote(text),
            "dynamic" => underpass::Forward::parse_dynamic(text),
            other => Err(Error::configuration(format!("there are no {other} forwards"))),
        };
        let forward = forward.map_err(|error| error::raised(py, &error))?;
        self.start(py, done, async move |tunnel| {
            let id = tunnel.add_forward(forward).await?;
            let added = tunnel.forwards().into_iter().find(|forward| forward.id == id);
            added.map(|added| value(Forward(added))).ok_or_else(Error::stopped)
        })
    }

    /// Stops listening for a forward. Gives whether it was there.
    fn remove_forward(&self, py: Python<'_>, forward: &Forward, done: Py<PyAny>) -> PyResult<Operation> {
        let id: ForwardId = forward.0.id;
        self.start(py, done, async move |tunnel| Ok(value(tunnel.remove_forward(id).await)))
    }

    /// Stops it, and gives connections some seconds to end.
    fn close(&self, py: Python<'_>, grace: f64, done: Py<PyAny>) -> PyResult<Operation> {
        let grace = duration(py, grace)?;
        self.start(py, done, async move |tunnel| {
            tunnel.stop(grace).await;
            Ok(nothing())
        })
    }

    fn __repr__(&self) -> String {
        format!("<underpass._native.Tunnel {}>", self.state())
    }
}

impl Tunnel {
    /// The tunnel, unless it is another process's.
    fn own(&self) -> Option<&underpass::Tunnel> {
        self.inner.as_ref().filter(|_| self.process.id == std::process::id())
    }

    fn get(&self, py: Python<'_>) -> PyResult<&underpass::Tunnel> {
        self.own().ok_or_else(|| {
            let advice = "open a tunnel in each process that needs one";
            error::raised(py, &Error::stopped().with_advice(advice))
        })
    }

    fn start<F, W>(&self, py: Python<'_>, done: Py<PyAny>, work: F) -> PyResult<Operation>
    where
        F: FnOnce(underpass::Tunnel) -> W,
        W: Future<Output = Result<Outcome, Error>> + Send + 'static,
    {
        let tunnel = self.get(py)?.clone();
        Ok(operation::start(&self.process, done, work(tunnel)))
    }
}

impl Drop for Tunnel {
    /// In a child, the locks of what was inherited may be held by threads that are not there.
    fn drop(&mut self) {
        if self.process.id != std::process::id() {
            std::mem::forget(self.inner.take());
        }
    }
}

/// What a tunnel has carried since it was opened.
#[pyclass(frozen, module = "underpass._native")]
pub(crate) struct Stats(underpass::Stats);

#[pymethods]
impl Stats {
    /// Connections open now.
    #[getter]
    fn open(&self) -> u64 {
        self.0.open
    }

    /// Connections that were opened, those still open included.
    #[getter]
    fn total(&self) -> u64 {
        self.0.total
    }

    /// Connections that did not reach their target.
    #[getter]
    fn failed(&self) -> u64 {
        self.0.failed
    }

    /// Bytes towards the server; for remote forwards, towards their targets.
    #[getter]
    fn sent(&self) -> u64 {
        self.0.sent
    }

    /// Bytes from the server; for remote forwards, from their targets.
    #[getter]
    fn received(&self) -> u64 {
        self.0.received
    }

    fn __repr__(&self) -> String {
        let underpass::Stats { open, total, failed, sent, received, .. } = self.0;
        format!("Stats(open={open}, total={total}, failed={failed}, sent={sent}, received={received})")
    }
}

/// A forward of a running tunnel.
#[pyclass(frozen, module = "underpass._native")]
pub(crate) struct Forward(ActiveForward);

#[pymethods]
impl Forward {
    /// `"local"`, `"dynamic"`, `"remote"` or `"remote-dynamic"`.
    #[getter]
    fn kind(&self) -> &'static str {
        match &self.0.forward {
            underpass::Forward::Local { .. } => "local",
            underpass::Forward::Dynamic { .. } => "dynamic",
            underpass::Forward::Remote { .. } => "remote",
            _ => "remote-dynamic",
        }
    }

    /// Where its connections go, as `host:port` or a path; `None` where they say so by themselves.
    #[getter]
    fn target(&self) -> Option<String> {
        self.0.forward.target().map(ToString::to_string)
    }

    /// Where it takes connections now: each a host and port, or the path of a Unix-domain socket and `None`. Empty for a
    /// remote forward that the server does not grant at the moment.
    #[getter]
    fn addresses(&self) -> Vec<(String, Option<u16>)> {
        let place = |place: &Place| match place {
            Place::Tcp(address) => (address.ip().to_string(), Some(address.port())),
            Place::Remote { host, port } => (host.clone(), Some(*port)),
            Place::Unix(path) | Place::RemoteUnix(path) => (path.display().to_string(), None),
            other => (other.to_string(), None),
        };
        self.0.bound.iter().map(place).collect()
    }

    fn __str__(&self) -> String {
        self.0.forward.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Forward {}>", self.0.forward)
    }
}

/// Times that Python gives may be anything.
fn duration(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds.min(LONGEST))
        .map_err(|_| error::raised(py, &Error::configuration(format!("{seconds} is no number of seconds"))))
}

/// A socket of Python's, which owns the descriptor from here on.
fn socket(py: Python<'_>, stream: TcpStream) -> PyResult<Py<PyAny>> {
    #[cfg(unix)]
    let descriptor = std::os::fd::IntoRawFd::into_raw_fd(stream);
    #[cfg(windows)]
    let descriptor = std::os::windows::io::IntoRawSocket::into_raw_socket(stream);
    let class = py.import("socket")?.getattr("socket")?;
    Ok(class.call((), Some(&[("fileno", descriptor)].into_py_dict(py)?))?.unbind())
}

fn panicked() -> Error {
    Error::internal(Step::Configure, "reading the settings has panicked")
}

/// In seconds; a hundred years, beyond which sums with the present could overflow.
const LONGEST: f64 = 100.0 * 365.0 * 86_400.0;
