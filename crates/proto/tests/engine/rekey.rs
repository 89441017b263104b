//! Later key exchanges: for every reason, from either side, at any time, without losing a byte.

use std::time::Duration;

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Answer, Config, Credential, Deadline, Error, Event, Role, Verdict};
use underpass_testkit::duel::Duel;
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::link::Weather;
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    ChannelData, Ignore, Number, ServiceAccept, ServiceRequest, UserauthMethod, UserauthRequest,
};

use crate::support::{MILLISECOND, RARE, ROLES, Renewal, SECOND, under};

#[test]
fn keys_are_renewed_after_so_many_bytes() {
    let mut pair = Pair::open(under(1, Weather::CALM, Renewal { bytes: 100_000, ..RARE }));
    pair.open_channel(Job::exchange(1, 3_000_000, 1), Job::echo());
    pair.run_until_idle();
    let exchanges = pair.client.exchanges.len();
    // A few hundred kilobytes can pass before a threshold is looked at.
    assert!((6..=40).contains(&exchanges), "{exchanges}");
    assert_eq!(exchanges, pair.server.exchanges.len());
}

#[test]
fn each_direction_wears_out_the_keys_for_each_side() {
    const RENEWALS: [Renewal; 2] = [Renewal { bytes: 100_000, ..RARE }, Renewal { packets: 20, ..RARE }];
    for renewal in RENEWALS {
        for watchful_client in [true, false] {
            for up in [true, false] {
                let mut setup = under(1, Weather::ROUGH, RARE);
                let watchful = if watchful_client { &mut setup.client } else { &mut setup.server };
                (watchful.rekey_bytes, watchful.rekey_packets) = (renewal.bytes, renewal.packets);
                let mut pair = Pair::open(setup);
                let (sender, receiver) = (Job::exchange(1, 1_000_000, 0), Job::check(1));
                let (here, there) = if up { (sender, receiver) } else { (receiver, sender) };
                pair.open_channel(here, there);
                pair.run_until_idle();
                let exchanges = pair.client.exchanges.len();
                // A megabyte can be under way before the sender hears of the wish.
                assert!(exchanges > 1, "{renewal:?} {watchful_client} {up}");
            }
        }
    }
}

#[test]
fn keys_are_renewed_after_so_many_packets() {
    let mut pair = Pair::open(under(1, Weather::ROUGH, Renewal { packets: 20, ..RARE }));
    for _ in 0..30 {
        pair.open_channel(Job::exchange(1, 100, 1), Job::echo());
        pair.run_until_idle();
    }
    let exchanges = pair.client.exchanges.len();
    assert!((5..=40).contains(&exchanges), "{exchanges}");
}

#[test]
fn the_smallest_thresholds_let_data_through() {
    for packets in 0..4 {
        let mut pair = Pair::open(under(1, Weather::ROUGH, Renewal { bytes: 0, packets }));
        let id = pair.open_channel(Job::exchange(1, 20_000, 1), Job::echo());
        pair.run_until_idle();
        assert_eq!(pair.client.report(id).received, 20_000);
    }
}

#[test]
fn keys_are_renewed_when_they_are_old() {
    let mut setup = under(1, Weather::ROUGH, RARE);
    setup.client.rekey_age = Some(60 * SECOND);
    setup.server.rekey_age = None;
    let mut pair = Pair::open(setup);
    pair.run_for(3600 * SECOND);
    let exchanges = pair.server.exchanges.len();
    assert!((59..=60).contains(&exchanges), "{exchanges}");
}

#[test]
fn either_side_can_ask_for_new_keys_and_both_at_once() {
    for (client, server) in [(true, false), (false, true), (true, true)] {
        let mut pair = Pair::open(under(1, Weather::ROUGH, RARE));
        for round in 2..52 {
            let now = pair.now();
            if client {
                pair.client.connection.rekey(now);
            }
            if server {
                pair.server.connection.rekey(now);
            }
            pair.run_until("new keys on both sides", |pair| {
                pair.client.exchanges.len() == round && pair.server.exchanges.len() == round
            });
        }
        let id = pair.open_channel(Job::exchange(1, 1000, 1), Job::echo());
        pair.run_until_idle();
        assert_eq!(pair.client.report(id).received, 1000);
    }
}

#[test]
fn keys_are_renewed_at_random_moments_under_load() {
    for seed in 0..12 {
        let mut pair = Pair::open(under(seed, Weather::ROUGH, RARE));
        let mut random = SeededEntropy::new(seed);
        let ids: Vec<_> =
            (0..5).map(|n| pair.open_channel(Job::exchange(n, 150_000, n), Job::echo())).collect();
        for _ in 0..40 {
            pair.run_for(random.below(30) as u32 * MILLISECOND);
            let now = pair.now();
            match random.below(3) {
                0 => pair.client.connection.rekey(now),
                1 => pair.server.connection.rekey(now),
                _ => {
                    pair.client.connection.rekey(now);
                    pair.server.connection.rekey(now);
                }
            }
        }
        pair.run_until_idle();
        assert!(pair.client.exchanges.len() > 5);
        for id in ids {
            assert_eq!(pair.client.report(id).received, 150_000);
        }
    }
}

#[test]
fn the_peer_can_renew_keys_during_authentication() {
    // The client waits for the server's decision.
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.expect(Number::SERVICE_REQUEST);
    duel.renew_keys();
    duel.peer.send(&ServiceAccept { name: "ssh-userauth" });
    duel.settle();
    duel.renew_keys();
    duel.answer(Answer::Credential(Credential::Password("secret".into())));
    duel.expect(Number::USERAUTH_REQUEST);
    duel.renew_keys();
    duel.peer.send(&underpass_wire::UserauthSuccess);
    duel.settle();
    assert_eq!(duel.events.pop_back(), Some(Event::Authenticated));

    // The server decides about the client.
    let mut duel = Duel::against(Role::Client);
    duel.exchange_keys();
    duel.expect(Number::EXT_INFO);
    duel.renew_keys();
    duel.peer.send(&ServiceRequest { name: "ssh-userauth" });
    duel.expect(Number::SERVICE_ACCEPT);
    duel.renew_keys();
    duel.peer.send(&UserauthRequest { user: b"me", service: "ssh-connection", method: UserauthMethod::None });
    duel.answer(Answer::Verdict(Verdict::Accept));
    assert_eq!(duel.events.pop_back(), Some(Event::Authenticated));
}

#[test]
fn a_password_waits_for_the_end_of_a_key_exchange() {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.peer.send_kexinit();
    duel.expect(Number::KEXINIT);
    duel.answer(Answer::Credential(Credential::Password("secret".into())));
    assert_eq!(duel.numbers(), [Number::KEX_ECDH_INIT]);
}

#[test]
fn nothing_but_the_key_exchange_is_sent_during_it_and_the_rest_follows() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(1 << 20, 1000);
    duel.engine.rekey(duel.now);
    duel.expect(Number::KEXINIT);
    assert_eq!(duel.engine.slots(id, 100).capacity(), 0);
    duel.engine.finish(id, duel.now);
    duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    duel.engine.close(id, duel.now);
    assert_eq!(duel.numbers(), []);
    duel.peer.send_kexinit();
    duel.agree();
    assert_eq!(duel.numbers(), [Number::CHANNEL_EOF, Number::CHANNEL_OPEN, Number::CHANNEL_CLOSE]);
}

#[test]
fn a_writer_is_woken_after_the_key_exchange() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(1 << 20, 1000);
    duel.engine.rekey(duel.now);
    duel.expect(Number::KEXINIT);
    assert_eq!(duel.engine.slots(id, 100).capacity(), 0);
    assert_eq!(duel.events, []);
    duel.peer.send_kexinit();
    duel.agree();
    assert!(duel.events.contains(&Event::Writable(id)));
    assert_eq!(duel.engine.slots(id, 100).capacity(), 100);
}

#[test]
fn what_the_peer_sends_before_its_own_proposal_is_served() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(1 << 20, 1000);
    duel.engine.rekey(duel.now);
    duel.expect(Number::KEXINIT);
    duel.peer.send(&ChannelData { recipient: id.0, data: b"in between" });
    duel.settle();
    assert_eq!(duel.engine.chunks(id).collect::<Vec<_>>().concat(), b"in between");
    duel.peer.send_kexinit();
    duel.agree();
    duel.expect_alive();
    assert_eq!(duel.engine.chunks(id).collect::<Vec<_>>().concat(), b"in between");
}

#[test]
fn what_the_peer_sends_after_its_proposal_is_an_error_unless_it_is_harmless() {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(1 << 20, 1000);
    duel.peer.send_kexinit();
    // RFC 4253 section 7.1 allows it, and strictness concerns the first key exchange.
    duel.peer.send(&Ignore { data: b"" });
    duel.expect_alive();
    duel.peer.send(&ChannelData { recipient: id.0, data: b"not now" });
    let error = duel.expect_end();
    assert!(
        matches!(error, Error::Peer(PeerMisbehaved::Unexpected { number: Number::CHANNEL_DATA, .. })),
        "{error}"
    );
}

#[test]
fn a_second_proposal_within_a_key_exchange_is_an_error() {
    for role in ROLES {
        let mut duel = Duel::opened_against(role);
        duel.peer.send_kexinit();
        duel.peer.send_kexinit();
        let error = duel.expect_end();
        assert!(
            matches!(error, Error::Peer(PeerMisbehaved::Unexpected { number: Number::KEXINIT, .. })),
            "{error}"
        );
    }
}

#[test]
fn a_peer_that_never_finishes_a_key_exchange_is_dropped() {
    for role in ROLES {
        for begun_by_peer in [false, true] {
            let config =
                Config { handshake_timeout: 7 * SECOND, keepalive_interval: None, ..Config::default() };
            let mut duel = Duel::new(Peer::new(role, 5), config);
            duel.exchange_keys();
            duel.log_on();
            if begun_by_peer {
                duel.peer.send_kexinit();
                duel.settle();
            } else {
                duel.engine.rekey(duel.now);
            }
            duel.pass(7 * SECOND - MILLISECOND);
            // Signs of life are no excuse.
            duel.peer.send(&Ignore { data: b"" });
            duel.expect_alive();
            duel.pass(MILLISECOND);
            assert_eq!(duel.expect_end(), Error::Timeout(Deadline::Rekey));
        }
    }
}

#[test]
fn a_finished_key_exchange_has_no_deadline_left() {
    let mut duel = Duel::new(
        Peer::new(Role::Server, 5),
        Config { keepalive_interval: None, rekey_age: None, ..Config::default() },
    );
    duel.exchange_keys();
    duel.log_on();
    duel.renew_keys();
    duel.pass(Duration::from_secs(100_000));
    duel.expect_alive();
}

#[test]
fn a_link_may_stand_still_while_keys_are_renewed() {
    // The peer's answer is long under way while the application goes on writing.
    let mut pair = Pair::open(Setup { weather: Weather::FAR, ..Setup::new(1) });
    let id = pair.open_channel(Job::exchange(1, 5_000_000, 1), Job::echo());
    for _ in 0..10 {
        let now = pair.now();
        pair.client.connection.rekey(now);
        pair.run_for(170 * MILLISECOND);
    }
    pair.run_until_idle();
    assert_eq!(pair.client.report(id).received, 5_000_000);
}
