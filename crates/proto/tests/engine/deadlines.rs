//! Every step ends by itself: silence, drips, floods and cuts at any point end at a deadline or as a lost connection.

use std::time::Duration;

use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_proto::{Answer, Config, Credential, Deadline, Error, Event, Refusal, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::link::{Fault, Weather};
use underpass_testkit::pair::{Pair, Setup};
use underpass_testkit::peer::{Peer, public_of};
use underpass_wire::{
    ChannelClose, ChannelOpen, ChannelOpenConfirmation, ChannelOpenFailure, Ignore, Message, Number,
    OpenFailureReason, ServiceAccept, ServiceRequest, UserauthMethod, UserauthRequest,
};

use crate::support::{MILLISECOND, ROLES, SECOND};

const HANDSHAKE: Duration = Duration::from_secs(30);
const AUTHENTICATION: Duration = Duration::from_secs(120);

/// Each step brings the connection one further; then the peer falls silent.
fn stages(role: Role) -> Vec<fn(&mut Duel)> {
    match role {
        Role::Server => vec![
            |_| {},
            |duel| duel.peer.identify(),
            |duel| duel.peer.send_kexinit(),
            |duel| {
                duel.expect(Number::KEXINIT);
                let init = duel.expect(Number::KEX_ECDH_INIT);
                duel.peer.send_reply(&public_of(&init));
            },
            // It does not confirm the keys it has agreed on.
            |duel| duel.answer(Answer::HostKey(true)),
        ],
        Role::Client => vec![|_| {}, |duel| duel.peer.identify(), |duel| duel.peer.send_kexinit(), |duel| {
            duel.expect(Number::KEXINIT);
            duel.peer.send_init();
        }],
    }
}

#[test]
fn silence_at_any_point_of_the_handshake_ends_at_its_deadline() {
    for role in ROLES {
        let stages = stages(role);
        for last in 0..stages.len() {
            let mut duel = Duel::against(role);
            for stage in &stages[..=last] {
                stage(&mut duel);
                duel.settle();
            }
            if duel.events.iter().any(|event| matches!(event, Event::Question(..))) {
                // The application's turn, which has a deadline of its own.
                continue;
            }
            duel.pass(HANDSHAKE - MILLISECOND);
            duel.expect_alive();
            duel.pass(MILLISECOND);
            let missed = match last {
                0 => Deadline::Identification,
                1 => Deadline::Negotiation,
                _ => Deadline::Handshake,
            };
            assert_eq!(duel.expect_end(), Error::Timeout(missed), "after stage {last}");
        }
    }
}

#[test]
fn a_host_key_may_be_looked_at_as_long_as_logging_on_may_take() {
    for renewed in [false, true] {
        let config = Config { handshake_timeout: SECOND, keepalive_interval: None, ..Config::default() };
        let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
        if renewed {
            duel.exchange_keys();
            duel.log_on();
            duel.peer.host_key = Ed25519Key::generate(&mut SeededEntropy::new(99));
            duel.peer.send_kexinit();
            duel.expect(Number::KEXINIT);
        } else {
            duel.propose();
        }
        let init = duel.expect(Number::KEX_ECDH_INIT);
        duel.peer.send_reply(&public_of(&init));
        duel.settle();
        duel.pass(AUTHENTICATION - MILLISECOND);
        duel.expect_alive();
        duel.answer(Answer::HostKey(true));
        // The peer's time counts again.
        duel.pass(SECOND - MILLISECOND);
        duel.expect_alive();
        duel.pass(MILLISECOND);
        let deadline = if renewed { Deadline::Rekey } else { Deadline::Handshake };
        assert_eq!(duel.expect_end(), Error::Timeout(deadline));
    }
}

#[test]
fn a_logon_that_is_held_has_its_whole_time_from_when_it_is_let_go() {
    let config = Config { hold_log_on: true, ..Config::default() };
    let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
    duel.exchange_keys();
    duel.settle();
    assert_eq!(duel.numbers(), []);
    duel.pass(AUTHENTICATION * 10);
    duel.renew_keys();
    duel.expect_alive();
    duel.engine.log_on(duel.now);
    duel.engine.log_on(duel.now);
    assert_eq!(duel.numbers(), [Number::SERVICE_REQUEST]);
    duel.pass(AUTHENTICATION - MILLISECOND);
    duel.expect_alive();
    // It has begun already.
    duel.engine.log_on(duel.now);
    duel.pass(MILLISECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Authentication));
}

#[test]
fn a_logon_that_is_held_may_be_let_go_before_there_are_keys() {
    let mut duel = Duel::new(Peer::new(Role::Server, 5), Config { hold_log_on: true, ..Config::default() });
    duel.engine.log_on(duel.now);
    duel.exchange_keys();
    assert_eq!(duel.numbers(), [Number::SERVICE_REQUEST]);
}

#[test]
fn a_service_that_was_not_asked_for_is_not_accepted() {
    let mut duel = Duel::new(Peer::new(Role::Server, 5), Config { hold_log_on: true, ..Config::default() });
    duel.exchange_keys();
    duel.peer.send(&ServiceAccept { name: "ssh-userauth" });
    duel.settle();
    assert!(matches!(duel.expect_end(), Error::Peer(_)));
}

#[test]
fn a_host_key_that_changes_during_authentication_gives_no_more_time_for_it() {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.received.clear();
    duel.events.clear();
    duel.peer.host_key = Ed25519Key::generate(&mut SeededEntropy::new(99));
    duel.peer.send_kexinit();
    duel.expect(Number::KEXINIT);
    let init = duel.expect(Number::KEX_ECDH_INIT);
    duel.peer.send_reply(&public_of(&init));
    duel.answer(Answer::HostKey(true));
    duel.peer.send_newkeys();
    duel.settle();
    duel.pass(AUTHENTICATION - MILLISECOND);
    duel.expect_alive();
    duel.pass(MILLISECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Authentication));
}

#[test]
fn a_host_key_that_nobody_looks_at_is_refused_in_the_end() {
    let mut duel = Duel::against(Role::Server);
    duel.propose();
    let init = duel.expect(Number::KEX_ECDH_INIT);
    duel.peer.send_reply(&public_of(&init));
    duel.peer.send_newkeys();
    duel.settle();
    duel.pass(AUTHENTICATION - MILLISECOND);
    duel.expect_alive();
    duel.pass(MILLISECOND);
    assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Authentication));
}

#[test]
fn silence_during_authentication_ends_at_its_deadline() {
    type Stage = (Role, fn(&mut Duel));
    let stages: [Stage; 7] = [
        (Role::Server, |_| {}),
        (Role::Server, Duel::grant_service),
        (Role::Server, |duel| {
            duel.grant_service();
            duel.answer(Answer::Credential(Credential::Password("secret".into())));
        }),
        // Keys are renewed meanwhile: no reason to wait longer.
        (Role::Server, |duel| {
            duel.grant_service();
            duel.pass(100 * SECOND);
            duel.renew_keys();
        }),
        (Role::Client, |_| {}),
        (Role::Client, |duel| duel.peer.send(&ServiceRequest { name: "ssh-userauth" })),
        // The application does not decide.
        (Role::Client, |duel| {
            duel.peer.send(&ServiceRequest { name: "ssh-userauth" });
            duel.peer.send(&UserauthRequest {
                user: b"me",
                service: "ssh-connection",
                method: UserauthMethod::None,
            });
        }),
    ];
    for (role, stage) in stages {
        let mut duel = Duel::against(role);
        duel.exchange_keys();
        let start = duel.now;
        stage(&mut duel);
        duel.settle();
        let passed = duel.now - start;
        duel.pass(AUTHENTICATION - passed - MILLISECOND);
        duel.expect_alive();
        duel.pass(MILLISECOND);
        assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Authentication));
    }
}

#[test]
fn dripping_does_not_move_the_deadline() {
    for role in ROLES {
        let mut duel = Duel::against(role);
        duel.peer.identify();
        duel.peer.send_kexinit();
        let bytes = std::mem::take(&mut duel.peer.output);
        for byte in &bytes[..29] {
            duel.deliver(&[*byte]);
            duel.pass(SECOND);
        }
        duel.expect_alive();
        duel.pass(SECOND);
        assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Negotiation));
    }
}

#[test]
fn chatter_does_not_move_the_deadline() {
    for (rest, deadline) in [(HANDSHAKE, Deadline::Handshake), (AUTHENTICATION, Deadline::Authentication)] {
        let mut duel = Duel::new(Peer::plain(Role::Server, 5), Config::default());
        if deadline == Deadline::Handshake {
            duel.propose();
        } else {
            duel.exchange_keys();
        }
        for _ in 0..rest.as_secs() - 1 {
            duel.peer.send(&Ignore { data: b"still here" });
            duel.pass(SECOND);
        }
        duel.expect_alive();
        duel.pass(SECOND);
        assert_eq!(duel.expect_end(), Error::Timeout(deadline));
    }
}

#[test]
fn after_log_on_no_deadline_of_the_beginning_is_left() {
    for role in ROLES {
        let config = Config { keepalive_interval: None, rekey_age: None, ..Config::default() };
        let mut duel = Duel::new(Peer::new(role, 5), config);
        duel.exchange_keys();
        duel.log_on();
        duel.pass(100_000 * SECOND);
        duel.expect_alive();
    }
}

#[test]
fn an_unanswered_open_is_given_up_and_a_late_answer_closed() {
    let mut duel = Duel::opened_against(Role::Server);
    let first = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    duel.pass(10 * SECOND);
    let second = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    duel.pass(20 * SECOND);
    let timeout = |channel| Event::ChannelRefused { channel, refusal: Refusal::Timeout };
    assert_eq!(duel.events, [timeout(first)]);
    duel.pass(10 * SECOND);
    assert_eq!(duel.events, [timeout(first), timeout(second)]);
    duel.received.clear();
    duel.events.clear();

    // The first is confirmed after all, the second refused.
    duel.peer.send(&ChannelOpenConfirmation {
        recipient: first.0,
        sender: 40,
        window: 1 << 20,
        max_packet: 1 << 15,
        data: b"",
    });
    let close = duel.expect(Number::CHANNEL_CLOSE);
    assert_eq!(
        underpass_testkit::duel::message(&close),
        Message::ChannelClose(ChannelClose { recipient: 40 })
    );
    duel.peer.send(&ChannelClose { recipient: first.0 });
    duel.peer.send(&ChannelOpenFailure {
        recipient: second.0,
        reason: OpenFailureReason::CONNECT_FAILED,
        description: b"",
        language: b"",
    });
    duel.expect_alive();
    assert_eq!(duel.events, [], "both identifiers were void");
    assert_eq!(duel.engine.channel_count(), 0);
}

#[test]
fn an_answered_open_has_no_deadline() {
    let mut duel = Duel::opened_against(Role::Server);
    let ids: Vec<_> = (0..3).map(|_| duel.open_channel(0, 100)).collect();
    duel.peer.send(&Ignore { data: b"" });
    duel.pass(40 * SECOND);
    assert_eq!(duel.events, []);
    assert_eq!(duel.engine.channel_count(), ids.len());
}

#[test]
fn a_channel_the_application_does_not_decide_about_is_refused() {
    let mut duel = Duel::opened_against(Role::Client);
    duel.peer.send(&ChannelOpen {
        sender: 3,
        window: 100,
        max_packet: 100,
        kind: underpass_wire::ChannelKind::DirectTcpip {
            host: "db",
            port: 1,
            originator: "::1",
            originator_port: 2,
        },
    });
    let (question, _) = duel.expect_question();
    duel.pass(HANDSHAKE - MILLISECOND);
    assert_eq!(duel.engine.channel_count(), 1);
    duel.received.clear();
    duel.pass(MILLISECOND);
    let refusal = duel.expect(Number::CHANNEL_OPEN_FAILURE);
    assert!(matches!(
        underpass_testkit::duel::message(&refusal),
        Message::ChannelOpenFailure(ChannelOpenFailure { recipient: 3, .. })
    ));
    assert_eq!(duel.engine.channel_count(), 0);
    assert!(!duel.engine.answer(question, Answer::Open(Ok(())), duel.now), "too late");
}

/// Bytes of a whole logon, each way.
fn logon_bytes() -> (u64, u64) {
    let pair = Pair::open(Setup::new(1));
    (pair.up.given(), pair.down.given())
}

#[test]
fn a_cut_anywhere_before_log_on_ends_both_sides() {
    let (up, down) = logon_bytes();
    let cuts = (0..up).map(|at| (Some(at), None)).chain((0..down).map(|at| (None, Some(at))));
    for (up, down) in cuts {
        let mut pair = Pair::new(Setup { weather: Weather::CALM, ..Setup::new(1) });
        up.into_iter().for_each(|at| pair.up.fail(Fault::Cut(at)));
        down.into_iter().for_each(|at| pair.down.fail(Fault::Cut(at)));
        pair.run_until_closed();
        let errors = [&pair.client.closed, &pair.server.closed];
        assert!(errors.contains(&&Some(Error::Lost)), "cut at {up:?} {down:?}: {errors:?}");
    }
}

#[test]
fn a_black_hole_anywhere_before_log_on_ends_both_sides_at_a_deadline() {
    let (up, down) = logon_bytes();
    for at in (0..up.min(down)).step_by(53) {
        for both in [true, false] {
            let mut pair = Pair::new(Setup { weather: Weather::CALM, ..Setup::new(1) });
            pair.up.fail(Fault::Blackhole(at));
            if both {
                pair.down.fail(Fault::Blackhole(at));
            }
            pair.run_until_closed();
            let taken = pair.elapsed();
            assert!(taken <= HANDSHAKE + AUTHENTICATION, "{taken:?}");
            assert!(
                [&pair.client.closed, &pair.server.closed]
                    .into_iter()
                    .any(|error| matches!(error, Some(Error::Timeout(_)))),
            );
        }
    }
}
