//! Finds out that the machine slept, or that this process was stopped, by comparing two clocks.

use std::time::{Duration, Instant, SystemTime};

/// Time passed without this process: connections may be dead, and a wait that was under way is out of date.
///
/// Holds how much time that was, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump(pub(crate) Duration);

/// Looks at the monotonic clock and the time of day once per period, and tells when they disagree.
///
/// Linux's monotonic clock stands still while the machine is suspended: then only the time of day has advanced. The
/// clocks of other systems go on, and so does Linux's while a process or a virtual machine is stopped: then the look
/// itself comes too late.
///
/// A time of day that is set forward by more than [`TOLERANCE`] looks like sleep; that costs one needless check of
/// the connection. One that is set back is no jump.
#[derive(Debug)]
pub(crate) struct Watch {
    period: Duration,
    last: (Instant, SystemTime),
}

impl Watch {
    /// Starts with the first look; the next is to follow after `period`.
    pub(crate) fn new(period: Duration, now: Instant, time_of_day: SystemTime) -> Self {
        Self { period, last: (now, time_of_day) }
    }

    /// When the next look is due.
    pub(crate) fn due(&self) -> Instant {
        self.last.0 + self.period
    }

    /// Takes a look. More looks than one per period do no harm.
    pub(crate) fn look(&mut self, now: Instant, time_of_day: SystemTime) -> Option<Jump> {
        let (last, last_time_of_day) = std::mem::replace(&mut self.last, (now, time_of_day));
        let run = now.saturating_duration_since(last);
        let passed = time_of_day.duration_since(last_time_of_day).unwrap_or_default();
        let slept = passed.saturating_sub(run);
        let stopped = run.saturating_sub(self.period);
        // A machine that sleeps under a clock that goes on shows the same time twice: the longer counts, not the sum.
        Some(slept.max(stopped)).filter(|jump| *jump > TOLERANCE).map(Jump)
    }
}

/// What counts as no jump. Time synchronisation corrects by less than a second, a busy machine runs a task late by a
/// second or two, and whoever sleeps for less still has every TCP connection.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(10);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Both clocks, and a watch on them.
    struct Clocks {
        now: Instant,
        time_of_day: SystemTime,
        watch: Watch,
    }

    impl Clocks {
        fn new() -> Self {
            let (now, time_of_day) = (Instant::now(), SystemTime::UNIX_EPOCH + 1000 * HOUR);
            Self { now, time_of_day, watch: Watch::new(PERIOD, now, time_of_day) }
        }

        fn look_after(&mut self, run: Duration, passed: Duration) -> Option<Jump> {
            self.now += run;
            self.time_of_day += passed;
            self.watch.look(self.now, self.time_of_day)
        }
    }

    #[test]
    fn a_sleep_under_a_clock_that_stands_still_is_found_once() {
        let mut clocks = Clocks::new();
        assert_eq!(clocks.look_after(PERIOD, PERIOD), None);
        assert_eq!(clocks.look_after(PERIOD, PERIOD + HOUR), Some(Jump(HOUR)));
        assert_eq!(clocks.look_after(PERIOD, PERIOD), None);
    }

    #[test]
    fn a_sleep_under_a_clock_that_goes_on_is_found_and_not_counted_twice() {
        let mut clocks = Clocks::new();
        assert_eq!(clocks.look_after(PERIOD + HOUR, PERIOD + HOUR), Some(Jump(HOUR)));
        assert_eq!(clocks.look_after(PERIOD, PERIOD), None);
    }

    #[test]
    fn late_looks_and_corrections_of_the_clock_are_no_jumps() {
        let mut clocks = Clocks::new();
        let second = Duration::from_secs(1);
        assert_eq!(clocks.look_after(PERIOD + 2 * second, PERIOD + 2 * second), None, "late");
        assert_eq!(clocks.look_after(PERIOD, PERIOD + second), None, "stepped forward");
        assert_eq!(clocks.look_after(PERIOD, PERIOD - second), None, "stepped back");
        assert_eq!(clocks.look_after(PERIOD + TOLERANCE, PERIOD + TOLERANCE), None, "at the limit");
    }

    #[test]
    fn corrections_do_not_add_up() {
        let mut clocks = Clocks::new();
        for _ in 0..1000 {
            assert_eq!(clocks.look_after(PERIOD, PERIOD + Duration::from_millis(500)), None);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_hides_no_stop() {
        let mut clocks = Clocks::new();
        clocks.now += PERIOD;
        clocks.time_of_day -= HOUR;
        assert_eq!(clocks.watch.look(clocks.now, clocks.time_of_day), None);
        clocks.now += PERIOD + HOUR;
        clocks.time_of_day -= HOUR;
        assert_eq!(clocks.watch.look(clocks.now, clocks.time_of_day), Some(Jump(HOUR)));
    }

    #[test]
    fn looks_in_quick_succession_see_nothing_but_do_not_miss_a_sleep() {
        let mut clocks = Clocks::new();
        for _ in 0..100 {
            assert_eq!(clocks.look_after(Duration::ZERO, Duration::ZERO), None);
        }
        assert_eq!(clocks.watch.due(), clocks.now + PERIOD);
        assert_eq!(clocks.look_after(Duration::ZERO, HOUR), Some(Jump(HOUR)));
    }
}
