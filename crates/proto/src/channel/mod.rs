//! The connection protocol's channels (RFC 4254 section 5).

pub(crate) mod admission;
mod opening;
mod queue;
pub(crate) mod state;
mod window;

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::time::{Duration, Instant};

use underpass_wire::{
    ChannelClose, ChannelData, ChannelEof, ChannelFailure, ChannelRequest, ChannelWindowAdjust,
    OpenFailureReason,
};

use self::state::{Channel, Receiving, Sending, Want};
use self::window::ReceiveWindow;
use crate::config::Config;
use crate::error::{Error, PeerMisbehaved};
use crate::event::{ChannelId, Event, QuestionId};
use crate::limits::{INITIAL_WINDOW, MAX_CHANNEL_DATA, MAX_CHANNELS, MAX_WINDOW, MIN_WINDOW};
use crate::outbox::Outbox;

pub(crate) struct Channels {
    table: HashMap<u32, Channel>,
    /// Numbers are given once: what comes late for a closed channel cannot hit a new one.
    next: u32,
    /// Channels that have data standing in the receive buffer.
    lenders: Vec<u32>,
    /// Bytes that stand in the receive buffer.
    lent: usize,
    /// What all receive windows together commit the connection to hold.
    granted: usize,
    memory: usize,
    /// The largest window of a channel.
    max_window: u32,
    /// The largest data in one packet, as announced.
    max_packet: u32,
    open_timeout: Duration,
    /// Opens of both sides, oldest first. Those that are settled leave when they come to the front.
    opening: VecDeque<u32>,
    /// The peer's opens that the application decides about.
    asked: HashMap<QuestionId, u32>,
    /// Channels that found no room to send; those that do not want it any more are passed over.
    starved: Vec<u32>,
}

impl Channels {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            table: HashMap::new(),
            next: 0,
            lenders: Vec::new(),
            lent: 0,
            granted: 0,
            memory: config.receive_memory,
            max_window: config.max_window.clamp(1, MAX_WINDOW),
            max_packet: config.max_packet.clamp(1, MAX_CHANNEL_DATA as u32),
            open_timeout: config.open_timeout,
            opening: VecDeque::new(),
            asked: HashMap::new(),
            starved: Vec::new(),
        }
    }

    // ---- for the application ----

    /// Lets windows grow further than they could, those that there are as well.
    pub(crate) fn raise_max_window(&mut self, bytes: u32) {
        self.max_window = self.max_window.max(bytes.min(MAX_WINDOW));
        self.table.values_mut().for_each(|channel| channel.window.raise_ceiling(self.max_window));
    }

    /// Bytes that may be sent on a channel now and the most one packet may hold. Notes that the channel wants to
    /// hear when there is room again.
    pub(crate) fn allowance(&mut self, id: ChannelId, gate_open: bool) -> (usize, usize) {
        let Some(channel) = self.table.get_mut(&id.0) else { return (0, 0) };
        if channel.sending != Sending::Open {
            return (0, 0);
        }
        if channel.remote_window == 0 {
            channel.wants = Want::Window;
            return (0, 0);
        }
        if !gate_open {
            self.note_starved(id);
            return (0, 0);
        }
        (channel.remote_window as usize, channel.remote_max_packet as usize)
    }

    /// There was no room in the transmit buffer.
    pub(crate) fn note_starved(&mut self, id: ChannelId) {
        if let Some(channel) = self.table.get_mut(&id.0)
            && std::mem::replace(&mut channel.wants, Want::Room) != Want::Room
        {
            self.starved.push(id.0);
        }
    }

    /// Tells starved channels that there is room in the transmit buffer and no key exchange is under way.
    pub(crate) fn wake_starved(&mut self, out: &mut Outbox) {
        for id in self.starved.drain(..) {
            if let Some(channel) = self.table.get_mut(&id)
                && channel.wants == Want::Room
            {
                channel.wants = Want::Nothing;
                out.tell(Event::Writable(ChannelId(id)));
            }
        }
    }

    pub(crate) fn has_starved(&self) -> bool {
        !self.starved.is_empty()
    }

    /// The peer's number of a channel, for data that was just committed.
    pub(crate) fn sent(&mut self, id: ChannelId, count: usize) -> Option<u32> {
        let channel = self.table.get_mut(&id.0)?;
        // `allowance` bounds what can be committed.
        channel.remote_window -= count as u32;
        Some(channel.remote)
    }

    /// Ends our half.
    pub(crate) fn finish(&mut self, id: ChannelId, out: &mut Outbox) -> Result<(), Error> {
        match self.table.get_mut(&id.0) {
            Some(channel) if channel.sending == Sending::Open => {
                channel.sending = Sending::Finished;
                out.send(&ChannelEof { recipient: channel.remote })
            }
            _ => Ok(()),
        }
    }

    /// Closes the channel and releases it; what has come and what still comes is dropped.
    pub(crate) fn close(&mut self, id: ChannelId, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        let Some(channel) = self.table.get_mut(&id.0) else { return Ok(()) };
        channel.discard = true;
        let (dropped, lent) = channel.queue.clear();
        self.lent -= lent;
        match channel.sending {
            // Closed as soon as it turns out to be open.
            Sending::Opening { .. } => return Ok(()),
            Sending::Asked { question, .. } => {
                return self.refuse(question, OpenFailureReason::CONNECT_FAILED, out);
            }
            Sending::Closed => {}
            Sending::Open | Sending::Finished => {
                channel.sending = Sending::Closed;
                out.send(&ChannelClose { recipient: channel.remote })?;
            }
        }
        if dropped > 0 {
            consume(&mut self.granted, channel, dropped, now, Duration::ZERO, 0);
        }
        if channel.is_over() {
            self.remove(id.0);
        }
        Ok(())
    }

    /// The data that has come, in order.
    pub(crate) fn chunks<'a>(&'a self, id: ChannelId, buffer: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.table.get(&id.0).into_iter().flat_map(|channel| channel.queue.chunks(buffer))
    }

    /// How far the data has come.
    pub(crate) fn receiving(&self, id: ChannelId) -> Option<Receiving> {
        self.table.get(&id.0).map(|channel| channel.receiving)
    }

    /// The consumer has taken `count` bytes.
    pub(crate) fn consume(
        &mut self,
        id: ChannelId,
        count: usize,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        // One channel takes half of what is left at most, so that the next one can still grow.
        let room = self.room() / 2;
        let Some(channel) = self.table.get_mut(&id.0) else { return Ok(()) };
        channel.told_readable = false;
        if count == 0 {
            return Ok(());
        }
        self.lent -= channel.queue.consume(count);
        if self.lent == 0 {
            self.lenders.clear();
        }
        let credit = consume(&mut self.granted, channel, count, now, out.rtt(), room);
        if credit > 0 && channel.receiving == Receiving::Open && channel.sending != Sending::Closed {
            out.send(&ChannelWindowAdjust { recipient: channel.remote, bytes: credit })?;
        }
        Ok(())
    }

    // ---- for the receive buffer ----

    /// Bytes of the receive buffer that channels still refer to.
    pub(crate) fn lent(&self) -> usize {
        self.lent
    }

    /// Copies everything out of the receive buffer.
    pub(crate) fn stash(&mut self, buffer: &[u8]) {
        for id in self.lenders.drain(..) {
            if let Some(channel) = self.table.get_mut(&id) {
                channel.queue.stash(buffer);
            }
        }
        self.lent = 0;
    }

    // ---- for the peer ----

    /// Data, which stands at `range` of the receive buffer.
    pub(crate) fn on_data(
        &mut self,
        message: &ChannelData<'_>,
        range: Range<usize>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        let id = message.recipient;
        let (next, most) = (self.next, self.max_packet);
        let Some(channel) = Self::receive(&mut self.table, next, id, (range.len(), most), now)? else {
            return Ok(());
        };
        if channel.discard {
            return self.give_back(id, range.len(), out, now);
        }
        if !channel.queue.has_lent() {
            self.lenders.push(id);
        }
        self.lent += range.len();
        channel.queue.push(range);
        if !std::mem::replace(&mut channel.told_readable, true) {
            out.tell(Event::Readable(ChannelId(id)));
        }
        Ok(())
    }

    /// A tunnel has no use for a second stream: it is dropped, with credit.
    pub(crate) fn on_extended_data(
        &mut self,
        id: u32,
        count: usize,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        let most = self.max_packet;
        match Self::receive(&mut self.table, self.next, id, (count, most), now)? {
            Some(_) => self.give_back(id, count, out, now),
            None => Ok(()),
        }
    }

    pub(crate) fn on_window_adjust(
        &mut self,
        message: &ChannelWindowAdjust,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let id = message.recipient;
        let Some(channel) = self.table.get_mut(&id) else { return self.late(id) };
        if channel.is_unopened() {
            return Err(PeerMisbehaved::ChannelState(id, "a larger window before it is open").into());
        }
        channel.remote_window =
            channel.remote_window.checked_add(message.bytes).ok_or(PeerMisbehaved::WindowOverflow(id))?;
        if channel.wants == Want::Window {
            channel.wants = Want::Nothing;
            out.tell(Event::Writable(ChannelId(id)));
        }
        Ok(())
    }

    pub(crate) fn on_eof(&mut self, id: u32, out: &mut Outbox) -> Result<(), Error> {
        let Some(channel) = self.table.get_mut(&id) else { return self.late(id) };
        match channel.receiving {
            _ if channel.is_unopened() => {
                Err(PeerMisbehaved::ChannelState(id, "end of file before it is open").into())
            }
            Receiving::Open => {
                channel.receiving = Receiving::Finished;
                tell_end(channel, id, out);
                Ok(())
            }
            // Harmless repetition, or what was under way when the channel closed.
            Receiving::Finished | Receiving::Closed { .. } => Ok(()),
        }
    }

    pub(crate) fn on_close(&mut self, id: u32, out: &mut Outbox) -> Result<(), Error> {
        let Some(channel) = self.table.get_mut(&id) else { return self.late(id) };
        if channel.is_unopened() {
            return Err(PeerMisbehaved::ChannelState(id, "closed before it is open").into());
        }
        if matches!(channel.receiving, Receiving::Closed { .. }) {
            return Ok(());
        }
        channel.receiving = Receiving::Closed { finished: channel.receiving == Receiving::Finished };
        // RFC 4254 section 5.3: a CLOSE is answered by a CLOSE.
        if channel.sending != Sending::Closed {
            channel.sending = Sending::Closed;
            let recipient = channel.remote;
            out.send(&ChannelClose { recipient })?;
        }
        tell_end(channel, id, out);
        let released = channel.discard;
        if !channel.void {
            out.tell(Event::ChannelClosed(ChannelId(id)));
        }
        if released {
            self.remove(id);
        }
        Ok(())
    }

    pub(crate) fn on_request(&mut self, message: &ChannelRequest<'_>, out: &mut Outbox) -> Result<(), Error> {
        let id = message.recipient;
        let Some(channel) = self.table.get(&id) else { return self.late(id) };
        // RFC 4254 section 5.4: nothing of what can be requested concerns a forwarded connection.
        if message.want_reply && channel.sending != Sending::Closed && !channel.is_unopened() {
            return out.send(&ChannelFailure { recipient: channel.remote });
        }
        Ok(())
    }

    /// A reply to a channel request; we never make one.
    pub(crate) fn on_stray_reply(&self, id: u32) -> Result<(), Error> {
        if self.table.contains_key(&id) { Ok(()) } else { self.late(id) }
    }

    // ---- details ----

    fn add(&mut self, sending: Sending) -> Option<u32> {
        if self.table.len() >= MAX_CHANNELS {
            return None;
        }
        let id = self.next;
        self.next = self.next.checked_add(1)?;
        // A share of what is left, so that many channels start smaller; never less than two packets.
        let share = self.room() / 16;
        let window = u32::try_from(share).unwrap_or(u32::MAX).clamp(MIN_WINDOW, INITIAL_WINDOW);
        let window = window.min(self.max_window);
        self.granted += window as usize;
        self.table.insert(id, Channel::new(sending, ReceiveWindow::new(window, self.max_window)));
        Some(id)
    }

    fn room(&self) -> usize {
        self.memory.saturating_sub(self.granted).min(MAX_WINDOW as usize)
    }

    /// Checks that `count` bytes of data, of `most` that one packet may hold, may come; `None` when they are to be
    /// ignored.
    fn receive(
        table: &mut HashMap<u32, Channel>,
        next: u32,
        id: u32,
        (count, most): (usize, u32),
        now: Instant,
    ) -> Result<Option<&mut Channel>, Error> {
        let Some(channel) = table.get_mut(&id) else { return late(id, next).map(|()| None) };
        if channel.is_unopened() {
            return Err(PeerMisbehaved::ChannelState(id, "data before it is open").into());
        }
        match channel.receiving {
            Receiving::Open => {}
            Receiving::Finished => {
                return Err(PeerMisbehaved::ChannelState(id, "data after the end of file").into());
            }
            Receiving::Closed { .. } => return Ok(None),
        }
        if count > most as usize || !channel.window.receive(count, now) {
            return Err(PeerMisbehaved::WindowExceeded(id).into());
        }
        Ok(Some(channel))
    }

    /// Credits data that nobody will consume.
    fn give_back(&mut self, id: u32, count: usize, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        let Some(channel) = self.table.get_mut(&id) else { return Ok(()) };
        let credit = consume(&mut self.granted, channel, count, now, Duration::ZERO, 0);
        if credit > 0 && channel.sending != Sending::Closed {
            return out.send(&ChannelWindowAdjust { recipient: channel.remote, bytes: credit });
        }
        Ok(())
    }

    fn late(&self, id: u32) -> Result<(), Error> {
        late(id, self.next)
    }

    fn remove(&mut self, id: u32) {
        if let Some(mut channel) = self.table.remove(&id) {
            self.granted -= channel.window.committed();
            self.lent -= channel.queue.clear().1;
        }
        if self.table.is_empty() {
            self.table = HashMap::new();
        }
    }

    /// How many channels there are, whatever their state.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

/// A message for a number that is not in the table: late for a closed channel, or a lie.
fn late(id: u32, next: u32) -> Result<(), Error> {
    if id < next { Ok(()) } else { Err(PeerMisbehaved::NoSuchChannel(id).into()) }
}

/// Consumes on a channel's window and keeps account of what all windows commit the connection to.
fn consume(
    granted: &mut usize,
    channel: &mut Channel,
    count: usize,
    now: Instant,
    rtt: Duration,
    room: usize,
) -> u32 {
    let before = channel.window.committed();
    let credit = channel.window.consume(count, now, rtt, room);
    *granted = *granted - before + channel.window.committed();
    credit
}

/// The end has come; the consumer learns it when it has taken everything before.
fn tell_end(channel: &mut Channel, id: u32, out: &mut Outbox) {
    if !channel.discard && !std::mem::replace(&mut channel.told_readable, true) {
        out.tell(Event::Readable(ChannelId(id)));
    }
}
