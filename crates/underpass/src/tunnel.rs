//! The tunnel as its user holds it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};
use underpass_proto::{ClientConfig, Config, Connection};

use crate::algorithms::algorithms;
use crate::client::Client;
use crate::entropy::OsEntropy;
use crate::known_hosts::KnownHosts;
use crate::listener::{self, Listener};
use crate::logon::{self, Candidate, Logon};
use crate::session::{Command, Session, Socket};
use crate::stats::Counters;
use crate::{Builder, Error, Event, Forward, Settings, Stats, Step, dial, host_key};

/// An open tunnel. Clones are handles to the same one.
///
/// It ends when it is [stopped](Self::stop), when the last handle is dropped (which cuts it as a stop without grace
/// does, and waits for nothing), or when the SSH connection is lost. Then the listeners are closed, and connections
/// that had not ended are reset.
///
/// ```no_run
/// # async fn example() -> Result<(), underpass::Error> {
/// use underpass::Tunnel;
///
/// let tunnel = Tunnel::builder("me@bastion").local_forward("0:db:5432").open().await?;
/// let (_, address) = &tunnel.listeners()[0];
/// println!("the database is at {address}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tunnel(Arc<Inner>);

struct Inner {
    commands: UnboundedSender<Command>,
    listeners: Vec<(Forward, SocketAddr)>,
    /// Each listener watches it for as long as it has its port. True, or dropped, tells them to close.
    stop: watch::Sender<bool>,
    stats: Arc<Counters>,
    outcome: watch::Receiver<Option<Result<(), Error>>>,
}

impl Tunnel {
    /// Begins with the server to go through: `[user@]host[:port]` or `ssh://[user@]host[:port]`.
    pub fn builder(destination: impl AsRef<str>) -> Builder {
        Builder::new(destination)
    }

    /// Where the tunnel listens, and for which forward. A forward can have several addresses.
    pub fn listeners(&self) -> &[(Forward, SocketAddr)] {
        &self.0.listeners
    }

    /// What it has carried so far.
    pub fn stats(&self) -> Stats {
        self.0.stats.read()
    }

    /// Stops listening, waits up to `grace` for connections to end, cuts those that remain, and disconnects. Without
    /// grace it cuts at once; so does a second call while the first one waits.
    ///
    /// When it returns, the ports are free. Dropping the future does not take the stop back.
    pub async fn stop(&self, grace: Duration) {
        self.0.stop.send_replace(true);
        let command = if grace.is_zero() { Command::Cut } else { Command::Drain(grace) };
        // A session that is gone has nothing to stop.
        let _ = self.0.commands.send(command);
        self.0.stop.closed().await;
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
        let _ = self.commands.send(Command::Cut);
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").field("listeners", &self.0.listeners).finish_non_exhaustive()
    }
}

impl Builder {
    /// Connects, checks the host key, logs on and listens. Dropping the future gives up and leaves nothing behind.
    ///
    /// Must be called within a tokio runtime with I/O and time enabled, which then carries the tunnel.
    ///
    /// # Errors
    /// The first step that failed; nothing of the tunnel is left then.
    pub async fn open(self) -> Result<Tunnel, Error> {
        let settings = Arc::new(self.settings()?);
        let result = open(settings.clone()).await;
        if let Err(error) = &result {
            settings.tell(|| Event::Closed { error: Some(error.clone()) });
        }
        result
    }
}

async fn open(settings: Arc<Settings>) -> Result<Tunnel, Error> {
    let user = settings.login_user()?;
    let files = Files::read(settings.clone()).await?;
    let known_types = files
        .known_hosts
        .key_types_for(host_key::name_on_record(&settings), host_key::port_on_record(&settings));
    let config = ClientConfig { common: config(&settings, &known_types)?, user: user.clone() };
    let listeners = listener::bind(&settings).await?;
    let transport = dial::dial(&settings).await?;

    let (ready, is_ready) = oneshot::channel();
    let logon = Logon::new(settings.clone(), user, files.candidates);
    let side = Client::new(settings.clone(), files.known_hosts, logon, ready);
    let running = start(settings.clone(), config, transport, side)?;
    if is_ready.await.is_err() {
        // The session ended before anybody was logged on.
        return Err(running.failure().await);
    }
    Ok(running.listen(&settings, listeners))
}

/// What the settings name on the disk.
struct Files {
    known_hosts: KnownHosts,
    candidates: Vec<Candidate>,
}

impl Files {
    async fn read(settings: Arc<Settings>) -> Result<Self, Error> {
        let read = move || {
            let known_hosts = host_key::read_known_hosts(&settings)?;
            Ok(Self { known_hosts, candidates: logon::candidates(&settings)? })
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|_| Err(Error::internal(Step::Configure, "reading the settings' files failed")))
    }
}

fn config(settings: &Settings, known_types: &[String]) -> Result<Config, Error> {
    let mut config = Config {
        algorithms: algorithms(settings, known_types)?,
        handshake_timeout: settings.handshake_timeout,
        auth_timeout: settings.auth_timeout,
        open_timeout: settings.open_timeout,
        keepalive_interval: settings.keepalive_interval,
        keepalive_count: settings.keepalive_count,
        receive_memory: settings.window_memory,
        ..Config::default()
    };
    config.rekey_bytes = settings.rekey_bytes.unwrap_or(config.rekey_bytes);
    config.rekey_packets = settings.rekey_packets.unwrap_or(config.rekey_packets);
    config.rekey_age = settings.rekey_interval;
    Ok(config)
}

/// A session that was started and not handed to the user yet. Dropped, it ends.
struct Running {
    commands: UnboundedSender<Command>,
    stats: Arc<Counters>,
    outcome: watch::Receiver<Option<Result<(), Error>>>,
    armed: bool,
}

fn start(
    settings: Arc<Settings>,
    config: ClientConfig,
    transport: TcpStream,
    side: Client,
) -> Result<Running, Error> {
    let engine = Connection::client(config, Box::new(OsEntropy::new()), Instant::now())
        .map_err(|error| Error::internal(Step::KeyExchange, error.to_string()))?;
    let stats = Arc::new(Counters::default());
    let (session, commands) = Session::new(engine, Socket::transport(transport), side, stats.clone());
    let (report, outcome) = watch::channel(None);
    tokio::spawn(async move {
        let ended = session.run().await;
        let logged_on = ended.side.is_logged_on();
        let result = match ended.error {
            underpass_proto::Error::Stopped => Ok(()),
            error => Err(ended.side.explain(error, ended.cause)),
        };
        if logged_on {
            settings.tell(|| Event::Closed { error: result.as_ref().err().cloned() });
        }
        report.send_replace(Some(result));
    });
    Ok(Running { commands, stats, outcome, armed: true })
}

impl Running {
    /// Why the session ended.
    async fn failure(mut self) -> Error {
        match self.outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) {
            Ok(Some(Err(error))) => error,
            Ok(_) => Error::stopped(),
            Err(_) => Error::internal(Step::Dial, "the task that drives the tunnel has died"),
        }
    }

    fn listen(mut self, settings: &Settings, listeners: Vec<Listener>) -> Tunnel {
        let ids = Arc::new(AtomicU64::new(0));
        let stop = watch::Sender::new(false);
        let mut addresses = Vec::new();
        for listener in listeners {
            let (forward, address) = (listener.forward.clone(), listener.address);
            settings.tell(|| Event::Listening { forward: forward.clone(), address });
            addresses.push((forward, address));
            tokio::spawn(listener.serve(self.commands.clone(), ids.clone(), stop.subscribe()));
        }
        self.armed = false;
        Tunnel(Arc::new(Inner {
            commands: self.commands.clone(),
            listeners: addresses,
            stop,
            stats: self.stats.clone(),
            outcome: self.outcome.clone(),
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.armed {
            let _ = self.commands.send(Command::Cut);
        }
    }
}
