//! The open connection: channels, global requests (RFC 4254 section 4), signs of life.

use std::time::Instant;

use underpass_wire::Message;

use super::keepalive::Keepalive;
use crate::channel::Channels;
use crate::channel::admission::admit;
use crate::config::Config;
use crate::error::{Error, PeerMisbehaved};
use crate::global::ours::Requests;
use crate::global::theirs::Served;
use crate::outbox::Outbox;
use crate::role::Role;
use crate::timer::Timer;

pub(crate) struct Open {
    pub(crate) channels: Channels,
    pub(crate) requests: Requests,
    pub(crate) served: Served,
    pub(crate) keepalive: Keepalive,
    role: Role,
}

impl Open {
    pub(crate) fn new(role: Role, config: &Config, out: &mut Outbox, now: Instant) -> Self {
        out.timers.set_after(Timer::RekeyAge, now, config.rekey_age);
        Self {
            channels: Channels::new(config),
            requests: Requests::new(config.open_timeout),
            served: Served::new(role, config.open_timeout),
            keepalive: Keepalive::new(config, out, now),
            role,
        }
    }

    /// Nothing came for a period.
    pub(crate) fn on_silence(&mut self, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        self.keepalive.on_silence(&mut self.requests, out, now)
    }

    /// A request about a remote forward has waited long enough.
    pub(crate) fn on_request_timeout(&mut self, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        let ours = self.requests.on_timeout(out, now);
        let theirs = self.served.on_timeout(out, now)?;
        if let Some(next) = ours.into_iter().chain(theirs).min() {
            out.timers.set(Timer::Request, next);
        }
        Ok(())
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
            Message::ChannelOpen(open) => {
                let admitted = admit(self.role, &open.kind, &self.requests.forwards);
                channels.on_open(open, admitted, out, now)
            }
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
            Message::GlobalRequest(request) => self.served.on_request(request, out, now),
            Message::RequestSuccess(success) => self.requests.on_reply(Some(success), out, now),
            Message::RequestFailure(_) => self.requests.on_reply(None, out, now),
            other => {
                Err(PeerMisbehaved::Unexpected { number: other.number(), phase: "the open connection" }
                    .into())
            }
        }
    }
}
