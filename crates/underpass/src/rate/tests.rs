use underpass_testkit::entropy::SeededEntropy;

use super::*;

const RATES: [u64; 8] = [1, 3, 15, 999, 64 * 1024, 10_000_000, 1_250_000_000, 100_000_000_000];

const SPAN: Duration = Duration::from_secs(100);

fn bucket(rate: u64, now: Instant) -> Bucket {
    Bucket::new(NonZeroU64::new(rate).unwrap(), now)
}

/// Checks that `sent` in [`SPAN`] is what `rate` promises: within one percent, and a burst on top.
fn check(rate: u64, sent: u128, pattern: &str) {
    let exact = u128::from(rate) * u128::from(SPAN.as_secs());
    let burst = u128::from(rate / 10).max(2);
    assert!(sent <= exact + burst, "{rate} B/s, {pattern}: {sent} is too much");
    // The last quantum may still be under way.
    assert!(sent + burst >= exact * 99 / 100, "{rate} B/s, {pattern}: {sent} is too little");
}

/// Sends whatever is allowed, each time that `pause` says.
fn send_for_a_while(rate: u64, mut pause: impl FnMut(&Bucket, Instant) -> Duration) -> u128 {
    let start = Instant::now();
    let mut bucket = bucket(rate, start);
    let (mut now, mut sent) = (start, 0);
    while now <= start + SPAN {
        let allowed = bucket.allowance(now);
        bucket.spend(allowed, now);
        sent += allowed as u128;
        now += pause(&bucket, now);
    }
    sent
}

fn until_due(bucket: &Bucket, now: Instant) -> Duration {
    bucket.due(now).map_or(Duration::ZERO, |due| due - now)
}

#[test]
fn whoever_looks_when_it_is_due_gets_the_rate() {
    for rate in RATES {
        check(rate, send_for_a_while(rate, until_due), "on time");
    }
}

#[test]
fn timers_that_are_late_cost_nothing() {
    let mut random = SeededEntropy::new(1);
    for rate in RATES {
        let sent = send_for_a_while(rate, |bucket, now| {
            until_due(bucket, now) + Duration::from_micros(random.below(10_000))
        });
        check(rate, sent, "late");
    }
}

#[test]
fn looking_all_the_time_gives_no_more_and_rounds_nothing_away() {
    for rate in RATES {
        check(rate, send_for_a_while(rate, |_, _| Duration::from_nanos(777_777)), "busy");
    }
}

#[test]
fn small_pieces_add_up_to_the_rate() {
    for rate in [999, 64 * 1024, 1_000_000] {
        let start = Instant::now();
        let mut bucket = bucket(rate, start);
        let (mut now, mut sent) = (start, 0);
        while now <= start + SPAN {
            let piece = bucket.allowance(now).min(100);
            bucket.spend(piece, now);
            sent += piece as u128;
            if bucket.allowance(now) == 0 {
                now = bucket.due(now).expect("nothing is allowed");
            }
        }
        check(rate, sent, "small pieces");
    }
}

#[test]
fn when_it_is_due_something_is_allowed() {
    for rate in RATES {
        let start = Instant::now();
        let mut bucket = bucket(rate, start);
        assert_eq!(bucket.due(start), None, "it starts full");
        bucket.spend(bucket.allowance(start), start);
        let due = bucket.due(start).expect("it is empty");
        assert!(bucket.allowance(due) > 0, "{rate} B/s");
        assert_eq!(bucket.due(due), None, "{rate} B/s");
    }
}

#[test]
fn a_pause_saves_up_no_more_than_a_burst() {
    let start = Instant::now();
    let bucket = bucket(1000, start);
    assert_eq!(bucket.allowance(start + Duration::from_secs(3600)), 100);
}

#[test]
fn what_was_overspent_is_paid_back() {
    let start = Instant::now();
    let mut bucket = bucket(1000, start);
    bucket.spend(1100, start);
    assert_eq!(bucket.allowance(start + Duration::from_secs(1)), 0);
    assert_eq!(bucket.allowance(start + Duration::from_millis(1050)), 50);
    assert_eq!(bucket.due(start), Some(start + Duration::from_millis(1025)));
}

#[test]
fn extremes_overflow_nothing() {
    let start = Instant::now();
    for rate in [1, u64::MAX] {
        let mut bucket = bucket(rate, start);
        for _ in 0..3 {
            bucket.spend(usize::MAX, start);
        }
        let far = start + Duration::from_secs(1 << 32);
        assert!(bucket.due(start).is_none_or(|due| due > start));
        bucket.spend(0, far);
        assert!(bucket.due(far).is_none_or(|due| due > far));
    }
}

#[test]
fn a_clock_that_steps_back_gives_nothing_away() {
    let start = Instant::now() + SPAN;
    let mut bucket = bucket(1000, start);
    bucket.spend(100, start);
    bucket.spend(0, start - SPAN);
    assert_eq!(bucket.allowance(start), 0);
}

#[test]
fn the_tighter_of_two_limits_counts_and_both_are_charged() {
    let start = Instant::now();
    let (mut tunnel, mut connection) = (bucket(1000, start), bucket(500, start));
    let mut limits = Limits([Some(&mut tunnel), Some(&mut connection)]);
    assert_eq!(limits.allowance(start), 50);
    limits.spend(50, start);
    assert_eq!(limits.allowance(start), 0);
    assert_eq!(limits.due(start), Some(start + Duration::from_millis(24)), "the connection's");
    assert_eq!(tunnel.allowance(start), 50);

    let mut other = bucket(1000, start);
    let mut limits = Limits([Some(&mut tunnel), Some(&mut other)]);
    limits.spend(limits.allowance(start), start);
    assert_eq!(other.allowance(start), 50, "the tunnel had no more for it");
}

#[test]
fn without_limits_everything_is_allowed() {
    let now = Instant::now();
    let mut limits = Limits([None, None]);
    limits.spend(usize::MAX, now);
    assert_eq!((limits.allowance(now), limits.due(now)), (usize::MAX, None));
}
