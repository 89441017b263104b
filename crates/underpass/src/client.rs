//! The client's side of a session: trust, logon, reports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use underpass_crypto::{Compression, key_type};
use underpass_proto::error::{AuthenticationFailed, PeerIncompatible};
use underpass_proto::{
    Answer, ChannelId, ChannelKind, Choice, Connection, Deadline, Error as EngineError, Event as EngineEvent,
    GssCall, GssUse, HostProof, Negotiated, Prompts, Question, QuestionId, Refusal, Refused, RequestId,
    RequestOutcome,
};
use underpass_wire::OpenFailureReason;

use crate::blocking::{QUESTION, elsewhere, lock};
use crate::connect::Tasks;
use crate::error::in_words;
use crate::gss::Gss;
use crate::host_key::{self, Decision, Record};
use crate::inward::Arrival;
use crate::logon::{Logon, Next, find_credential};
use crate::remote::Destination;
use crate::session::{Command, ConnectionInfo, Failure, Side};
use crate::weak::WeakAlgorithms;
use crate::{Endpoint, Error, Event, ForwardId, HostKeyVerdict, Peer, Prompt, Proxy, Settings, Step};

pub(crate) struct Client {
    settings: Arc<Settings>,
    record: Record,
    logon: Arc<Mutex<Logon>>,
    /// Only threads that may block look at it.
    gss: Arc<Mutex<Gss>>,
    tasks: Tasks,
    /// The forward of each request.
    requests: HashMap<RequestId, ForwardId>,
    step: Step,
    weak: WeakAlgorithms,
    /// How the server has proven itself, which an agent wants to know.
    proof: Option<Arc<HostProof>>,
    /// What waits for the agent, a person or whatever else blocks, and ends with the session.
    waiting: JoinSet<()>,
    /// Why the key was refused, or Kerberos was of no use, which the engine does not know.
    refusal: Arc<Mutex<Option<Error>>>,
    progress: Progress,
}

/// Who waits for how far a connection has come.
pub(crate) struct Progress {
    /// There are keys, and the server's own was found good.
    secured: Option<oneshot::Sender<()>>,
    /// The user is logged on.
    logged_on: Option<oneshot::Sender<()>>,
}

impl Progress {
    /// With what to wait for both; either ends when the connection does before.
    pub(crate) fn watched() -> (Self, oneshot::Receiver<()>, oneshot::Receiver<()>) {
        let ((secured, is_secured), (logged_on, is_logged_on)) = (oneshot::channel(), oneshot::channel());
        (Self { secured: Some(secured), logged_on: Some(logged_on) }, is_secured, is_logged_on)
    }

    fn tell(step: &mut Option<oneshot::Sender<()>>) {
        if let Some(step) = step.take() {
            // Nobody waits any more if opening was given up.
            let _ = step.send(());
        }
    }
}

impl Client {
    pub(crate) fn new(
        settings: Arc<Settings>,
        record: Record,
        logon: Logon,
        gss: Gss,
        tasks: Tasks,
        progress: Progress,
    ) -> Self {
        Self {
            settings,
            record,
            logon: Arc::new(Mutex::new(logon)),
            gss: Arc::new(Mutex::new(gss)),
            tasks,
            requests: HashMap::new(),
            step: Step::Identify,
            weak: WeakAlgorithms::default(),
            proof: None,
            waiting: JoinSet::new(),
            refusal: Arc::default(),
            progress,
        }
    }

    /// What the engine's error means for this tunnel.
    pub(crate) fn explain(&self, error: EngineError, cause: Option<std::io::Error>) -> Error {
        let (host, step) = (self.settings.host.as_str(), self.step);
        match error {
            EngineError::HostKeyRefused => lock(&self.refusal).take().unwrap_or_else(|| {
                Error::internal(Step::HostKey, "the host key was refused without a reason")
            }),
            EngineError::GssFailed => lock(&self.refusal)
                .take()
                .unwrap_or_else(|| Error::internal(step, "Kerberos failed without a reason")),
            EngineError::Authentication(AuthenticationFailed::GaveUp { remaining }) => {
                lock(&self.logon).failure(remaining)
            }
            EngineError::Authentication(AuthenticationFailed::TooManyRequests) => {
                lock(&self.logon).failure(Vec::new())
            }
            EngineError::Incompatible(PeerIncompatible::NoCommonAlgorithm { list, ours, theirs }) => {
                Error::peer_incompatible(Step::Negotiate, host, list.to_string(), ours, theirs)
            }
            EngineError::Incompatible(
                fault @ (PeerIncompatible::NotStrict { .. } | PeerIncompatible::Identification(_)),
            ) => {
                let strict = matches!(fault, PeerIncompatible::NotStrict { .. });
                Error::peer_rejected(if strict { Step::Negotiate } else { step }, host, fault.to_string())
            }
            EngineError::Incompatible(fault) => Error::peer_misbehaved(step, host, fault.to_string()),
            EngineError::Peer(fault) => Error::peer_misbehaved(step, host, fault.to_string()),
            EngineError::Disconnected { reason, description } => {
                Error::disconnected(step, host, reason, description.as_bytes())
            }
            EngineError::Lost => self.lost(step, cause),
            EngineError::Timeout(Deadline::Keepalive) => Error::peer_dead(host, self.patience()),
            EngineError::Timeout(deadline) => {
                let step = if deadline == Deadline::Negotiation { Step::Negotiate } else { step };
                Error::timeout(step, host, self.allowed(deadline))
            }
            EngineError::Stopped => Error::stopped(),
            EngineError::Internal(what) => Error::internal(step, what),
            other => Error::internal(step, other.to_string()),
        }
    }

    fn lost(&self, step: Step, cause: Option<std::io::Error>) -> Error {
        let host = &self.settings.host;
        match (&self.settings.proxy, step) {
            // The server has not been heard of yet.
            (Proxy::Command(_), Step::Identify) => {
                let problem = cause.as_ref().map(in_words);
                let problem = problem.unwrap_or_else(|| "it ended before the server had answered".to_owned());
                Error::proxy_command(host, problem)
            }
            _ => Error::lost(step, host, cause),
        }
    }

    fn patience(&self) -> Duration {
        let interval = self.settings.keepalive_interval.unwrap_or_default();
        interval.saturating_mul(self.settings.keepalive_count)
    }

    fn allowed(&self, deadline: Deadline) -> Duration {
        match deadline {
            Deadline::Authentication => self.settings.auth_timeout,
            _ => self.settings.handshake_timeout,
        }
    }

    fn on_host_key(
        &mut self,
        id: QuestionId,
        key: Vec<u8>,
        algorithm: &'static str,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        self.step = Step::HostKey;
        match host_key::judge(&self.settings, &self.record, &key, algorithm) {
            Decision::Accept(verdict) => {
                tell_host_key(&self.settings, &key, algorithm, verdict);
                Some(Answer::HostKey(true))
            }
            Decision::Refuse(error) => {
                *lock(&self.refusal) = Some(error);
                Some(Answer::HostKey(false))
            }
            Decision::New { key: plain, ask } => {
                let (settings, names) = (self.settings.clone(), host_key::names_of(&key));
                let accept = move || host_key::accept_new(&settings, &plain, names, ask);
                self.decide_elsewhere(id, key, algorithm, commands, accept)
            }
            Decision::Program(judge, shown) => {
                self.decide_elsewhere(id, key, algorithm, commands, move || judge.judge(&shown))
            }
        }
    }

    /// Has what blocks decide about a host key.
    fn decide_elsewhere(
        &mut self,
        id: QuestionId,
        key: Vec<u8>,
        algorithm: &'static str,
        commands: &UnboundedSender<Command>,
        decide: impl FnOnce() -> Result<HostKeyVerdict, Error> + Send + 'static,
    ) -> Option<Answer> {
        let (settings, refusal) = (self.settings.clone(), self.refusal.clone());
        let no = || Answer::HostKey(false);
        self.elsewhere(id, commands, no, move || match decide() {
            Ok(verdict) => {
                tell_host_key(&settings, &key, algorithm, verdict);
                Answer::HostKey(true)
            }
            Err(error) => {
                *lock(&refusal) = Some(error);
                Answer::HostKey(false)
            }
        })
    }

    fn on_credential(
        &mut self,
        id: QuestionId,
        last: Option<&Refused>,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        self.step = Step::Authenticate;
        let next = lock(&self.logon).next(last);
        if let Next::Offer(credential) = next {
            return Some(Answer::Credential(credential));
        }
        let (settings, logon, gss) = (self.settings.clone(), self.logon.clone(), self.gss.clone());
        let found = find_credential(settings, logon, gss, self.proof.clone(), next);
        self.later(id, commands, async move { Answer::Credential(found.await) })
    }

    fn on_gss(
        &mut self,
        id: QuestionId,
        usage: GssUse,
        call: GssCall,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        let (gss, logon, refusal) = (self.gss.clone(), self.logon.clone(), self.refusal.clone());
        let is_logon = usage == GssUse::Logon || matches!(call, GssCall::Sign { .. });
        let no = || Answer::Gss(None);
        self.elsewhere(id, commands, no, move || match lock(&gss).call(usage, call) {
            Ok(reply) => Answer::Gss(Some(reply)),
            Err(problem) => {
                match is_logon {
                    true => lock(&logon).kerberos_failed(&problem),
                    false => *lock(&refusal) = Some(problem),
                }
                Answer::Gss(None)
            }
        })
    }

    fn on_signature(
        &mut self,
        id: QuestionId,
        algorithm: String,
        data: Vec<u8>,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        let Some(candidate) = lock(&self.logon).candidate() else { return Some(Answer::Signature(None)) };
        let (settings, logon) = (self.settings.clone(), self.logon.clone());
        if let Some((agent, key)) = candidate.agent() {
            // It may ask a person, or want a device to be touched: as long as the login may take.
            let (agent, key, patience) = (agent.clone(), key.to_vec(), settings.auth_timeout);
            return self.later(id, commands, async move {
                let signed = agent.sign(&key, candidate.plain_algorithm(&algorithm), &data, patience).await;
                let signed = signed.and_then(|plain| candidate.signature(plain));
                Answer::Signature(signed.map_err(|problem| lock(&logon).key_failed(problem)).ok())
            });
        }
        let no = || Answer::Signature(None);
        self.elsewhere(id, commands, no, move || match candidate.sign(&settings, &algorithm, &data) {
            Ok(signature) => Answer::Signature(Some(signature)),
            Err(problem) => {
                lock(&logon).key_failed(problem);
                Answer::Signature(None)
            }
        })
    }

    fn on_prompts(
        &mut self,
        id: QuestionId,
        round: Prompts,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        if round.prompts.is_empty() {
            // RFC 4256 section 3.2: nothing to ask, and an answer is due all the same.
            self.settings.tell(|| Event::Banner { text: self.settings.read(&round.instruction) });
            return Some(Answer::Responses(Some(Vec::new())));
        }
        if let [prompt] = round.prompts.as_slice()
            && !prompt.echo
            && let Some(password) = lock(&self.logon).keyboard_password()
        {
            return Some(Answer::Responses(Some(vec![password])));
        }
        if self.settings.batch {
            lock(&self.logon).no_responses();
            return Some(Answer::Responses(None));
        }
        let (settings, logon) = (self.settings.clone(), self.logon.clone());
        let no = || Answer::Responses(None);
        self.elsewhere(id, commands, no, move || {
            let prompts: Vec<Prompt> = round
                .prompts
                .iter()
                .map(|prompt| Prompt { text: settings.read(&prompt.text), echo: prompt.echo })
                .collect();
            let (name, instruction) = (settings.read(&round.name), settings.read(&round.instruction));
            let responses = settings.prompter().responses(&name, &instruction, &prompts);
            let responses = responses.filter(|responses| responses.len() == prompts.len());
            match &responses {
                Some(given) => lock(&logon).responses_given(&prompts, given),
                None => lock(&logon).no_responses(),
            }
            Answer::Responses(responses)
        })
    }

    fn on_new_password(
        &mut self,
        id: QuestionId,
        prompt: &[u8],
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        if self.settings.batch {
            return Some(Answer::NewPassword(None));
        }
        let (prompter, prompt) = (self.settings.prompter(), self.settings.read(prompt));
        let no = || Answer::NewPassword(None);
        self.elsewhere(id, commands, no, move || Answer::NewPassword(prompter.new_password(&prompt)))
    }

    fn on_packet(
        &mut self,
        id: QuestionId,
        last: Vec<u8>,
        session_id: Vec<u8>,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        let Some(custom) = self.settings.custom_authentication.clone() else {
            return Some(Answer::Packet(None));
        };
        let no = || Answer::Packet(None);
        self.elsewhere(id, commands, no, move || Answer::Packet(custom.next(&last, &session_id)))
    }

    /// Has an answer come back as a command, unless the session ends before.
    fn later(
        &mut self,
        id: QuestionId,
        commands: &UnboundedSender<Command>,
        answer: impl Future<Output = Answer> + Send + 'static,
    ) -> Option<Answer> {
        let commands = commands.clone();
        self.waiting.spawn(async move {
            // A session that has ended meanwhile needs no answer.
            let _ = commands.send(Command::Answer(id, answer.await));
        });
        // What has come to its end is of no use any more.
        while self.waiting.try_join_next().is_some() {}
        None
    }

    /// The answer of what blocks; without a thread for it, or if it panics, that is `no`.
    fn elsewhere(
        &mut self,
        id: QuestionId,
        commands: &UnboundedSender<Command>,
        no: fn() -> Answer,
        work: impl FnOnce() -> Answer + Send + 'static,
    ) -> Option<Answer> {
        self.later(id, commands, async move { elsewhere(QUESTION, work).await.unwrap_or_else(no) })
    }

    /// Somebody has connected to the server, for a remote forward.
    fn on_open(
        &mut self,
        question: QuestionId,
        channel: ChannelId,
        kind: ChannelKind,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        let refused = Some(Answer::Open(Err(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED)));
        let (request, peer) = match kind {
            ChannelKind::ForwardedTcpip { forward, originator, originator_port, .. } => {
                let port = u16::try_from(originator_port).unwrap_or_default();
                (forward, Peer::Remote { host: originator, port })
            }
            ChannelKind::ForwardedStreamlocal { forward, .. } => (forward, Peer::RemoteUnix),
            _ => return refused,
        };
        let forward = self.requests.get(&request);
        let Some(destination) = forward.and_then(|forward| self.tasks.remotes.destination(*forward)) else {
            return refused;
        };
        let target = match &destination {
            Destination::Fixed(target) => target.clone(),
            Destination::Dynamic => Endpoint::Undecided,
        };
        let info = self.tasks.introduce(peer, target);
        let Some(place) = self.tasks.remotes.place() else {
            let ConnectionInfo { id, peer, target, .. } = info;
            let error = Error::too_many(self.settings.max_connections);
            self.settings.tell(|| Event::ConnectionFailed { id, peer, target, error });
            return Some(Answer::Open(Err(OpenFailureReason::RESOURCE_SHORTAGE)));
        };
        let (settings, commands) = (self.settings.clone(), commands.clone());
        Arrival { question, channel, info, settings, commands, place }.receive(destination);
        None
    }

    fn why(&self, info: &ConnectionInfo, failure: Failure) -> Error {
        let (step, host) = (Step::OpenChannel, self.settings.host.as_str());
        match failure {
            Failure::Refused(Refusal::Peer { reason, description }) => {
                Error::target_refused(host, &info.target, reason, &description)
            }
            Failure::Refused(Refusal::Timeout) => Error::timeout(step, host, self.settings.open_timeout),
            Failure::Refused(Refusal::Unusable) => {
                Error::peer_misbehaved(step, host, "the server opened a channel that takes no data")
            }
            Failure::TooMany => {
                let (reason, words) =
                    (OpenFailureReason::RESOURCE_SHORTAGE, b"too many connections in one tunnel");
                Error::target_refused(host, &info.target, reason, words)
            }
            Failure::Withdrawn => Error::withdrawn(),
            Failure::Ended(error) => self.explain(error, None),
        }
    }
}

impl Side for Client {
    fn question(
        &mut self,
        id: QuestionId,
        question: Question,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer> {
        match question {
            Question::HostKey { key, algorithm } => self.on_host_key(id, key, algorithm, commands),
            Question::Credential { last } => self.on_credential(id, last.as_ref(), commands),
            Question::Signature { algorithm, data, .. } => self.on_signature(id, algorithm, data, commands),
            Question::Prompts(round) => self.on_prompts(id, round, commands),
            Question::NewPassword { prompt } => self.on_new_password(id, &prompt, commands),
            Question::Packet { last, session_id } => self.on_packet(id, last, session_id, commands),
            Question::Gss(usage, call) => self.on_gss(id, usage, call, commands),
            Question::OpenChannel { channel, kind } => self.on_open(id, channel, kind, commands),
            // Asked of servers only; the engine's default is no.
            _ => None,
        }
    }

    fn open(&mut self, engine: &mut Connection, info: &ConnectionInfo, now: Instant) -> Option<ChannelId> {
        match &info.target {
            Endpoint::Tcp(target) => {
                let (host, port) = info.peer.originator();
                engine.open_direct_tcpip((&target.host, target.port), (&host, port), now)
            }
            Endpoint::Unix(path) => engine.open_direct_streamlocal(path.as_os_str().as_encoded_bytes(), now),
            Endpoint::Undecided => None,
        }
    }

    fn told(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Identified(peer) => {
                self.step = Step::KeyExchange;
                let (software, line) = (peer.software().to_owned(), peer.as_str().to_owned());
                self.settings.tell(|| Event::Identified { software, line });
            }
            EngineEvent::KeysExchanged { negotiated, rekey, proof } => {
                if !rekey {
                    self.step = Step::Authenticate;
                    self.proof = proof.map(|proof| Arc::new(*proof));
                    if negotiated.host_key.is_none() {
                        lock(&self.logon).kerberos_vouched();
                    }
                }
                self.settings.tell(|| key_exchange(&negotiated, rekey));
                for text in self.weak.warnings(&negotiated) {
                    self.settings.tell(|| Event::Warning { text });
                }
                Progress::tell(&mut self.progress.secured);
            }
            EngineEvent::GssLogonFailed(words) => lock(&self.logon).kerberos_refused(&words),
            EngineEvent::Banner(text) => {
                self.settings.tell(|| Event::Banner { text: self.settings.read(&text) });
            }
            EngineEvent::Authenticated => {
                self.step = Step::Carry;
                let mut logon = lock(&self.logon);
                logon.done();
                self.settings.tell(|| Event::Authenticated {
                    method: logon.method().to_owned(),
                    user: logon.user.clone(),
                });
                Progress::tell(&mut self.progress.logged_on);
            }
            EngineEvent::RequestAnswered { request, outcome } => {
                // Cancellations are answered, too, and nobody waits for that.
                let forward = match outcome {
                    RequestOutcome::Granted { .. } => self.requests.get(&request).copied(),
                    // It is asked for again and again, under another number each time.
                    _ => self.requests.remove(&request),
                };
                if let Some(forward) = forward {
                    self.tasks.remotes.answered(forward, outcome, &self.settings.host);
                }
            }
            _ => {}
        }
    }

    fn listening(&mut self, forward: ForwardId, request: Option<RequestId>) {
        match request {
            Some(request) => {
                self.requests.insert(request, forward);
            }
            None => self.tasks.remotes.answered(forward, RequestOutcome::Refused, &self.settings.host),
        }
    }

    fn opened(&mut self, info: &ConnectionInfo) {
        if info.peer == Peer::Hop {
            return;
        }
        self.settings.tell(|| Event::ConnectionOpened {
            id: info.id,
            peer: info.peer.clone(),
            target: info.target.clone(),
        });
    }

    fn failed(&mut self, info: &ConnectionInfo, failure: Failure) -> Error {
        let error = self.why(info, failure);
        if info.peer != Peer::Hop {
            self.settings.tell(|| Event::ConnectionFailed {
                id: info.id,
                peer: info.peer.clone(),
                target: info.target.clone(),
                error: error.clone(),
            });
        }
        error
    }

    fn closed(&mut self, info: &ConnectionInfo, sent: u64, received: u64, error: Option<String>) {
        if info.peer == Peer::Hop {
            return;
        }
        // The session counts what went to the server. The target of a remote forward is on this side.
        let (sent, received) = match info.peer {
            Peer::Remote { .. } | Peer::RemoteUnix => (received, sent),
            _ => (sent, received),
        };
        self.settings.tell(|| Event::ConnectionClosed { id: info.id, sent, received, error });
    }

    fn draining(&mut self, open: usize) {
        self.settings.tell(|| Event::Stopping { open });
    }
}

/// A bare certificate does not name its type: the algorithm does.
fn tell_host_key(settings: &Settings, key: &[u8], algorithm: &str, verdict: HostKeyVerdict) {
    settings.tell(|| Event::HostKey {
        host: host_key::name_on_record(settings).to_owned(),
        key_type: key_type(key).unwrap_or(algorithm).to_owned(),
        fingerprint: host_key::fingerprint_of(settings, key),
        certificate: host_key::names_of(key),
        verdict,
    });
}

fn key_exchange(negotiated: &Negotiated, rekey: bool) -> Event {
    Event::KeyExchange {
        kex: negotiated.kex.name.to_owned(),
        host_key: negotiated.host_key.map(|algorithm| algorithm.name.to_owned()),
        cipher_out: negotiated.cipher_out.name.to_owned(),
        cipher_in: negotiated.cipher_in.name.to_owned(),
        mac_out: negotiated.mac_out.map(|mac| mac.name.to_owned()),
        mac_in: negotiated.mac_in.map(|mac| mac.name.to_owned()),
        compression_out: compression(negotiated.compression_out),
        compression_in: compression(negotiated.compression_in),
        strict: negotiated.strict,
        rekey,
    }
}

/// The name of a method that changes anything.
fn compression(method: Choice<Compression>) -> Option<String> {
    method.streams.map(|_| method.name.to_owned())
}
