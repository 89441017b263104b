//! Limits in bytes per second: a token bucket that counts exactly.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// A token bucket: so many bytes per second, and after a pause a tenth of a second's worth at once.
///
/// The level is in billionths of a byte. A rate in bytes per second times a time in nanoseconds is a whole number of
/// them, so nothing is rounded and nothing drifts, from one byte per second up.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    rate: i128,
    capacity: i128,
    /// At `since`. Negative after more was spent than there was; that is paid back before anything more is allowed.
    level: i128,
    since: Instant,
}

impl Bucket {
    /// Starts full.
    pub(crate) fn new(rate: NonZeroU64, now: Instant) -> Self {
        let rate = i128::from(rate.get());
        let capacity = (rate / BURSTS_PER_SECOND).max(LEAST_BURST) * UNIT;
        Self { rate, capacity, level: capacity, since: now }
    }

    /// How many bytes may be sent at `now`.
    pub(crate) fn allowance(&self, now: Instant) -> usize {
        usize::try_from((self.level(now) / UNIT).max(0)).unwrap_or(usize::MAX)
    }

    /// Takes `bytes` out. They may be more than the allowance; later ones then wait for longer.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        let bytes = i128::try_from(bytes).unwrap_or(i128::MAX);
        self.level = self.level(now).saturating_sub(bytes.saturating_mul(UNIT));
        self.since = self.since.max(now);
    }

    /// When to look again; `None` when an amount worth sending is there already.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let missing = self.quantum().saturating_sub(self.level(now));
        if missing <= 0 {
            return None;
        }
        let nanoseconds =
            u64::try_from(missing.saturating_add(self.rate - 1) / self.rate).unwrap_or(u64::MAX);
        Some(now + Duration::from_nanos(nanoseconds).min(LONGEST_WAIT))
    }

    fn level(&self, now: Instant) -> i128 {
        let passed =
            i128::try_from(now.saturating_duration_since(self.since).as_nanos()).unwrap_or(i128::MAX);
        self.level.saturating_add(passed.saturating_mul(self.rate)).min(self.capacity)
    }

    /// What is worth waking up for. The room above it is how late the look may come without losing anything.
    fn quantum(&self) -> i128 {
        (self.capacity / QUANTA_PER_BURST / UNIT).max(1) * UNIT
    }
}

/// The limits that apply to the same bytes, such as a tunnel's and a connection's; absent ones limit nothing.
///
/// Connections that share a bucket get what is left when their turn comes: give them turns of bounded size.
#[derive(Debug)]
pub(crate) struct Limits<'a, const N: usize>(pub(crate) [Option<&'a mut Bucket>; N]);

impl<const N: usize> Limits<'_, N> {
    /// What all of them allow at `now`.
    pub(crate) fn allowance(&self, now: Instant) -> usize {
        self.buckets().map(|bucket| bucket.allowance(now)).min().unwrap_or(usize::MAX)
    }

    /// Takes `bytes` out of each.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        for bucket in self.0.iter_mut().flatten() {
            bucket.spend(bytes, now);
        }
    }

    /// When to look again; `None` when each has an amount worth sending.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.buckets().filter_map(|bucket| bucket.due(now)).max()
    }

    fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.0.iter().filter_map(Option::as_deref)
    }
}

/// Parts of a byte, so that a nanosecond at any rate fills in a whole number of them.
const UNIT: i128 = 1_000_000_000;

/// A burst is the traffic of a tenth of a second: unnoticed by people, and far longer than a timer is late.
const BURSTS_PER_SECOND: i128 = 10;

/// In bytes. One to wait for, one as room for a late look.
const LEAST_BURST: i128 = 2;

/// A quarter of a burst, 25 ms of traffic: forty wake-ups per second at any rate.
const QUANTA_PER_BURST: i128 = 4;

/// Keeps `now + wait` within the clock's range, whatever was overspent.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests;
