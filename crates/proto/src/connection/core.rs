//! Phases and dispatch. Everything but the receive buffer, whose payloads are borrowed while they are handled.

mod legality;
mod requests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use underpass_crypto::{Entropy, Signer};
use underpass_wire::{Disconnect, DisconnectReason, KexGssComplete, Message, Number, Pong, Unimplemented};

use super::open::Open;
use crate::auth::Progress as AuthProgress;
use crate::auth::client::ClientAuth;
use crate::auth::server::ServerAuth;
use crate::auth::signing::Signing;
use crate::channel::Channels;
use crate::config::Config;
use crate::error::{Error, PeerIncompatible, PeerMisbehaved};
use crate::event::{Answer, ChannelId, Event, Goodbye, GssReply, QuestionId};
use crate::exchange::{Completion, GroupRequest, KeyExchange, Progress};
use crate::limits::MAX_IDLE_MESSAGES;
use crate::outbox::{NewOpener, Outbox};
use crate::role::Role;
use crate::timer::{Deadline, Timer};
use crate::trace::{PacketDirection, Trace};
use crate::transport::identification::{Identification, is_identification};
use crate::transport::transmit::Slots;

/// Nothing has moved for this long: give memory back.
const IDLE: Duration = Duration::from_secs(5);

/// Keys are not renewed more often than this many bytes, or nothing but key exchanges would be sent.
const MIN_REKEY_BYTES: u64 = 1024;

/// NEWKEYS, and the messages of the methods (RFC 4253 section 12).
const KEX_NUMBERS: std::ops::RangeInclusive<u8> = 21..=49;

/// Characters that a peer is told about an error.
const MAX_DESCRIPTION: usize = 256;

pub(super) struct Core {
    role: Role,
    config: Config,
    user: Vec<u8>,
    out: Outbox,
    exchange: KeyExchange,
    phase: Phase,
    /// What the server takes for public-key authentication (RFC 8308), which can come early.
    server_algorithms: Option<Vec<String>>,
    /// Messages without content before authentication.
    idle_messages: u32,
}

/// ```text
///  Identification ──line──▶ FirstKex ──NEWKEYS both ways──▶ Authentication ──success──▶ Open
///        └───────────────────────┴────────────── any error or disconnect ──────────────────┴──▶ Closed
/// ```
///
/// Later key exchanges overlay the last two phases; see [`KeyExchange`].
enum Phase {
    /// The peer's identification has not come.
    Identification(Identification),
    /// No keys yet.
    FirstKex,
    Authentication(Box<Auth>),
    Open(Box<Open>),
    Closed,
}

enum Auth {
    Client(ClientAuth),
    Server(ServerAuth),
}

impl Core {
    pub(super) fn start(
        role: Role,
        config: Config,
        user: Vec<u8>,
        host_keys: Vec<Arc<dyn Signer>>,
        entropy: Box<dyn Entropy>,
        now: Instant,
    ) -> Result<Self, Error> {
        if !is_identification(&config.identification) {
            return Err(Error::Internal("the identification cannot be sent"));
        }
        let mut out = Outbox::new(entropy, Trace::new(config.tracer.clone()));
        out.timers.set_after(Timer::Handshake, now, Some(config.handshake_timeout));
        out.tx.send_raw(format!("{}\r\n", config.identification).as_bytes());
        let mut exchange = KeyExchange::new(role, &config, host_keys);
        // RFC 4253 section 4.2 lets the key exchange begin without waiting for the other identification.
        exchange.propose(&mut out)?;
        Ok(Self {
            role,
            config,
            user,
            out,
            exchange,
            phase: Phase::Identification(Identification::default()),
            server_algorithms: None,
            idle_messages: 0,
        })
    }

    // ---- input ----

    pub(super) fn expects_identification(&self) -> bool {
        matches!(self.phase, Phase::Identification(_))
    }

    /// Gives the number of bytes that are done with.
    pub(super) fn on_identification(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let Phase::Identification(identification) = &mut self.phase else { return Ok(0) };
        let (used, found) =
            identification.read(bytes, &self.config.peer_identification, self.role == Role::Client)?;
        self.out.tx.trace.lines(PacketDirection::Received, &bytes[..used]);
        if let Some(found) = found {
            self.exchange.peer_identified(found.as_str());
            self.out.tell(Event::Identified(found));
            self.phase = Phase::FirstKex;
        }
        Ok(used)
    }

    /// Whether packets must wait: for the identification, for a decision, or for ever.
    pub(super) fn is_waiting(&self) -> bool {
        match &self.phase {
            Phase::Identification(_) | Phase::Closed => true,
            Phase::Authentication(auth) => matches!(&**auth, Auth::Server(auth) if auth.is_deciding()),
            Phase::FirstKex | Phase::Open(_) => false,
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        if let Phase::Open(open) = &mut self.phase {
            open.keepalive.heard(&mut self.out, now);
            self.out.timers.set_after(Timer::Idle, now, Some(IDLE));
        }
    }

    /// One packet. `start` is where its payload stands in the receive buffer.
    pub(super) fn on_packet(
        &mut self,
        payload: &[u8],
        start: usize,
        sequence: u32,
        now: Instant,
    ) -> Result<(), Error> {
        self.out.tx.trace.packet(PacketDirection::Received, sequence, payload);
        let number = Number(payload.first().copied().unwrap_or_default());
        if self.exchange.take_wrong_guess() {
            return Ok(());
        }
        if let Phase::Authentication(auth) = &mut self.phase
            && let Auth::Client(auth) = &mut **auth
            && auth.is_custom(number)
            && !self.exchange.peer_is_gated()
        {
            return auth.on_custom(payload, &mut self.out);
        }
        let context = self.context();
        if !self.is_legal(number, context)? {
            self.on_idle_message()?;
            return self.out.send(&Unimplemented { sequence });
        }
        let message =
            Message::decode(payload, context).map_err(|error| PeerMisbehaved::Message { number, error })?;
        match message {
            Message::Disconnect(disconnect) => Err(Error::Disconnected {
                reason: disconnect.reason,
                description: underpass_wire::untrusted(disconnect.description),
            }),
            Message::Ignore(_) | Message::Debug(_) | Message::Unimplemented(_) => self.on_idle_message(),
            Message::Ping(ping) => self.out.send(&Pong { data: ping.data }),
            Message::Pong(_) => Ok(()),
            Message::ExtInfo(info) => {
                if let Some(names) = info.server_sig_algs() {
                    self.server_algorithms = Some(names.iter().map(str::to_owned).collect());
                    self.pass_server_algorithms();
                }
                Ok(())
            }
            Message::KexInit(theirs) => self.on_kexinit(payload, &theirs, sequence, now),
            message if KEX_NUMBERS.contains(&message.number().0) => self.on_kex_message(&message, now),
            message => self.on_higher_message(&message, start..start + payload.len(), now),
        }
    }

    fn on_idle_message(&mut self) -> Result<(), Error> {
        if matches!(self.phase, Phase::Open(_)) {
            return Ok(());
        }
        self.idle_messages += 1;
        if self.idle_messages > MAX_IDLE_MESSAGES { Err(PeerMisbehaved::IdleChatter.into()) } else { Ok(()) }
    }

    fn on_higher_message(
        &mut self,
        message: &Message<'_>,
        payload: std::ops::Range<usize>,
        now: Instant,
    ) -> Result<(), Error> {
        match &mut self.phase {
            // RFC 4252 section 5.1: requests that were under way when one succeeded are ignored.
            Phase::Open(_) if matches!(message, Message::UserauthRequest(_)) => Ok(()),
            Phase::Open(open) => open.on_message(message, payload, &mut self.out, now),
            Phase::Authentication(auth) => match &mut **auth {
                Auth::Client(auth) => match auth.on_message(message, &mut self.out, now)? {
                    AuthProgress::Done => {
                        self.out.tx.log_on();
                        self.open(now)
                    }
                    AuthProgress::Underway => Ok(()),
                },
                Auth::Server(auth) => auth.on_message(message, &mut self.out),
            },
            _ => {
                Err(PeerMisbehaved::Unexpected { number: message.number(), phase: self.phase_name() }.into())
            }
        }
    }

    // ---- key exchanges ----

    fn on_kexinit(
        &mut self,
        payload: &[u8],
        theirs: &underpass_wire::KexInit<'_>,
        sequence: u32,
        now: Instant,
    ) -> Result<(), Error> {
        if self.exchange.session_id().is_some() {
            self.out.timers.set_after(Timer::RekeyEnd, now, Some(self.config.handshake_timeout));
        }
        self.exchange.on_kexinit(payload, theirs, sequence, &mut self.out, now)
    }

    /// A message of a key exchange, behind KEXINIT.
    fn on_kex_message(&mut self, message: &Message<'_>, now: Instant) -> Result<(), Error> {
        match message {
            Message::KexEcdhInit(init) => {
                self.on_kex(now, |exchange, out| exchange.on_init(init.client_public, out))
            }
            Message::KexDhInit(init) => {
                self.on_kex(now, |exchange, out| exchange.on_init(init.e.as_bytes(), out))
            }
            Message::KexEcdhReply(reply) => self.on_kex(now, |exchange, out| {
                exchange.on_reply(reply.host_key, reply.server_public, reply.signature, out, now)
            }),
            Message::KexDhReply(reply) => self.on_kex(now, |exchange, out| {
                exchange.on_reply(reply.host_key, reply.f.as_bytes(), reply.signature, out, now)
            }),
            Message::KexDhGexRequest(request) => {
                let request = GroupRequest::Range(*request);
                self.on_kex(now, |exchange, out| exchange.on_group_request(&request, out))
            }
            Message::KexDhGexRequestOld(request) => {
                let request = GroupRequest::Preferred(request.n);
                self.on_kex(now, |exchange, out| exchange.on_group_request(&request, out))
            }
            Message::KexDhGexGroup(group) => self.on_kex(now, |exchange, out| {
                exchange.on_group(group.p.as_bytes(), group.g.as_bytes(), out, now)
            }),
            Message::KexDhGexInit(init) => {
                self.on_kex(now, |exchange, out| exchange.on_init(init.e.as_bytes(), out))
            }
            Message::KexDhGexReply(reply) => self.on_kex(now, |exchange, out| {
                exchange.on_reply(reply.host_key, reply.f.as_bytes(), reply.signature, out, now)
            }),
            Message::KexGssGroup(group) => self.on_kex(now, |exchange, out| {
                exchange.on_group(group.p.as_bytes(), group.g.as_bytes(), out, now)
            }),
            Message::KexGssHostKey(key) => {
                self.on_kex(now, |exchange, _| exchange.on_gss_host_key(key.host_key))
            }
            Message::KexGssContinue(step) => {
                self.on_kex(now, |exchange, out| exchange.on_gss_continue(step.token, out))
            }
            Message::KexGssComplete(KexGssComplete { server_public, mic, token }) => {
                let completion = Completion { server_public, mic, token: *token };
                self.on_kex(now, |exchange, out| exchange.on_gss_complete(&completion, out, now))
            }
            Message::KexGssError(error) => {
                Err(PeerIncompatible::GssRefused(underpass_wire::untrusted(error.message)).into())
            }
            Message::NewKeys(_) => self.on_kex(now, |exchange, out| exchange.on_newkeys(out)),
            other => {
                Err(PeerMisbehaved::Unexpected { number: other.number(), phase: self.phase_name() }.into())
            }
        }
    }

    fn on_kex(
        &mut self,
        now: Instant,
        step: impl FnOnce(&mut KeyExchange, &mut Outbox) -> Result<Progress, Error>,
    ) -> Result<(), Error> {
        let was_asking = self.exchange.is_asking();
        match step(&mut self.exchange, &mut self.out)? {
            Progress::Done => self.on_keys(now),
            Progress::Underway => {
                if self.exchange.is_asking() && !was_asking {
                    self.wait_for_host_key(now);
                }
                Ok(())
            }
        }
    }

    /// Whoever looks at a host key needs a person's time, not a peer's.
    fn wait_for_host_key(&mut self, now: Instant) {
        let (peers, persons) = self.host_key_timers();
        self.out.timers.stop(peers);
        self.out.timers.set_after(persons, now, Some(self.config.auth_timeout));
    }

    /// What limits the peer's part of a key exchange and a person's. During authentication the latter has its own.
    fn host_key_timers(&self) -> (Timer, Timer) {
        match self.phase {
            Phase::FirstKex => (Timer::Handshake, Timer::Authentication),
            _ => (Timer::RekeyEnd, Timer::RekeyEnd),
        }
    }

    /// New keys are in use both ways.
    fn on_keys(&mut self, now: Instant) -> Result<(), Error> {
        match &mut self.phase {
            Phase::FirstKex => self.authenticate(now),
            Phase::Open(_) => {
                self.out.timers.set_after(Timer::RekeyAge, now, self.config.rekey_age);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether compression that waits for the log on has begun.
    pub(super) fn is_logged_on(&self) -> bool {
        self.out.tx.is_logged_on()
    }

    pub(super) fn take_opener(&mut self) -> Option<NewOpener> {
        self.out.opener.take()
    }

    /// Renews the keys when they have served long enough. The receive buffer counts its own direction.
    pub(super) fn consider_rekey(&mut self, received_bytes: u64, received_packets: u64, now: Instant) {
        if !matches!(self.phase, Phase::Open(_)) || !self.exchange.is_idle() {
            return;
        }
        let bytes = self.out.tx.bytes.max(received_bytes);
        let packets = self.out.tx.packets.max(received_packets);
        let most_bytes = self.config.rekey_bytes.clamp(MIN_REKEY_BYTES, self.exchange.most_bytes());
        if bytes >= most_bytes || packets >= self.config.rekey_packets {
            self.rekey(now);
        }
    }

    pub(super) fn rekey(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Open(_)) || !self.exchange.is_idle() {
            return;
        }
        self.out.timers.stop(Timer::RekeyAge);
        self.out.timers.set_after(Timer::RekeyEnd, now, Some(self.config.handshake_timeout));
        let result = self.exchange.propose(&mut self.out);
        self.check(result, now);
    }

    // ---- phases ----

    fn authenticate(&mut self, now: Instant) -> Result<(), Error> {
        self.out.timers.stop(Timer::Handshake);
        // Whoever looked at the host key is done.
        self.out.timers.stop(Timer::Authentication);
        let session = self.exchange.session_id().ok_or(Error::Internal("keys without a session"))?;
        let auth = match self.role {
            Role::Client => {
                let (user, signing) = (std::mem::take(&mut self.user), Signing::new(&self.config));
                Auth::Client(ClientAuth::new(user, session, signing))
            }
            Role::Server => Auth::Server(ServerAuth::new(session, self.config.algorithms.public_key.clone())),
        };
        self.phase = Phase::Authentication(Box::new(auth));
        self.pass_server_algorithms();
        if self.config.hold_log_on && self.role == Role::Client { Ok(()) } else { self.begin_log_on(now) }
    }

    fn begin_log_on(&mut self, now: Instant) -> Result<(), Error> {
        self.out.timers.set_after(Timer::Authentication, now, Some(self.config.auth_timeout));
        match &mut self.phase {
            Phase::Authentication(auth) => match &mut **auth {
                Auth::Client(auth) => auth.start(&mut self.out, now),
                Auth::Server(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Nobody is to be kept from logging on any more.
    pub(super) fn log_on(&mut self, now: Instant) {
        let was_held = std::mem::take(&mut self.config.hold_log_on);
        if was_held && self.role == Role::Client && matches!(self.phase, Phase::Authentication(_)) {
            let result = self.begin_log_on(now);
            self.check(result, now);
        }
    }

    fn pass_server_algorithms(&mut self) {
        if let Phase::Authentication(auth) = &mut self.phase
            && let Auth::Client(auth) = &mut **auth
            && let Some(names) = &self.server_algorithms
        {
            auth.on_server_algorithms(names.iter().map(String::as_str));
        }
    }

    fn open(&mut self, now: Instant) -> Result<(), Error> {
        self.out.timers.stop(Timer::Authentication);
        self.phase = Phase::Open(Box::new(Open::new(self.role, &self.config, &mut self.out, now)));
        self.out.tell(Event::Authenticated);
        Ok(())
    }

    /// Ends the connection with an error and tells the peer what it should know.
    pub(super) fn fail(&mut self, error: Error, _now: Instant) {
        if self.is_closed() {
            return;
        }
        if let Some(reason) = error.disconnect_reason() {
            // Our words, never secrets; lists of algorithms are too long to repeat.
            let description: String = error.to_string().chars().take(MAX_DESCRIPTION).collect();
            self.send_disconnect(reason, &description);
        }
        self.end(error);
    }

    pub(super) fn disconnect(&mut self, goodbye: &Goodbye, _now: Instant) {
        if !self.is_closed() {
            self.send_disconnect(goodbye.reason, goodbye.description);
            self.end(Error::Stopped);
        }
    }

    fn send_disconnect(&mut self, reason: DisconnectReason, description: &str) {
        let message = Disconnect { reason, description: description.as_bytes(), language: b"" };
        // The connection ends either way.
        let _ = self.out.send(&message);
    }

    fn end(&mut self, error: Error) {
        self.phase = Phase::Closed;
        self.out.timers.clear();
        self.out.tell(Event::Closed(error));
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    fn check(&mut self, result: Result<(), Error>, now: Instant) {
        if let Err(error) = result {
            self.fail(error, now);
        }
    }

    // ---- the application ----

    pub(super) fn next_event(&mut self) -> Option<Event> {
        if self.out.tx.has_failed() && !self.is_closed() {
            // Without a word to the peer, which would only get more zeros.
            self.end(Error::Internal("the library that encrypts has failed"));
        }
        self.out.next_event()
    }

    pub(super) fn answer(&mut self, id: QuestionId, answer: Answer, now: Instant) -> bool {
        if self.is_closed() {
            return false;
        }
        let result = match answer {
            Answer::HostKey(accepted) => self.answer_host_key(id, accepted, now),
            Answer::Open(decision) => match &mut self.phase {
                Phase::Open(open) => open.channels.on_open_answer(id, decision, &mut self.out),
                _ => None,
            },
            Answer::Forward(verdict) => match &mut self.phase {
                Phase::Open(open) => open.served.on_verdict(id, verdict, &mut self.out),
                _ => None,
            },
            Answer::Gss(reply) if self.exchange.has_asked_gss(id) => self.answer_gss(reply, now),
            answer => self.answer_auth(id, answer, now),
        };
        let taken = result.is_some();
        self.check(result.unwrap_or(Ok(())), now);
        taken
    }

    fn answer_host_key(&mut self, id: QuestionId, accepted: bool, now: Instant) -> Option<Result<(), Error>> {
        let progress = self.exchange.on_host_key_answer(id, accepted, &mut self.out)?;
        Some(match progress {
            Ok(Progress::Done) => self.on_keys(now),
            Ok(Progress::Underway) => {
                // What is left is the peer's NEWKEYS.
                let (peers, persons) = self.host_key_timers();
                self.out.timers.stop(persons);
                self.out.timers.set_after(peers, now, Some(self.config.handshake_timeout));
                Ok(())
            }
            Err(error) => Err(error),
        })
    }

    fn answer_gss(&mut self, reply: Option<GssReply>, now: Instant) -> Option<Result<(), Error>> {
        let progress = self.exchange.on_gss_reply(reply, &mut self.out, now)?;
        Some(match progress {
            Ok(Progress::Done) => self.on_keys(now),
            Ok(Progress::Underway) => Ok(()),
            Err(error) => Err(error),
        })
    }

    fn answer_auth(&mut self, id: QuestionId, answer: Answer, now: Instant) -> Option<Result<(), Error>> {
        let Phase::Authentication(auth) = &mut self.phase else { return None };
        match (&mut **auth, answer) {
            (Auth::Client(auth), answer) => auth.on_answer(id, answer, &mut self.out),
            (Auth::Server(auth), Answer::Verdict(verdict)) => {
                let progress = auth.on_verdict(id, verdict, &mut self.out)?;
                Some(match progress {
                    Ok(AuthProgress::Done) => self.open(now),
                    Ok(AuthProgress::Underway) => Ok(()),
                    Err(error) => Err(error),
                })
            }
            _ => None,
        }
    }

    pub(super) fn channels(&self) -> Option<&Channels> {
        match &self.phase {
            Phase::Open(open) => Some(&open.channels),
            _ => None,
        }
    }

    pub(super) fn channels_mut(&mut self) -> Option<&mut Channels> {
        match &mut self.phase {
            Phase::Open(open) => Some(&mut open.channels),
            _ => None,
        }
    }

    pub(super) fn raise_max_window(&mut self, bytes: u32) {
        // Of a connection on which nobody is logged on yet.
        self.config.max_window = self.config.max_window.max(bytes);
        if let Some(channels) = self.channels_mut() {
            channels.raise_max_window(bytes);
        }
    }

    pub(super) fn lent(&self) -> usize {
        self.channels().map_or(0, Channels::lent)
    }

    pub(super) fn consume(&mut self, id: ChannelId, count: usize, now: Instant) {
        self.with_channels(now, |channels, out| channels.consume(id, count, out, now));
    }

    pub(super) fn slots(&mut self, id: ChannelId, limit: usize) -> Slots<'_> {
        let Phase::Open(open) = &mut self.phase else { return self.out.tx.slots(0, 0) };
        if limit == 0 {
            // Whoever has nothing to send is not waiting for room.
            return self.out.tx.slots(0, 0);
        }
        let (window, max_packet) = open.channels.allowance(id, self.out.tx.is_open());
        let slots = self.out.tx.slots(window.min(limit), max_packet);
        if slots.capacity() == 0 && window > 0 {
            open.channels.note_starved(id);
        }
        slots
    }

    pub(super) fn commit(&mut self, id: ChannelId, count: usize) {
        let Phase::Open(open) = &mut self.phase else { return };
        if let Some(recipient) = open.channels.sent(id, count) {
            self.out.tx.commit(recipient, count, self.out.entropy.as_mut());
        }
    }

    pub(super) fn finish(&mut self, id: ChannelId, now: Instant) {
        self.with_channels(now, |channels, out| channels.finish(id, out));
    }

    pub(super) fn close(&mut self, id: ChannelId, now: Instant) {
        self.with_channels(now, |channels, out| channels.close(id, out, now));
    }

    fn with_channels(
        &mut self,
        now: Instant,
        act: impl FnOnce(&mut Channels, &mut Outbox) -> Result<(), Error>,
    ) {
        if let Phase::Open(open) = &mut self.phase {
            self.out.tx.expect_channels(open.channels.len());
            let result = act(&mut open.channels, &mut self.out);
            self.check(result, now);
        }
    }

    /// How far the peer has come when the time for the handshake is over.
    fn missed_in_handshake(&self) -> Deadline {
        match self.phase {
            Phase::Identification(_) => Deadline::Identification,
            _ if self.exchange.has_peer_proposal() => Deadline::Handshake,
            _ => Deadline::Negotiation,
        }
    }

    // ---- output ----

    pub(super) fn transmit(&self) -> &[u8] {
        self.out.tx.pending()
    }

    pub(super) fn transmitted(&mut self, count: usize) {
        self.out.tx.written(count);
        if let Phase::Open(open) = &mut self.phase
            && open.channels.has_starved()
            && self.out.tx.is_open()
            && self.out.tx.pending().is_empty()
        {
            open.channels.wake_starved(&mut self.out);
        }
    }

    // ---- time ----

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.out.timers.next()
    }

    /// Gives true when it is time to give memory back.
    pub(super) fn handle_timeouts(&mut self, now: Instant) -> bool {
        let mut idle = false;
        while let Some(timer) = self.out.timers.take_due(now) {
            let result = match timer {
                Timer::Handshake => Err(Error::Timeout(self.missed_in_handshake())),
                Timer::Authentication => Err(Error::Timeout(Deadline::Authentication)),
                Timer::RekeyEnd => Err(Error::Timeout(Deadline::Rekey)),
                Timer::RekeyAge => {
                    self.rekey(now);
                    Ok(())
                }
                Timer::Keepalive => match &mut self.phase {
                    Phase::Open(open) => open.on_silence(&mut self.out, now),
                    _ => Ok(()),
                },
                Timer::ChannelOpen => match &mut self.phase {
                    Phase::Open(open) => open.channels.on_open_timeout(&mut self.out, now),
                    _ => Ok(()),
                },
                Timer::Request => match &mut self.phase {
                    Phase::Open(open) => open.on_request_timeout(&mut self.out, now),
                    _ => Ok(()),
                },
                Timer::Probe => Err(Error::Timeout(Deadline::Keepalive)),
                Timer::Idle => {
                    idle = true;
                    self.out.tx.shrink();
                    Ok(())
                }
            };
            self.check(result, now);
        }
        idle
    }
}
