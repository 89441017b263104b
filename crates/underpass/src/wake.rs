//! Noticing that the machine has slept, or this process was stopped: connections are probably dead then.

use std::time::{Duration, Instant, SystemTime};

/// The clocks as they were at the last look.
#[derive(Debug)]
pub(crate) struct Wake {
    steady: Instant,
    wall: SystemTime,
}

/// The wall clock is set by this much without anybody having slept. Whoever sleeps longer is noticed.
const TOLERANCE: Duration = Duration::from_secs(10);

impl Wake {
    pub(crate) fn new(steady: Instant, wall: SystemTime) -> Self {
        Self { steady, wall }
    }

    /// Looks again, `period` after the last time. Gives how much time is missing, if it is more than clocks differ by.
    ///
    /// A steady clock stops while the machine sleeps, on Linux; then only the wall clock knows. Elsewhere it goes on, and
    /// the look comes late.
    pub(crate) fn look(&mut self, period: Duration, steady: Instant, wall: SystemTime) -> Option<Duration> {
        let passed = steady.saturating_duration_since(self.steady);
        // A wall clock that was set back has slept no time.
        let on_the_wall = wall.duration_since(self.wall).unwrap_or_default();
        (self.steady, self.wall) = (steady, wall);
        let slept = on_the_wall.saturating_sub(passed).max(passed.saturating_sub(period));
        (slept > TOLERANCE).then_some(slept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(5);
    const HOUR: Duration = Duration::from_secs(3600);

    fn look(steady: Duration, wall: Duration) -> Option<Duration> {
        let (now, time) = (Instant::now(), SystemTime::now());
        Wake::new(now, time).look(PERIOD, now + steady, time + wall)
    }

    #[test]
    fn clocks_that_go_together_tell_nothing() {
        assert_eq!(look(PERIOD, PERIOD), None);
        assert_eq!(look(PERIOD + TOLERANCE, PERIOD + TOLERANCE), None);
        assert_eq!(look(PERIOD, PERIOD + TOLERANCE / 2), None);
    }

    #[test]
    fn a_sleep_is_noticed_whether_the_steady_clock_slept_too_or_not() {
        assert_eq!(look(PERIOD, PERIOD + HOUR), Some(HOUR));
        assert_eq!(look(PERIOD + HOUR, PERIOD + HOUR), Some(HOUR));
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_sleep() {
        let (now, time) = (Instant::now(), SystemTime::now());
        let mut wake = Wake::new(now, time);
        assert_eq!(wake.look(PERIOD, now + PERIOD, time - HOUR), None);
        assert_eq!(wake.look(PERIOD, now + 2 * PERIOD, time - HOUR + PERIOD), None);
    }
}
