//! One SSH connection to the server, through as many hops as it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use underpass_crypto::{Kex, Proof};
use underpass_proto::{ClientConfig, Config, Connection};

use crate::agent;
use crate::algorithms::{OnRecord, algorithms};
use crate::blocking::elsewhere;
use crate::client::{Client, Progress};
use crate::dial::{ServerConnection, Transport};
use crate::entropy::OsEntropy;
use crate::gss::Gss;
use crate::logon::{Candidate, HostKey, Logon, Memory};
use crate::remote::Remotes;
use crate::session::{Asker, Carry, Command, ConnectionInfo, Limits, Session, Socket, Stream, pipe};
use crate::stats::Counters;
use crate::{
    Cryptography, Endpoint, Error, ErrorKind, Event, Peer, Settings, Step, Target, dial, host_key, logon,
    packet_trace,
};

/// What it takes to connect, again and again: the servers on the way, the tunnel's own last.
pub(crate) struct Route(Vec<Hop>);

struct Hop {
    settings: Arc<Settings>,
    user: String,
    keys: Vec<Candidate>,
    /// Of this machine.
    host_keys: Vec<HostKey>,
    memory: Arc<Memory>,
}

/// When somebody is logged on to the tunnel's own server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogOn {
    /// As soon as the connection is secured.
    AtOnce,
    /// When [`Secured::log_on`] is called.
    Later,
}

/// An SSH connection with keys, to a server whose key was found good. Dropped, it is cut.
pub(crate) struct Secured {
    live: Live,
    logged_on: oneshot::Receiver<()>,
}

/// An SSH connection with somebody logged on. Dropped, it is cut.
pub(crate) struct Live {
    commands: UnboundedSender<Command>,
    outcome: watch::Receiver<Option<Result<(), Error>>>,
    /// What the session leaves behind, once.
    unserved: Option<oneshot::Receiver<Vec<Carry>>>,
    /// The hops before it, the nearest first.
    via: Vec<Live>,
    ends: Option<ServerConnection>,
}

/// What a session has of the tunnel that it belongs to. Each hop has its own, which nobody looks at.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    pub(crate) stats: Arc<Counters>,
    pub(crate) remotes: Arc<Remotes>,
    ids: Arc<AtomicU64>,
}

impl Tasks {
    /// A number for the next connection, and what there is to say about it.
    pub(crate) fn introduce(&self, peer: Peer, target: Endpoint) -> ConnectionInfo {
        let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        ConnectionInfo { id, peer, target, since: Instant::now() }
    }
}

impl Route {
    /// The server that is dialled.
    pub(crate) fn first_server(&self) -> (&str, u16) {
        self.0.first().map(|hop| (hop.settings.host.as_str(), hop.settings.port)).unwrap_or_default()
    }

    /// Reads what the settings name on the disk.
    pub(crate) async fn plan(settings: &Arc<Settings>) -> Result<Self, Error> {
        let mut hops = Vec::new();
        for hop in settings.jumps.iter().map(|hop| Arc::new(settings.lend_to(hop))).chain([settings.clone()])
        {
            let user = hop.login_user()?;
            agent::check(&hop)?;
            let read = hop.clone();
            let keys = move || Ok((logon::candidates(&read)?, logon::host_keys(&read)?));
            let (keys, host_keys) = blocking(keys).await?;
            hops.push(Hop { settings: hop, user, keys, host_keys, memory: Arc::default() });
        }
        Ok(Self(hops))
    }

    /// Connects, and logs on at every hop; at the server as well, if it is to be at once.
    ///
    /// # Errors
    /// The first step that failed; nothing is left then.
    pub(crate) async fn connect(&self, tasks: &Tasks, log_on: LogOn) -> Result<Secured, Error> {
        let none = || Error::internal(Step::Dial, "a route without a server");
        let (server, hops) = self.0.split_last().ok_or_else(none)?;
        let mut via: Vec<Live> = Vec::new();
        for hop in hops {
            let transport = self.reach(hop, &via).await?;
            let logged_on =
                async { hop.secure(transport, Tasks::default(), LogOn::AtOnce).await?.log_on().await };
            match logged_on.await {
                Ok(live) => via.push(live),
                Err(error) => return Err(blame(&via, error).await),
            }
        }
        let transport = self.reach(server, &via).await?;
        match server.secure(transport, tasks.clone(), log_on).await {
            Ok(mut secured) => {
                secured.live.via = via;
                Ok(secured)
            }
            Err(error) => Err(blame(&via, error).await),
        }
    }

    /// A transport to a server, behind these hops.
    async fn reach(&self, server: &Hop, via: &[Live]) -> Result<Transport, Error> {
        let Some(last) = via.last() else { return dial::dial(&server.settings).await };
        match last.reach(&server.settings).await {
            Ok(transport) => Ok(transport),
            Err(error) => {
                let (host, through) = (&server.settings.host, &self.0[via.len() - 1].settings.host);
                Err(blame(via, in_terms_of_the_way(host, through, error)).await)
            }
        }
    }
}

impl Secured {
    /// Logs on, or waits until that is done.
    ///
    /// # Errors
    /// Why it is not; nothing is left then.
    pub(crate) async fn log_on(self) -> Result<Live, Error> {
        let Self { live, logged_on } = self;
        let _ = live.commands.send(Command::LogOn);
        match logged_on.await {
            Ok(()) => Ok(live),
            // The session ended before.
            Err(_) => Err(live.failure().await),
        }
    }

    pub(crate) fn server_connection(&self) -> Option<ServerConnection> {
        self.live.server_connection()
    }

    /// Waits for its end.
    pub(crate) fn lost(&self) -> impl Future<Output = Error> + Send + use<> {
        let result = self.live.result();
        async move { result.await.err().unwrap_or_else(Error::stopped) }
    }
}

impl Hop {
    fn user_on_wire(&self) -> Vec<u8> {
        self.settings.user_on_wire.clone().unwrap_or_else(|| self.user.clone().into())
    }

    async fn secure(&self, transport: Transport, tasks: Tasks, log_on: LogOn) -> Result<Secured, Error> {
        let read = self.settings.clone();
        let record = blocking(move || host_key::read_record(&read)).await?;
        let settings = &self.settings;
        let on_record = host_key::on_record(settings, &record);
        let mut common = config(settings, &on_record)?;
        if settings.cryptography != Cryptography::BuiltIn {
            let text = format!("the connection is secured by {}", settings.cryptography.version()?);
            settings.tell(|| Event::Detail { level: 1, text });
        }
        common.hold_log_on = log_on == LogOn::Later;
        let gss = self.with_kerberos(&mut common.algorithms.kex).await?;
        let config = ClientConfig { common, user: self.user_on_wire() };
        let (read, keys) = (settings.clone(), self.keys.clone());
        // Anew for each connection: many certificates hold for hours, and are renewed in place.
        let files = blocking(move || logon::with_certificates(&read, &keys)).await?;
        let (user, host_keys, memory) = (self.user.clone(), self.host_keys.clone(), self.memory.clone());
        let logon = Logon::new(settings.clone(), user, files, host_keys, memory);
        let (progress, secured, logged_on) = Progress::watched();
        let side = Client::new(settings.clone(), record, logon, gss, tasks.clone(), progress);
        let now = Instant::now();
        let mut engine = Connection::client(config, Box::new(OsEntropy::new()), now)
            .map_err(|error| Error::internal(Step::KeyExchange, error.to_string()))?;
        let Transport { stream, early, ends } = transport;
        feed(&mut engine, &early, now);
        let mut live = start(engine, stream, side, tasks.stats, Limits::from(&**settings));
        live.ends = ends;
        match secured.await {
            Ok(()) => Ok(Secured { live, logged_on }),
            // The session ended before.
            Err(_) => Err(live.failure().await),
        }
    }
}

impl Hop {
    /// Takes key exchanges with Kerberos out of the list if there is no ticket for the server: once they are agreed on, it
    /// is too late for others.
    ///
    /// # Errors
    /// Nothing is left.
    async fn with_kerberos(&self, offered: &mut Vec<&'static Kex>) -> Result<Gss, Error> {
        let settings = &self.settings;
        let new = || Gss::new(settings.clone(), self.user.clone());
        if !offered.iter().any(|kex| kex.proof == Proof::Gss) {
            return Ok(new());
        }
        let mut gss = new();
        let checked = elsewhere("underpass kerberos", move || {
            let result = gss.check();
            (gss, result)
        });
        let (gss, problem) = match timeout(settings.handshake_timeout, checked).await {
            Ok(Some((gss, Ok(())))) => return Ok(gss),
            Ok(Some((gss, Err(problem)))) => (gss, problem),
            // The library cannot be told to stop. It is left alone with what it has.
            Ok(None) | Err(_) => {
                let after = settings.handshake_timeout;
                let advice = "check the network, and the kdc lines of the realm in krb5.conf";
                (new(), Error::timeout(Step::KeyExchange, &settings.host, after).with_advice(advice))
            }
        };
        offered.retain(|kex| kex.proof == Proof::HostKey);
        if offered.is_empty() {
            return Err(problem);
        }
        let advice = problem.advice().unwrap_or_default().into_owned();
        let text = format!("no key exchange with Kerberos is offered: {}; {advice}", problem.kind());
        settings.tell(|| Event::Detail { level: 1, text });
        Ok(gss)
    }
}

/// Gives the engine what has come before anybody looked after it. A proxy's answer leaves little room for more.
fn feed(engine: &mut Connection, mut early: &[u8], now: Instant) {
    while !early.is_empty() {
        let space = engine.receive_space();
        let count = space.len().min(early.len());
        if count == 0 {
            return;
        }
        space[..count].copy_from_slice(&early[..count]);
        engine.received(count, now);
        early = &early[count..];
    }
}

fn start(engine: Connection, transport: Stream, side: Client, stats: Arc<Counters>, limits: Limits) -> Live {
    let (session, commands) = Session::new(engine, Socket::transport(transport), side, stats, limits);
    let (report, outcome) = watch::channel(None);
    let (leave, unserved) = oneshot::channel();
    tokio::spawn(async move {
        let ended = session.run().await;
        let result = match ended.error {
            underpass_proto::Error::Stopped => Ok(()),
            error => Err(ended.side.explain(error, ended.cause)),
        };
        // Whoever has dropped the connection wants neither.
        let _ = leave.send(ended.unserved);
        report.send_replace(Some(result));
    });
    Live { commands, outcome, unserved: Some(unserved), via: Vec::new(), ends: None }
}

impl Live {
    pub(crate) fn commands(&self) -> &UnboundedSender<Command> {
        &self.commands
    }

    /// The ends of the TCP connection that all of it goes over.
    pub(crate) fn server_connection(&self) -> Option<ServerConnection> {
        self.via.first().unwrap_or(self).ends
    }

    /// Has it end soon unless the server gives a sign of life, and each hop on the way.
    pub(crate) fn probe(&self, patience: Duration) {
        for live in self.via.iter().chain([self]) {
            let _ = live.commands.send(Command::Probe(patience));
        }
    }

    /// Waits for its end. Of several connections that broke, the nearest is to blame.
    pub(crate) async fn ended(&self) -> Result<(), Error> {
        match self.result().await {
            Ok(()) => Ok(()),
            Err(error) => Err(blame(&self.via, error).await),
        }
    }

    /// The connections that had not reached their targets when it ended.
    pub(crate) async fn unserved(&mut self) -> Vec<Carry> {
        match self.unserved.take() {
            Some(unserved) => unserved.await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    fn result(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let mut outcome = self.outcome.clone();
        async move {
            match outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) {
                Ok(outcome) => outcome.unwrap_or(Ok(())),
                Err(_) => Err(Error::internal(Step::Carry, "the task that drives the connection has died")),
            }
        }
    }

    /// Why it is of no use any more.
    async fn failure(&self) -> Error {
        self.ended().await.err().unwrap_or_else(Error::stopped)
    }

    /// A connection from here to the next hop.
    async fn reach(&self, next: &Settings) -> Result<Transport, Error> {
        let (near, far) = pipe();
        let (asker, answer) = oneshot::channel();
        let target = Endpoint::Tcp(Target { host: next.host.clone(), port: next.port });
        let info = ConnectionInfo { id: 0, peer: Peer::Hop, target, since: Instant::now() };
        let socket = Socket::forwarded(far);
        let carry = Carry { asker: Asker::Program(asker), ..Carry::plain(socket, info) };
        let _ = self.commands.send(Command::Carry(Box::new(carry)));
        tokio::select! {
            Ok(reached) = answer => reached.map(|()| Stream::from(near).into()),
            error = self.failure() => Err(error),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // A session that has ended needs no cut.
        let _ = self.commands.send(Command::Cut);
    }
}

/// The next server is a hop's target, and the tunnel's server.
fn in_terms_of_the_way(host: &str, hop: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::TargetRefused { .. } => Error::hop(host, hop, &error),
        ErrorKind::Timeout { .. } if error.step() == Step::OpenChannel => Error::hop(host, hop, &error),
        _ => error,
    }
}

/// When a hop broke, what came through it broke with it: the error of the nearest one that has failed.
async fn blame(via: &[Live], error: Error) -> Error {
    /// A hop's data ends a moment before it says why.
    const MOMENT: Duration = Duration::from_millis(100);
    if let (Some(last), ErrorKind::Lost { .. }) = (via.last(), error.kind()) {
        let _ = timeout(MOMENT, last.result()).await;
    }
    let failed = |hop: &Live| hop.outcome.borrow().as_ref().and_then(|result| result.as_ref().err().cloned());
    via.iter().find_map(failed).unwrap_or(error)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::internal(Step::Configure, "reading the settings' files failed")))
}

fn config(settings: &Settings, on_record: &OnRecord) -> Result<Config, Error> {
    let mut config = Config {
        algorithms: algorithms(settings, on_record)?,
        group_sizes: settings.group_sizes,
        unlisted_signatures: settings.unlisted_signatures,
        handshake_timeout: settings.handshake_timeout,
        auth_timeout: settings.auth_timeout,
        open_timeout: settings.open_timeout,
        keepalive_interval: settings.keepalive_interval,
        keepalive_count: settings.keepalive_count,
        receive_memory: settings.window_memory,
        max_window: settings.max_window,
        max_packet: settings.max_packet,
        strict_kex: settings.strict_kex,
        peer_identification: settings.server_identification.clone(),
        tracer: packet_trace::tracer(settings),
        ..Config::default()
    };
    if let Some(identification) = &settings.identification {
        config.identification.clone_from(identification);
    }
    config.rekey_bytes = settings.rekey_bytes.unwrap_or(config.rekey_bytes);
    config.rekey_packets = settings.rekey_packets.unwrap_or(config.rekey_packets);
    config.rekey_age = settings.rekey_interval;
    Ok(config)
}
