//! One forwarded connection: a local socket and a channel, each half on its own.
//!
//! Payload goes from the socket into the engine's transmit buffer and from its receive buffer into the socket.
//! Nothing is copied or kept here.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use underpass_proto::{ChannelId, Connection, Receiving};

use super::ready::{ReadySet, Token};
use super::socket::Socket;

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
    /// The connection is over; the channel is, or is being, closed.
    Over(Option<io::Error>),
}

impl Relay {
    pub(super) fn new(socket: Socket, channel: ChannelId, set: &Arc<ReadySet>) -> Self {
        let token = Token::new(channel.0, set);
        Self {
            socket,
            channel,
            waker: Waker::from(token.clone()),
            token,
            up: Half::Waiting,
            down: Half::Waiting,
            sent: 0,
            received: 0,
        }
    }

    /// The channel is open.
    pub(super) fn open(&mut self) {
        self.up = Half::Open;
        self.down = Half::Open;
    }

    pub(super) fn is_open(&self) -> bool {
        self.up != Half::Waiting
    }

    /// Moves what can be moved, up to `quantum` each way.
    pub(super) fn turn(&mut self, engine: &mut Connection, quantum: usize, now: Instant) -> Turn {
        self.token.looked_at();
        if !self.is_open() {
            return Turn::Rest;
        }
        let mut more = false;
        for step in [Self::deliver, Self::collect] {
            match step(self, engine, quantum, now) {
                Ok(unfinished) => more |= unfinished,
                Err(error) => {
                    engine.close(self.channel, now);
                    return Turn::Over(Some(error));
                }
            }
        }
        if self.is_complete(engine) {
            self.socket.complete();
            engine.close(self.channel, now);
            return Turn::Over(None);
        }
        if more { Turn::More } else { Turn::Rest }
    }

    /// Whether the peer's end has been passed on, and ours, too, unless the peer takes no more.
    fn is_complete(&self, engine: &Connection) -> bool {
        let is_closed = || matches!(engine.receiving(self.channel), Some(Receiving::Closed { .. }));
        self.down == Half::Ended && (self.up == Half::Ended || is_closed())
    }

    /// From the channel to the socket.
    fn deliver(&mut self, engine: &mut Connection, quantum: usize, now: Instant) -> io::Result<bool> {
        let mut left = quantum;
        while self.down == Half::Open {
            if left == 0 {
                return Ok(true);
            }
            let (total, written) = {
                let mut slices = [IoSlice::new(&[]); BATCH];
                let mut count = 0;
                for (slice, chunk) in slices.iter_mut().zip(engine.chunks(self.channel)) {
                    *slice = IoSlice::new(chunk);
                    count += 1;
                }
                if count == 0 {
                    return self.end_delivery(engine).map(|()| false);
                }
                let slices = &slices[..count];
                let total: usize = slices.iter().map(|slice| slice.len()).sum();
                match self.socket.poll_write_vectored(&mut Context::from_waker(&self.waker), slices) {
                    Poll::Pending => return Ok(false),
                    Poll::Ready(written) => (total, written?),
                }
            };
            engine.consume(self.channel, written, now);
            self.received += written as u64;
            left = left.saturating_sub(written);
            if written < total {
                // Full: registers for the moment when it is not.
                continue;
            }
        }
        Ok(false)
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
        self.socket.shutdown(Shutdown::Write);
        self.down = Half::Ended;
    }

    /// From the socket to the channel.
    fn collect(&mut self, engine: &mut Connection, quantum: usize, now: Instant) -> io::Result<bool> {
        let mut left = quantum;
        while self.up == Half::Open {
            if left == 0 {
                return Ok(true);
            }
            let mut cx = Context::from_waker(&self.waker);
            // Only a readable socket gets a slot: most sockets are idle most of the time.
            match self.socket.poll_readable(&mut cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(ready) => ready?,
            }
            let mut slots = engine.slots(self.channel, left);
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
}
