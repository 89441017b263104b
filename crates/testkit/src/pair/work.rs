//! What is done on a channel.

use std::time::Instant;

use underpass_proto::{ChannelId, Connection, Receiving, Refusal};

use crate::Payload;

/// What one side does on a channel.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// With its own half.
    pub sending: Sending,
    /// With what comes.
    pub taking: Taking,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub enum Sending {
    /// `total` bytes of the payload of this seed.
    Payload {
        /// Of the payload.
        seed: u64,
        /// How many bytes.
        total: u64,
        /// What follows.
        then: Then,
    },
    /// What came.
    Echo,
}

/// What follows the last byte sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The end of file; the channel is closed when the other half has ended too.
    Finish,
    /// End of file and close, at once.
    Close,
    /// Close without end of file: a reset.
    Reset,
    /// Nothing: the half stays open.
    Stay,
}

/// What is done with data that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It must be the payload of this seed.
    Check(u64),
    /// At most this many bytes in one go are checked against the payload of the seed.
    Slowly(u64, usize),
    /// Nothing is ever consumed.
    Stall,
    /// It is echoed; see [`Sending::Echo`].
    Echo,
}

impl Job {
    /// Sends `total` bytes, ends its half, and checks what comes against the payload of `check`.
    pub const fn exchange(seed: u64, total: u64, check: u64) -> Self {
        Self::send(seed, total, Then::Finish, Taking::Check(check))
    }

    /// Sends `total` bytes and then something.
    pub const fn send(seed: u64, total: u64, then: Then, taking: Taking) -> Self {
        Self { sending: Sending::Payload { seed, total, then }, taking }
    }

    /// Sends nothing and checks what comes.
    pub const fn check(seed: u64) -> Self {
        Self::exchange(0, 0, seed)
    }

    /// Consumes nothing and sends nothing, for ever.
    pub const fn stall() -> Self {
        Self::send(0, 0, Then::Stay, Taking::Stall)
    }

    /// Sends back what comes, to its end.
    pub const fn echo() -> Self {
        Self { sending: Sending::Echo, taking: Taking::Echo }
    }
}

/// How a channel has fared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received and consumed.
    pub received: u64,
    /// The peer's end of file came.
    pub finished: bool,
    /// The channel is closed.
    pub closed: bool,
    /// It was never opened.
    pub refused: Option<Refusal>,
}

/// Bytes that a worker moves before it is another's turn, at most. It does not always move as many.
const QUANTUM: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Worker {
    job: Job,
    pub(super) report: Report,
    /// Told that there may be room, or not told yet that there is none.
    pub(super) may_send: bool,
    /// Told that there is data, or knows of data left.
    pub(super) may_take: bool,
    ended: bool,
    turns: u32,
    /// Has closed the channel itself.
    released: bool,
}

impl Worker {
    pub(super) fn new(job: Job) -> Self {
        Self {
            job,
            report: Report::default(),
            may_send: false,
            may_take: false,
            ended: false,
            turns: 0,
            released: false,
        }
    }

    /// Told that the channel is closed on both sides.
    pub(super) fn note_closed(&mut self) {
        self.report.closed = true;
        self.may_take = true;
    }

    /// Whether the channel is over and nothing is left to be taken.
    pub(super) fn is_done(&self) -> bool {
        self.report.closed && self.released
    }

    /// Wants nothing more of the channel.
    pub(super) fn release(&mut self, id: ChannelId, connection: &mut Connection, now: Instant) {
        if !std::mem::replace(&mut self.released, true) {
            connection.close(id, now);
        }
    }

    /// Whether it has something to do now.
    pub(super) fn is_ready(&self) -> bool {
        self.may_send || self.may_take
    }

    /// Does something, and gives whether it changed anything.
    pub(super) fn turn(&mut self, id: ChannelId, connection: &mut Connection, now: Instant) -> bool {
        let mut moved = false;
        if std::mem::take(&mut self.may_take) && !self.released {
            moved |= match self.job.taking {
                Taking::Check(seed) => self.take(seed, usize::MAX, id, connection, now),
                Taking::Slowly(seed, most) => self.take(seed, most, id, connection, now),
                Taking::Stall => false,
                // Taken as far as there is room to send it.
                Taking::Echo => {
                    self.may_send = true;
                    false
                }
            };
        }
        if std::mem::take(&mut self.may_send) {
            moved |= match self.job.sending {
                Sending::Payload { seed, total, then } => self.send(seed, total, then, id, connection, now),
                Sending::Echo => self.echo(id, connection, now),
            };
        }
        let all_taken = match self.job.taking {
            Taking::Stall => false,
            // Nothing can be echoed any more.
            Taking::Echo => true,
            Taking::Check(_) | Taking::Slowly(..) => !self.may_take,
        };
        if (self.report.finished && self.ended) || (self.report.closed && all_taken) {
            self.release(id, connection, now);
        }
        moved
    }

    fn take(
        &mut self,
        seed: u64,
        most: usize,
        id: ChannelId,
        connection: &mut Connection,
        now: Instant,
    ) -> bool {
        let payload = Payload::new(seed);
        let mut taken = 0;
        let mut left = false;
        for chunk in connection.chunks(id) {
            let part = &chunk[..chunk.len().min(most - taken)];
            if let Err(mismatch) = payload.check(self.report.received + taken as u64, part) {
                panic!("{id:?}: {mismatch}");
            }
            taken += part.len();
            left |= part.len() < chunk.len();
        }
        self.report.received += taken as u64;
        connection.consume(id, taken, now);
        self.may_take = left;
        if !left {
            self.note_end(id, connection);
        }
        taken > 0
    }

    fn note_end(&mut self, id: ChannelId, connection: &Connection) {
        if let Some(Receiving::Finished | Receiving::Closed { finished: true }) = connection.receiving(id) {
            self.report.finished = true;
        }
    }

    fn send(
        &mut self,
        seed: u64,
        total: u64,
        then: Then,
        id: ChannelId,
        connection: &mut Connection,
        now: Instant,
    ) -> bool {
        if self.ended {
            return false;
        }
        let payload = Payload::new(seed);
        self.turns += 1;
        let quantum = QUANTUM >> (self.turns % 7);
        let left = usize::try_from(total - self.report.sent).unwrap_or(usize::MAX).min(quantum);
        let mut filled = 0;
        for slot in connection.slots(id, left) {
            payload.fill(self.report.sent + filled as u64, slot);
            filled += slot.len();
        }
        connection.commit(id, filled, now);
        self.report.sent += filled as u64;
        if self.report.sent == total {
            self.end(then, id, connection, now);
            return true;
        }
        // After no room comes an event.
        self.may_send = filled > 0;
        filled > 0
    }

    fn end(&mut self, then: Then, id: ChannelId, connection: &mut Connection, now: Instant) {
        self.ended = true;
        if matches!(then, Then::Finish | Then::Close) {
            connection.finish(id, now);
        }
        if matches!(then, Then::Close | Then::Reset) {
            self.release(id, connection, now);
        }
    }

    fn echo(&mut self, id: ChannelId, connection: &mut Connection, now: Instant) -> bool {
        let data: Vec<u8> = connection.chunks(id).flatten().copied().take(QUANTUM).collect();
        let mut filled = 0;
        for slot in connection.slots(id, data.len()) {
            slot.copy_from_slice(&data[filled..filled + slot.len()]);
            filled += slot.len();
        }
        connection.commit(id, filled, now);
        connection.consume(id, filled, now);
        self.report.sent += filled as u64;
        self.report.received += filled as u64;
        self.may_send = filled > 0;
        if connection.chunks(id).next().is_none() && !self.ended {
            self.note_end(id, connection);
            if self.report.finished {
                self.end(Then::Finish, id, connection, now);
            }
        }
        filled > 0
    }
}
