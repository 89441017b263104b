//! Signs of life of the peer, asked for after silence or when the application wants to know.

use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::Error;
use crate::global::ours::Requests;
use crate::outbox::Outbox;
use crate::timer::{Deadline, Timer};

/// Asks a silent peer for signs of life.
///
/// `count` probes are spread over `interval × count` of silence, so that the last one has time to be answered and the
/// peer is given up exactly at the end of it.
pub(crate) struct Keepalive {
    period: Option<Duration>,
    count: u32,
    unanswered: u32,
}

impl Keepalive {
    pub(crate) fn new(config: &Config, out: &mut Outbox, now: Instant) -> Self {
        let count = config.keepalive_count.max(1);
        let total = config.keepalive_interval.filter(|interval| !interval.is_zero());
        let period = total.map(|interval| interval.saturating_mul(count) / (count + 1));
        out.timers.set_after(Timer::Keepalive, now, period);
        Self { period, count, unanswered: 0 }
    }

    /// Something came: the peer lives.
    pub(crate) fn heard(&mut self, out: &mut Outbox, now: Instant) {
        self.unanswered = 0;
        out.timers.set_after(Timer::Keepalive, now, self.period);
        out.timers.stop(Timer::Probe);
    }

    /// Nothing came for a period.
    pub(crate) fn on_silence(
        &mut self,
        requests: &mut Requests,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        if self.unanswered >= self.count {
            return Err(Error::Timeout(Deadline::Keepalive));
        }
        self.unanswered += 1;
        out.timers.set_after(Timer::Keepalive, now, self.period);
        requests.probe(out, now)
    }

    /// Something must come within `patience`. The deadline of the silence itself stays where it is.
    pub(crate) fn probe(
        &mut self,
        patience: Duration,
        requests: &mut Requests,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        let is_asking = out.timers.is_set(Timer::Probe);
        out.timers.hasten(Timer::Probe, now, patience);
        if is_asking { Ok(()) } else { requests.probe(out, now) }
    }
}
