//! What the application asks of an open connection: channels, forwards, signs of life.

use std::time::{Duration, Instant};

use underpass_wire::ChannelKind as WireKind;

use super::{Core, Open, Phase};
use crate::error::Error;
use crate::event::ChannelId;
use crate::global::{RemoteBind, RequestId};
use crate::outbox::Outbox;
use crate::role::Role;

impl Core {
    pub(in crate::connection) fn open_channel(
        &mut self,
        opener: Role,
        kind: WireKind<'_>,
        now: Instant,
    ) -> Option<ChannelId> {
        self.ask(opener, now, |open, out| open.channels.open(kind, out, now))
    }

    pub(in crate::connection) fn request_forward(
        &mut self,
        bind: &RemoteBind,
        now: Instant,
    ) -> Option<RequestId> {
        self.ask(Role::Client, now, |open, out| open.requests.forward(bind, out, now))
    }

    pub(in crate::connection) fn cancel_forward(
        &mut self,
        forward: RequestId,
        now: Instant,
    ) -> Option<RequestId> {
        self.ask(Role::Client, now, |open, out| open.requests.cancel(forward, out, now))
    }

    pub(in crate::connection) fn probe(&mut self, patience: Duration, now: Instant) {
        if self.exchange.is_asking() {
            return;
        }
        self.ask(self.role, now, |open, out| {
            open.keepalive.probe(patience, &mut open.requests, out, now)?;
            Ok(None::<()>)
        });
    }

    /// `None` in the other role, too.
    fn ask<T>(
        &mut self,
        role: Role,
        now: Instant,
        act: impl FnOnce(&mut Open, &mut Outbox) -> Result<Option<T>, Error>,
    ) -> Option<T> {
        let Phase::Open(open) = &mut self.phase else { return None };
        if self.role != role {
            return None;
        }
        self.out.tx.expect_channels(open.channels.len());
        let result = act(open, &mut self.out);
        let (asked, result) = match result {
            Ok(asked) => (asked, Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.check(result, now);
        asked
    }
}
