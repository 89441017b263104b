//! A sign of life when the application wants one, beside the keepalives.

use std::time::Duration;

use underpass_proto::{Answer, Config, Deadline, Error, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::link::Fault;
use underpass_testkit::pair::{Job, Pair};
use underpass_testkit::peer::Peer;
use underpass_wire::{Ignore, Number, RequestFailure};

use crate::support::{MILLISECOND, ROLES, SECOND, conditions};

/// An engine whose peer plays this role, logged on.
fn duel(role: Role, keepalive_interval: Option<Duration>) -> Duel {
    let config = Config { keepalive_interval, rekey_age: None, ..Config::default() };
    let mut duel = Duel::new(Peer::new(role, 5), config);
    duel.exchange_keys();
    duel.log_on();
    duel
}

#[test]
fn silence_after_a_probe_ends_the_connection_when_patience_does() {
    for role in ROLES {
        for interval in [None, Some(15 * SECOND)] {
            let mut duel = duel(role, interval);
            duel.engine.probe(5 * SECOND, duel.now);
            duel.expect(Number::GLOBAL_REQUEST);
            duel.pass(5 * SECOND - MILLISECOND);
            duel.expect_alive();
            duel.pass(MILLISECOND);
            assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Keepalive));
        }
    }
}

#[test]
fn anything_that_comes_answers_a_probe() {
    let answers: [fn(&mut Peer); 2] =
        [|peer| peer.send(&RequestFailure), |peer| peer.send(&Ignore { data: b"" })];
    for role in ROLES {
        for answer in answers {
            let mut duel = duel(role, None);
            for _ in 0..100 {
                duel.engine.probe(5 * SECOND, duel.now);
                duel.expect(Number::GLOBAL_REQUEST);
                duel.pass(5 * SECOND - MILLISECOND);
                answer(&mut duel.peer);
                duel.settle();
                duel.pass(1000 * SECOND);
                duel.expect_alive();
            }
            assert_eq!(duel.numbers(), []);
        }
    }
}

#[test]
fn asking_again_does_not_move_the_deadline_and_sends_nothing() {
    let mut duel = duel(Role::Server, None);
    duel.engine.probe(5 * SECOND, duel.now);
    duel.pass(3 * SECOND);
    duel.engine.probe(5 * SECOND, duel.now);
    assert_eq!(duel.numbers(), [Number::GLOBAL_REQUEST]);
    duel.pass(2 * SECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Keepalive));
}

#[test]
fn a_shorter_patience_counts() {
    let mut duel = duel(Role::Server, None);
    duel.engine.probe(500 * SECOND, duel.now);
    duel.engine.probe(2 * SECOND, duel.now);
    duel.pass(2 * SECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Keepalive));
}

#[test]
fn a_patient_probe_does_not_prolong_the_silence_that_keepalives_allow() {
    let mut duel = duel(Role::Server, Some(15 * SECOND));
    duel.peer.send(&Ignore { data: b"" });
    duel.settle();
    for _ in 0..44 {
        duel.engine.probe(1000 * SECOND, duel.now);
        duel.pass(SECOND);
        duel.expect_alive();
    }
    duel.pass(SECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Keepalive));
}

#[test]
fn nobody_is_probed_before_log_on_or_after_the_end() {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.received.clear();
    duel.engine.probe(SECOND, duel.now);
    duel.pass(2 * SECOND);
    duel.expect_alive();
    assert_eq!(duel.numbers(), []);
    duel.engine.received_end(duel.now);
    duel.engine.probe(SECOND, duel.now);
    assert_eq!((duel.engine.poll_timeout(), duel.numbers()), (None, vec![]));
}

#[test]
fn a_probe_waits_for_the_key_exchange_whose_messages_answer_it_too() {
    let mut duel = duel(Role::Server, None);
    duel.engine.rekey(duel.now);
    duel.expect(Number::KEXINIT);
    duel.engine.probe(5 * SECOND, duel.now);
    assert_eq!(duel.numbers(), []);
    duel.pass(4 * SECOND);
    duel.peer.send_kexinit();
    duel.agree();
    duel.expect(Number::GLOBAL_REQUEST);
    duel.pass(100 * SECOND);
    duel.expect_alive();
}

#[test]
fn a_peer_that_waits_for_the_application_is_not_blamed() {
    let mut duel = duel(Role::Server, None);
    // Another key in a later exchange is asked about; until then it is our turn.
    duel.peer.host_key = underpass_crypto::algorithms::ed25519::Ed25519Key::generate(
        &mut underpass_testkit::entropy::SeededEntropy::new(9),
    );
    duel.peer.send_kexinit();
    duel.expect(Number::KEXINIT);
    let init = duel.expect(Number::KEX_ECDH_INIT);
    duel.peer.send_reply(&underpass_testkit::peer::public_of(&init));
    duel.peer.send_newkeys();
    let (id, _) = duel.expect_question();
    duel.engine.probe(SECOND, duel.now);
    duel.pass(10 * SECOND);
    duel.expect_alive();
    duel.engine.answer(id, Answer::HostKey(true), duel.now);
    duel.expect_alive();
}

#[test]
fn probes_leave_living_peers_alone_and_find_dead_ones_under_load() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let id = pair.open_channel(Job::exchange(1, 300_000, 1), Job::echo());
        for _ in 0..20 {
            let now = pair.now();
            pair.client.connection.probe(20 * SECOND, now);
            pair.server.connection.probe(20 * SECOND, now);
            pair.run_for(50 * MILLISECOND);
        }
        pair.run_until_idle();
        assert_eq!(pair.client.report(id).received, 300_000);
        pair.run_for(60 * SECOND);
        let (up, down) = (pair.up.taken(), pair.down.taken());
        pair.up.fail(Fault::Blackhole(up));
        pair.down.fail(Fault::Blackhole(down));
        let now = pair.now();
        pair.client.connection.probe(2 * SECOND, now);
        pair.run_until("the client has given up", |pair| pair.client.closed.is_some());
        assert_eq!(pair.client.closed, Some(Error::Timeout(Deadline::Keepalive)));
        assert!(pair.now() - now <= 2 * SECOND);
    }
}
