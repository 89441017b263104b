//! The status line.

use std::time::{Duration, Instant};

use underpass::Stats;

/// How often the line is renewed.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

/// Turns counters into rates.
pub(crate) struct Status {
    last: Stats,
    at: Instant,
}

impl Status {
    pub(crate) fn new(stats: Stats, now: Instant) -> Self {
        Self { last: stats, at: now }
    }

    /// The line for the time since the last one.
    pub(crate) fn line(&mut self, state: &str, stats: Stats, now: Instant) -> String {
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.001);
        let rate = |new: u64, old: u64| Amount(new.saturating_sub(old) as f64 / seconds);
        let (up, down) = (rate(stats.sent, self.last.sent), rate(stats.received, self.last.received));
        let Stats { open, total, failed, .. } = stats;
        let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        let line =
            format!("{state} | connections: {open} ({total} in all{failed}) | up {up}/s | down {down}/s");
        *self = Self::new(stats, now);
        line
    }
}

/// An amount of data, with a unit that fits.
pub(crate) struct Amount(pub(crate) f64);

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024.0 {
            return write!(f, "{:.0} B", self.0);
        }
        let mut amount = self.0;
        let mut unit = "B";
        for larger in units {
            if amount < 1024.0 {
                break;
            }
            amount /= 1024.0;
            unit = larger;
        }
        write!(f, "{amount:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_since_the_last_line() {
        let begin = Instant::now();
        let mut first = Stats::default();
        (first.sent, first.received) = (5000, 7000);
        let mut second = first;
        (second.open, second.total, second.sent, second.received) = (1, 3, 5000 + 2048, 7000 + 4096);
        let mut status = Status::new(first, begin);
        let line = status.line("open", second, begin + Duration::from_secs(2));
        assert_eq!(line, "open | connections: 1 (3 in all) | up 1.0 KiB/s | down 2.0 KiB/s");
        second.failed = 2;
        let line = status.line("stopping", second, begin + Duration::from_secs(4));
        assert_eq!(line, "stopping | connections: 1 (3 in all, 2 failed) | up 0 B/s | down 0 B/s");
    }

    #[test]
    fn amounts_have_the_unit_that_fits() {
        let shown = |amount| Amount(amount).to_string();
        assert_eq!(shown(0.0), "0 B");
        assert_eq!(shown(1023.0), "1023 B");
        assert_eq!(shown(1536.0), "1.5 KiB");
        assert_eq!(shown(3.0 * 1024.0 * 1024.0), "3.0 MiB");
        assert_eq!(shown(2e18), "1818989.4 TiB");
    }
}
