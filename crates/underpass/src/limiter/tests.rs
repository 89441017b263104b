use std::cmp::Reverse;
use std::collections::BinaryHeap;

use underpass_testkit::entropy::SeededEntropy;

use super::*;
use crate::reconnect::{Reconnect, Retrying, Verdict};
use crate::{Error, Step};

const SECOND: Duration = Duration::from_secs(1);

fn bastion() -> Server {
    Server::new("bastion", 22)
}

fn go<'a>(limiters: &'a Limiters, server: &Server, now: Instant) -> Permit<'a> {
    match limiters.admit(server, 0, now) {
        Admission::Go(permit) => permit,
        Admission::Wait(wait) => panic!("told to wait for {wait:?}"),
    }
}

fn wait(limiters: &Limiters, server: &Server, random: u64, now: Instant) -> Duration {
    match limiters.admit(server, random, now) {
        Admission::Go(_) => panic!("told to go"),
        Admission::Wait(wait) => wait,
    }
}

#[test]
fn a_few_attempts_run_side_by_side_and_the_next_waits_for_one_to_end() {
    let (limiters, now) = (Limiters::new(), Instant::now());
    let mut permits: Vec<_> = (0..MAX_RUNNING).map(|_| go(&limiters, &bastion(), now)).collect();
    assert!(wait(&limiters, &bastion(), 0, now) < SECOND);
    permits.pop().unwrap().finish(Outcome::Established, now);
    permits.push(go(&limiters, &bastion(), now));
    wait(&limiters, &bastion(), 0, now);
    permits.pop();
    drop(go(&limiters, &bastion(), now));
}

#[test]
fn servers_do_not_wait_for_each_other_but_spellings_of_one_do() {
    let (limiters, now) = (Limiters::new(), Instant::now());
    let _permits: Vec<_> = (0..MAX_RUNNING).map(|_| go(&limiters, &bastion(), now)).collect();
    drop(go(&limiters, &Server::new("bastion", 2222), now));
    drop(go(&limiters, &Server::new("other", 22), now));
    wait(&limiters, &Server::new("Bastion.", 22), 0, now);
}

#[test]
fn failures_put_growing_pauses_between_attempts() {
    let limiters = Limiters::new();
    let mut now = Instant::now();
    for pause in [100, 200, 400, 800, 1600, 2000, 2000] {
        let pause = Duration::from_millis(pause);
        go(&limiters, &bastion(), now).finish(Outcome::Failed, now);
        assert!(wait(&limiters, &bastion(), 0, now) >= pause);
        wait(&limiters, &bastion(), 0, now + pause - Duration::from_millis(1));
        now += pause;
    }
}

#[test]
fn a_server_that_is_back_is_fully_used_within_seconds() {
    let limiters = Limiters::new();
    let mut now = Instant::now();
    for _ in 0..100 {
        go(&limiters, &bastion(), now).finish(Outcome::Failed, now);
        now += LONGEST_PAUSE;
    }
    let back = now;
    for _ in 0..MAX_STRAIN {
        let permit = loop {
            match limiters.admit(&bastion(), 0, now) {
                Admission::Go(permit) => break permit,
                Admission::Wait(wait) => now += wait,
            }
        };
        permit.finish(Outcome::Established, now);
    }
    assert!(now - back < 15 * SECOND, "{:?}", now - back);
    let _permits: Vec<_> = (0..MAX_RUNNING).map(|_| go(&limiters, &bastion(), now)).collect();
}

#[test]
fn the_whole_process_shares_one() {
    let (server, now) = (Server::new("shared.invalid", 22), Instant::now());
    let _permits: Vec<_> = (0..MAX_RUNNING).map(|_| go(&LIMITERS, &server, now)).collect();
    wait(&LIMITERS, &server, 0, now);
}

#[test]
fn an_attempt_that_was_called_off_is_no_failure() {
    let (limiters, now) = (Limiters::new(), Instant::now());
    for _ in 0..100 {
        drop(go(&limiters, &bastion(), now));
    }
}

#[test]
fn connections_that_break_at_once_are_failures() {
    let limiters = Limiters::new();
    let mut now = Instant::now();
    for _ in 0..20 {
        go(&limiters, &bastion(), now).finish(Outcome::Established, now);
        limiters.broke_early(&bastion(), now);
        now += LONGEST_PAUSE;
    }
    go(&limiters, &bastion(), now).finish(Outcome::Established, now);
    limiters.broke_early(&bastion(), now);
    assert!(wait(&limiters, &bastion(), 0, now) >= LONGEST_PAUSE);
    limiters.broke_early(&Server::new("unheard-of", 22), now);
}

#[test]
fn a_change_of_the_network_forgives_failures_once_in_a_while() {
    let limiters = Limiters::new();
    let mut now = Instant::now();
    let mut fail_often = || {
        // Longer than a failure is held against the server.
        now += FORGIVING_INTERVAL;
        for _ in 0..=MAX_STRAIN {
            now += LONGEST_PAUSE;
            go(&limiters, &bastion(), now).finish(Outcome::Failed, now);
        }
        now
    };
    let now = fail_often();
    assert!(wait(&limiters, &bastion(), 0, now) >= LONGEST_PAUSE);
    limiters.network_changed(now);
    go(&limiters, &bastion(), now).finish(Outcome::Failed, now);
    limiters.network_changed(now);
    assert!(wait(&limiters, &bastion(), 0, now) >= FIRST_PAUSE, "it was forgiven just now");

    let now = fail_often();
    limiters.network_changed(now);
    drop(go(&limiters, &bastion(), now));
}

#[test]
fn those_who_wait_come_back_one_by_one() {
    let (limiters, now) = (Limiters::new(), Instant::now());
    let mut random = SeededEntropy::new(1);
    go(&limiters, &bastion(), now).finish(Outcome::Failed, now);
    let mut waits: Vec<_> = (0..1000).map(|_| wait(&limiters, &bastion(), random.draw(), now)).collect();
    waits.sort();
    let busiest = waits.windows(100).map(|some| some[99] - some[0]).min().unwrap();
    assert!(busiest > SECOND / 2, "100 of 1000 within {busiest:?}");
    assert!(*waits.last().unwrap() <= FIRST_PAUSE + LONGEST_SPREAD);
}

#[test]
fn names_that_change_all_the_time_do_not_fill_the_memory() {
    let (limiters, now) = (Limiters::new(), Instant::now());
    let busy = go(&limiters, &Server::new("busy", 22), now);
    for at in 0..3 * MAX_SERVERS {
        drop(go(&limiters, &Server::new(&format!("host{at}"), 22), now + Duration::from_millis(at as u64)));
    }
    assert!(limiters.lock().len() <= MAX_SERVERS);
    assert!(limiters.lock().contains_key(&Server::new("busy", 22)));
    busy.finish(Outcome::Established, now);
    drop(go(&limiters, &bastion(), now + 2 * MEMORY));
    assert_eq!(limiters.lock().len(), 1, "nothing happened for long");
}

/// How a server treats those who connect.
#[derive(Debug, Clone, Copy)]
enum Manners {
    /// It does not answer.
    Dead,
    /// It lets everybody in and drops them after so long.
    Drops(Duration),
}

/// What a tunnel does when its time comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// It asks for an attempt.
    Ask,
    /// Its attempt ends.
    End,
    /// Its connection breaks.
    Break,
}

/// A thousand tunnels of one process, and their server.
struct Fleet {
    limiter: Limiter,
    tunnels: Vec<Retrying>,
    queue: BinaryHeap<Reverse<(Instant, Next, usize)>>,
    random: SeededEntropy,
    start: Instant,
    /// When attempts started.
    attempts: Vec<Duration>,
}

impl Fleet {
    /// They all have lost the server at this moment.
    fn new(count: usize) -> Self {
        let start = Instant::now();
        let mut fleet = Self {
            limiter: Limiter::new(start),
            tunnels: (0..count).map(|_| Retrying::new(&Reconnect::always())).collect(),
            queue: BinaryHeap::new(),
            random: SeededEntropy::new(9),
            start,
            attempts: Vec::new(),
        };
        for tunnel in 0..count {
            fleet.fail(tunnel, start);
        }
        fleet
    }

    fn run_until(&mut self, end: Duration, manners: Manners) {
        let handshake = Duration::from_millis(50);
        while let Some(&Reverse((now, next, tunnel))) = self.queue.peek() {
            if now > self.start + end {
                return;
            }
            self.queue.pop();
            match (next, manners) {
                (Next::Ask, _) => match self.limiter.admit(self.random.draw(), now) {
                    Ok(()) => {
                        self.attempts.push(now - self.start);
                        self.later(now + handshake, Next::End, tunnel);
                    }
                    Err(wait) => self.later(now + wait, Next::Ask, tunnel),
                },
                (Next::End, Manners::Dead) => {
                    self.limiter.learn(Outcome::Failed, now);
                    self.limiter.release();
                    self.fail(tunnel, now);
                }
                (Next::End, Manners::Drops(after)) => {
                    self.limiter.learn(Outcome::Established, now);
                    self.limiter.release();
                    self.tunnels[tunnel].on_established(now);
                    self.later(now + after, Next::Break, tunnel);
                }
                (Next::Break, _) => {
                    if self.tunnels[tunnel].broke_early(now) {
                        self.limiter.broke_early(now);
                    }
                    self.fail(tunnel, now);
                }
            }
        }
    }

    fn fail(&mut self, tunnel: usize, now: Instant) {
        let error = Error::lost(Step::Carry, "bastion", None);
        match self.tunnels[tunnel].on_failure(&error, self.random.draw(), now) {
            Verdict::Retry { after, .. } => self.later(now + after, Next::Ask, tunnel),
            Verdict::GiveUp(reason) => panic!("{reason}"),
        }
    }

    fn later(&mut self, at: Instant, next: Next, tunnel: usize) {
        self.queue.push(Reverse((at, next, tunnel)));
    }

    /// The most attempts within any second.
    fn busiest_second(&self) -> usize {
        let mut oldest = 0;
        let within = |(newest, at): (usize, &Duration)| {
            while *at - self.attempts[oldest] > SECOND {
                oldest += 1;
            }
            newest + 1 - oldest
        };
        self.attempts.iter().enumerate().map(within).max().unwrap_or_default()
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// With the longest pause between them.
const ATTEMPTS_PER_DAY: usize = 24 * 3600 / 2;

#[test]
fn a_thousand_tunnels_ask_a_dead_server_for_a_day_without_a_storm() {
    let mut fleet = Fleet::new(1000);
    fleet.run_until(DAY, Manners::Dead);
    let count = fleet.attempts.len();
    assert!((ATTEMPTS_PER_DAY / 2..ATTEMPTS_PER_DAY + 50).contains(&count), "{count}");
    assert!(fleet.busiest_second() <= 10, "{}", fleet.busiest_second());
}

#[test]
fn a_server_that_drops_a_thousand_tunnels_all_day_sees_no_storm() {
    for after in [Duration::ZERO, 5 * SECOND, 9 * SECOND] {
        let mut fleet = Fleet::new(1000);
        fleet.run_until(DAY, Manners::Drops(after));
        let count = fleet.attempts.len();
        assert!((ATTEMPTS_PER_DAY / 2..2 * ATTEMPTS_PER_DAY).contains(&count), "{after:?}: {count}");
        assert!(fleet.busiest_second() <= 100, "{after:?}: {}", fleet.busiest_second());
    }
}

#[test]
fn after_an_hour_without_the_server_all_tunnels_are_back_within_two_minutes() {
    let mut fleet = Fleet::new(1000);
    let (outage, back) = (3600 * SECOND, 120 * SECOND);
    fleet.run_until(outage, Manners::Dead);
    let before = fleet.attempts.len();
    fleet.run_until(outage + back, Manners::Drops(DAY));
    assert_eq!(fleet.attempts.len() - before, 1000);
    assert!(fleet.busiest_second() <= 80, "{}", fleet.busiest_second());
}
