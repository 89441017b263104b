//! When to try again: after which failures, how long to wait, when to give up.

mod consent;
mod outlook;

use std::fmt;
use std::time::{Duration, Instant};

pub use consent::{BeforeReconnect, ReconnectAttempt};

use crate::Error;
use outlook::{Outlook, Pace};

/// When a tunnel connects again, and how patiently.
///
/// By default it does after a connection broke, for as long as it takes, with waits that grow from one second to a
/// minute. What another attempt cannot change, such as a wrong setting, always ends the tunnel.
///
/// ```
/// use std::time::Duration;
///
/// use underpass::{Backoff, Reconnect};
///
/// let stubborn = Reconnect::always().backoff(Backoff::Fixed(Duration::from_secs(5)));
/// let modest = Reconnect::after_break().at_most(10);
/// # assert_eq!((stubborn.max_attempts, modest.max_attempts), (None, Some(10)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnect {
    /// After what. Default: [`ReconnectWhen::AfterBreak`].
    pub when: ReconnectWhen,
    /// Attempts in a row before giving up; `None`: for ever. A connection that stays up starts the count again, one
    /// that breaks within seconds does not. Default: `None`.
    pub max_attempts: Option<u32>,
    /// How long to wait before each attempt. Default: from 1 s to 60 s.
    pub backoff: Backoff,
    /// Whether to try again after the server's key or this side's credentials were refused. Nothing is trusted that
    /// was not trusted before; but many servers ban addresses that fail to log in. Default: no.
    pub refused: bool,
}

impl Reconnect {
    /// Never: the first failure is the last.
    pub fn never() -> Self {
        Self { when: ReconnectWhen::Never, ..Self::default() }
    }

    /// Once the tunnel has been up; the first logon must succeed at once.
    pub fn after_break() -> Self {
        Self::default()
    }

    /// From the first logon on.
    pub fn always() -> Self {
        Self { when: ReconnectWhen::Always, ..Self::default() }
    }

    /// Gives up after so many attempts in a row.
    #[must_use]
    pub fn at_most(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Waits like this.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Also tries again what was [`refused`](Self::refused).
    #[must_use]
    pub fn even_if_refused(mut self) -> Self {
        self.refused = true;
        self
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            when: ReconnectWhen::AfterBreak,
            max_attempts: None,
            backoff: Backoff::default(),
            refused: false,
        }
    }
}

/// After what a tunnel connects again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReconnectWhen {
    /// After nothing.
    Never,
    /// After a connection that was established broke.
    AfterBreak,
    /// After that, and after a first logon that failed.
    Always,
}

/// How long to wait before each attempt. Waits are at least 100 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backoff {
    /// The same each time, less up to a tenth at random.
    Fixed(Duration),
    /// At once, or nearly: from a tenth to half of `first`. Then up to `first`, then up to a quarter as long again each
    /// time, and never longer than `most`; at random, and not below half of `first`.
    ///
    /// Most breaks are over before they are noticed, so the first wait only spreads those who lost the same server in
    /// the same moment. Later ones grow in step with the outage: a tunnel is back after about a sixth of the time
    /// that the server was away. Of the usual ways to add chance, drawing from the whole range spreads clients best;
    /// the lower end keeps one client's unlucky draws from becoming a burst of logons.
    Exponential {
        /// The unit: twice the longest first wait.
        first: Duration,
        /// The longest wait.
        most: Duration,
    },
}

impl Default for Backoff {
    fn default() -> Self {
        Self::Exponential { first: Duration::from_secs(1), most: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The shortest and the longest wait after `failures` in a row.
    fn span(self, failures: u32, pace: Pace) -> (Duration, Duration) {
        let (least, most) = match self {
            Self::Fixed(wait) => (wait - wait / 10, wait),
            Self::Exponential { first, most } => match (pace, failures) {
                (Pace::Usual, 0) => (first.min(most) / 10, first.min(most) / 2),
                (Pace::Usual, _) => (first.min(most) / 2, grown(first, failures - 1).min(most)),
                (Pace::Slower, _) => {
                    let slower = first.saturating_mul(SLOWER_BY);
                    (first.min(most) / 2, grown(slower, failures).min(most))
                }
                (Pace::Slowest, _) => (most / 2, most),
            },
        };
        (at_least(least), at_least(most))
    }
}

/// Decides what follows each failure of one tunnel.
#[derive(Debug)]
pub(crate) struct Retrying {
    settings: Reconnect,
    /// Whether there ever was a connection.
    established: bool,
    up_since: Option<Instant>,
    /// In a row, for the limit.
    attempts: u32,
    /// In a row, for the waits.
    failures: u32,
    /// The upper end of the latest wait.
    longest: Duration,
    /// When the attempt is due that was decided on last, unless it may not be hurried.
    hurriable: Option<Instant>,
    hurried: Option<Instant>,
}

/// What follows a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another attempt.
    Retry {
        /// How long to wait before.
        after: Duration,
        /// Which it is in a row, from 1.
        attempt: u32,
    },
    /// The end of the tunnel.
    GiveUp(Reason),
}

/// Why there is no other attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The settings do not ask for one.
    NotAskedFor,
    /// So many in a row have failed.
    Attempts(u32),
    /// The server's key or the credentials were refused.
    Refused,
    /// It would fail again.
    Lasting,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAskedFor => f.write_str("the settings do not ask for another attempt"),
            Self::Attempts(1) => f.write_str("the one attempt that the settings allow failed"),
            Self::Attempts(count) => write!(f, "all {count} attempts that the settings allow failed"),
            Self::Refused => f.write_str("what was refused is not tried again"),
            Self::Lasting => f.write_str("another attempt would fail in the same way"),
        }
    }
}

impl Retrying {
    pub(crate) fn new(settings: &Reconnect) -> Self {
        Self {
            settings: settings.clone(),
            established: false,
            up_since: None,
            attempts: 0,
            failures: 0,
            longest: Duration::ZERO,
            hurriable: None,
            hurried: None,
        }
    }

    /// An attempt, or the connection that there was, failed with `error`. `random` is any number, a new one each time.
    pub(crate) fn on_failure(&mut self, error: &Error, random: u64, now: Instant) -> Verdict {
        self.hurriable = None;
        let broke_early = self.broke_early(now);
        if self.up_since.take().is_some() && !broke_early {
            self.attempts = 0;
            self.failures = 0;
        }
        match self.pace(error) {
            Ok(pace) => self.retry(pace, random, now),
            Err(reason) => Verdict::GiveUp(reason),
        }
    }

    /// There is a connection, and a user is logged in.
    pub(crate) fn on_established(&mut self, now: Instant) {
        self.established = true;
        self.up_since = Some(now);
        self.hurriable = None;
    }

    /// The network changed, or the machine woke, during a wait. Tells how much longer to wait instead; `None` leaves
    /// the wait as it is.
    ///
    /// It is cut short once in a while only, so that a network that flaps does no harm, and never against a server's
    /// explicit wish. The waits after that start small again: networks take a few seconds to become usable.
    pub(crate) fn immediate(&mut self, random: u64, now: Instant) -> Option<Duration> {
        let due = self.hurriable?;
        let recently = |at| now.saturating_duration_since(at) < HURRY_INTERVAL;
        let after = between(Duration::ZERO, HURRY_SPREAD, random);
        if self.hurried.is_some_and(recently) || now + after >= due {
            return None;
        }
        self.hurried = Some(now);
        self.hurriable = Some(now + after);
        self.failures = 0;
        Some(after)
    }

    /// Whether a connection that breaks at `now` counts as a failure; to be asked before
    /// [`on_failure`](Self::on_failure).
    ///
    /// A server that lets everybody in and drops them at once would otherwise be asked once per second for ever.
    pub(crate) fn broke_early(&self, now: Instant) -> bool {
        let steady = self.longest.clamp(STEADY_AT_LEAST, STEADY_AT_MOST);
        self.up_since.is_some_and(|since| now.saturating_duration_since(since) < steady)
    }

    fn pace(&self, error: &Error) -> Result<Pace, Reason> {
        match self.settings.when {
            ReconnectWhen::Never => return Err(Reason::NotAskedFor),
            ReconnectWhen::AfterBreak if !self.established => return Err(Reason::NotAskedFor),
            ReconnectWhen::AfterBreak | ReconnectWhen::Always => {}
        }
        match outlook::of(error) {
            Outlook::MayPass(pace) => Ok(pace),
            Outlook::Refused if self.settings.refused => Ok(Pace::Slowest),
            Outlook::Refused => Err(Reason::Refused),
            Outlook::Lasting => Err(Reason::Lasting),
        }
    }

    fn retry(&mut self, pace: Pace, random: u64, now: Instant) -> Verdict {
        if self.settings.max_attempts.is_some_and(|most| self.attempts >= most) {
            return Verdict::GiveUp(Reason::Attempts(self.attempts));
        }
        let (least, most) = self.settings.backoff.span(self.failures, pace);
        let after = between(least, most, random);
        self.attempts = self.attempts.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.longest = most;
        self.hurriable = match pace {
            Pace::Usual | Pace::Slower => now.checked_add(after),
            Pace::Slowest => None,
        };
        Verdict::Retry { after, attempt: self.attempts }
    }
}

/// What a wait comes to that is a quarter as long again each of so many times.
fn grown(wait: Duration, times: u32) -> Duration {
    // From a nanosecond to the longest duration there is.
    const ENOUGH: u32 = 300;
    (0..times.min(ENOUGH)).fold(wait, |wait, _| wait.saturating_add(wait / 4))
}

fn at_least(wait: Duration) -> Duration {
    wait.max(LEAST_WAIT)
}

/// The point between `least` and `most` that `random` picks, evenly.
pub(crate) fn between(least: Duration, most: Duration, random: u64) -> Duration {
    let width = most.saturating_sub(least);
    let seconds = u128::from(width.as_secs()) * u128::from(random);
    let nanoseconds = u128::from(width.subsec_nanos()) * u128::from(random);
    // `random` is read as a fraction of 2^64; what the seconds leave over goes to the nanoseconds.
    let fraction = (seconds & u128::from(u64::MAX)) * 1_000_000_000 + nanoseconds;
    let whole = Duration::from_secs(u64::try_from(seconds >> 64).expect("below the width"));
    least + whole + Duration::from_nanos(u64::try_from(fraction >> 64).expect("below two seconds"))
}

/// However impatient the settings.
const LEAST_WAIT: Duration = Duration::from_millis(100);

/// How many times as long as usual a server is left alone after a sign of overload.
const SLOWER_BY: u32 = 8;

/// Longer than it takes to log in and be dropped by whatever went wrong.
const STEADY_AT_LEAST: Duration = Duration::from_secs(10);

/// So that patient settings do not make a connection of an hour a failure.
const STEADY_AT_MOST: Duration = Duration::from_secs(60);

/// Long enough to tell apart the tunnels of a machine that wakes, short enough to go unnoticed.
const HURRY_SPREAD: Duration = Duration::from_secs(1);

/// A network that changes reports it several times within seconds.
const HURRY_INTERVAL: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests;
