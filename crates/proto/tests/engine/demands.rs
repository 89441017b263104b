//! What a configuration may demand of the peer, and what it announces: strictness, identification, sizes.

use underpass_proto::error::{PeerIncompatible, PeerMisbehaved};
use underpass_proto::{Config, Error, Event, Role, StrictKex};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{ChannelData, DisconnectReason, Message, Number};

use crate::support::ROLES;

const CHACHA: &str = "chacha20-poly1305@openssh.com";

fn strict(strict_kex: StrictKex) -> Config {
    Config { strict_kex, ..Config::default() }
}

#[test]
fn a_peer_that_cannot_be_strict_is_served_as_far_as_the_level_allows() {
    use StrictKex::{Disabled, Enabled, RejectAffected, Required};
    for role in ROLES {
        for (level, cipher, served) in [
            (Disabled, CHACHA, true),
            (Enabled, CHACHA, true),
            (RejectAffected, "aes128-gcm@openssh.com", true),
            (RejectAffected, CHACHA, false),
            (Required, "aes128-gcm@openssh.com", false),
        ] {
            let mut peer = Peer::plain(role, 5);
            peer.proposal.cipher = cipher.to_owned();
            let mut duel = Duel::new(peer, strict(level));
            duel.propose();
            if served {
                duel.agree();
                duel.log_on();
                continue;
            }
            let error = duel.expect_end();
            assert!(
                matches!(error, Error::Incompatible(PeerIncompatible::NotStrict { .. })),
                "{level:?} {cipher}: {error}"
            );
            let goodbye = duel.expect(Number::DISCONNECT);
            let Message::Disconnect(goodbye) = message(&goodbye) else { panic!("no goodbye") };
            assert_eq!(goodbye.reason, DisconnectReason::KEY_EXCHANGE_FAILED);
        }
    }
}

#[test]
fn an_engine_that_may_not_be_strict_does_not_say_it_could() {
    for role in ROLES {
        let mut peer = Peer::new(role, 5);
        peer.strict = false;
        let mut duel = Duel::new(peer, strict(StrictKex::Disabled));
        duel.peer.identify();
        let proposal = duel.expect(Number::KEXINIT);
        assert!(!String::from_utf8_lossy(&proposal).contains("kex-strict"));
        duel.peer.send_kexinit();
        duel.agree();
        let told = duel.events.iter().find_map(|event| match event {
            Event::KeysExchanged { negotiated, .. } => Some(negotiated.strict),
            _ => None,
        });
        assert_eq!(told, Some(false));
        duel.log_on();
        duel.renew_keys();
        duel.expect_alive();
    }
}

#[test]
fn two_engines_meet_at_every_pair_of_levels() {
    use StrictKex::{Disabled, Enabled, RejectAffected, Required};
    for client in [Disabled, Enabled, RejectAffected, Required] {
        for server in [Disabled, Enabled, RejectAffected, Required] {
            let mut pair =
                Pair::new(Setup { client: strict(client), server: strict(server), ..Setup::new(1) });
            let both_can = client != Disabled && server != Disabled;
            if !both_can && (client == Required || server == Required) {
                pair.run_until_closed();
                continue;
            }
            pair.run_until("logged on", |pair| pair.client.authenticated && pair.server.authenticated);
            let told = (pair.client.exchanges[0].strict, pair.server.exchanges[0].strict);
            assert_eq!(told, (both_can, both_can), "{client:?} {server:?}");
        }
    }
}

#[test]
fn only_a_peer_whose_identification_matches_is_served() {
    for role in ROLES {
        for (patterns, served) in [("*SSH-1.99-*,*SSH-2.0-Scrip???", true), ("SSH-2.0-OpenSSH_*", false)] {
            let config = Config { peer_identification: patterns.to_owned(), ..Config::default() };
            let mut duel = Duel::new(Peer::new(role, 5), config);
            duel.peer.identify();
            match duel.end() {
                None => assert!(served, "{patterns}"),
                Some(error) => {
                    let refused = matches!(error, Error::Incompatible(PeerIncompatible::Identification(_)));
                    assert!(refused && !served, "{patterns}: {error}");
                }
            }
        }
    }
}

#[test]
fn the_sizes_that_are_set_are_announced_and_enforced() {
    let config = Config { max_window: 3000, max_packet: 1000, ..Config::default() };
    let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
    duel.exchange_keys();
    duel.log_on();
    let id = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    let open = duel.expect(Number::CHANNEL_OPEN);
    let Message::ChannelOpen(open) = message(&open) else { panic!("no open") };
    assert_eq!((open.window, open.max_packet), (3000, 1000));
    duel.peer.send(&underpass_wire::ChannelOpenConfirmation {
        recipient: id.0,
        sender: 7,
        window: 1000,
        max_packet: 1000,
        data: b"",
    });
    duel.peer.send(&ChannelData { recipient: id.0, data: &[0; 1000] });
    duel.expect_alive();
    duel.peer.send(&ChannelData { recipient: id.0, data: &[0; 1001] });
    assert_eq!(duel.expect_end(), PeerMisbehaved::WindowExceeded(id.0).into());
}

#[test]
fn the_smallest_sizes_carry_everything() {
    for (max_window, max_packet) in [(1, 1), (1, 1000), (4096, 1), (0, 0), (u32::MAX, u32::MAX)] {
        let config = Config { max_window, max_packet, ..Config::default() };
        let mut pair = Pair::open(Setup { client: config.clone(), server: config, ..Setup::new(2) });
        let id = pair.open_channel(Job::exchange(1, 2000, 1), Job::echo());
        pair.run_until_idle();
        assert_eq!(pair.client.report(id).received, 2000, "{max_window} {max_packet}");
    }
}
