//! A tunnel's life: connect, serve, and connect again when the connection breaks.

use std::error::Error as _;
use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{sleep, sleep_until};

use crate::blocking::{QUESTION, elsewhere, lock};
use crate::connect::{Live, LogOn, Route, Secured, Tasks};
use crate::entropy::random;
use crate::limiter::{Admission, LIMITERS, Outcome, Permit, Server};
use crate::proxy_client::MAX_HANDSHAKES;
use crate::reconnect::{Retrying, Verdict};
use crate::session::Command;
use crate::switchboard::Switchboard;
use crate::wake::Watch;
use crate::{Error, ErrorKind, Event, ReconnectAttempt, ServerConnection, Settings, State, Step};

/// How often the clocks are compared. A machine that wakes is noticed this soon.
const LOOK: Duration = Duration::from_secs(5);

/// What a server has to answer in after the machine has slept: most connections are dead then, and the others answer
/// at once.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// A connection that breaks within this time after such an event broke because of it.
const AFTERMATH: Duration = Duration::from_secs(30);

/// What the tunnel's handle and its supervisor share.
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) switchboard: Switchboard,
    pub(crate) tasks: Tasks,
    pub(crate) state: watch::Sender<State>,
    /// While there is a connection to the server, what it goes over.
    pub(crate) connection: Mutex<Option<ServerConnection>>,
    pub(crate) stop: watch::Sender<Stop>,
    /// The network has changed: now is a good time for an attempt.
    pub(crate) nudge: Notify,
    /// New keys are wanted.
    pub(crate) rekey: Notify,
    /// One for each connection that may be carried at the same time.
    pub(crate) places: Arc<Semaphore>,
    /// One for each client that is looked up, or may be saying where it wants to go: they are no connections yet.
    pub(crate) handshakes: Arc<Semaphore>,
    /// Carries the tunnel, whoever asks something of it.
    pub(crate) runtime: Handle,
    /// Whether the end was told elsewhere.
    silent: AtomicBool,
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    No,
    /// No new connections; open ones have until then.
    At(Instant),
    Now,
}

pub(crate) struct Supervisor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) route: Route,
    retrying: Retrying,
    clocks: Watch,
    /// When the machine woke or the network changed, while there was a connection.
    shaken: Option<Instant>,
}

/// An attempt that has got as far as a secured connection.
pub(crate) struct Approach {
    secured: Secured,
    /// Until somebody is logged on; none where that may take its time.
    permit: Option<Permit<'static>>,
}

impl Approach {
    async fn log_on(self) -> Result<Live, Error> {
        let result = self.secured.log_on().await;
        if let Some(permit) = self.permit {
            let outcome = if result.is_ok() { Outcome::Established } else { Outcome::Failed };
            permit.finish(outcome, Instant::now());
        }
        result
    }

    pub(crate) fn server_connection(&self) -> Option<ServerConnection> {
        self.secured.server_connection()
    }

    pub(crate) fn lost(&self) -> impl Future<Output = Error> + Send + use<> {
        self.secured.lost()
    }
}

impl Supervisor {
    pub(crate) fn new(shared: Arc<Shared>, route: Route) -> Self {
        let retrying = Retrying::new(&shared.settings.reconnect);
        let clocks = Watch::new(LOOK, Instant::now(), SystemTime::now());
        Self { shared, route, retrying, clocks, shaken: None }
    }

    /// The first connection.
    pub(crate) async fn secure(&mut self, log_on: LogOn) -> Result<Approach, Error> {
        loop {
            match self.approach(log_on).await {
                Ok(approach) => return Ok(approach),
                Err(error) => self.wait_after(error).await?,
            }
        }
    }

    /// The first logon; where it fails and is to be tried again, on another connection.
    pub(crate) async fn log_on(&mut self, mut approach: Approach) -> Result<Live, Error> {
        loop {
            match approach.log_on().await {
                Ok(live) => {
                    self.retrying.on_established(Instant::now());
                    return Ok(live);
                }
                Err(error) => self.wait_after(error).await?,
            }
            approach = self.secure(LogOn::AtOnce).await?;
        }
    }

    /// Serves until the tunnel is stopped or given up.
    pub(crate) async fn run(mut self, mut live: Live) -> Result<(), Error> {
        let mut news = None;
        loop {
            self.shared.begin(&live, news.take());
            let outcome = self.watch(&live).await;
            *lock(&self.shared.connection) = None;
            self.shared.switchboard.disconnect(live.unserved().await);
            drop(live);
            let error = match outcome {
                Err(error) if *self.shared.stop.borrow() == Stop::No => error,
                // What breaks while everything is being stopped is not worth a word.
                _ => return Ok(()),
            };
            if self.retrying.broke_early(Instant::now()) {
                LIMITERS.broke_early(&self.server(), Instant::now());
            }
            match self.reconnect(error).await? {
                Some((next, reconnected)) => (live, news) = (next, Some(reconnected)),
                None => return Ok(()),
            }
        }
    }

    /// Waits for the end of a connection, and looks after it when the machine has slept.
    async fn watch(&mut self, live: &Live) -> Result<(), Error> {
        let shared = self.shared.clone();
        let mut stop = shared.stop.subscribe();
        // It may have been said before anybody listened.
        stop.mark_changed();
        loop {
            tokio::select! {
                outcome = live.ended() => return outcome,
                () = told_to_stop(&mut stop, live) => {}
                () = sleep_until(self.clocks.due().into()) => {
                    if self.clocks.look(Instant::now(), SystemTime::now()).is_some() {
                        self.shaken = Some(Instant::now());
                        live.probe(SIGN_OF_LIFE);
                    }
                }
                () = shared.nudge.notified() => {
                    self.shaken = Some(Instant::now());
                    live.probe(SIGN_OF_LIFE);
                }
                () = shared.rekey.notified() => {
                    // A session that has just ended needs no keys.
                    let _ = live.commands().send(Command::Rekey);
                }
            }
        }
    }

    /// A new connection, and what is to be told of it; `None` when it is not wanted any more.
    async fn reconnect(&mut self, error: Error) -> Result<Option<(Live, Event)>, Error> {
        let began = Instant::now();
        let shared = self.shared.clone();
        let mut stop = shared.stop.subscribe();
        let retry = async {
            let mut attempts = 0;
            let mut failure = error;
            loop {
                self.wait_after(failure).await?;
                attempts += 1;
                let attempt = async { self.approach(LogOn::AtOnce).await?.log_on().await };
                match attempt.await {
                    Ok(live) => return Ok((live, attempts)),
                    Err(error) => failure = error,
                }
            }
        };
        let (live, attempts) = tokio::select! {
            retried = retry => retried?,
            () = stopped(&mut stop) => return Ok(None),
            () = shared.turn_away_the_late() => pending().await,
        };
        self.retrying.on_established(Instant::now());
        Ok(Some((live, Event::Reconnected { outage: began.elapsed(), attempts })))
    }

    /// One attempt, in its turn: several tunnels to one server do not storm it.
    async fn approach(&self, log_on: LogOn) -> Result<Approach, Error> {
        let permit = self.permit().await;
        match self.route.connect(&self.shared.tasks, log_on).await {
            Ok(secured) => {
                // Others need not wait for what nobody hurries.
                let permit = (log_on == LogOn::AtOnce).then_some(permit);
                Ok(Approach { secured, permit })
            }
            Err(error) => {
                // Before the name was looked up the server had no part in it.
                if !matches!(error.step(), Step::Configure | Step::Resolve) {
                    permit.finish(Outcome::Failed, Instant::now());
                }
                Err(error)
            }
        }
    }

    async fn permit(&self) -> Permit<'static> {
        let server = self.server();
        loop {
            match LIMITERS.admit(&server, random(), Instant::now()) {
                Admission::Go(permit) => return permit,
                Admission::Wait(delay) => sleep(delay).await,
            }
        }
    }

    /// The server that is dialled, whatever lies behind it.
    fn server(&self) -> Server {
        let (host, port) = self.route.first_server();
        Server::new(host, port)
    }

    /// Waits as long as is due after this error, or gives up with it.
    async fn wait_after(&mut self, error: Error) -> Result<(), Error> {
        let (after, attempt) = match self.retrying.on_failure(&error, random(), Instant::now()) {
            Verdict::Retry { after, attempt } => (after, attempt),
            Verdict::GiveUp(_) => return Err(error),
        };
        let hurried = if self.is_due_to_the_network(&error) { self.hurry() } else { None };
        let after = hurried.map_or(after, |hurried| after.min(hurried));
        let mut due = Instant::now() + after;
        self.shared.state.send_replace(State::Reconnecting);
        self.ask_program(&error, attempt, after).await?;
        self.shared.settings.tell(|| Event::Reconnecting { error: error.clone(), attempt, after });
        loop {
            tokio::select! {
                () = sleep_until(due.into()) => return Ok(()),
                () = sleep_until(self.clocks.due().into()) => {
                    if self.clocks.look(Instant::now(), SystemTime::now()).is_none() {
                        continue;
                    }
                }
                () = self.shared.nudge.notified() => {}
            }
            if let Some(delay) = self.hurry() {
                due = due.min(Instant::now() + delay);
            }
        }
    }

    /// Has the program say whether it wants the attempt. The wait goes on meanwhile.
    async fn ask_program(&self, error: &Error, attempt: u32, after: Duration) -> Result<(), Error> {
        let settings = &self.shared.settings;
        let Some(before) = settings.before_reconnect.clone() else { return Ok(()) };
        let max_attempts = settings.reconnect.max_attempts;
        let due = ReconnectAttempt { attempt, max_attempts, after, error: error.clone() };
        match elsewhere(QUESTION, move || before.is_wanted(&due)).await {
            Some(true) => Ok(()),
            // Whoever panics has not agreed.
            Some(false) | None => Err(Error::not_reconnected(attempt, error)),
        }
    }

    /// This machine's network is another one: now is as good a time as any. Gives how long to wait, if that may be cut
    /// short at the moment.
    fn hurry(&mut self) -> Option<Duration> {
        LIMITERS.network_changed(Instant::now());
        self.retrying.immediate(random(), Instant::now())
    }

    /// Whether a connection broke since the machine slept or lost its way, not for the server's sake.
    fn is_due_to_the_network(&mut self, error: &Error) -> bool {
        let shaken = self.shaken.take().is_some_and(|at| at.elapsed() < AFTERMATH);
        let said = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        let lost_its_way = said.is_some_and(|said| {
            matches!(
                said.kind(),
                io::ErrorKind::NetworkDown
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::AddrNotAvailable
            )
        });
        shaken || matches!(error.kind(), ErrorKind::Lost { .. }) && lost_its_way
    }
}

/// Waits until the tunnel is not wanted any more.
async fn stopped(stop: &mut watch::Receiver<Stop>) {
    // The sender lives as long as the supervisor.
    let _ = stop.wait_for(|stop| *stop != Stop::No).await;
}

/// Passes on what the user wants, as far as it has changed.
async fn told_to_stop(stop: &mut watch::Receiver<Stop>, live: &Live) {
    // The sender lives as long as the supervisor.
    if stop.changed().await.is_err() {
        return pending().await;
    }
    let command = match *stop.borrow_and_update() {
        Stop::No => return,
        Stop::At(until) => Command::Drain(until),
        Stop::Now => Command::Cut,
    };
    let _ = live.commands().send(command);
}

impl Shared {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let tasks = Tasks::default();
        Self {
            switchboard: Switchboard::new(settings.clone(), tasks.stats.clone()),
            tasks,
            state: watch::Sender::new(State::Connecting),
            connection: Mutex::default(),
            stop: watch::Sender::new(Stop::No),
            nudge: Notify::new(),
            rekey: Notify::new(),
            places: Arc::new(Semaphore::new(settings.max_connections)),
            handshakes: Arc::new(Semaphore::new(MAX_HANDSHAKES)),
            runtime: Handle::current(),
            silent: AtomicBool::new(false),
            settings,
        }
    }

    /// Ends the tunnel before its user has got it.
    pub(crate) fn give_up(&self) {
        self.silent.store(true, Ordering::Relaxed);
        self.stop.send_replace(Stop::Now);
    }

    /// A connection is there. Whoever is told so finds the tunnel open, and is told of connections through it later.
    fn begin(&self, live: &Live, news: Option<Event>) {
        self.tasks.remotes.begin(live.commands());
        *lock(&self.connection) = live.server_connection();
        self.state.send_replace(State::Open);
        if let Some(event) = news {
            self.settings.tell(|| event);
        }
        self.switchboard.connect(live.commands().clone());
    }

    /// The tunnel is over.
    pub(crate) fn end(&self, outcome: &Result<(), Error>) {
        let error = outcome.as_ref().err().cloned();
        self.switchboard.close(&error.clone().unwrap_or_else(Error::stopped));
        self.state.send_replace(State::Closed);
        self.stop.send_replace(Stop::Now);
        if !self.silent.load(Ordering::Relaxed) {
            self.settings.tell(|| Event::Closed { error });
        }
    }

    /// Ends the waiting of those who have waited long enough, for ever.
    async fn turn_away_the_late(&self) {
        /// Who comes later is due later: this is only how soon a newcomer's deadline is known.
        const GLANCE: Duration = Duration::from_millis(250);
        loop {
            let now = Instant::now();
            let next = self.switchboard.expire(now).unwrap_or(now + GLANCE);
            sleep_until(next.min(now + GLANCE).into()).await;
        }
    }
}
