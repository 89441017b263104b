//! How fast connections may be, and how long they may rest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use underpass_proto::ChannelId;

use crate::rate::{Bucket, Limits as Rates};
use crate::{Farewell, Settings};

/// What the settings allow. The default is anything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// A connection that carries nothing for so long is cut.
    pub(crate) idle: Option<Duration>,
    /// Of one connection.
    pub(crate) each: BothWays,
    /// Of all of them together.
    pub(crate) all: BothWays,
    /// How long the peer may take over the end.
    pub(crate) farewell: Farewell,
}

/// Bytes a second. The default is any number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BothWays {
    up: Option<NonZeroU64>,
    down: Option<NonZeroU64>,
}

impl BothWays {
    pub(super) fn pace(self, now: Instant) -> Pace {
        let meter = |rate: Option<NonZeroU64>| Meter(rate.map(|rate| Bucket::new(rate, now)));
        Pace { up: meter(self.up), down: meter(self.down) }
    }
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        let (each, all) = (settings.rate_limit, settings.tunnel_rate_limit);
        Self {
            idle: settings.idle_timeout,
            each: BothWays { up: each, down: each },
            all: BothWays { up: settings.tunnel_rate_limit_out.or(all), down: all },
            farewell: settings.farewell,
        }
    }
}

/// The two directions' buckets.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) up: Meter,
    pub(super) down: Meter,
}

/// One direction, which may be unlimited.
#[derive(Debug)]
pub(super) struct Meter(Option<Bucket>);

impl Meter {
    /// How much may be carried by both meters' leave, or when to ask again.
    pub(super) fn allowance(&mut self, shared: &mut Self, now: Instant) -> Result<usize, Instant> {
        let limits = Rates([self.0.as_mut(), shared.0.as_mut()]);
        match limits.allowance(now) {
            0 => Err(limits.due(now).unwrap_or(now)),
            allowed => Ok(allowed),
        }
    }

    pub(super) fn spend(&mut self, shared: &mut Self, count: usize, now: Instant) {
        Rates([self.0.as_mut(), shared.0.as_mut()]).spend(count, now);
    }
}

/// Connections that wait until they may go on.
#[derive(Default)]
pub(super) struct Waiting(BinaryHeap<Reverse<(Instant, u32)>>);

impl Waiting {
    pub(super) fn push(&mut self, until: Instant, channel: ChannelId) {
        self.0.push(Reverse((until, channel.0)));
    }

    /// One that may go on now.
    pub(super) fn pop(&mut self, now: Instant) -> Option<ChannelId> {
        self.next().filter(|next| *next <= now)?;
        self.0.pop().map(|Reverse((_, channel))| ChannelId(channel))
    }

    /// When the next one may.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((until, _))| *until)
    }
}
