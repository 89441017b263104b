//! One forwarded connection: a local socket and a channel, each half on its own.
//!
//! Payload goes from the socket into the engine's transmit buffer and from its receive buffer into the socket.
//! Nothing is copied or kept here, but for what is not payload: the words of proxies and of the program that steers.

use std::io::{self, IoSlice, IoSliceMut};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use underpass_proto::{ChannelId, Connection, Receiving};

use super::pace::Pace;
use super::ready::{ReadySet, Token};
use super::reins::{Orders, Steered};
use super::socket::Socket;
use crate::tap::show;
use crate::{Close, Direction, Tap};

/// Packets that one system call reads or writes at most.
const BATCH: usize = 64;

/// What a connection may send or receive before others get their turn, when there are others.
pub(super) const QUANTUM: usize = 128 * 1024;

pub(super) struct Relay {
    socket: Socket,
    channel: ChannelId,
    token: Arc<Token>,
    waker: Waker,
    up: Half,
    down: Half,
    pace: Pace,
    /// When something was carried last.
    moved: Instant,
    /// What the peer's side is sent before the socket's bytes.
    early: Vec<u8>,
    /// What the socket is given before the channel's next bytes: the reply to a proxy's client, the program's words.
    reply: Vec<u8>,
    /// The reins, if a program holds them.
    steered: Option<Steered>,
    /// The program wants nothing read.
    paused: bool,
    /// The connection ends from this side once the socket has been given so many more of the channel's bytes.
    last: Option<usize>,
    /// Bytes from the local socket to the peer.
    pub(super) sent: u64,
    /// Bytes from the peer to the local socket.
    pub(super) received: u64,
}

/// One direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    /// The channel is not open yet.
    Waiting,
    Open,
    /// Its end has been passed on.
    Ended,
}

/// What became of a turn.
pub(super) enum Turn {
    /// Nothing more to do until something changes.
    Rest,
    /// The quantum is used up and there is more.
    More,
    /// It has been as fast as it may be, until then.
    Later(Instant),
    /// The connection is over; the channel is, or is being, closed.
    Over(Option<io::Error>),
    /// The same before the channel was open, because the program wants it no more.
    Withdrawn,
}

impl Relay {
    pub(super) fn new(
        socket: Socket,
        early: Vec<u8>,
        steered: Option<Steered>,
        channel: ChannelId,
        set: &Arc<ReadySet>,
        pace: Pace,
    ) -> Self {
        let token = Token::new(channel.0, set);
        let waker = Waker::from(token.clone());
        if let Some(steered) = &steered {
            steered.follow(&waker);
        }
        Self {
            socket,
            channel,
            waker,
            token,
            up: Half::Waiting,
            down: Half::Waiting,
            pace,
            moved: Instant::now(),
            early,
            reply: Vec::new(),
            steered,
            paused: false,
            last: None,
            sent: 0,
            received: 0,
        }
    }

    /// The channel is open. The socket is given `reply` first.
    pub(super) fn open(&mut self, reply: Vec<u8>) {
        self.up = Half::Open;
        self.down = Half::Open;
        self.reply = reply;
        self.moved = Instant::now();
        if let Some(steered) = &self.steered {
            steered.opened();
        }
    }

    /// The channel is not to be had: what was to be carried through it.
    pub(super) fn into_unserved(self) -> (Socket, Vec<u8>, Option<Steered>) {
        (self.socket, self.early, self.steered)
    }

    /// It is over: who is to be told, and the socket if this side has ended it.
    pub(super) fn into_ended(self) -> (Option<Steered>, Option<Socket>) {
        (self.steered, self.last.map(|_| self.socket))
    }

    pub(super) fn is_open(&self) -> bool {
        self.up != Half::Waiting
    }

    /// When something was carried last, or it was opened.
    pub(super) fn moved(&self) -> Instant {
        self.moved
    }

    /// It is being looked at: from now on it can be queued again. Gives what the program wants, if one steers it.
    pub(super) fn look(&mut self) -> Option<Orders> {
        self.token.looked_at();
        let steered = self.steered.as_ref()?;
        // In this order: what is sent before a close is there when the close is seen.
        let orders = steered.orders();
        if self.is_open() {
            steered.take(&mut self.reply);
        }
        Some(orders)
    }

    /// Does what the program wants. Gives what has become of the connection if that is its end.
    pub(super) fn obey(&mut self, orders: Orders, engine: &mut Connection, now: Instant) -> Option<Turn> {
        self.paused = orders.paused;
        let close = orders.close?;
        if !self.is_open() {
            engine.close(self.channel, now);
            return Some(Turn::Withdrawn);
        }
        match close {
            Close::Graceful if self.last.is_none() => {
                self.last = Some(engine.chunks(self.channel).map(<[u8]>::len).sum());
                None
            }
            Close::Graceful => None,
            Close::Reset => {
                engine.close(self.channel, now);
                let why = "the program reset it";
                Some(Turn::Over(Some(io::Error::new(io::ErrorKind::ConnectionAborted, why))))
            }
        }
    }

    /// Moves what can be moved, up to `quantum` each way, and no faster than its own pace and the shared one.
    pub(super) fn turn(
        &mut self,
        engine: &mut Connection,
        quantum: usize,
        shared: &mut Pace,
        now: Instant,
    ) -> Turn {
        if !self.is_open() {
            return Turn::Rest;
        }
        let (mut more, mut later) = (false, None);
        let before = (self.sent, self.received);
        let steps = [
            self.pace
                .down
                .allowance(&mut shared.down, now)
                .map(|most| self.deliver(engine, quantum, most, now)),
            self.pace
                .up
                .allowance(&mut shared.up, now)
                .map(|most| self.collect(engine, quantum.min(most), now)),
        ];
        let (up, down) = (self.sent - before.0, self.received - before.1);
        self.pace.up.spend(&mut shared.up, up as usize, now);
        self.pace.down.spend(&mut shared.down, down as usize, now);
        if up + down > 0 {
            self.moved = now;
        }
        if let Some(steered) = &self.steered {
            steered.note(self.sent, self.received);
        }
        for step in steps {
            match step {
                Ok(Ok(unfinished)) => more |= unfinished,
                Ok(Err(error)) => {
                    engine.close(self.channel, now);
                    return Turn::Over(Some(error));
                }
                Err(until) => later = later.min(Some(until)).or(Some(until)),
            }
        }
        if self.is_complete(engine) {
            self.socket.complete();
            engine.close(self.channel, now);
            return Turn::Over(None);
        }
        if self.last == Some(0) && self.reply.is_empty() {
            engine.finish(self.channel, now);
            engine.close(self.channel, now);
            return Turn::Over(None);
        }
        match later {
            Some(until) if !more => Turn::Later(until),
            _ if more => Turn::More,
            _ => Turn::Rest,
        }
    }

    /// Whether the peer's end has been passed on, and ours, too, unless the peer takes no more.
    fn is_complete(&self, engine: &Connection) -> bool {
        let is_closed = || matches!(engine.receiving(self.channel), Some(Receiving::Closed { .. }));
        self.down == Half::Ended && (self.up == Half::Ended || is_closed())
    }

    /// From the channel to the socket, `most` bytes and not one more. A call that has begun may exceed the quantum: that
    /// costs others less than another call.
    fn deliver(
        &mut self,
        engine: &mut Connection,
        quantum: usize,
        mut most: usize,
        now: Instant,
    ) -> io::Result<bool> {
        let mut left = quantum;
        while self.down == Half::Open {
            if !self.reply.is_empty() && !self.give_reply(now)? {
                return Ok(false);
            }
            if self.last == Some(0) {
                return Ok(false);
            }
            if left == 0 || most == 0 {
                return Ok(true);
            }
            let (total, written) = {
                let mut slices = [IoSlice::new(&[]); BATCH];
                let allowed = most.min(self.last.unwrap_or(most)).min(self.room(Direction::ToClient));
                let (mut count, mut room) = (0, allowed);
                for (slice, chunk) in slices.iter_mut().zip(engine.chunks(self.channel)) {
                    let part = &chunk[..chunk.len().min(room)];
                    *slice = IoSlice::new(part);
                    room -= part.len();
                    count += 1;
                }
                if count == 0 {
                    self.end_delivery(engine)?;
                    if self.reply.is_empty() {
                        return Ok(false);
                    }
                    continue;
                }
                if allowed == 0 {
                    // Whoever taps it says when there is room.
                    return Ok(false);
                }
                let slices = &slices[..count];
                let total: usize = slices.iter().map(|slice| slice.len()).sum();
                let written =
                    match self.socket.poll_write_vectored(&mut Context::from_waker(&self.waker), slices) {
                        Poll::Pending => return Ok(false),
                        Poll::Ready(written) => written?,
                    };
                if let Some(tap) = self.tap() {
                    show(tap, Direction::ToClient, slices.iter().map(|slice| &**slice), written);
                }
                (total, written)
            };
            engine.consume(self.channel, written, now);
            self.received += written as u64;
            self.last = self.last.map(|last| last - written);
            left = left.saturating_sub(written);
            most -= written;
            if written < total {
                // Full: registers for the moment when it is not.
                continue;
            }
        }
        Ok(false)
    }

    /// Gives true when the reply has been taken whole.
    fn give_reply(&mut self, now: Instant) -> io::Result<bool> {
        while !self.reply.is_empty() {
            match self.socket.poll_write(&mut Context::from_waker(&self.waker), &self.reply) {
                Poll::Pending => return Ok(false),
                Poll::Ready(written) => self.reply.drain(..written?),
            };
            self.moved = now;
            if let Some(steered) = &self.steered {
                steered.left(self.reply.len());
            }
        }
        Ok(true)
    }

    /// Everything that has come is delivered: passes an end on, if that is next.
    fn end_delivery(&mut self, engine: &Connection) -> io::Result<()> {
        match engine.receiving(self.channel) {
            Some(Receiving::Open) => Ok(()),
            // Some servers leave the end of file out once ours has come (RFC 4254 section 5.3 allows it).
            Some(Receiving::Closed { finished: false }) if self.up == Half::Ended => {
                self.end_down();
                Ok(())
            }
            Some(Receiving::Finished | Receiving::Closed { finished: true }) => {
                self.end_down();
                Ok(())
            }
            // Without an end of file the data may be incomplete; a clean end would be a lie.
            Some(Receiving::Closed { finished: false }) | None => Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "the server closed it without an end of file",
            )),
        }
    }

    fn end_down(&mut self) {
        if let Some(steered) = &self.steered {
            if !steered.end_client() {
                steered.take(&mut self.reply);
                return;
            }
            if steered.closes_on_eof() {
                self.last = Some(0);
                return;
            }
        }
        self.socket.finish();
        self.down = Half::Ended;
    }

    /// From the socket to the channel.
    fn collect(&mut self, engine: &mut Connection, quantum: usize, now: Instant) -> io::Result<bool> {
        let mut left = quantum;
        while self.up == Half::Open && !self.paused && self.last.is_none() {
            if left == 0 {
                return Ok(true);
            }
            let most = left.min(self.room(Direction::ToTarget));
            if most == 0 {
                // Whoever taps it says when there is room.
                return Ok(false);
            }
            if !self.early.is_empty() {
                let count = self.send_early(engine, most, now);
                if count == 0 {
                    // The engine tells when there is room.
                    return Ok(false);
                }
                left = left.saturating_sub(count);
                continue;
            }
            let mut cx = Context::from_waker(&self.waker);
            // Only a readable socket gets a slot: most sockets are idle most of the time.
            match self.socket.poll_readable(&mut cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(ready) => ready?,
            }
            let mut slots = engine.slots(self.channel, most);
            if slots.capacity() == 0 {
                // The engine tells when there is room.
                return Ok(false);
            }
            let mut count = 0;
            let mut slices: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| {
                slots.next().map_or_else(
                    || IoSliceMut::new(&mut []),
                    |slot| {
                        count += 1;
                        IoSliceMut::new(slot)
                    },
                )
            });
            let read = match self.socket.poll_read_vectored(&mut cx, &mut slices[..count]) {
                Poll::Pending => return Ok(false),
                Poll::Ready(read) => read?,
            };
            if let Some(tap) = self.tap() {
                show(tap, Direction::ToTarget, slices.iter().map(|slice| &**slice), read);
            }
            if read == 0 {
                engine.finish(self.channel, now);
                self.up = Half::Ended;
            } else {
                engine.commit(self.channel, read, now);
                self.sent += read as u64;
                left = left.saturating_sub(read);
            }
        }
        Ok(false)
    }

    /// What came with the request of a proxy's client is small, so it may be copied.
    fn send_early(&mut self, engine: &mut Connection, limit: usize, now: Instant) -> usize {
        let mut count = 0;
        for slot in engine.slots(self.channel, limit.min(self.early.len())) {
            let part = &self.early[count..];
            let taken = part.len().min(slot.len());
            slot[..taken].copy_from_slice(&part[..taken]);
            count += taken;
        }
        if count > 0 {
            if let Some(tap) = self.tap() {
                tap.carried(Direction::ToTarget, &self.early[..count]);
            }
            engine.commit(self.channel, count, now);
            self.early.drain(..count);
            self.sent += count as u64;
        }
        count
    }

    fn tap(&self) -> Option<&dyn Tap> {
        self.steered.as_ref().and_then(Steered::tap)
    }

    fn room(&self, direction: Direction) -> usize {
        self.tap().map_or(usize::MAX, |tap| tap.room(direction))
    }
}
