//! The gateway's side of a session.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::timeout;
use underpass_proto::{
    Answer, ChannelId, ChannelKind, Connection, Event as EngineEvent, ForwardVerdict, Question, QuestionId,
    Refusal, RemoteBind, ServerConfig,
};
use underpass_wire::OpenFailureReason;

use super::policy::Policy;
use super::remote::{ListenRequest, RemoteForwards};
use crate::entropy::OsEntropy;
use crate::listen::ACCEPT_PAUSE;
use crate::session::{Carry, Command, ConnectionInfo, Failure, Limits, Session, Side, Socket};
use crate::stats::Counters;
use crate::{Error, Event, Observer, Peer, Step, Target, tcp};

/// SSH connections at once; further ones are closed at once.
const MAX_SESSIONS: usize = 4096;

/// How long a target may take to answer.
const DIAL_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) config: ServerConfig,
    pub(super) policy: Arc<Policy>,
    pub(super) observer: Option<Observer>,
    pub(super) stats: Arc<Counters>,
    /// Closes when the gateway ends.
    pub(super) alive: watch::Receiver<()>,
}

/// Accepts connections until the task is aborted.
pub(super) async fn accept(listener: TcpListener, shared: Shared) {
    let sessions = Arc::new(tokio::sync::Semaphore::new(MAX_SESSIONS));
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Ok(place) = sessions.clone().try_acquire_owned() else { continue };
                let shared = shared.clone();
                tokio::spawn(async move {
                    serve(stream, peer, shared).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: Shared) {
    // Not fatal: the connection is only slower without.
    let _ = stream.set_nodelay(true);
    let Ok(engine) = Connection::server(shared.config.clone(), Box::new(OsEntropy::new()), Instant::now())
    else {
        return;
    };
    let (mut alive, observer) = (shared.alive.clone(), shared.observer.clone());
    let stats = shared.stats.clone();
    let side = Server {
        shared,
        peer,
        failures: 0,
        connections: Arc::default(),
        forwards: RemoteForwards::default(),
    };
    let (session, commands) = Session::new(engine, Socket::transport(stream), side, stats, Limits::default());
    let cut = async move {
        // An error is what is waited for: the gateway is gone.
        while alive.changed().await.is_ok() {}
        let _ = commands.send(Command::Cut);
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = session.run() => ended,
        () = cut => return,
    };
    if let Some(observer) = observer {
        observer(&Event::Detail { level: 1, text: format!("{peer}: {}", ended.error) });
    }
}

struct Server {
    shared: Shared,
    peer: SocketAddr,
    failures: u32,
    /// Numbers given to connections so far.
    connections: Arc<AtomicU64>,
    forwards: RemoteForwards,
}

impl Server {
    fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(observer) = &self.shared.observer {
            observer(&event());
        }
    }

    fn on_open(
        &mut self,
        id: QuestionId,
        channel: ChannelId,
        kind: ChannelKind,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        let refuse = |reason| Some(Answer::Open(Err(reason)));
        let ChannelKind::DirectTcpip { host, port, .. } = kind else {
            return refuse(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
        };
        let Some(port) = u16::try_from(port).ok().filter(|port| *port != 0) else {
            return refuse(OpenFailureReason::CONNECT_FAILED);
        };
        let target = Target { host, port };
        if !self.shared.policy.allows(&target) {
            return refuse(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
        }
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let (peer, since) = (Peer::Tcp(self.peer), Instant::now());
        let info = ConnectionInfo { id: connection, peer, target: target.clone().into(), since };
        let commands = commands.clone();
        tokio::spawn(async move {
            let dialled = tokio::select! {
                dialled = dial(&target) => dialled,
                () = commands.closed() => return,
            };
            let command = match dialled {
                Ok(socket) => Command::Attach(id, channel, Box::new(Carry::plain(socket, info))),
                Err(_) => Command::Answer(id, Answer::Open(Err(OpenFailureReason::CONNECT_FAILED))),
            };
            // A session that has ended meanwhile needs no answer.
            let _ = commands.send(command);
        });
        None
    }
}

impl Server {
    fn on_forward(&mut self, bind: RemoteBind, commands: &UnboundedSender<Command>) -> ForwardVerdict {
        let RemoteBind::Tcp { address, port } = bind else { return ForwardVerdict::Refused };
        let request = ListenRequest { address, port };
        if !self.shared.policy.allows_listening(&request) {
            return ForwardVerdict::Refused;
        }
        let name = Target { host: request.address.clone(), port };
        match self.forwards.listen(request, &self.connections, commands) {
            Ok(port) => {
                self.detail(|peer| format!("{peer}: listening on {name}, port {port}"));
                ForwardVerdict::Granted { port: Some(port) }
            }
            Err(error) => {
                self.detail(|peer| format!("{peer}: cannot listen on {name}: {error}"));
                ForwardVerdict::Refused
            }
        }
    }

    /// The answer follows when the port is free.
    fn on_cancel(
        &mut self,
        id: QuestionId,
        bind: RemoteBind,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        let listeners = match bind {
            RemoteBind::Tcp { address, port } => self.forwards.cancel(&ListenRequest { address, port }),
            _ => None,
        };
        let Some(mut listeners) = listeners else { return Some(Answer::Forward(ForwardVerdict::Refused)) };
        let commands = commands.clone();
        tokio::spawn(async move {
            listeners.shutdown().await;
            let done = Answer::Forward(ForwardVerdict::Granted { port: None });
            // A session that has ended meanwhile needs no answer.
            let _ = commands.send(Command::Answer(id, done));
        });
        None
    }

    fn detail(&self, text: impl FnOnce(SocketAddr) -> String) {
        self.tell(|| Event::Detail { level: 1, text: text(self.peer) });
    }
}

async fn dial(target: &Target) -> io::Result<Socket> {
    let stream = timeout(DIAL_TIMEOUT, tcp::connect(&target.host, target.port)).await??;
    // Not fatal: the connection is only slower without.
    let _ = stream.set_nodelay(true);
    Ok(Socket::forwarded(stream))
}

impl Side for Server {
    fn question(
        &mut self,
        id: QuestionId,
        question: Question,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        match question {
            Question::Authenticate { user, attempt } => {
                Some(Answer::Verdict(self.shared.policy.judge(&user, &attempt, &mut self.failures)))
            }
            Question::OpenChannel { channel, kind } => self.on_open(id, channel, kind, commands),
            Question::Forward(bind) => Some(Answer::Forward(self.on_forward(bind, commands))),
            Question::CancelForward(bind) => self.on_cancel(id, bind, commands),
            // Asked of clients only.
            _ => None,
        }
    }

    /// The target is what the client asked to listen on.
    fn open(&mut self, engine: &mut Connection, info: &ConnectionInfo, now: Instant) -> Option<ChannelId> {
        let (bind, (origin, port)) = (info.target.tcp()?, info.peer.originator());
        engine.open_forwarded_tcpip((&bind.host, bind.port), (&origin, port), now)
    }

    fn told(&mut self, event: EngineEvent) {
        if let EngineEvent::Identified(peer) = event {
            let (software, line) = (peer.software().to_owned(), peer.as_str().to_owned());
            self.tell(|| Event::Identified { software, line });
        }
    }

    fn opened(&mut self, info: &ConnectionInfo) {
        self.tell(|| Event::ConnectionOpened {
            id: info.id,
            peer: info.peer.clone(),
            target: info.target.clone(),
        });
    }

    /// A connection to what is listened on for the client, which did not take it.
    fn failed(&mut self, info: &ConnectionInfo, failure: Failure) -> Error {
        let (from, target) = (&info.peer, &info.target);
        let why = match failure {
            Failure::Refused(Refusal::Peer { reason, .. }) => reason.to_string(),
            Failure::Refused(_) => "no usable answer".to_owned(),
            Failure::TooMany => "there are too many connections".to_owned(),
            Failure::Withdrawn => "it was withdrawn".to_owned(),
            Failure::Ended(error) => error.to_string(),
        };
        let text = format!("took no connection from {from} to {target}: {why}");
        self.detail(|peer| format!("{peer}: {text}"));
        Error::peer_misbehaved(Step::OpenChannel, &self.peer.to_string(), text)
    }

    fn closed(&mut self, info: &ConnectionInfo, sent: u64, received: u64, error: Option<String>) {
        self.tell(|| Event::ConnectionClosed { id: info.id, sent, received, error });
    }

    fn draining(&mut self, _: usize) {}
}
