//! How channels come to be (RFC 4254 section 5.1), from either side.

use std::time::Instant;

use underpass_wire::{
    ChannelKind as WireKind, ChannelOpen, ChannelOpenConfirmation, ChannelOpenFailure, OpenFailureReason,
};

use super::Channels;
use super::state::{Channel, Sending};
use crate::error::{Error, PeerMisbehaved};
use crate::event::{ChannelId, ChannelKind, Event, Question, QuestionId, Refusal};
use crate::limits::MAX_PENDING_OPENS;
use crate::outbox::Outbox;
use crate::timer::Timer;

impl Channels {
    // ---- ours ----

    /// Asks the peer for a channel.
    pub(crate) fn open(
        &mut self,
        kind: WireKind<'_>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Option<ChannelId>, Error> {
        let Some(id) = self.add(Sending::Opening { since: now }) else { return Ok(None) };
        let window = self.table[&id].window.size();
        out.send(&ChannelOpen { sender: id, window, max_packet: self.max_packet, kind })?;
        self.watch(id, out, now);
        Ok(Some(ChannelId(id)))
    }

    pub(crate) fn on_confirmation(
        &mut self,
        message: &ChannelOpenConfirmation<'_>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        let id = message.recipient;
        let Some(channel) = self.table.get_mut(&id) else { return self.late(id) };
        if !channel.is_opening() {
            return Err(PeerMisbehaved::ChannelState(id, "confirmed but not asked for").into());
        }
        channel.remote = message.sender;
        channel.remote_window = message.window;
        channel.remote_max_packet = message.max_packet;
        channel.sending = Sending::Open;
        if message.max_packet == 0 && !channel.discard {
            channel.void = true;
            out.tell(Event::ChannelRefused { channel: ChannelId(id), refusal: Refusal::Unusable });
        }
        // Given up while it was opening, or useless.
        let unwanted = channel.discard || channel.void;
        self.forget_settled();
        if unwanted {
            return self.close(ChannelId(id), out, now);
        }
        out.tell(Event::ChannelOpened(ChannelId(id)));
        Ok(())
    }

    pub(crate) fn on_refusal(
        &mut self,
        message: &ChannelOpenFailure<'_>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let id = message.recipient;
        let Some(channel) = self.table.get(&id) else { return self.late(id) };
        if !channel.is_opening() {
            return Err(PeerMisbehaved::ChannelState(id, "refused but not asked for").into());
        }
        let (void, released) = (channel.void, channel.discard);
        self.remove(id);
        self.forget_settled();
        if released && !void {
            out.tell(Event::ChannelClosed(ChannelId(id)));
        } else if !void {
            let refusal = Refusal::Peer { reason: message.reason, description: message.description.to_vec() };
            out.tell(Event::ChannelRefused { channel: ChannelId(id), refusal });
        }
        Ok(())
    }

    // ---- the peer's ----

    /// The peer wants a channel. What is not admitted is refused at once.
    pub(crate) fn on_open(
        &mut self,
        open: &ChannelOpen<'_>,
        admitted: Result<ChannelKind, OpenFailureReason>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        let kind = match admitted {
            Ok(kind) => kind,
            Err(reason) => return refuse(open.sender, reason, out),
        };
        if open.max_packet == 0 || self.asked.len() >= MAX_PENDING_OPENS {
            return refuse(open.sender, OpenFailureReason::RESOURCE_SHORTAGE, out);
        }
        let question = out.next_question();
        let Some(id) = self.add(Sending::Asked { since: now, question }) else {
            return refuse(open.sender, OpenFailureReason::RESOURCE_SHORTAGE, out);
        };
        if let Some(channel) = self.table.get_mut(&id) {
            channel.remote = open.sender;
            channel.remote_window = open.window;
            channel.remote_max_packet = open.max_packet;
        }
        self.asked.insert(question, id);
        self.watch(id, out, now);
        out.tell(Event::Question(question, Question::OpenChannel { channel: ChannelId(id), kind }));
        Ok(())
    }

    /// The application's decision about a channel; `None` when it was not asked, or waited too long.
    pub(crate) fn on_open_answer(
        &mut self,
        question: QuestionId,
        answer: Result<(), OpenFailureReason>,
        out: &mut Outbox,
    ) -> Option<Result<(), Error>> {
        let id = *self.asked.get(&question)?;
        if let Err(reason) = answer {
            return Some(self.refuse(question, reason, out));
        }
        self.asked.remove(&question);
        let channel = self.table.get_mut(&id)?;
        channel.sending = Sending::Open;
        let confirmation = ChannelOpenConfirmation {
            recipient: channel.remote,
            sender: id,
            window: channel.window.size(),
            max_packet: self.max_packet,
            data: b"",
        };
        self.forget_settled();
        Some(out.send(&confirmation))
    }

    /// Refuses a channel that the application was asked about.
    pub(super) fn refuse(
        &mut self,
        question: QuestionId,
        reason: OpenFailureReason,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let Some(id) = self.asked.remove(&question) else { return Ok(()) };
        let recipient = self.table.get(&id).map(|channel| channel.remote);
        self.remove(id);
        self.forget_settled();
        recipient.map_or(Ok(()), |recipient| refuse(recipient, reason, out))
    }

    // ---- deadlines ----

    /// Gives up what has waited long enough: our opens are refused to the application, the peer's to the peer.
    pub(crate) fn on_open_timeout(&mut self, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        self.forget_settled();
        while let Some(id) = self.opening.front().copied() {
            let due = self.table.get(&id).and_then(Channel::asked_at).map(|since| since + self.open_timeout);
            if let Some(due) = due.filter(|due| *due > now) {
                out.timers.set(Timer::ChannelOpen, due);
                break;
            }
            self.opening.pop_front();
            self.give_up(id, out)?;
            self.forget_settled();
        }
        Ok(())
    }

    fn give_up(&mut self, id: u32, out: &mut Outbox) -> Result<(), Error> {
        let Some(channel) = self.table.get_mut(&id) else { return Ok(()) };
        if let Sending::Asked { question, .. } = channel.sending {
            return self.refuse(question, OpenFailureReason::CONNECT_FAILED, out);
        }
        // It stays in the table, so that a late confirmation is answered by a CLOSE.
        if !std::mem::replace(&mut channel.discard, true) {
            channel.void = true;
            out.tell(Event::ChannelRefused { channel: ChannelId(id), refusal: Refusal::Timeout });
        }
        Ok(())
    }

    fn watch(&mut self, id: u32, out: &mut Outbox, now: Instant) {
        self.opening.push_back(id);
        if !out.timers.is_set(Timer::ChannelOpen) {
            out.timers.set_after(Timer::ChannelOpen, now, Some(self.open_timeout));
        }
    }

    /// Drops settled opens from the front, where answers in order leave them.
    fn forget_settled(&mut self) {
        while let Some(id) = self.opening.front()
            && !self.table.get(id).is_some_and(|channel| channel.is_unopened())
        {
            self.opening.pop_front();
        }
    }
}

fn refuse(recipient: u32, reason: OpenFailureReason, out: &mut Outbox) -> Result<(), Error> {
    out.send(&ChannelOpenFailure { recipient, reason, description: b"", language: b"" })
}
