//! How many connection attempts a server gets from this process at a time, whatever the number of tunnels.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::blocking::lock;
use crate::reconnect::between;

/// The limiter that all tunnels of this process share.
pub(crate) static LIMITERS: Limiters = Limiters::new();

/// One limiter for each server.
#[derive(Debug)]
pub(crate) struct Limiters(Mutex<BTreeMap<Server, Limiter>>);

/// A server, as far as its load is concerned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Server {
    host: String,
    port: u16,
}

impl Server {
    /// `host` in any spelling.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        Self { host, port }
    }
}

/// Whether an attempt may start.
#[derive(Debug)]
pub(crate) enum Admission<'a> {
    /// Now. The permit is held until the user is logged in or the attempt has failed.
    Go(Permit<'a>),
    /// Not now: ask again after this time.
    Wait(Duration),
}

/// The right to one attempt. Dropped without a word, it counts as an attempt that was called off, or that failed
/// before the server had anything to do with it.
#[derive(Debug)]
#[must_use = "others wait until it is finished"]
pub(crate) struct Permit<'a> {
    limiters: &'a Limiters,
    server: Server,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A user is logged in.
    Established,
    /// Anything else.
    Failed,
}

impl Limiters {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Asks for an attempt. `random` is any number, a new one each time.
    pub(crate) fn admit(&self, server: &Server, random: u64, now: Instant) -> Admission<'_> {
        let mut servers = self.lock();
        if !servers.contains_key(server) {
            make_room(&mut servers, now);
        }
        let limiter = servers.entry(server.clone()).or_insert_with(|| Limiter::new(now));
        match limiter.admit(random, now) {
            Ok(()) => Admission::Go(Permit { limiters: self, server: server.clone() }),
            Err(wait) => Admission::Wait(wait),
        }
    }

    /// A connection broke so early that it [counts as a failure](crate::reconnect::Retrying::broke_early).
    pub(crate) fn broke_early(&self, server: &Server, now: Instant) {
        if let Some(limiter) = self.lock().get_mut(server) {
            limiter.broke_early(now);
        }
    }

    /// The network changed, or the machine woke: what failed before says little about the servers.
    ///
    /// Any number of tunnels may say so; each server's failures are forgiven once in a while only.
    pub(crate) fn network_changed(&self, now: Instant) {
        for limiter in self.lock().values_mut() {
            limiter.forgive(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Server, Limiter>> {
        // A limiter is whole between any two statements; whoever panicked left nothing half done.
        lock(&self.0)
    }
}

impl Permit<'_> {
    /// Tells what became of the attempt.
    pub(crate) fn finish(self, outcome: Outcome, now: Instant) {
        if let Some(limiter) = self.limiters.lock().get_mut(&self.server) {
            limiter.learn(outcome, now);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiters.lock().get_mut(&self.server) {
            limiter.release();
        }
    }
}

/// Forgets idle servers when there are too many. Those with attempts under way stay; their number is that of the
/// permits.
fn make_room(servers: &mut BTreeMap<Server, Limiter>, now: Instant) {
    if servers.len() < MAX_SERVERS {
        return;
    }
    servers.retain(|_, limiter| !limiter.is_forgettable(now));
    if servers.len() < MAX_SERVERS {
        return;
    }
    let idle = servers.iter().filter(|(_, limiter)| limiter.running == 0);
    let oldest = idle.min_by_key(|(_, limiter)| limiter.touched).map(|(server, _)| server.clone());
    if let Some(oldest) = oldest {
        servers.remove(&oldest);
    }
}

/// The attempts at one server.
///
/// A few may run side by side. Failures put a pause between starts that doubles up to [`LONGEST_PAUSE`]; each success
/// halves it, so that a server that is back is fully used within seconds, and not all at once.
#[derive(Debug)]
struct Limiter {
    /// Permits that are out.
    running: u32,
    /// Failures that no success has made up for.
    strain: u32,
    /// When the latest attempt started or failed.
    touched: Instant,
    /// How often somebody was told to wait since the latest start: a measure of how many are waiting.
    turned_away: u32,
    /// When failures were last forgiven.
    forgiven: Option<Instant>,
}

impl Limiter {
    fn new(now: Instant) -> Self {
        Self { running: 0, strain: 0, touched: now, turned_away: 0, forgiven: None }
    }

    /// Starts an attempt, or says after which time to ask again.
    fn admit(&mut self, random: u64, now: Instant) -> Result<(), Duration> {
        let pause = self.pause().saturating_sub(now.saturating_duration_since(self.touched));
        if self.running < MAX_RUNNING && pause.is_zero() {
            self.running += 1;
            self.touched = now;
            self.turned_away = 0;
            return Ok(());
        }
        self.turned_away = self.turned_away.saturating_add(1);
        let spread = SPREAD.saturating_mul(self.turned_away).min(LONGEST_SPREAD);
        Err(pause + between(SPREAD / 2, spread, random))
    }

    fn learn(&mut self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Established => self.strain = self.strain.saturating_sub(1),
            Outcome::Failed => self.strain_by(1, MAX_STRAIN, now),
        }
    }

    fn broke_early(&mut self, now: Instant) {
        // One for the failure, one for the success that it turned out not to be.
        self.strain_by(2, MAX_STRAIN + EARLY_BREAKS, now);
    }

    fn forgive(&mut self, now: Instant) {
        let recently = |at| now.saturating_duration_since(at) < FORGIVING_INTERVAL;
        if !self.forgiven.is_some_and(recently) {
            self.forgiven = Some(now);
            self.strain = 0;
        }
    }

    fn release(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    fn strain_by(&mut self, failures: u32, most: u32, now: Instant) {
        self.strain = (self.strain + failures).min(self.strain.max(most));
        self.touched = self.touched.max(now);
    }

    /// Between the latest start or failure and the next start.
    fn pause(&self) -> Duration {
        match self.strain {
            0 => Duration::ZERO,
            strain => FIRST_PAUSE.saturating_mul(1 << (strain.min(MAX_STRAIN) - 1)).min(LONGEST_PAUSE),
        }
    }

    /// Whether a new limiter would do as well.
    fn is_forgettable(&self, now: Instant) -> bool {
        self.running == 0 && now.saturating_duration_since(self.touched) >= MEMORY
    }
}

/// sshd drops connections at random from the tenth on that has not logged in yet (`MaxStartups 10:30:100`). Others
/// need their share of those.
const MAX_RUNNING: u32 = 4;

const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A process that asks a dead server every two seconds, with all its tunnels, bothers nobody.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The first value at which the pause has its full length.
const MAX_STRAIN: u32 = 6;

/// Connections that may be up and about to break, while the pause has its full length: their successes must not shorten
/// it. One that lives for a minute counts as steady in any case.
const EARLY_BREAKS: u32 = 30;

/// A network that flaps must not lift the limit.
const FORGIVING_INTERVAL: Duration = Duration::from_secs(15);

/// The time of a handshake, about: those who wait should come back one by one.
const SPREAD: Duration = Duration::from_millis(50);

/// The longest that a tunnel sleeps while its server is free.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

/// Servers that are remembered. More than a process has business with; a name that changes all the time must not
/// fill the memory.
const MAX_SERVERS: usize = 1024;

/// How long failures are remembered, if memory is short.
const MEMORY: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
