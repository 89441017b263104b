//! The driver: one task owns the engine, the transport and every forwarded connection of one SSH connection.
//!
//! Each round reads the transport into the engine, acts on events, gives ready connections their turn, and writes
//! what has gathered in one go. Payload is never copied, sent to another task or kept between rounds. Nothing is
//! awaited: whatever blocks (a prompt, a signature, a dial) happens elsewhere and comes back as a [`Command`].

mod ready;
mod relay;
mod socket;

use std::collections::{HashMap, VecDeque};
use std::future::Future as _;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Sleep;
use underpass_proto::{Answer, ChannelId, Connection, Event, Goodbye, Question, QuestionId, Refusal};
use underpass_wire::DisconnectReason;

use self::ready::ReadySet;
use self::relay::{QUANTUM, Relay, Turn};
pub(crate) use self::socket::Socket;
use crate::{Target, stats::Counters};

/// Rounds before other tasks of the thread get their turn. A round moves what the engine's buffers hold at most, a
/// megabyte each way.
const ROUNDS: usize = 32;

/// Commands before data gets its turn: many connections at once must not hold up those that are open.
const COMMANDS: usize = 64;

/// A connection alone may move this much in one turn: what the engine's buffer holds.
const FULL_QUANTUM: usize = 1024 * 1024;

/// A read of this many bytes is part of a burst, whose end may wait for an acknowledgement.
const BURST: usize = 4096;

/// After the end, the last words may take this long to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a session is told from outside.
pub(crate) enum Command {
    /// Carry this connection to a target.
    Carry(Box<Carry>),
    /// Answer one of the engine's questions.
    Answer(QuestionId, Answer),
    /// Accept the channel of a question and connect it to this socket.
    Attach(QuestionId, ChannelId, Box<Carry>),
    /// Take no more connections; end when there are none, or after this time.
    Drain(Duration),
    /// End now.
    Cut,
}

/// A local connection and where it goes.
pub(crate) struct Carry {
    pub(crate) socket: Socket,
    pub(crate) info: ConnectionInfo,
}

/// What there is to say about a forwarded connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionInfo {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) target: Target,
}

/// Why a connection did not reach its target.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The peer refused it, or did not answer.
    Refused(Refusal),
    /// There are too many.
    TooMany,
    /// The SSH connection ended first.
    Ended(underpass_proto::Error),
}

/// What differs between the ends of a connection: policy and reporting.
pub(crate) trait Side: Send {
    /// Decides, or arranges for a decision that comes back as a command.
    fn question(
        &mut self,
        id: QuestionId,
        question: Question,
        commands: &UnboundedSender<Command>,
    ) -> Option<Answer>;

    /// An event of the connection as a whole.
    fn told(&mut self, event: Event);

    /// A forwarded connection is open.
    fn opened(&mut self, info: &ConnectionInfo);

    /// A forwarded connection was not to be had.
    fn failed(&mut self, info: &ConnectionInfo, failure: Failure);

    /// A forwarded connection is over.
    fn closed(&mut self, info: &ConnectionInfo, sent: u64, received: u64, error: Option<String>);

    /// No more connections are taken; this many are open.
    fn draining(&mut self, open: usize);
}

/// How a session ended.
pub(crate) struct Ended<S> {
    pub(crate) side: S,
    pub(crate) error: underpass_proto::Error,
    /// What the transport said, if it failed.
    pub(crate) cause: Option<io::Error>,
}

pub(crate) struct Session<S> {
    engine: Connection,
    transport: Socket,
    side: S,
    carried: HashMap<ChannelId, Carried>,
    ready: Arc<ReadySet>,
    /// Channels that are due a turn, each once.
    queue: VecDeque<ChannelId>,
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
    /// Part of a burst has come and nothing was written that would acknowledge it.
    unacknowledged: bool,
    cause: Option<io::Error>,
}

struct Carried {
    relay: Relay,
    info: ConnectionInfo,
    queued: bool,
}

enum Ending {
    /// Not asked to end.
    Running,
    /// Ends when no channel is left, or at this time.
    Draining(Instant),
    /// The engine is closed; its last words may be written until then.
    Closed(underpass_proto::Error, Instant),
}

impl<S: Side> Session<S> {
    pub(crate) fn new(
        engine: Connection,
        transport: Socket,
        side: S,
        stats: Arc<Counters>,
    ) -> (Self, UnboundedSender<Command>) {
        let (sender, commands) = unbounded_channel();
        let far = far_future();
        let session = Self {
            engine,
            transport,
            side,
            carried: HashMap::new(),
            ready: Arc::default(),
            queue: VecDeque::new(),
            spare: Vec::new(),
            commands,
            sender: sender.clone(),
            sleep: Box::pin(tokio::time::sleep_until(far.into())),
            armed: far,
            stats,
            ending: Ending::Running,
            writable: true,
            unacknowledged: false,
            cause: None,
        };
        (session, sender)
    }

    /// Drives the connection to its end.
    pub(crate) async fn run(mut self) -> Ended<S> {
        // Tokio's budget would run out before the round's last step, the write. `ROUNDS` bounds a turn instead.
        let error = tokio::task::unconstrained(std::future::poll_fn(|cx| self.poll(cx))).await;
        self.transport.shutdown(Shutdown::Write);
        for (_, Carried { relay, info, .. }) in self.carried.drain() {
            if relay.is_open() {
                self.stats.close();
                let why = Some("the SSH connection ended".to_owned());
                self.side.closed(&info, relay.sent, relay.received, why);
            } else {
                self.stats.fail();
                self.side.failed(&info, Failure::Ended(error.clone()));
            }
        }
        Ended { side: self.side, error, cause: self.cause }
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
                self.unacknowledged |= count >= BURST;
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
                    progress = true;
                }
                Poll::Ready(Err(error)) => {
                    // What the peer said last may still be readable, and tells more.
                    self.cause.get_or_insert(error);
                    self.writable = false;
                }
            }
        }
        if std::mem::take(&mut self.unacknowledged) && !progress {
            self.transport.acknowledge();
        }
        progress
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
                Event::ChannelRefused { channel, refusal } => self.on_refused(channel, refusal),
                Event::ChannelClosed(channel) => self.enqueue(channel),
                Event::Closed(error) => self.ending = Ending::Closed(error, now + LAST_WORDS),
                event => self.side.told(event),
            }
        }
        progress
    }

    fn on_opened(&mut self, channel: ChannelId) {
        if let Some(carried) = self.carried.get_mut(&channel) {
            carried.relay.open();
            self.stats.open();
            self.side.opened(&carried.info);
            self.enqueue(channel);
        }
    }

    fn on_refused(&mut self, channel: ChannelId, refusal: Refusal) {
        if let Some(carried) = self.carried.remove(&channel) {
            self.stats.fail();
            self.side.failed(&carried.info, Failure::Refused(refusal));
        }
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
            let Some(carried) = self.carried.get_mut(&channel) else { continue };
            carried.queued = false;
            let (sent, received) = (carried.relay.sent, carried.relay.received);
            let turn = carried.relay.turn(&mut self.engine, quantum, now);
            self.stats.moved(carried.relay.sent - sent, carried.relay.received - received);
            match turn {
                Turn::Rest => {}
                Turn::More => self.enqueue(channel),
                Turn::Over(error) => self.on_over(channel, error),
            }
        }
        due > 0
    }

    fn on_over(&mut self, channel: ChannelId, error: Option<io::Error>) {
        if let Some(carried) = self.carried.remove(&channel) {
            self.stats.close();
            let error = error.map(|error| error.to_string());
            self.side.closed(&carried.info, carried.relay.sent, carried.relay.received, error);
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
                Command::Drain(grace) => {
                    if matches!(self.ending, Ending::Running) {
                        self.side.draining(self.carried.len());
                        self.ending = Ending::Draining(now + grace);
                    }
                }
                Command::Cut => self.disconnect(now),
            }
        }
        true
    }

    /// Asks the peer for a channel to the target.
    fn carry(&mut self, carry: Carry, now: Instant) {
        let Carry { socket, info } = carry;
        if !matches!(self.ending, Ending::Running) {
            return;
        }
        let (target, origin) = (&info.target, info.peer.ip().to_string());
        let channel =
            self.engine.open_direct_tcpip((&target.host, target.port), (&origin, info.peer.port()), now);
        match channel {
            Some(channel) => {
                let relay = Relay::new(socket, channel, &self.ready);
                self.carried.insert(channel, Carried { relay, info, queued: false });
            }
            None => {
                self.stats.fail();
                self.side.failed(&info, Failure::TooMany);
            }
        }
    }

    /// Accepts the channel of a question and connects it.
    fn attach(&mut self, id: QuestionId, channel: ChannelId, carry: Carry, now: Instant) {
        let Carry { socket, info } = carry;
        if self.engine.answer(id, Answer::Open(Ok(())), now) {
            let relay = Relay::new(socket, channel, &self.ready);
            self.carried.insert(channel, Carried { relay, info, queued: false });
            self.on_opened(channel);
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
        // A channel that the peer has not closed may still hold an upload's last bytes on their way.
        if let Ending::Draining(until) = self.ending
            && (self.engine.channel_count() == 0 || until <= now)
        {
            self.disconnect(now);
            return true;
        }
        let ending = match self.ending {
            Ending::Running => None,
            Ending::Draining(until) | Ending::Closed(_, until) => Some(until),
        };
        let due = self.engine.poll_timeout().into_iter().chain(ending).min();
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

/// Later than any deadline, and still representable.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(365 * 86400)
}
