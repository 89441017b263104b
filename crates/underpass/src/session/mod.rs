//! The driver: one task owns the engine, the transport and every forwarded connection of one SSH connection.
//!
//! Each round reads the transport into the engine, acts on events, gives ready connections their turn, and writes
//! what has gathered in one go. Payload is never copied, sent to another task or kept between rounds. Nothing is
//! awaited: whatever blocks (a prompt, a signature, a dial) happens elsewhere and comes back as a [`Command`].

mod carry;
mod farewell;
mod pace;
mod pipe;
mod ready;
mod reins;
mod relay;
mod socket;
mod splice;

use std::collections::{HashMap, VecDeque};
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Sleep;
use underpass_proto::{
    Answer, ChannelId, Connection, Event, Goodbye, Question, QuestionId, RemoteBind, RequestId,
};
use underpass_wire::DisconnectReason;

pub(crate) use self::carry::{Asker, Carry, Command, ConnectionInfo, Failure};
use self::farewell::{end_of, part};
pub(crate) use self::farewell::{farewell, last_words, write_all};
pub(crate) use self::pace::Limits;
use self::pace::{Pace, Waiting};
pub(crate) use self::pipe::{Pipe, pipe};
use self::ready::ReadySet;
pub(crate) use self::reins::{Reins, Steered, Terms, reins};
use self::relay::{QUANTUM, Relay, Turn};
pub(crate) use self::socket::{Socket, Stream};
pub(crate) use self::splice::splice;
use crate::{End, Error, ForwardId, stats::Counters};

/// Rounds before other tasks of the thread get their turn. A round moves what the engine's buffers hold at most, a
/// megabyte each way.
const ROUNDS: usize = 32;

/// Commands before data gets its turn: many connections at once must not hold up those that are open.
const COMMANDS: usize = 64;

/// A connection alone may move this much in one turn: what the engine's buffer holds.
const FULL_QUANTUM: usize = 1024 * 1024;

/// After the end, the last words may take this long to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why connections are over that the end of the SSH connection has cut.
pub(crate) const SSH_ENDED: &str = "the SSH connection ended";

/// What differs between the ends of a connection: policy and reporting.
pub(crate) trait Side: Send {
    /// Decides, or arranges for a decision that comes back as a command.
    fn question(
        &mut self,
        id: QuestionId,
        question: Question,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer>;

    /// Asks the peer for the channel of a connection that came in here.
    fn open(&mut self, engine: &mut Connection, info: &ConnectionInfo, now: Instant) -> Option<ChannelId>;

    /// An event of the connection as a whole.
    fn told(&mut self, event: Event);

    /// A forwarded connection is open.
    fn opened(&mut self, info: &ConnectionInfo);

    /// A forwarded connection was not to be had; gives the reason in words.
    fn failed(&mut self, info: &ConnectionInfo, failure: Failure) -> Error;

    /// A forwarded connection is over.
    fn closed(&mut self, info: &ConnectionInfo, sent: u64, received: u64, error: Option<String>);

    /// The peer was asked to listen for a forward; `None`: too many answers are due already. Servers ask nobody.
    fn listening(&mut self, _: ForwardId, _: Option<RequestId>) {}

    /// No more connections are taken; this many are open.
    fn draining(&mut self, open: usize);
}

/// How a session ended.
pub(crate) struct Ended<S> {
    pub(crate) side: S,
    pub(crate) error: underpass_proto::Error,
    /// What the transport said, if it failed.
    pub(crate) cause: Option<io::Error>,
    /// Connections that had not reached their targets yet.
    pub(crate) unserved: Vec<Carry>,
}

pub(crate) struct Session<S> {
    engine: Connection,
    transport: Socket,
    side: S,
    carried: HashMap<ChannelId, Carried>,
    /// What the peer was asked to listen for.
    listening: HashMap<ForwardId, RequestId>,
    ready: Arc<ReadySet>,
    /// Channels that are due a turn, each once.
    queue: VecDeque<ChannelId>,
    limits: Limits,
    /// The pace of all connections together.
    pace: Pace,
    /// Connections that have been as fast as they may.
    slowed: Waiting,
    /// When connections are looked through for idle ones.
    idle_check: Option<Instant>,
    /// An empty list, to take the ready ones without allocating.
    spare: Vec<u32>,
    commands: UnboundedReceiver<Command>,
    sender: UnboundedSender<Command>,
    sleep: Pin<Box<Sleep>>,
    /// When `sleep` fires.
    armed: Instant,
    stats: Arc<Counters>,
    ending: Ending,
    writable: bool,
    /// Written bytes may be kept back by the transport.
    unflushed: bool,
    /// Something has come and nothing was written that would acknowledge it.
    unacknowledged: bool,
    cause: Option<io::Error>,
}

struct Carried {
    relay: Relay,
    info: ConnectionInfo,
    /// Until the target is reached.
    asker: Asker,
    place: Option<OwnedSemaphorePermit>,
    /// It is cut when it carries nothing for so long.
    idle: Option<Duration>,
    queued: bool,
}

impl Carried {
    /// When it is cut for carrying nothing, if it carries nothing until then.
    fn idle_until(&self) -> Option<Instant> {
        self.idle.filter(|_| self.relay.is_open()).map(|idle| self.relay.moved() + idle)
    }

    /// The channel is not to be had.
    fn into_unserved(self) -> Carry {
        let Self { relay, info, asker, place, .. } = self;
        let (socket, early, steered) = relay.into_unserved();
        Carry { socket, info, asker, early, place, steered }
    }
}

enum Ending {
    /// Not asked to end.
    Running,
    /// Ends when no channel is left, or at this time.
    Draining(Instant),
    /// The same, once all channels are closed on this side.
    Leaving(Instant),
    /// The engine is closed; its last words may be written until then.
    Closed(underpass_proto::Error, Instant),
}

impl<S: Side> Session<S> {
    pub(crate) fn new(
        engine: Connection,
        transport: Socket,
        side: S,
        stats: Arc<Counters>,
        limits: Limits,
    ) -> (Self, UnboundedSender<Command>) {
        let (sender, commands) = unbounded_channel();
        let far = far_future();
        let session = Self {
            engine,
            transport,
            side,
            carried: HashMap::new(),
            listening: HashMap::new(),
            ready: Arc::default(),
            queue: VecDeque::new(),
            limits,
            pace: limits.all.pace(Instant::now()),
            slowed: Waiting::default(),
            idle_check: None,
            spare: Vec::new(),
            commands,
            sender: sender.clone(),
            sleep: Box::pin(tokio::time::sleep_until(far.into())),
            armed: far,
            stats,
            ending: Ending::Running,
            writable: true,
            unflushed: false,
            unacknowledged: false,
            cause: None,
        };
        (session, sender)
    }

    /// Drives the connection to its end.
    pub(crate) async fn run(mut self) -> Ended<S> {
        // Tokio's budget would run out before the round's last step, the write. `ROUNDS` bounds a turn instead.
        let error = tokio::task::unconstrained(std::future::poll_fn(|cx| self.poll(cx))).await;
        self.commands.close();
        let mut unserved = Vec::new();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Carry(carry) = command {
                unserved.push(*carry);
            }
        }
        for (_, carried) in self.carried.drain() {
            if carried.relay.is_open() {
                let Carried { relay, info, .. } = carried;
                self.stats.close();
                let why = Some(SSH_ENDED.to_owned());
                self.side.closed(&info, relay.sent, relay.received, why);
            } else {
                unserved.push(carried.into_unserved());
            }
        }
        if let (underpass_proto::Error::Stopped, Some(patience)) = (&error, self.limits.farewell.server_close)
        {
            // One that does not has had its chance.
            let _ = tokio::time::timeout(patience, end_of(&mut self.transport)).await;
        }
        self.transport.finish();
        Ended { side: self.side, error, cause: self.cause, unserved }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<underpass_proto::Error> {
        self.ready.register(cx.waker());
        for _ in 0..ROUNDS {
            let now = Instant::now();
            let mut progress = self.take_commands(cx, now);
            progress |= self.read_transport(cx, now);
            progress |= self.take_events(now);
            progress |= self.give_turns(now);
            progress |= self.take_events(now);
            progress |= self.write_transport(cx);
            progress |= self.keep_time(cx, now);
            if let Some(error) = self.ended(now) {
                return Poll::Ready(error);
            }
            if !progress {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    // ---- the transport ----

    fn read_transport(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if self.engine.is_closed() {
            return false;
        }
        let space = self.engine.receive_space();
        if space.is_empty() {
            // The engine waits for an answer; going on makes room.
            return false;
        }
        match self.transport.poll_read(cx, space) {
            Poll::Pending => false,
            Poll::Ready(Ok(0)) => {
                self.engine.received_end(now);
                true
            }
            Poll::Ready(Ok(count)) => {
                self.engine.received(count, now);
                self.unacknowledged = true;
                true
            }
            Poll::Ready(Err(error)) => {
                self.cause.get_or_insert(error);
                self.engine.received_end(now);
                true
            }
        }
    }

    fn write_transport(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while self.writable && !self.engine.transmit().is_empty() {
            match self.transport.poll_write(cx, self.engine.transmit()) {
                Poll::Pending => break,
                Poll::Ready(Ok(count)) => {
                    self.engine.transmitted(count);
                    self.unflushed = true;
                    progress = true;
                }
                Poll::Ready(Err(error)) => self.give_up_writing(error),
            }
        }
        if self.unflushed && self.writable {
            match self.transport.poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => self.give_up_writing(error),
            }
        }
        if std::mem::take(&mut self.unacknowledged) && !progress {
            self.transport.acknowledge();
        }
        progress
    }

    /// What the peer said last may still be readable, and tells more than `error`.
    fn give_up_writing(&mut self, error: io::Error) {
        self.cause.get_or_insert(error);
        self.writable = false;
    }

    // ---- events ----

    fn take_events(&mut self, now: Instant) -> bool {
        let mut progress = false;
        while let Some(event) = self.engine.poll_event() {
            progress = true;
            match event {
                Event::Readable(channel) | Event::Writable(channel) => self.enqueue(channel),
                Event::Question(id, question) => {
                    if let Some(answer) = self.side.question(id, question, &self.sender) {
                        self.engine.answer(id, answer, now);
                    }
                }
                Event::ChannelOpened(channel) => self.on_opened(channel),
                Event::ChannelRefused { channel, refusal } => {
                    self.on_refused(channel, Failure::Refused(refusal));
                }
                Event::ChannelClosed(channel) => self.enqueue(channel),
                Event::Closed(error) => self.ending = Ending::Closed(error, now + LAST_WORDS),
                event => self.side.told(event),
            }
        }
        progress
    }

    fn on_opened(&mut self, channel: ChannelId) {
        if let Some(carried) = self.carried.get_mut(&channel) {
            let reply = std::mem::replace(&mut carried.asker, Asker::Nobody).reached();
            self.stats.open();
            self.side.opened(&carried.info);
            carried.relay.open(reply);
            self.idle_check = earlier(self.idle_check, carried.idle_until());
            self.enqueue(channel);
        }
    }

    fn on_refused(&mut self, channel: ChannelId, failure: Failure) {
        if let Some(carried) = self.carried.remove(&channel) {
            self.fail(carried.into_unserved(), failure);
        }
    }

    fn fail(&mut self, carry: Carry, failure: Failure) {
        self.stats.fail();
        let error = self.side.failed(&carry.info, failure);
        farewell(carry, error);
    }

    // ---- connections ----

    fn enqueue(&mut self, channel: ChannelId) {
        if let Some(carried) = self.carried.get_mut(&channel)
            && !std::mem::replace(&mut carried.queued, true)
        {
            self.queue.push_back(channel);
        }
    }

    fn give_turns(&mut self, now: Instant) -> bool {
        if self.engine.is_closed() {
            // What is left is reset when the session is over.
            return false;
        }
        let mut ready = std::mem::take(&mut self.spare);
        self.ready.take(&mut ready);
        for id in ready.drain(..) {
            self.enqueue(ChannelId(id));
        }
        self.spare = ready;
        let due = self.queue.len();
        let quantum = if due > 1 { QUANTUM } else { FULL_QUANTUM };
        for _ in 0..due {
            let Some(channel) = self.queue.pop_front() else { break };
            self.give_turn(channel, quantum, now);
        }
        due > 0
    }

    fn give_turn(&mut self, channel: ChannelId, quantum: usize, now: Instant) {
        let Some(carried) = self.carried.get_mut(&channel) else { return };
        carried.queued = false;
        let mut end = None;
        if let Some(orders) = carried.relay.look() {
            if orders.idle != carried.idle {
                carried.idle = orders.idle;
                self.idle_check = earlier(self.idle_check, carried.idle_until());
            }
            end = carried.relay.obey(orders, &mut self.engine, now);
        }
        let (sent, received) = (carried.relay.sent, carried.relay.received);
        let turn = end.unwrap_or_else(|| carried.relay.turn(&mut self.engine, quantum, &mut self.pace, now));
        self.stats.moved(carried.relay.sent - sent, carried.relay.received - received);
        match turn {
            Turn::Rest => {}
            Turn::More => self.enqueue(channel),
            Turn::Later(until) => self.slowed.push(until, channel),
            Turn::Over(error) => self.on_over(channel, error),
            Turn::Withdrawn => self.on_refused(channel, Failure::Withdrawn),
        }
    }

    fn on_over(&mut self, channel: ChannelId, error: Option<io::Error>) {
        let Some(Carried { relay, info, place, .. }) = self.carried.remove(&channel) else { return };
        self.stats.close();
        drop(place);
        self.side.closed(&info, relay.sent, relay.received, error.as_ref().map(io::Error::to_string));
        let (steered, socket) = relay.into_ended();
        if let Some(socket) = socket
            && error.is_none()
        {
            part(socket);
        }
        if let Some(steered) = steered {
            steered.over(End::from(error));
        }
    }

    // ---- commands ----

    fn take_commands(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        for taken in 0..COMMANDS {
            let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) else { return taken > 0 };
            match command {
                Command::Carry(carry) => self.carry(*carry, now),
                Command::Answer(id, answer) => {
                    self.engine.answer(id, answer, now);
                }
                Command::Attach(id, channel, carry) => self.attach(id, channel, *carry, now),
                Command::Listen(forward, bind) => self.listen(forward, &bind, now),
                Command::Unlisten(forward) => {
                    if let Some(request) = self.listening.remove(&forward) {
                        self.engine.cancel_forward(request, now);
                    }
                }
                Command::Probe(patience) => self.engine.probe(patience, now),
                Command::LogOn => self.engine.log_on(now),
                Command::Rekey => self.engine.rekey(now),
                Command::MaxWindow(bytes) => self.engine.raise_max_window(bytes),
                Command::Drain(until) => {
                    if matches!(self.ending, Ending::Running) {
                        self.side.draining(self.carried.len());
                        self.ending = Ending::Draining(until);
                    }
                }
                Command::Cut => self.leave(now),
            }
        }
        true
    }

    /// Asks the peer for a channel to the target.
    fn carry(&mut self, carry: Carry, now: Instant) {
        if !matches!(self.ending, Ending::Running) {
            return self.fail(carry, Failure::Ended(underpass_proto::Error::Stopped));
        }
        match self.side.open(&mut self.engine, &carry.info, now) {
            Some(channel) => self.take_up(channel, carry, now),
            None => self.fail(carry, Failure::TooMany),
        }
    }

    fn take_up(&mut self, channel: ChannelId, carry: Carry, now: Instant) {
        let Carry { socket, info, asker, early, place, steered } = carry;
        let (pace, idle) = (self.limits.each.pace(now), self.limits.idle);
        let relay = Relay::new(socket, early, steered, channel, &self.ready, pace);
        self.carried.insert(channel, Carried { relay, info, asker, place, idle, queued: false });
    }

    /// Asks the peer to listen.
    fn listen(&mut self, forward: ForwardId, bind: &RemoteBind, now: Instant) {
        let request = self.engine.request_forward(bind, now);
        if let Some(request) = request {
            self.listening.insert(forward, request);
        }
        self.side.listening(forward, request);
    }

    /// Accepts the channel of a question and connects it.
    fn attach(&mut self, id: QuestionId, channel: ChannelId, carry: Carry, now: Instant) {
        if self.engine.answer(id, Answer::Open(Ok(())), now) {
            self.take_up(channel, carry, now);
            self.on_opened(channel);
        }
    }

    /// Ends it, by way of closing the channels if the peer is to see that.
    fn leave(&mut self, now: Instant) {
        match (self.limits.farewell.channel_close, &self.ending) {
            (Some(patience), Ending::Running | Ending::Draining(_)) if self.engine.channel_count() > 0 => {
                let channels: Vec<ChannelId> = self.carried.keys().copied().collect();
                for channel in channels {
                    self.engine.close(channel, now);
                    // Those that are not open yet are not served any more.
                    if self.carried.get(&channel).is_some_and(|carried| carried.relay.is_open()) {
                        self.on_over(channel, Some(io::Error::other("the tunnel was stopped")));
                    }
                }
                self.ending = Ending::Leaving(now + patience);
            }
            _ => self.disconnect(now),
        }
    }

    fn disconnect(&mut self, now: Instant) {
        let goodbye = Goodbye { reason: DisconnectReason::BY_APPLICATION, description: "" };
        self.engine.disconnect(&goodbye, now);
    }

    // ---- time and end ----

    fn keep_time(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut progress = false;
        if self.engine.poll_timeout().is_some_and(|due| due <= now) {
            self.engine.handle_timeout(now);
            progress = true;
        }
        if let Ending::Draining(until) | Ending::Leaving(until) = self.ending {
            // A channel that the peer has not closed may still hold an upload's last bytes on their way.
            if self.engine.channel_count() == 0 {
                self.disconnect(now);
                return true;
            }
            if until <= now {
                self.leave(now);
                return true;
            }
        }
        let ending = match self.ending {
            Ending::Running => None,
            Ending::Draining(until) | Ending::Leaving(until) | Ending::Closed(_, until) => Some(until),
        };
        while let Some(channel) = self.slowed.pop(now) {
            self.enqueue(channel);
            progress = true;
        }
        if self.idle_check.is_some_and(|due| due <= now) {
            self.cut_idle(now);
            progress = true;
        }
        let due = [self.engine.poll_timeout(), ending, self.slowed.next(), self.idle_check]
            .into_iter()
            .flatten()
            .min();
        // Deadlines mostly move away; an early alarm costs less than moving it each time.
        if let Some(due) = due
            && due < self.armed
        {
            self.arm(due);
        }
        if self.sleep.as_mut().poll(cx).is_ready() {
            self.arm(due.unwrap_or_else(far_future));
            progress = true;
        }
        progress
    }

    /// Cuts the connections that have carried nothing for too long.
    fn cut_idle(&mut self, now: Instant) {
        let due = |carried: &Carried| carried.idle_until().filter(|due| *due <= now).and(carried.idle);
        let late: Vec<(ChannelId, Duration)> = self
            .carried
            .iter()
            .filter_map(|(channel, carried)| due(carried).map(|idle| (*channel, idle)))
            .collect();
        for (channel, idle) in late {
            self.engine.close(channel, now);
            let why = format!("nothing was carried for {} s", idle.as_secs_f64());
            self.on_over(channel, Some(io::Error::new(io::ErrorKind::TimedOut, why)));
        }
        self.idle_check = self.carried.values().filter_map(Carried::idle_until).min();
    }

    fn arm(&mut self, at: Instant) {
        self.armed = at;
        self.sleep.as_mut().reset(at.into());
    }

    fn ended(&mut self, now: Instant) -> Option<underpass_proto::Error> {
        let Ending::Closed(error, until) = &self.ending else { return None };
        let flushed = self.engine.transmit().is_empty() || !self.writable || *until <= now;
        flushed.then(|| error.clone())
    }
}

/// The earlier of two moments, as far as there are any.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// Later than any deadline, and still representable.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(365 * 86400)
}
