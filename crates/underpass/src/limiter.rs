//! How fast this process may connect to one server, whatever its tunnels want.
//!
//! Servers refuse who comes with too many unfinished logins (sshd begins at ten, `MaxStartups`), and tools ban who fails
//! too often. A hundred tunnels to one server that has been restarted must not look like an attack.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Logins under way at the same time.
const MAX_UNDERWAY: usize = 4;

/// Between the beginnings of two attempts while attempts fail: it doubles with each failure, from the first to the
/// second.
const SPACING: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// An attempt that is never finished is forgotten after this time: longer than any of its deadlines.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Servers that are remembered; beyond it those that nothing is known against are dropped.
const MAX_SERVERS: usize = 1024;

/// The limiters of this process, by host and port.
pub(crate) static LIMITERS: LazyLock<Limiters> = LazyLock::new(Limiters::default);

#[derive(Default)]
pub(crate) struct Limiters(Mutex<HashMap<(String, u16), Limiter>>);

/// Whether an attempt may begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Now.
    Go,
    /// Ask again after this time.
    Wait(Duration),
}

/// What is known of one server.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    /// When the attempts under way began.
    underway: Vec<Instant>,
    /// In a row.
    failures: u32,
    last: Option<Instant>,
}

/// An attempt under way. Dropped, it counts as one that came to nothing, and was nobody's fault.
pub(crate) struct Permit {
    server: (String, u16),
    began: Instant,
    failed: Option<bool>,
}

impl Limiters {
    /// Asks for an attempt.
    pub(crate) fn admit(
        &'static self,
        server: &(String, u16),
        random: u64,
        now: Instant,
    ) -> Result<Permit, Duration> {
        let mut limiters = self.lock();
        if limiters.len() >= MAX_SERVERS {
            limiters.retain(|_, limiter| !limiter.underway.is_empty() || limiter.failures > 0);
        }
        match limiters.entry(server.clone()).or_default().admit(random, now) {
            Admission::Go => Ok(Permit { server: server.clone(), began: now, failed: None }),
            Admission::Wait(delay) => Err(delay),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, u16), Limiter>> {
        // Each change leaves the table sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The attempt is over.
    pub(crate) fn finish(mut self, succeeded: bool) {
        self.failed = Some(!succeeded);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(limiter) = LIMITERS.lock().get_mut(&self.server) {
            limiter.finish(self.began, self.failed);
        }
    }
}

impl Limiter {
    fn admit(&mut self, random: u64, now: Instant) -> Admission {
        self.underway.retain(|began| now.duration_since(*began) < FORGOTTEN);
        let (first, most) = SPACING;
        let spacing = match self.failures {
            0 => Duration::ZERO,
            failures => first.saturating_mul(1u32.checked_shl(failures - 1).unwrap_or(u32::MAX)).min(most),
        };
        let next = self.last.map_or(now, |last| last + spacing);
        if self.underway.len() >= MAX_UNDERWAY || next > now {
            // Whoever waits asks again at a time of their own, so that not all ask at once.
            let spread = Duration::from_millis(50 + random % 200);
            return Admission::Wait(next.saturating_duration_since(now).max(spread));
        }
        self.underway.push(now);
        self.last = Some(now);
        Admission::Go
    }

    fn finish(&mut self, began: Instant, failed: Option<bool>) {
        if let Some(at) = self.underway.iter().position(|known| *known == began) {
            self.underway.swap_remove(at);
        }
        match failed {
            Some(true) => self.failures = self.failures.saturating_add(1),
            Some(false) => self.failures = 0,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_logins_are_under_way_at_once() {
        let now = Instant::now();
        let mut limiter = Limiter::default();
        for _ in 0..MAX_UNDERWAY {
            assert_eq!(limiter.admit(0, now), Admission::Go);
        }
        assert!(matches!(limiter.admit(0, now), Admission::Wait(_)));
        limiter.finish(now, Some(false));
        assert_eq!(limiter.admit(0, now), Admission::Go);
        assert!(matches!(limiter.admit(0, now), Admission::Wait(_)));
        assert_eq!(limiter.admit(0, now + FORGOTTEN), Admission::Go, "attempts that never end are forgotten");
    }

    #[test]
    fn failures_space_attempts_out_and_a_success_ends_that() {
        let mut now = Instant::now();
        let mut limiter = Limiter::default();
        let mut waits = Vec::new();
        for _ in 0..10 {
            while let Admission::Wait(wait) = limiter.admit(0, now) {
                waits.push(wait);
                now += wait;
            }
            limiter.finish(now, Some(true));
        }
        assert!(waits.is_sorted() && *waits.last().unwrap() == SPACING.1, "{waits:?}");
        limiter.finish(now, Some(false));
        assert_eq!(limiter.admit(0, now), Admission::Go);
    }

    #[test]
    fn a_thousand_tunnels_do_not_storm_a_server_that_is_down() {
        let begin = Instant::now();
        let mut limiter = Limiter::default();
        // When each tunnel asks next.
        let mut tunnels = vec![begin; 1000];
        let (mut now, mut attempts, mut random) = (begin, 0u64, 1u64);
        while now < begin + Duration::from_secs(3600) {
            let at = (0..tunnels.len()).min_by_key(|at| tunnels[*at]).unwrap();
            now = tunnels[at];
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            tunnels[at] = match limiter.admit(random >> 33, now) {
                Admission::Go => {
                    attempts += 1;
                    limiter.finish(now, Some(true));
                    now + Duration::from_secs(30)
                }
                Admission::Wait(wait) => now + wait,
            };
        }
        assert!(attempts < 3600 / 5 + 20, "{attempts} attempts in an hour");
        assert!(attempts > 3600 / 10, "{attempts}: it goes on");
    }
}
