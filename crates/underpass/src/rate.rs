//! How many bytes may be carried: a bucket that fills with time and is emptied by bytes.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// A token bucket (RFC 2697 calls it a meter). It holds a tenth of a second's bytes, or enough for a turn.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: NonZeroU64,
    /// What it holds at most.
    depth: u64,
    /// Bytes that may be carried now; negative after a turn that took more than there was.
    level: i64,
    /// When the level was right.
    at: Instant,
}

/// The least worth a turn, unless it takes longer than a second to come.
const USEFUL: u64 = 1024;

/// No bucket holds more; a turn takes less.
const MAX_DEPTH: u64 = 1 << 40;

impl Bucket {
    pub(crate) fn new(rate: NonZeroU64, now: Instant) -> Self {
        let tenth = (rate.get() / 10).clamp(1, MAX_DEPTH);
        let depth = tenth.max(USEFUL.min(rate.get()));
        Self { rate, depth, level: depth as i64, at: now }
    }

    /// How many bytes may be carried now.
    pub(crate) fn allowance(&mut self, now: Instant) -> usize {
        self.fill(now);
        usize::try_from(self.level).unwrap_or(0)
    }

    /// So many were.
    pub(crate) fn spend(&mut self, count: usize) {
        self.level = self.level.saturating_sub_unsigned(count as u64);
    }

    /// When there is enough for a turn again.
    pub(crate) fn due(&self) -> Instant {
        let wanted = (self.depth / 2).max(1) as i64;
        let missing = wanted.saturating_sub(self.level).max(0) as u64;
        self.at + time_for(missing, self.rate)
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let filled = u128::from(self.rate.get()) * passed.as_nanos() / NANOS;
        let filled = u64::try_from(filled).unwrap_or(u64::MAX);
        if filled == 0 {
            // Less than a byte: the time is kept until it is one.
            return;
        }
        let level = self.level.saturating_add_unsigned(filled);
        if level >= self.depth as i64 {
            (self.level, self.at) = (self.depth as i64, now);
        } else {
            // What is left of the time is kept, so that nothing is lost by asking often.
            (self.level, self.at) = (level, self.at + time_for(filled, self.rate));
        }
    }
}

const NANOS: u128 = 1_000_000_000;

fn time_for(bytes: u64, rate: NonZeroU64) -> Duration {
    let nanos = (u128::from(bytes) * NANOS).div_ceil(u128::from(rate.get()));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Carries for 100 s in turns of `turn` bytes at most, asking as often as `due` says; gives the bytes.
    fn carried(rate: u64, turn: usize) -> u64 {
        let begin = Instant::now();
        let mut bucket = Bucket::new(NonZeroU64::new(rate).unwrap(), begin);
        let (mut now, mut total, mut asked) = (begin, 0u64, 0u64);
        while now < begin + Duration::from_secs(100) {
            let count = bucket.allowance(now).min(turn);
            bucket.spend(count);
            total += count as u64;
            asked += 1;
            if bucket.allowance(now) == 0 {
                let due = bucket.due();
                assert!(due > now, "it never waits");
                now = due;
            }
        }
        assert!(asked < 20_000 + 200 * (total / turn as u64 + 1), "{asked} turns");
        total
    }

    #[test]
    fn over_time_the_rate_is_kept() {
        for rate in [1, 10, 1000, 65_537, 1_000_000, 10_000_000] {
            for turn in [1024, 128 * 1024] {
                let expected = rate * 100;
                let total = carried(rate, turn);
                let burst = rate / 10 + USEFUL.min(rate) + 1;
                assert!(total <= expected + burst, "{rate}: {total}");
                assert!(total + burst + expected / 100 >= expected, "{rate}: {total}");
            }
        }
    }

    #[test]
    fn asking_often_loses_nothing() {
        let begin = Instant::now();
        let mut bucket = Bucket::new(NonZeroU64::new(3).unwrap(), begin);
        bucket.spend(bucket.depth as usize);
        for step in 1..=10_000 {
            bucket.allowance(begin + Duration::from_micros(100) * step);
        }
        assert_eq!(bucket.allowance(begin + Duration::from_millis(1001)), 3);
    }

    #[test]
    fn huge_rates_do_not_overflow() {
        let now = Instant::now();
        let mut bucket = Bucket::new(NonZeroU64::MAX, now);
        bucket.spend(usize::MAX);
        bucket.spend(usize::MAX);
        assert!(bucket.due() >= now);
        assert!(bucket.allowance(now + Duration::from_secs(1_000_000)) > 0);
    }
}
