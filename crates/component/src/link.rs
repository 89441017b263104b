//! The connection to the server, and what listens for clients to be carried through it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use underpass::{Connected as Secured, ErrorKind, ServerConnection, State, Tunnel};

use crate::client::Client;
use crate::error::OK;
use crate::listener::{Doors, Target};
use crate::lock::lock;
use crate::model::ErrorGroup;
use crate::resolve;
use crate::tunnel::Inner;
use crate::{Connected, Disconnected, Error, EventKind, SshTunnel, runtime};

/// What there is of a connection, and what listens.
#[derive(Default)]
pub(crate) struct Link {
    server: Server,
    listener: Option<Listener>,
}

/// The connection to the server.
#[derive(Default)]
enum Server {
    #[default]
    Down,
    /// It is being made, or somebody is being logged on; or was, until it was shut down, and will be told so.
    Busy {
        is_cancelled: bool,
    },
    /// Nobody is logged on yet.
    Secured(Box<Secured>, #[expect(dead_code, reason = "dropped, it ends the watch")] watch::Sender<()>),
    Up(Tunnel),
}

struct Listener {
    port: u16,
    /// Dropped, it listens no more.
    _stop: watch::Sender<()>,
}

/// How long connections have to end in good order once all is shut down.
const GRACE: Duration = Duration::from_secs(5);

/// What the connection to the server is called where clients have numbers.
pub(crate) const SERVER: i64 = -1;

impl Link {
    pub(crate) fn is_listening(&self) -> bool {
        self.listener.is_some()
    }

    pub(crate) fn is_connected(&self) -> bool {
        match &self.server {
            Server::Down | Server::Busy { .. } => false,
            Server::Secured(..) => true,
            Server::Up(tunnel) => tunnel.state() == State::Open,
        }
    }

    /// The last handle is gone: nobody is there for whom anything might go on.
    pub(crate) fn abandon(&mut self) {
        self.listener = None;
        if let (Server::Up(tunnel), Ok(runtime)) = (std::mem::take(&mut self.server), runtime::handle()) {
            runtime.spawn(async move { tunnel.stop(Duration::ZERO).await });
        }
    }

    /// Whether members that the connection depends on may not change.
    pub(crate) fn is_in_use(&self) -> bool {
        !matches!(self.server, Server::Down)
    }

    /// The port that is listened at.
    pub(crate) fn port(&self) -> Option<u16> {
        self.listener.as_ref().map(|listener| listener.port)
    }

    /// What the connection to the server goes over.
    pub(crate) fn way(&self) -> Option<ServerConnection> {
        match &self.server {
            Server::Down | Server::Busy { .. } => None,
            Server::Secured(secured, _) => secured.server_connection(),
            Server::Up(tunnel) => tunnel.server_connection(),
        }
    }

    fn is_busy(&self) -> bool {
        matches!(self.server, Server::Busy { .. })
    }

    fn is_cancelled(&self) -> bool {
        matches!(self.server, Server::Busy { is_cancelled: true })
    }

    pub(crate) fn tunnel(&self) -> Option<&Tunnel> {
        if let Server::Up(tunnel) = &self.server { Some(tunnel) } else { None }
    }
}

impl SshTunnel {
    /// Connects to the server and has it prove itself, without logging on.
    ///
    /// # Errors
    /// 104: there is a connection. 1105: it is being made. Others: it cannot be made.
    pub fn connect(&self) -> Result<(), Error> {
        self.no_handler_runs_here()?;
        let builder = {
            let mut link = lock(&self.0.link);
            match link.server {
                Server::Down => {}
                Server::Busy { .. } => return Err(Error::of(ErrorGroup::TcpClient, 1105)),
                Server::Secured(..) | Server::Up(_) => return Err(Error::of(ErrorGroup::TcpClient, 104)),
            }
            let builder = resolve::builder(&self.0)?;
            self.0.retries.store(0, Ordering::Relaxed);
            link.server = BUSY;
            builder
        };
        let _attempt = Attempt(&self.0);
        let result = self.wait_for_attempt(builder.connect());
        let (stop, stopped) = watch::channel(());
        let mut watch = None;
        self.settle(result, |secured| {
            watch = Some(watch_secured(Arc::downgrade(&self.0), secured.lost(), stopped));
            Server::Secured(Box::new(secured), stop)
        })?;
        let Some(watch) = watch else { return Ok(()) };
        runtime::handle()?.spawn(watch);
        Ok(())
    }

    /// Has a connection made, until somebody shuts down.
    fn wait_for_attempt<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, underpass::Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let is_cancelled = || lock(&self.0.link).is_cancelled();
        let result = self.wait_for_unless(work, || is_cancelled().then(shut_down))?;
        result.map_err(|error| self.0.in_code(&error))
    }

    /// Keeps the connection that was made, or tells why there is none.
    fn settle<T>(&self, result: Result<T, Error>, keep: impl FnOnce(T) -> Server) -> Result<(), Error> {
        let result = {
            let mut link = lock(&self.0.link);
            let result = if link.is_cancelled() { Err(shut_down()) } else { result };
            let (server, result) = match result {
                Ok(made) => (keep(made), Ok(())),
                Err(error) => (Server::Down, Err(error)),
            };
            link.server = server;
            result
        };
        if result.is_err() {
            self.0.queue.drop_questions();
        }
        self.0.connected(&result);
        result
    }

    /// Connects, logs on and accepts clients at [`local_port`](Self::local_port). Uses the connection that there is.
    ///
    /// # Errors
    /// 104: it listens. 116: the target has no port. 10048: the port is taken. Others: the connection cannot be made, or
    /// nobody gets logged on.
    pub fn start_listening(&self) -> Result<(), Error> {
        self.no_handler_runs_here()?;
        let target = self.0.target()?;
        if lock(&self.0.link).is_listening() {
            return Err(Error::of(ErrorGroup::SshTunnel, 104));
        }
        let doors = Doors::open(&lock(&self.0.store))?;
        let tunnel = self.log_on()?;
        let (stop, stopped) = watch::channel(());
        let port = doors.port();
        {
            let mut link = lock(&self.0.link);
            if link.is_listening() {
                return Err(Error::of(ErrorGroup::SshTunnel, 104));
            }
            // Another thread may have shut it down meanwhile, or it broke.
            if link.tunnel().is_none() {
                return Err(Error::new(1120));
            }
            link.listener = Some(Listener { port, _stop: stop });
        }
        runtime::handle()?.spawn(doors.serve(Arc::downgrade(&self.0), tunnel, target, stopped));
        Ok(())
    }

    /// A connection on which somebody is logged on: the one that there is, or a new one.
    fn log_on(&self) -> Result<Tunnel, Error> {
        let way = {
            let mut link = lock(&self.0.link);
            if let Server::Up(tunnel) = &link.server {
                return Ok(tunnel.clone());
            }
            if link.is_busy() {
                return Err(Error::of(ErrorGroup::TcpClient, 1105));
            }
            match std::mem::replace(&mut link.server, BUSY) {
                Server::Secured(secured, _) => Some(secured),
                _ => None,
            }
        };
        let _attempt = Attempt(&self.0);
        let result = match way {
            Some(secured) => self.wait_for_attempt(secured.log_on()),
            None => {
                self.0.retries.store(0, Ordering::Relaxed);
                resolve::builder(&self.0).and_then(|builder| self.wait_for_attempt(builder.open()))
            }
        };
        let tunnel = result.as_ref().ok().cloned();
        self.settle(result, Server::Up)?;
        let tunnel = tunnel.ok_or_else(shut_down)?;
        // It may have been set since the connection was begun.
        self.0.raise_max_window(&tunnel);
        runtime::handle()?.spawn(watch_tunnel(Arc::downgrade(&self.0), tunnel.clone()));
        Ok(tunnel)
    }

    /// Accepts no more clients; those that are there stay.
    pub fn stop_listening(&self) {
        lock(&self.0.link).listener = None;
    }

    /// Ends the connection of one client.
    ///
    /// # Errors
    /// 126: there is none of that number.
    pub fn disconnect(&self, connection_id: i64) -> Result<(), Error> {
        let id = i32::try_from(connection_id).ok();
        let client = id.and_then(|id| self.0.clients.of_id(id));
        let client = client.ok_or_else(|| {
            Error::new(126)
                .because(format!("There is no connection {connection_id}; it may have ended already."))
        })?;
        client.close();
        Ok(())
    }

    /// Listens no more, and ends the connection of every client and that to the server. Called by a handler it does not
    /// wait until they have ended.
    pub fn shutdown(&self) {
        let server = {
            let mut link = lock(&self.0.link);
            link.listener = None;
            match &mut link.server {
                Server::Up(tunnel) => Some(tunnel.clone()),
                Server::Secured(..) => {
                    link.server = Server::Down;
                    self.0.disconnected(&Ok(()));
                    None
                }
                Server::Busy { is_cancelled } => {
                    *is_cancelled = true;
                    None
                }
                Server::Down => None,
            }
        };
        let clients = self.0.clients.all();
        clients.iter().for_each(|client| client.close());
        self.0.queue.drop_questions();
        let Some(tunnel) = server else { return };
        let grace = if clients.iter().all(|client| client.linger.is_some()) { GRACE } else { Duration::ZERO };
        let inner = Arc::downgrade(&self.0);
        let stop = async move {
            tunnel.stop(grace).await;
            // `watch_tunnel` tells the rest; whoever waits sees it done.
            let is_ending = |inner: Arc<Inner>| {
                lock(&inner.link).tunnel().is_some_and(|tunnel| tunnel.state() == State::Closed)
            };
            while inner.upgrade().is_some_and(is_ending) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if self.0.queue.is_in_handler() {
            if let Ok(runtime) = runtime::handle() {
                runtime.spawn(stop);
            }
        } else {
            // It only fails within a handler.
            let _ = self.wait_for(stop);
        }
    }

    /// Ends everything and gives every member its default again. Handlers stay.
    pub fn reset(&self) {
        self.shutdown();
        lock(&self.0.store).clear();
        *lock(&self.0.seen) = Default::default();
        *lock(&self.0.kept) = Default::default();
        self.0.adjust_trace();
    }
}

const BUSY: Server = Server::Busy { is_cancelled: false };

/// What becomes of a connection that was not made when everything was shut down.
fn shut_down() -> Error {
    Error::new(10053).because("It was shut down meanwhile.")
}

/// The making of a connection. A handler's panic must not leave it as one that never ends.
struct Attempt<'a>(&'a Inner);

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.link).server = Server::Down;
        }
    }
}

impl Inner {
    /// Tells of a connection to the server that was made, or was not.
    pub(crate) fn connected(&self, result: &Result<(), Error>) {
        let was_up = self.is_up.swap(result.is_ok(), Ordering::Relaxed);
        let (status_code, description) = outcome(result);
        match result {
            Ok(()) if was_up => {}
            // What was told of as there, and ends before anybody is logged on, has ended.
            Err(_) if was_up => {
                self.tell(EventKind::Disconnected, || Disconnected {
                    connection_id: SERVER,
                    status_code,
                    description,
                });
            }
            _ => self.tell(EventKind::Connected, || Connected {
                connection_id: SERVER,
                status_code,
                description,
            }),
        }
    }

    /// Tells of its end, once.
    pub(crate) fn disconnected(&self, result: &Result<(), Error>) {
        if self.is_up.swap(false, Ordering::Relaxed) {
            let (status_code, description) = outcome(result);
            self.tell(EventKind::Disconnected, || Disconnected {
                connection_id: SERVER,
                status_code,
                description,
            });
        }
    }

    /// An error of the connection in the interface's terms.
    fn in_code(&self, error: &underpass::Error) -> Error {
        if let Some(refusal) = lock(&self.refusal).take() {
            return refusal;
        }
        let most = lock(&self.store).number_if_set("MaxRetryCount").filter(|most| *most > 0);
        let is_last = most.is_some_and(|most| i64::from(self.retries.load(Ordering::Relaxed)) >= most);
        match is_last && is_retried(error) {
            true => Error::new(1037).because(error),
            false => Error::from(error),
        }
    }

    fn target(&self) -> Result<Target, Error> {
        let store = lock(&self.store);
        let (host, port) = (store.text("ssh_forward_host"), store.number("ssh_forward_port"));
        match (host.as_str(), u16::try_from(port).unwrap_or(0)) {
            ("", 0) => Ok(Target::AskedFor),
            ("", _) => Err(Error::invalid(
                "ssh_forward_port is set and ssh_forward_host is not; set both, or neither.",
            )),
            (_, 0) => Err(Error::new(116).because("ssh_forward_host is set; set ssh_forward_port, too.")),
            // What follows a star is not to be looked up here. Nothing is.
            (host, port) => Ok(Target::Fixed(host.trim_start_matches('*').to_owned(), port)),
        }
    }
}

/// Whether the tunnel makes another attempt after such an error, if it may.
fn is_retried(error: &underpass::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Resolve { .. }
            | ErrorKind::Dial { .. }
            | ErrorKind::Proxy { .. }
            | ErrorKind::Timeout { .. }
            | ErrorKind::Disconnected { .. }
            | ErrorKind::Lost { .. }
            | ErrorKind::PeerDead { .. }
            | ErrorKind::PeerMisbehaved { .. }
    )
}

/// As events tell it.
pub(crate) fn outcome(result: &Result<(), Error>) -> (i64, String) {
    match result {
        Ok(()) => (OK.0.into(), OK.1.to_owned()),
        Err(error) => (error.code().into(), error.message().to_owned()),
    }
}

/// Notices when a connection breaks before anybody is logged on.
async fn watch_secured(
    inner: Weak<Inner>,
    lost: impl Future<Output = underpass::Error>,
    mut stop: watch::Receiver<()>,
) {
    let error = tokio::select! {
        error = lost => error,
        // Somebody is being logged on, or it is not wanted any more.
        _ = stop.changed() => return,
    };
    let Some(inner) = inner.upgrade() else { return };
    {
        let mut link = lock(&inner.link);
        let Server::Secured(..) = &link.server else { return };
        link.server = Server::Down;
    }
    inner.disconnected(&Err(error.into()));
}

/// Tells of the end of a tunnel.
async fn watch_tunnel(inner: Weak<Inner>, tunnel: Tunnel) {
    let result = tunnel.closed().await;
    drop(tunnel);
    let Some(inner) = inner.upgrade() else { return };
    inner.queue.drop_questions();
    {
        let mut link = lock(&inner.link);
        link.listener = None;
        link.server = Server::Down;
    }
    let result = result.map_err(|error| inner.in_code(&error));
    if let (false, Err(error)) = (inner.is_up.load(Ordering::Relaxed), &result) {
        // That it broke was told of; that it stays so was not.
        inner.report(SERVER, error);
    }
    inner.disconnected(&result);
    inner.queue.notify();
}

/// Tells of the end of a client.
pub(crate) fn gone(inner: &Arc<Inner>, client: &Arc<Client>, result: &Result<(), Error>) {
    let (status_code, description) = outcome(result);
    if inner.handlers.has(EventKind::Disconnected) || inner.handlers.has(EventKind::DataIn) {
        let event = Disconnected { connection_id: client.id.into(), status_code, description };
        inner.queue.put(crate::queue::Item::Gone(client.clone(), event));
    } else {
        inner.forget(client.id);
    }
}
