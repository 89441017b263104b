//! Whether and when to connect again. Pure: the time and chance are arguments.

use std::time::{Duration, Instant};

use underpass_wire::DisconnectReason;

use crate::{Error, ErrorKind};

/// What happens when there is no connection to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnect {
    /// When to try again. Default: after an established connection broke.
    pub when: ReconnectWhen,
    /// How many attempts in a row may fail. `None`: any number. Default: `None`.
    pub max_attempts: Option<u32>,
    /// How long to wait before an attempt. Default: from 1 s, doubling, to 60 s.
    pub backoff: Backoff,
    /// Whether a refused host key and a refused login are tried again, too. Servers ban who does. Default: no.
    pub refused: bool,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            when: ReconnectWhen::AfterBreak,
            max_attempts: None,
            backoff: Backoff::Exponential { first: Duration::from_secs(1), most: Duration::from_secs(60) },
            refused: false,
        }
    }
}

impl Reconnect {
    /// Never connects again.
    pub fn never() -> Self {
        Self { when: ReconnectWhen::Never, ..Self::default() }
    }

    /// Tries again even if the very first attempt fails.
    pub fn always() -> Self {
        Self { when: ReconnectWhen::Always, ..Self::default() }
    }

    /// Gives up after so many failures in a row.
    #[must_use]
    pub fn max_attempts(mut self, most: u32) -> Self {
        self.max_attempts = Some(most);
        self
    }

    /// Waits like this before each attempt.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReconnectWhen {
    /// Never.
    Never,
    /// When a connection that was established has broken.
    AfterBreak,
    /// Also when the first attempt fails.
    Always,
}

/// How long to wait before an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// Always the same time.
    Fixed(Duration),
    /// From the first time, doubling with each failure, to the most. Chance takes up to half of it away, so that many
    /// tunnels that broke together do not come back together.
    Exponential {
        /// Before the first attempt.
        first: Duration,
        /// Before any attempt.
        most: Duration,
    },
}

/// What is to happen after a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Retry {
        after: Duration,
        /// From 1.
        attempt: u32,
    },
    GiveUp,
}

/// Counts failures and decides.
#[derive(Debug)]
pub(crate) struct Retrying {
    policy: Reconnect,
    /// Attempts since the last connection that lasted.
    failures: u32,
    /// When the present connection was established, if there has been any.
    established: Option<Instant>,
    /// The last time when the wait was cut short.
    hurried: Option<Instant>,
}

/// A connection has to last this long before the failures before it are forgotten: a server that lets everybody in and
/// hangs up at once is to be treated like one that lets nobody in.
const LASTING: Duration = Duration::from_secs(10);

/// A server that says that it has too many connections means it.
const TOO_MANY: Duration = Duration::from_secs(10);

/// After a change of the network the next attempt comes within this time, chance says when: every tunnel of the machine
/// has noticed it.
const HURRY: Duration = Duration::from_millis(500);

/// The wait is cut short once in this time.
const HURRY_PAUSE: Duration = Duration::from_secs(5);

impl Retrying {
    pub(crate) fn new(policy: &Reconnect) -> Self {
        Self { policy: *policy, failures: 0, established: None, hurried: None }
    }

    /// A connection is established.
    pub(crate) fn on_established(&mut self, now: Instant) {
        self.established = Some(now);
    }

    /// A connection broke, or was not to be had.
    pub(crate) fn on_failure(&mut self, error: &Error, random: u64, now: Instant) -> Verdict {
        let since = self.established;
        if since.is_some_and(|since| now.duration_since(since) >= LASTING) {
            self.failures = 0;
        }
        let wanted = match self.policy.when {
            ReconnectWhen::Never => false,
            ReconnectWhen::AfterBreak => since.is_some(),
            ReconnectWhen::Always => true,
        };
        let exhausted = self.policy.max_attempts.is_some_and(|most| self.failures >= most);
        if !wanted || exhausted || !self.is_worth_it(error) {
            return Verdict::GiveUp;
        }
        let after = self.delay(random).max(least_delay(error));
        self.failures = self.failures.saturating_add(1);
        Verdict::Retry { after, attempt: self.failures }
    }

    /// Now is a better time than any: the wait from now on, if it may be cut short.
    pub(crate) fn hurry(&mut self, random: u64, now: Instant) -> Option<Duration> {
        if self.hurried.is_some_and(|last| now.duration_since(last) < HURRY_PAUSE) {
            return None;
        }
        self.hurried = Some(now);
        Some(part(HURRY, random))
    }

    fn delay(&self, random: u64) -> Duration {
        match self.policy.backoff {
            Backoff::Fixed(delay) => delay,
            Backoff::Exponential { first, most } => {
                let doubled = first.saturating_mul(1u32.checked_shl(self.failures).unwrap_or(u32::MAX));
                let whole = doubled.min(most);
                whole / 2 + part(whole / 2, random)
            }
        }
    }

    /// Whether another attempt with the same settings may end otherwise.
    fn is_worth_it(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Resolve { .. }
            | ErrorKind::Dial { .. }
            | ErrorKind::Proxy { .. }
            | ErrorKind::Timeout { .. }
            | ErrorKind::Disconnected { .. }
            | ErrorKind::Lost { .. }
            | ErrorKind::PeerDead { .. }
            // A hop does not reach the next server at the moment.
            | ErrorKind::TargetRefused { .. }
            | ErrorKind::NotConnected { .. } => true,
            // What answers there may be a balancer without a server behind it, or a page to log in to a network.
            ErrorKind::PeerMisbehaved { .. } => true,
            ErrorKind::HostKeyUnknown { .. }
            | ErrorKind::HostKeyChanged { .. }
            | ErrorKind::HostKeyRevoked { .. }
            | ErrorKind::Authentication { .. } => self.policy.refused,
            ErrorKind::Configuration { .. }
            | ErrorKind::Identity { .. }
            | ErrorKind::PeerIncompatible { .. }
            | ErrorKind::Bind { .. }
            | ErrorKind::BindUnix { .. }
            | ErrorKind::ForwardRefused { .. }
            | ErrorKind::TargetUnreachable { .. }
            | ErrorKind::NotAllowed { .. }
            | ErrorKind::TooMany { .. }
            | ErrorKind::Stopped
            | ErrorKind::Internal { .. } => false,
        }
    }
}

fn least_delay(error: &Error) -> Duration {
    match error.kind() {
        ErrorKind::Disconnected { reason: DisconnectReason::TOO_MANY_CONNECTIONS, .. } => TOO_MANY,
        _ => Duration::ZERO,
    }
}

/// As much of `whole` as chance wants.
fn part(whole: Duration, random: u64) -> Duration {
    let share = (random >> 11) as f64 / (1u64 << 53) as f64;
    whole.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn lost() -> Error {
        Error::lost(Step::Carry, "bastion", None)
    }

    fn after(verdict: Verdict) -> Duration {
        let Verdict::Retry { after, .. } = verdict else { panic!("given up") };
        after
    }

    fn established(policy: Reconnect, now: Instant) -> Retrying {
        let mut retrying = Retrying::new(&policy);
        retrying.on_established(now);
        retrying
    }

    #[test]
    fn the_policy_decides_what_is_tried_again() {
        let now = Instant::now();
        let fate = |policy: Reconnect, was_up: bool| {
            let mut retrying = Retrying::new(&policy);
            if was_up {
                retrying.on_established(now);
            }
            retrying.on_failure(&lost(), 0, now) != Verdict::GiveUp
        };
        assert!(!fate(Reconnect::never(), true));
        assert!(fate(Reconnect::default(), true));
        assert!(!fate(Reconnect::default(), false));
        assert!(fate(Reconnect::always(), false));
    }

    #[test]
    fn refused_keys_and_logins_are_not_tried_again_unless_that_is_wanted() {
        let now = Instant::now();
        let refused = [
            Error::host_key_changed("h", "", "", None),
            Error::host_key_unknown("h", "", "", Vec::new()),
            Error::host_key_revoked("h", "", "", None),
            Error::authentication("h", "me", Vec::new(), Vec::new()),
        ];
        for error in refused {
            let verdict = established(Reconnect::default(), now).on_failure(&error, 0, now);
            assert_eq!(verdict, Verdict::GiveUp, "{error}");
            let stubborn = Reconnect { refused: true, ..Reconnect::default() };
            assert_ne!(established(stubborn, now).on_failure(&error, 0, now), Verdict::GiveUp, "{error}");
        }
        let mistake = Error::configuration("x");
        assert_eq!(established(Reconnect::always(), now).on_failure(&mistake, 0, now), Verdict::GiveUp);
    }

    #[test]
    fn delays_double_up_to_the_most_and_chance_takes_at_most_half() {
        let now = Instant::now();
        let mut longest = established(Reconnect::default(), now);
        let mut shortest = established(Reconnect::default(), now);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let most = after(longest.on_failure(&lost(), u64::MAX, now));
            let least = after(shortest.on_failure(&lost(), 0, now));
            assert_eq!(most.as_millis(), expected * 1000);
            assert_eq!(least.as_millis(), expected * 500);
        }
        for _ in 0..100 {
            assert!(after(longest.on_failure(&lost(), u64::MAX, now)) <= Duration::from_secs(60));
        }
    }

    #[test]
    fn only_a_connection_that_lasted_makes_failures_forgotten() {
        let mut now = Instant::now();
        let mut retrying = established(Reconnect::default(), now);
        for expected in [1, 2, 4, 8] {
            assert_eq!(after(retrying.on_failure(&lost(), u64::MAX, now)).as_millis(), expected * 1000);
            retrying.on_established(now);
            now += LASTING - Duration::from_millis(1);
        }
        retrying.on_established(now);
        now += LASTING;
        assert_eq!(after(retrying.on_failure(&lost(), u64::MAX, now)).as_millis(), 1000);
    }

    #[test]
    fn failures_in_a_row_are_limited() {
        let now = Instant::now();
        let policy = Reconnect::always().max_attempts(3).backoff(Backoff::Fixed(Duration::from_secs(5)));
        let mut retrying = Retrying::new(&policy);
        for attempt in 1..=3 {
            let verdict = retrying.on_failure(&lost(), 7, now);
            assert_eq!(verdict, Verdict::Retry { after: Duration::from_secs(5), attempt });
        }
        assert_eq!(retrying.on_failure(&lost(), 7, now), Verdict::GiveUp);
    }

    #[test]
    fn a_server_that_is_full_gets_more_time() {
        let now = Instant::now();
        let full = Error::disconnected(Step::Identify, "h", DisconnectReason::TOO_MANY_CONNECTIONS, b"");
        assert!(after(established(Reconnect::default(), now).on_failure(&full, 0, now)) >= TOO_MANY);
    }

    #[test]
    fn a_wait_is_cut_short_once_in_a_while() {
        let now = Instant::now();
        let mut retrying = established(Reconnect::default(), now);
        assert!(retrying.hurry(u64::MAX, now).is_some_and(|wait| wait <= HURRY));
        assert_eq!(retrying.hurry(0, now + HURRY_PAUSE / 2), None);
        assert!(retrying.hurry(0, now + HURRY_PAUSE).is_some());
    }

    #[test]
    fn a_server_that_hangs_up_on_everybody_is_not_stormed() {
        let begin = Instant::now();
        let mut now = begin;
        let mut retrying = established(Reconnect::default(), now);
        let mut attempts = 0u64;
        while now.duration_since(begin) < Duration::from_secs(86400) {
            now += after(retrying.on_failure(&lost(), attempts.wrapping_mul(0x9E37_79B9_7F4A_7C15), now));
            retrying.on_established(now);
            attempts += 1;
        }
        assert!(attempts < 86400 / 30, "{attempts} attempts in a day");
    }
}
