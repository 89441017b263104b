//! Timers as an enum and a table: the engine is told the time and never asks for it.

use std::fmt;
use std::time::{Duration, Instant};

/// What a deadline was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// From the start to the end of the first key exchange: the peer's identification has not come.
    Identification,
    /// The same, and the peer has identified itself but not said which algorithms it has.
    Negotiation,
    /// The same, and the peer has not done its part of the key exchange.
    Handshake,
    /// From the first key exchange, or when it is said that somebody is to be logged on, to being logged on.
    Authentication,
    /// A later key exchange, from its start to its end.
    Rekey,
    /// The peer does not answer any more.
    Keepalive,
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identification => "the peer did not identify itself in time",
            Self::Negotiation => "the peer did not name its algorithms in time",
            Self::Handshake => "the peer did not finish the first key exchange in time",
            Self::Authentication => "the logon did not finish in time",
            Self::Rekey => "the peer did not finish a key exchange in time",
            Self::Keepalive => "the peer does not answer any more",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    Handshake,
    Authentication,
    /// A key exchange under way must end.
    RekeyEnd,
    /// The keys are old.
    RekeyAge,
    /// Nothing has come for an interval.
    Keepalive,
    /// The oldest channel open has waited long enough.
    ChannelOpen,
    /// The oldest request about a remote forward, of either side, has waited long enough.
    Request,
    /// The application wanted a sign of life by now.
    Probe,
    /// Nothing has moved for a while: give memory back.
    Idle,
}

const COUNT: usize = 9;

/// When each timer fires, if it is set.
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; COUNT]);

impl Timers {
    const ALL: [Timer; COUNT] = [
        Timer::Handshake,
        Timer::Authentication,
        Timer::RekeyEnd,
        Timer::RekeyAge,
        Timer::Keepalive,
        Timer::ChannelOpen,
        Timer::Request,
        Timer::Probe,
        Timer::Idle,
    ];

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    /// Sets a timer that a duration of `None` leaves off.
    pub(crate) fn set_after(&mut self, timer: Timer, now: Instant, after: Option<Duration>) {
        self.0[timer as usize] = after.and_then(|after| now.checked_add(after));
    }

    /// Sets a timer, unless it is set to fire earlier.
    pub(crate) fn hasten(&mut self, timer: Timer, now: Instant, after: Duration) {
        let earlier = self.0[timer as usize].into_iter().chain(now.checked_add(after)).min();
        self.0[timer as usize] = earlier;
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Default::default();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    /// The next moment at which something is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = Self::ALL.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.stop(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_once_when_due() {
        let start = Instant::now();
        let mut timers = Timers::default();
        timers.set(Timer::Keepalive, start + Duration::from_secs(2));
        timers.set_after(Timer::RekeyAge, start, Some(Duration::from_secs(1)));
        timers.set_after(Timer::Handshake, start, None);
        assert_eq!(timers.next(), Some(start + Duration::from_secs(1)));
        assert_eq!(timers.take_due(start), None);
        let later = start + Duration::from_secs(5);
        assert_eq!(timers.take_due(later), Some(Timer::RekeyAge));
        assert_eq!(timers.take_due(later), Some(Timer::Keepalive));
        assert_eq!(timers.take_due(later), None);
    }

    #[test]
    fn a_timer_that_is_hastened_never_fires_later() {
        let start = Instant::now();
        let mut timers = Timers::default();
        for (after, due) in [(5, 5), (9, 5), (2, 2)] {
            timers.hasten(Timer::Probe, start, Duration::from_secs(after));
            assert_eq!(timers.next(), Some(start + Duration::from_secs(due)));
        }
        timers.hasten(Timer::Probe, start, Duration::MAX);
        assert_eq!(timers.next(), Some(start + Duration::from_secs(2)));
    }

    #[test]
    fn an_unreachable_moment_is_never() {
        let mut timers = Timers::default();
        timers.set_after(Timer::RekeyAge, Instant::now(), Some(Duration::MAX));
        assert_eq!(timers.next(), None);
    }
}
