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
    pub(crate) fn line(&mut self, stats: Stats, now: Instant) -> String {
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.001);
        let rate = |new: u64, old: u64| Amount(new.saturating_sub(old) as f64 / seconds);
        let (up, down) = (rate(stats.sent, self.last.sent), rate(stats.received, self.last.received));
        let failed = match stats.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let line = format!(
            "open: {} of {} connections{failed} | up {up}/s | down {down}/s",
            stats.open, stats.total
        );
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
    fn amounts_have_the_unit_that_fits() {
        let shown = |amount| Amount(amount).to_string();
        assert_eq!(shown(0.0), "0 B");
        assert_eq!(shown(1023.0), "1023 B");
        assert_eq!(shown(1536.0), "1.5 KiB");
        assert_eq!(shown(3.0 * 1024.0 * 1024.0), "3.0 MiB");
        assert_eq!(shown(2e18), "1818989.4 TiB");
    }
}
