//! The open connection: channels, global requests (RFC 4254 section 4), signs of life.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use underpass_wire::{GlobalRequest, GlobalRequestData, Message, RequestFailure};

use crate::channel::Channels;
use crate::config::Config;
use crate::error::{Error, PeerMisbehaved};
use crate::outbox::Outbox;
use crate::role::Role;
use crate::timer::{Deadline, Timer};

pub(crate) struct Open {
    pub(crate) channels: Channels,
    keepalive: Keepalive,
}

/// Asks a silent peer for signs of life.
///
/// `count` probes are spread over `interval × count` of silence, so that the last one has time to be answered and the
/// peer is given up exactly at the end of it.
struct Keepalive {
    period: Option<Duration>,
    count: u32,
    unanswered: u32,
    /// When the requests were sent whose replies are due; replies come in order (RFC 4254 section 4).
    sent: VecDeque<Instant>,
}

/// Requests remembered for the sake of their round trip. A peer that never answers them must not make us remember
/// each.
const MAX_PROBES: usize = 16;

impl Open {
    pub(crate) fn new(role: Role, config: &Config, out: &mut Outbox, now: Instant) -> Self {
        let count = config.keepalive_count.max(1);
        let total = config.keepalive_interval.filter(|interval| !interval.is_zero());
        let period = total.map(|interval| interval.saturating_mul(count) / (count + 1));
        out.timers.set_after(Timer::Keepalive, now, period);
        out.timers.set_after(Timer::RekeyAge, now, config.rekey_age);
        Self {
            channels: Channels::new(role, config.receive_memory, config.open_timeout),
            keepalive: Keepalive { period, count, unanswered: 0, sent: VecDeque::new() },
        }
    }

    /// Something came: the peer lives.
    pub(crate) fn heard(&mut self, out: &mut Outbox, now: Instant) {
        self.keepalive.unanswered = 0;
        out.timers.set_after(Timer::Keepalive, now, self.keepalive.period);
    }

    /// Nothing came for a period.
    pub(crate) fn on_silence(&mut self, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        let keepalive = &mut self.keepalive;
        if keepalive.unanswered >= keepalive.count {
            return Err(Error::Timeout(Deadline::Keepalive));
        }
        keepalive.unanswered += 1;
        if keepalive.sent.len() == MAX_PROBES {
            keepalive.sent.pop_front();
        }
        keepalive.sent.push_back(now);
        out.timers.set_after(Timer::Keepalive, now, keepalive.period);
        let request = GlobalRequest::new(true, GlobalRequestData::Keepalive);
        out.send(&request)
    }

    /// `start` is where the payload, whose message this is, stands in the receive buffer.
    pub(crate) fn on_message(
        &mut self,
        message: &Message<'_>,
        payload: std::ops::Range<usize>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        let channels = &mut self.channels;
        out.tx.expect_channels(channels.len());
        match message {
            Message::ChannelData(data) => {
                // The data is the last field.
                channels.on_data(data, payload.end - data.data.len()..payload.end, out, now)
            }
            Message::ChannelWindowAdjust(adjust) => channels.on_window_adjust(adjust, out),
            Message::ChannelOpen(open) => channels.on_open(open, out, now),
            Message::ChannelOpenConfirmation(confirmation) => {
                channels.on_confirmation(confirmation, out, now)
            }
            Message::ChannelOpenFailure(failure) => channels.on_refusal(failure, out),
            Message::ChannelEof(eof) => channels.on_eof(eof.recipient, out),
            Message::ChannelClose(close) => channels.on_close(close.recipient, out),
            Message::ChannelExtendedData(data) => {
                channels.on_extended_data(data.recipient, data.data.len(), out, now)
            }
            Message::ChannelRequest(request) => channels.on_request(request, out),
            Message::ChannelSuccess(reply) => channels.on_stray_reply(reply.recipient),
            Message::ChannelFailure(reply) => channels.on_stray_reply(reply.recipient),
            Message::GlobalRequest(request) if request.want_reply => out.send(&RequestFailure),
            Message::GlobalRequest(_) => Ok(()),
            Message::RequestSuccess(_) | Message::RequestFailure(_) => {
                // A reply that nobody waits for is of no use and no harm.
                if let Some(sent) = self.keepalive.sent.pop_front() {
                    out.sample_rtt(sent, now);
                }
                Ok(())
            }
            other => {
                Err(PeerMisbehaved::Unexpected { number: other.number(), phase: "the open connection" }
                    .into())
            }
        }
    }
}
