//! Each half of a channel ends on its own, after its data and not before.

use underpass_testkit::pair::{Job, Pair, Taking, Then};

use crate::support::conditions;

const MIB: u64 = 1 << 20;

#[test]
fn a_target_that_sends_and_closes_at_once_is_read_to_the_end() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let ids: Vec<_> = (0..10)
            .map(|n| pair.open_channel(Job::check(n), Job::send(n, MIB / 8, Then::Close, Taking::Check(0))))
            .collect();
        pair.run_until_idle();
        for id in ids {
            let report = pair.client.report(id);
            assert_eq!((report.received, report.finished, report.closed), (MIB / 8, true, true));
        }
    }
}

#[test]
fn a_slow_reader_gets_everything_after_the_target_is_gone() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let reader = Job::send(0, 0, Then::Finish, Taking::Slowly(9, 1000));
        let id = pair.open_channel(reader, Job::send(9, 200_000, Then::Close, Taking::Check(0)));
        pair.run_until_idle();
        let report = pair.client.report(id);
        assert_eq!((report.received, report.finished), (200_000, true));
    }
}

#[test]
fn an_upload_that_ends_its_half_still_gets_the_answer() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        // The client ends its half long before the answer is complete.
        let id = pair.open_channel(Job::exchange(1, 1000, 2), Job::exchange(2, 200_000, 1));
        pair.run_until_idle();
        let report = pair.client.report(id);
        assert_eq!((report.sent, report.received, report.finished), (1000, 200_000, true));
    }
}

#[test]
fn a_target_that_ends_its_half_first_still_takes_the_upload() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let id = pair.open_channel(Job::exchange(1, 200_000, 2), Job::exchange(2, 0, 1));
        pair.run_until_idle();
        assert!(pair.client.report(id).finished);
        assert_eq!(pair.server.report(pair.server.accepted[&0]).received, 200_000);
    }
}

#[test]
fn a_reset_is_not_turned_into_a_clean_end() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let id = pair.open_channel(
            Job::send(1, 1 << 30, Then::Finish, Taking::Check(2)),
            Job::send(2, 50_000, Then::Reset, Taking::Check(1)),
        );
        pair.run_until_idle();
        let report = pair.client.report(id);
        assert!(report.closed && !report.finished, "{report:?}");
        assert_eq!(report.received, 50_000, "what came before the reset is delivered");
    }
}

#[test]
fn a_writer_learns_that_the_peer_has_closed() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        // The client's half never ends by itself and waits for room nearly always.
        let id = pair.open_channel(
            Job::send(1, u64::MAX, Then::Stay, Taking::Check(0)),
            Job::send(0, 0, Then::Stay, Taking::Stall),
        );
        pair.run_until("the window is used up", |pair| {
            pair.up.in_flight() == 0
                && pair.server.held_in_all() == underpass_proto::limits::INITIAL_WINDOW as usize
        });
        let there = pair.server.accepted[&0];
        let now = pair.now();
        pair.server.abandon(there, now);
        pair.run_until_idle();
        assert!(pair.client.report(id).closed);
    }
}
