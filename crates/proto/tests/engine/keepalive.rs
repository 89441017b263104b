//! Dead peers are found in time and living ones are left alone.

use std::time::Duration;

use underpass_proto::{Config, Deadline, Error, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::link::{Fault, Weather};
use underpass_testkit::pair::{Job, Pair, Setup, Taking, Then};
use underpass_testkit::peer::Peer;
use underpass_wire::{GlobalRequest, Ignore, Number, RequestFailure, Unimplemented};

use crate::support::{MILLISECOND, SECOND, conditions};

const HOUR: Duration = Duration::from_secs(3600);

fn patient() -> Config {
    Config { rekey_age: None, ..Config::default() }
}

#[test]
fn a_dead_peer_is_found_after_interval_times_count_of_silence() {
    for (interval, count) in [(15, 3), (1, 1), (7, 2), (60, 10), (5, 0)] {
        let config =
            Config { keepalive_interval: Some(interval * SECOND), keepalive_count: count, ..patient() };
        let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
        duel.exchange_keys();
        duel.log_on();
        duel.pass(3 * MILLISECOND);
        // The last thing that is heard.
        duel.peer.send(&Ignore { data: b"" });
        duel.settle();
        let total = interval * count.max(1) * SECOND;
        duel.pass(total - MILLISECOND);
        duel.expect_alive();
        let probes = duel.numbers();
        assert_eq!(probes, vec![Number::GLOBAL_REQUEST; count.max(1) as usize]);
        duel.pass(MILLISECOND);
        assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Keepalive));
    }
}

#[test]
fn a_link_that_goes_dead_is_found_by_both_sides() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        pair.open_channel(Job::exchange(1, 100_000, 1), Job::echo());
        pair.run_until_idle();
        let (up, down) = (pair.up.taken(), pair.down.taken());
        pair.up.fail(Fault::Blackhole(up));
        pair.down.fail(Fault::Blackhole(down));
        let start = pair.elapsed();
        pair.run_until_closed();
        let taken = pair.elapsed() - start;
        assert!(taken <= 45 * SECOND, "{taken:?}");
        for end in [&pair.client, &pair.server] {
            assert_eq!(end.closed, Some(Error::Timeout(Deadline::Keepalive)));
        }
    }
}

#[test]
fn a_link_that_goes_dead_under_load_is_found_too() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let endless = |seed| Job::send(seed, u64::MAX, Then::Stay, Taking::Check(3 - seed));
        let id = pair.open_channel(endless(1), endless(2));
        pair.run_until("data flows", |pair| pair.client.report(id).received > 500_000);
        let (up, down) = (pair.up.taken(), pair.down.taken());
        pair.up.fail(Fault::Blackhole(up));
        pair.down.fail(Fault::Blackhole(down));
        pair.run_until_closed();
        for end in [&pair.client, &pair.server] {
            // A key exchange can be under way, which has a deadline of its own.
            assert!(
                matches!(end.closed, Some(Error::Timeout(Deadline::Keepalive | Deadline::Rekey))),
                "{:?}",
                end.closed
            );
        }
    }
}

#[test]
fn a_silent_but_living_peer_is_kept() {
    let mut pair = Pair::open(Setup {
        weather: Weather { latency: SECOND, ..Weather::ROUGH },
        client: patient(),
        server: patient(),
        ..Setup::new(1)
    });
    pair.run_for(24 * HOUR);
    assert_eq!((&pair.client.closed, &pair.server.closed), (&None, &None));
}

#[test]
fn nothing_is_asked_while_data_comes() {
    let mut duel = Duel::new(Peer::new(Role::Server, 5), patient());
    duel.exchange_keys();
    duel.log_on();
    for _ in 0..1000 {
        duel.pass(11 * SECOND);
        duel.peer.send(&Ignore { data: b"" });
        duel.settle();
    }
    assert_eq!(duel.numbers(), []);
    duel.expect_alive();
}

#[test]
fn any_answer_is_a_sign_of_life_and_unanswered_requests_do_not_pile_up() {
    let answers: [fn(&mut Peer); 4] = [
        |peer| peer.send(&RequestFailure),
        |peer| peer.send(&underpass_wire::RequestSuccess { data: b"" }),
        |peer| peer.send(&Unimplemented { sequence: 0 }),
        |peer| peer.send(&Ignore { data: b"" }),
    ];
    for answer in answers {
        let mut duel = Duel::new(Peer::new(Role::Client, 5), patient());
        duel.exchange_keys();
        duel.log_on();
        for _ in 0..200 {
            duel.pass(12 * SECOND);
            let request = duel.expect(Number::GLOBAL_REQUEST);
            assert!(matches!(
                underpass_testkit::duel::message(&request),
                underpass_wire::Message::GlobalRequest(GlobalRequest {
                    name: "keepalive@openssh.com",
                    want_reply: true,
                    ..
                })
            ));
            answer(&mut duel.peer);
            duel.expect_alive();
        }
    }
}

#[test]
fn without_an_interval_nothing_is_asked() {
    let config = Config { keepalive_interval: None, ..patient() };
    let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
    duel.exchange_keys();
    duel.log_on();
    duel.pass(24 * HOUR);
    assert_eq!(duel.numbers(), []);
    duel.expect_alive();
}

#[test]
fn nothing_is_asked_before_the_user_is_logged_on() {
    let config = Config { auth_timeout: HOUR, handshake_timeout: HOUR, ..patient() };
    let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
    duel.exchange_keys();
    duel.grant_service();
    duel.received.clear();
    duel.pass(HOUR - SECOND);
    assert_eq!(duel.numbers(), []);
    duel.expect_alive();
}
