use underpass_testkit::entropy::SeededEntropy;
use underpass_wire::DisconnectReason;

use super::*;
use crate::Step;

const SECOND: Duration = Duration::from_secs(1);

fn lost() -> Error {
    Error::lost(Step::Carry, "bastion", None)
}

fn unreachable() -> Error {
    Error::dial("bastion", Vec::new())
}

fn too_many() -> Error {
    Error::disconnected(Step::Identify, "bastion", DisconnectReason::TOO_MANY_CONNECTIONS, b"")
}

fn refused() -> Error {
    Error::authentication("bastion", "me", Vec::new(), Vec::new())
}

/// A tunnel under virtual time, with replayable chance.
struct Tunnel {
    retrying: Retrying,
    random: SeededEntropy,
    now: Instant,
}

impl Tunnel {
    fn new(settings: &Reconnect, seed: u64) -> Self {
        let (random, now) = (SeededEntropy::new(seed), Instant::now());
        Self { retrying: Retrying::new(settings), random, now }
    }

    /// Fails, and waits for as long as it is told.
    fn fail(&mut self, error: &Error) -> Result<(Duration, u32), Reason> {
        match self.retrying.on_failure(error, self.random.draw(), self.now) {
            Verdict::Retry { after, attempt } => {
                self.now += after;
                Ok((after, attempt))
            }
            Verdict::GiveUp(reason) => Err(reason),
        }
    }

    fn is_up_for(&mut self, time: Duration) {
        self.retrying.on_established(self.now);
        self.now += time;
    }

    fn hurry(&mut self) -> Option<Duration> {
        self.retrying.immediate(self.random.draw(), self.now)
    }
}

#[test]
fn the_settings_say_when_a_failure_is_the_last() {
    let mut never = Tunnel::new(&Reconnect::never(), 1);
    never.is_up_for(SECOND);
    assert_eq!(never.fail(&lost()), Err(Reason::NotAskedFor));

    let mut after_break = Tunnel::new(&Reconnect::default(), 1);
    assert_eq!(after_break.fail(&unreachable()), Err(Reason::NotAskedFor));
    after_break.is_up_for(SECOND);
    assert!(after_break.fail(&lost()).is_ok());
    assert!(after_break.fail(&unreachable()).is_ok());

    let mut always = Tunnel::new(&Reconnect::always(), 1);
    assert!(always.fail(&unreachable()).is_ok());
}

#[test]
fn waits_grow_to_the_cap_and_stay_between_their_ends() {
    for seed in 0..200 {
        let mut tunnel = Tunnel::new(&Reconnect::always(), seed);
        let (first, _) = tunnel.fail(&lost()).unwrap();
        assert!((SECOND / 10..=SECOND / 2).contains(&first), "{first:?}");
        let mut longest = SECOND;
        for _ in 0..30 {
            let (after, _) = tunnel.fail(&unreachable()).unwrap();
            assert!((SECOND / 2..=longest.min(60 * SECOND)).contains(&after), "{after:?} of {longest:?}");
            longest += longest / 4;
        }
    }
}

#[test]
fn waits_use_the_whole_of_their_range() {
    let mut waits: Vec<_> = (0..1000)
        .map(|seed| {
            let mut tunnel = Tunnel::new(&Reconnect::always(), seed);
            (0..25).map(|_| tunnel.fail(&unreachable()).unwrap().0).last().unwrap()
        })
        .collect();
    waits.sort();
    for (part, expected) in [(100, 6), (500, 30), (900, 54)] {
        let expected = expected * SECOND;
        assert!((expected - 4 * SECOND..=expected + 4 * SECOND).contains(&waits[part]), "{:?}", waits[part]);
    }
}

#[test]
fn a_day_of_failures_is_no_storm() {
    let day = 24 * 3600 * SECOND;
    for (backoff, least_mean) in [
        (Backoff::default(), 28 * SECOND),
        (Backoff::Fixed(5 * SECOND), 4 * SECOND),
        (Backoff::Fixed(Duration::ZERO), LEAST_WAIT),
        (Backoff::Exponential { first: Duration::ZERO, most: Duration::ZERO }, LEAST_WAIT),
        (Backoff::Exponential { first: 10 * SECOND, most: SECOND }, SECOND / 2),
    ] {
        let mut tunnel = Tunnel::new(&Reconnect::always().backoff(backoff), 7);
        let (start, mut attempts) = (tunnel.now, 0);
        while tunnel.now < start + day {
            tunnel.fail(&unreachable()).unwrap();
            attempts += 1;
        }
        assert!(day / attempts >= least_mean, "{backoff:?}: {attempts} attempts");
    }
}

#[test]
fn no_settings_overflow() {
    for backoff in [
        Backoff::Fixed(Duration::MAX),
        Backoff::Exponential { first: Duration::MAX, most: Duration::MAX },
        Backoff::Exponential { first: SECOND, most: Duration::MAX },
    ] {
        let mut retrying = Retrying::new(&Reconnect::always().backoff(backoff));
        for random in [0, u64::MAX] {
            for _ in 0..100 {
                let verdict = retrying.on_failure(&unreachable(), random, Instant::now());
                assert!(matches!(verdict, Verdict::Retry { .. }));
            }
        }
    }
}

#[test]
fn chance_reaches_from_one_end_to_the_other() {
    let (least, most) = (Duration::new(3, 999_999_999), Duration::new(7, 1));
    assert_eq!(between(least, most, 0), least);
    assert_eq!(between(least, most, 1 << 63), Duration::new(5, 500_000_000));
    let top = between(least, most, u64::MAX);
    assert!(top <= most && most - top <= Duration::from_nanos(1), "{top:?}");
    assert_eq!(between(most, least, u64::MAX), most, "an empty range is its lower end");
    assert!(between(Duration::ZERO, Duration::MAX, u64::MAX) <= Duration::MAX);
}

#[test]
fn after_so_many_attempts_in_a_row_it_gives_up() {
    let mut tunnel = Tunnel::new(&Reconnect::default().at_most(3), 1);
    tunnel.is_up_for(3600 * SECOND);
    assert_eq!(tunnel.fail(&lost()).unwrap().1, 1);
    assert_eq!(tunnel.fail(&unreachable()).unwrap().1, 2);
    assert_eq!(tunnel.fail(&unreachable()).unwrap().1, 3);
    assert_eq!(tunnel.fail(&unreachable()), Err(Reason::Attempts(3)));

    let mut none = Tunnel::new(&Reconnect::always().at_most(0), 1);
    assert_eq!(none.fail(&unreachable()), Err(Reason::Attempts(0)));
}

#[test]
fn a_connection_that_stays_up_starts_the_count_again() {
    let mut tunnel = Tunnel::new(&Reconnect::always().at_most(5), 1);
    for _ in 0..3 {
        for attempt in 1..=5 {
            assert_eq!(tunnel.fail(&unreachable()).unwrap().1, attempt);
        }
        tunnel.is_up_for(STEADY_AT_MOST);
        assert!(!tunnel.retrying.broke_early(tunnel.now));
    }
    let (after, attempt) = tunnel.fail(&lost()).unwrap();
    assert_eq!(attempt, 1);
    assert!(after <= SECOND, "{after:?}");
}

#[test]
fn a_server_that_accepts_and_drops_is_not_a_success() {
    let mut tunnel = Tunnel::new(&Reconnect::always().at_most(20), 1);
    for attempt in 1..=20 {
        let (_, counted) = tunnel.fail(&lost()).unwrap();
        assert_eq!(counted, attempt);
        assert!(!tunnel.retrying.broke_early(tunnel.now), "there is no connection");
        tunnel.is_up_for(SECOND);
        assert!(tunnel.retrying.broke_early(tunnel.now));
    }
    assert_eq!(tunnel.fail(&lost()), Err(Reason::Attempts(20)));
}

#[test]
fn patient_settings_do_not_make_a_long_connection_a_failure() {
    let patient = Backoff::Fixed(3600 * SECOND);
    let mut tunnel = Tunnel::new(&Reconnect::always().backoff(patient), 1);
    tunnel.fail(&unreachable()).unwrap();
    tunnel.fail(&unreachable()).unwrap();
    tunnel.is_up_for(STEADY_AT_MOST);
    assert_eq!(tunnel.fail(&lost()).unwrap().1, 1);
}

#[test]
fn an_overloaded_server_gets_more_time() {
    let mut tunnel = Tunnel::new(&Reconnect::always(), 3);
    let (after, _) = tunnel.fail(&too_many()).unwrap();
    assert!(after >= 30 * SECOND, "{after:?}");

    let slow = Error::timeout(Step::Identify, "bastion", SECOND);
    let mean = (0..1000).map(|seed| Tunnel::new(&Reconnect::always(), seed).fail(&slow).unwrap().0);
    let mean = mean.sum::<Duration>() / 1000;
    assert!((4 * SECOND..5 * SECOND).contains(&mean), "{mean:?}");
}

#[test]
fn what_was_refused_is_tried_again_only_on_request_and_slowly() {
    assert_eq!(Tunnel::new(&Reconnect::always(), 1).fail(&refused()), Err(Reason::Refused));
    let mut insistent = Tunnel::new(&Reconnect::always().even_if_refused(), 1);
    for _ in 0..10 {
        assert!(insistent.fail(&refused()).unwrap().0 >= 30 * SECOND);
        assert_eq!(insistent.hurry(), None);
    }
    assert_eq!(insistent.fail(&Error::configuration("x")), Err(Reason::Lasting));
}

#[test]
fn a_change_of_the_network_cuts_the_wait_short_once_in_a_while() {
    let mut tunnel = Tunnel::new(&Reconnect::always(), 5);
    while tunnel.fail(&unreachable()).unwrap().0 < 30 * SECOND {}
    let verdict = tunnel.retrying.on_failure(&unreachable(), u64::MAX, tunnel.now);
    assert!(matches!(verdict, Verdict::Retry { after, .. } if after > 59 * SECOND));

    let after = tunnel.hurry().expect("a long wait lies ahead");
    assert!(after <= HURRY_SPREAD);
    tunnel.now += after;
    assert!(tunnel.fail(&unreachable()).unwrap().0 <= SECOND, "waits start small again");
    tunnel.fail(&unreachable()).unwrap();
    let start = tunnel.now;
    let mut hurried = Vec::new();
    while tunnel.now < start + 600 * SECOND {
        tunnel.retrying.on_failure(&unreachable(), u64::MAX, tunnel.now);
        tunnel.now += SECOND / 10;
        hurried.extend(tunnel.hurry().map(|_| tunnel.now));
    }
    assert!(hurried.windows(2).all(|pair| pair[1] - pair[0] >= HURRY_INTERVAL));
    assert!(hurried.len() > 30, "{}", hurried.len());
}

#[test]
fn a_wait_is_never_made_longer_or_against_the_servers_wish() {
    let mut tunnel = Tunnel::new(&Reconnect::always(), 5);
    assert_eq!(tunnel.hurry(), None, "nothing is waited for");
    tunnel.retrying.on_failure(&unreachable(), 0, tunnel.now);
    assert_eq!(tunnel.retrying.immediate(u64::MAX, tunnel.now), None, "half a second is left");
    tunnel.retrying.on_failure(&too_many(), u64::MAX, tunnel.now);
    assert_eq!(tunnel.retrying.immediate(0, tunnel.now), None);
    tunnel.retrying.on_established(tunnel.now);
    assert_eq!(tunnel.retrying.immediate(0, tunnel.now), None);
}

#[test]
fn reasons_read_as_half_sentences() {
    assert_eq!(Reason::Attempts(3).to_string(), "all 3 attempts that the settings allow failed");
    assert_eq!(Reason::Refused.to_string(), "what was refused is not tried again");
}
