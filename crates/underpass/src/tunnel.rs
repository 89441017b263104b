//! The tunnel as its user holds it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use underpass_proto::limits::MAX_WINDOW;

use crate::blocking::lock;
use crate::connect::Live;
use crate::forwards::Forwards;
use crate::session::{Asker, Carry, Socket, pipe};
use crate::supervisor::{Shared, Stop, Supervisor};
use crate::{
    ActiveForward, Adopt, Adopted, Bound, Builder, Endpoint, Error, Forward, ForwardId, Peer,
    ServerConnection, Stats, Step, Stream,
};

/// An open tunnel. Clones are handles to the same one.
///
/// When the connection to the server breaks, it [reconnects](crate::Settings::reconnect). It ends when it is
/// [stopped](Self::stop), when the last handle is dropped (which cuts it as a stop without grace does, and waits for
/// nothing), or when reconnecting is given up. Then the listeners are closed, and connections that had not ended are
/// reset.
///
/// ```no_run
/// # async fn example() -> Result<(), underpass::Error> {
/// use underpass::Tunnel;
///
/// let tunnel = Tunnel::builder("me@bastion").local_forward("0:db:5432").open().await?;
/// println!("the database is at {}", tunnel.local_address().expect("there is a local forward"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tunnel(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    forwards: Forwards,
    outcome: watch::Receiver<Option<Result<(), Error>>>,
}

/// What a tunnel is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It connects for the first time.
    Connecting,
    /// It carries connections.
    Open,
    /// The connection to the server broke; new connections wait for the next one.
    Reconnecting,
    /// It takes no new connections, and waits for those that are open.
    Stopping,
    /// It has ended.
    Closed,
}

impl State {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Reconnecting => "reconnecting",
            Self::Stopping => "stopping",
            Self::Closed => "closed",
        }
    }
}

impl Tunnel {
    /// Serves the forwards over a connection on which somebody is logged on.
    pub(crate) async fn start(
        shared: Arc<Shared>,
        forwards: Forwards,
        supervisor: Supervisor,
        live: Live,
    ) -> Result<Self, Error> {
        // Its task says so once it runs, which may be later than its user asks.
        shared.state.send_replace(State::Open);
        let tunnel = Self(Arc::new(Inner { forwards, outcome: supervise(supervisor, live), shared }));
        if let Err(error) = tunnel.0.forwards.serve().await {
            // Told by the caller, as the error that it is.
            tunnel.0.shared.give_up();
            let _ = tunnel.closed().await;
            return Err(error);
        }
        Ok(tunnel)
    }

    /// Begins with the server to go through: `[user@]host[:port]` or `ssh://[user@]host[:port]`.
    pub fn builder(destination: impl AsRef<str>) -> Builder {
        Builder::new(destination)
    }

    /// Where this machine listens, and for which forward; Unix-domain sockets are among
    /// [`forwards`](Self::forwards) only. A forward can have several addresses.
    pub fn listeners(&self) -> Vec<(Forward, SocketAddr)> {
        let forwards = self.forwards().into_iter();
        forwards
            .flat_map(|ActiveForward { forward, bound, .. }| {
                bound.into_iter().filter_map(move |bound| match bound {
                    Bound::Tcp(address) => Some((forward.clone(), address)),
                    _ => None,
                })
            })
            .collect()
    }

    /// The first address that this machine listens on: for a tunnel with one local or dynamic forward, the address to
    /// connect to.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.listeners().first().map(|(_, address)| *address)
    }

    /// The forwards, in the order in which they were added, with the places where they take connections now.
    pub fn forwards(&self) -> Vec<ActiveForward> {
        self.0.forwards.list()
    }

    /// Adds a forward to the running tunnel.
    ///
    /// # Errors
    /// It cannot be listened for: by this machine, or by the server, which is waited for if need be. Or the tunnel is
    /// being stopped, or has ended.
    pub async fn add_forward(&self, forward: Forward) -> Result<ForwardId, Error> {
        self.0.forwards.add(forward).await
    }

    /// Stops listening for a forward; its open connections go on. When it returns, its ports on this machine are free.
    /// False: there is no such forward any more.
    pub async fn remove_forward(&self, id: ForwardId) -> bool {
        self.0.forwards.remove(id).await
    }

    /// Connects to a target behind the server, as a forward does, without a port on this machine. While the tunnel
    /// reconnects, it waits as connections to a listener do.
    ///
    /// ```no_run
    /// # async fn example(tunnel: underpass::Tunnel) -> Result<(), Box<dyn std::error::Error>> {
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    ///
    /// let mut stream = tunnel.connect(("web", 80)).await?;
    /// stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    /// let mut response = String::new();
    /// stream.read_to_string(&mut response).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server does not reach the target, or the tunnel has ended.
    pub async fn connect(&self, target: impl Into<Endpoint>) -> Result<Stream, Error> {
        let (near, far) = pipe();
        let (asker, answer) = oneshot::channel();
        let info = self.0.shared.tasks.introduce(Peer::Program, target.into());
        let asker = Asker::Program(asker);
        self.0.shared.place(Carry { asker, ..Carry::plain(Socket::forwarded(far), info) });
        match answer.await {
            Ok(reached) => reached.map(|()| Stream::new(near)),
            Err(_) => Err(Error::stopped()),
        }
    }

    /// Carries a connection that the program has accepted by itself, as it carries those of its listeners: payload
    /// goes straight from the socket into the SSH connection and back. What the handle that it gives can do is said
    /// [there](Adopted); nobody has to keep it.
    ///
    /// Returns at once, and can be called from any thread. While the tunnel reconnects the connection waits. It counts
    /// among [`max_connections`](crate::Settings::max_connections); the lists of [`clients`](crate::Settings::clients) and the
    /// [`client_socket`](crate::Settings::client_socket) options are for the tunnel's own listeners. For listeners of the
    /// program there is [`unpace_loopback`](crate::unpace_loopback).
    pub fn adopt(&self, socket: TcpStream, how: Adopt) -> Adopted {
        how.carry(&self.0.shared, socket)
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        *self.0.shared.state.borrow()
    }

    /// Waits until the tunnel is of use: the server is connected, its forwards are listened for, and the
    /// [probe](crate::Settings::probe), if there is one, was reached through it.
    ///
    /// # Errors
    /// It was not within `patience`, or the tunnel has ended.
    pub async fn wait_ready(&self, patience: Duration) -> Result<(), Error> {
        let mut last = None;
        let ready = async {
            loop {
                let mut state = self.0.shared.state.subscribe();
                let open = state
                    .wait_for(|state| matches!(state, State::Open | State::Stopping | State::Closed))
                    .await;
                if !open.is_ok_and(|state| *state == State::Open) {
                    return self.closed().await.and(Err(Error::stopped()));
                }
                match self.probe().await {
                    Ok(()) => return Ok(()),
                    Err(error) => last = Some(error),
                }
                sleep(PROBE_PAUSE).await;
            }
        };
        let result = timeout(patience, ready).await;
        result.unwrap_or_else(|_| {
            Err(last.unwrap_or_else(|| Error::not_ready(&self.0.shared.settings.host, patience)))
        })
    }

    async fn probe(&self) -> Result<(), Error> {
        self.0.forwards.check()?;
        match &self.0.shared.settings.probe {
            Some(target) => self.connect(target.clone()).await.map(drop),
            None => Ok(()),
        }
    }

    /// Says that the network has changed: a connection that stands is asked for a sign of life, and one that is to be
    /// tried again is tried soon. Waking from sleep is noticed without this.
    pub fn network_changed(&self) {
        self.0.shared.nudge.notify_one();
    }

    /// Agrees with the server on new keys, whatever the [limits](crate::Settings::rekey_bytes) say;
    /// [`Event::KeyExchange`] tells when that is done. Connections are held up for a round trip or two. A key exchange
    /// that is under way already counts. While there is no connection to the server, the next one renews its keys.
    pub fn rekey(&self) {
        self.0.shared.rekey.notify_one();
    }

    /// Lets connections have more bytes on their way from the server than [`Settings::max_window`](crate::Settings::max_window)
    /// says, up to 48 MiB: those that are open and those that follow, on this connection to the server and on later ones. A
    /// smaller number than the one that holds changes nothing.
    pub fn raise_max_window(&self, bytes: u32) {
        self.0.shared.switchboard.raise_max_window(bytes.min(MAX_WINDOW));
    }

    /// The ends of the TCP connection to the server: of the one that stands now, if there is one, and if it is TCP, which
    /// [`Proxy::Command`](crate::Proxy::Command) is not. Where proxies or hops are on the way, it ends at the first of them.
    pub fn server_connection(&self) -> Option<ServerConnection> {
        *lock(&self.0.shared.connection)
    }

    /// What it has carried so far.
    pub fn stats(&self) -> Stats {
        self.0.shared.tasks.stats.read()
    }

    /// Stops listening, waits up to `grace` for connections to end, cuts those that remain, and disconnects. Without
    /// grace it cuts at once; so does a second call while the first one waits.
    ///
    /// When it returns, the ports are free. Dropping the future does not take the stop back.
    pub async fn stop(&self, grace: Duration) {
        let stop = if grace.is_zero() { Stop::Now } else { Stop::At(Instant::now() + grace) };
        self.0.shared.stop.send_replace(stop);
        self.0.shared.state.send_if_modified(|state| {
            let stopping = *state != State::Closed;
            if stopping {
                *state = State::Stopping;
            }
            stopping
        });
        self.0.forwards.remove_all().await;
        let _ = self.closed().await;
    }

    /// Waits for the tunnel's end, whatever brings it about. May be called several times.
    ///
    /// # Errors
    /// Why it ended, unless it was stopped.
    pub async fn closed(&self) -> Result<(), Error> {
        let mut outcome = self.0.outcome.clone();
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            Err(_) => Err(Error::internal(Step::Carry, "the task that drives the tunnel has died")),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop.send_replace(Stop::Now);
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").field("state", &self.state()).field("forwards", &self.forwards()).finish()
    }
}

fn supervise(supervisor: Supervisor, live: Live) -> watch::Receiver<Option<Result<(), Error>>> {
    let (report, outcome) = watch::channel(None);
    tokio::spawn(async move {
        let shared = supervisor.shared.clone();
        let result = supervisor.run(live).await;
        shared.end(&result);
        report.send_replace(Some(result));
    });
    outcome
}

/// Between two attempts to reach the probe.
const PROBE_PAUSE: Duration = Duration::from_millis(200);
