//! Compression (RFC 4253 section 6.2), from the keys or from the log on, and what a hostile peer can do with it.

use underpass_crypto::algorithms::zlib::{ZLIB, ZLIB_OPENSSH};
use underpass_crypto::{Compression, InflateError, Provider};
use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::{INITIAL_WINDOW, MAX_CHANNEL_DATA, MAX_PAYLOAD};
use underpass_proto::{ChannelId, Config, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{ChannelData, DisconnectReason, Ignore, Message, Number, Ping};

use crate::support::{ROLES, conditions};

const METHODS: [&Compression; 2] = [&ZLIB, &ZLIB_OPENSSH];

fn offering(out: &'static Compression, inward: &'static Compression) -> Config {
    let mut config = Config::default();
    config.algorithms.compression_out = vec![out];
    config.algorithms.compression_in = vec![inward];
    config
}

/// An engine and a peer that have agreed on this, logged on.
fn duel(role: Role, method: &'static Compression) -> Duel {
    let mut peer = Peer::new(role, 5);
    peer.proposal.compression = method.name.to_owned();
    let mut duel = Duel::new(peer, offering(method, method));
    duel.exchange_keys();
    duel.log_on();
    duel
}

fn held(duel: &Duel, id: ChannelId) -> Vec<u8> {
    duel.engine.chunks(id).flatten().copied().collect()
}

#[test]
fn every_byte_passes_under_each_method_in_every_weather() {
    for method in METHODS {
        for setup in conditions() {
            let Setup { mut client, mut server, .. } = setup.clone();
            for config in [&mut client, &mut server] {
                config.algorithms.compression_out = vec![method];
                config.algorithms.compression_in = vec![method];
            }
            let mut pair = Pair::open(Setup { client, server, ..setup });
            let up = pair.open_channel(Job::exchange(1, 300_000, 2), Job::exchange(2, 200_000, 1));
            pair.open_channel(Job::exchange(3, 50_000, 3), Job::echo());
            pair.run_until_idle();
            assert_eq!(pair.client.report(up).received, 200_000);
            assert_eq!(pair.client.exchanges[0].compression_out.name, method.name);
        }
    }
}

#[test]
fn each_direction_has_its_own_method() {
    let none = Provider::MODERN.compression[0];
    assert_eq!(none.name, "none");
    for (up, down) in [(&ZLIB, none), (none, &ZLIB), (&ZLIB, &ZLIB_OPENSSH), (&ZLIB_OPENSSH, none)] {
        let mut setup = Setup::new(4);
        (setup.client, setup.server) = (offering(up, down), offering(down, up));
        let mut pair = Pair::open(setup);
        pair.open_channel(Job::exchange(1, 100_000, 1), Job::echo());
        pair.run_until_idle();
        let negotiated = &pair.client.exchanges[0];
        assert_eq!((negotiated.compression_out.name, negotiated.compression_in.name), (up.name, down.name));
    }
}

#[test]
fn nothing_is_compressed_unless_asked_for() {
    let mut duel = Duel::against(Role::Server);
    duel.peer.identify();
    let proposal = duel.expect(Number::KEXINIT);
    let Message::KexInit(proposal) = message(&proposal) else { panic!("no KEXINIT") };
    assert_eq!((proposal.compression_c2s.as_str(), proposal.compression_s2c.as_str()), ("none", "none"));
}

/// The scripted peer renews both streams at its own NEWKEYS, and so must the engine.
#[test]
fn streams_begin_anew_with_the_keys() {
    for role in ROLES {
        for method in METHODS {
            let mut duel = duel(role, method);
            for round in 0..4 {
                let text = format!("all work and no play {round}").repeat(50);
                duel.peer.send(&Ping { data: text.as_bytes() });
                let pong = duel.expect(Number::PONG);
                assert_eq!(&pong[5..], text.as_bytes());
                duel.renew_keys();
            }
        }
    }
}

#[test]
fn data_that_nobody_has_consumed_survives_the_beginning_and_the_end_of_compression() {
    let mut peer = Peer::new(Role::Server, 5);
    peer.proposal.compression = "none".to_owned();
    let mut config = offering(&ZLIB, &ZLIB);
    config.algorithms.compression_out.push(Provider::MODERN.compression[0]);
    config.algorithms.compression_in.push(Provider::MODERN.compression[0]);
    let mut duel = Duel::new(peer, config);
    duel.exchange_keys();
    duel.log_on();
    let id = duel.open_channel(1 << 20, 1 << 15);
    let mut sent = Vec::new();
    for method in ["none", "zlib", "zlib", "none", "zlib", "none"] {
        duel.peer.proposal.compression = method.to_owned();
        duel.renew_keys();
        let data = format!("under {method}; ").repeat(100).into_bytes();
        duel.peer.send(&ChannelData { recipient: id.0, data: &data });
        duel.settle();
        sent.extend_from_slice(&data);
        assert_eq!(held(&duel, id), sent, "{method}");
    }
    let (half, now) = (sent.len() / 2, duel.now);
    duel.engine.consume(id, half, now);
    assert_eq!(held(&duel, id), sent[half..]);
}

#[test]
fn data_of_the_highest_ratio_is_no_bomb() {
    let mut duel = duel(Role::Server, &ZLIB);
    let id = duel.open_channel(1 << 20, 1 << 15);
    let zeros = vec![0; MAX_CHANNEL_DATA];
    // More than is expanded before it is copied out, none of it consumed.
    let packets = INITIAL_WINDOW as usize / MAX_CHANNEL_DATA;
    for _ in 0..packets {
        duel.peer.send(&ChannelData { recipient: id.0, data: &zeros });
    }
    assert!(duel.peer.output.len() < packets * 1024);
    duel.settle();
    duel.expect_alive();
    assert!(held(&duel, id) == vec![0; packets * MAX_CHANNEL_DATA]);
}

#[test]
fn a_payload_beyond_the_largest_is_an_error_before_it_is_memory() {
    for role in ROLES {
        for (len, alive) in [(MAX_PAYLOAD - 5, true), (MAX_PAYLOAD - 4, false), (64 << 20, false)] {
            let mut duel = duel(role, &ZLIB_OPENSSH);
            duel.peer.send(&Ignore { data: &vec![0; len] });
            assert!(duel.peer.output.len() < MAX_PAYLOAD / 2);
            if alive {
                duel.expect_alive();
            } else {
                assert_eq!(duel.expect_end(), PeerMisbehaved::Compression(InflateError::TooLarge).into());
            }
        }
    }
}

#[test]
fn what_does_not_expand_ends_the_connection_with_the_right_word() {
    for role in ROLES {
        let mut peer = Peer::new(role, 5);
        ZLIB.name.clone_into(&mut peer.proposal.compression);
        let mut duel = Duel::new(peer, offering(&ZLIB, &ZLIB));
        duel.exchange_keys();
        // A stream begins with a header (RFC 1950 section 2.2), which this is not.
        duel.peer.send_packed(b"as it is");
        assert_eq!(duel.expect_end(), PeerMisbehaved::Compression(InflateError::Damaged).into());
        let goodbye = duel.received.pop_back().unwrap();
        let Message::Disconnect(goodbye) = message(&goodbye) else { panic!("no goodbye") };
        assert_eq!(goodbye.reason, DisconnectReason::COMPRESSION_ERROR);
    }
}

#[test]
fn a_packet_that_expands_to_nothing_is_no_message() {
    for role in ROLES {
        let mut duel = duel(role, &ZLIB);
        duel.peer.send_payload(b"");
        duel.expect(Number::UNIMPLEMENTED);
        duel.expect_alive();
    }
}

/// Both would come out otherwise if the delayed method began a packet too early or too late.
#[test]
fn the_log_on_is_compressed_under_the_method_that_does_not_wait_only() {
    for role in ROLES {
        for method in METHODS {
            let mut peer = Peer::new(role, 5);
            peer.proposal.compression = method.name.to_owned();
            let mut duel = Duel::new(peer, offering(method, method));
            duel.exchange_keys();
            let ping = Ping { data: &[b'x'; 4000] };
            // Sealed packets show how much was in them.
            duel.peer.send(&ping);
            assert_eq!(duel.peer.output.len() < 1000, !method.delayed);
            duel.settle();
            duel.received.retain(|payload| payload[0] != Number::PONG.0);
            duel.log_on();
            duel.peer.send(&ping);
            assert!(duel.peer.output.len() < 1000);
            duel.expect(Number::PONG);
        }
    }
}
