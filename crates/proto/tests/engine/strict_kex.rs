//! Strict key exchange (OpenSSH PROTOCOL 1.9) against prefix truncation (CVE-2023-48795), and peers without it.

use underpass_crypto::packet::PacketError;
use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Config, Error, Event, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::pair::{Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{ChannelData, Debug, Ignore, Number, Ping, Unimplemented};

use crate::support::ROLES;

#[test]
fn both_engines_agree_to_be_strict() {
    let mut pair = Pair::open(Setup::new(1));
    assert!(pair.client.exchanges[0].strict && pair.server.exchanges[0].strict);
    let now = pair.now();
    pair.client.connection.rekey(now);
    pair.run_until("new keys", |pair| pair.client.exchanges.len() == 2 && pair.server.exchanges.len() == 2);
    assert!(pair.client.exchanges[1].strict && pair.server.exchanges[1].strict);
}

#[test]
fn sequence_numbers_restart_with_every_new_key() {
    // The scripted peer counts for itself; chacha20-poly1305 has the number in every tag.
    for role in ROLES {
        let mut duel = chacha(Peer::new(role, 5));
        duel.exchange_keys();
        duel.log_on();
        for _ in 0..3 {
            duel.renew_keys();
            duel.peer.send(&Ping { data: b"x" });
            duel.expect(Number::PONG);
        }
    }
}

#[test]
fn a_peer_without_strictness_is_served() {
    for role in ROLES {
        let mut duel = chacha(Peer::plain(role, 5));
        duel.exchange_keys();
        assert!(
            duel.events
                .iter()
                .any(|event| matches!(event, Event::KeysExchanged { negotiated, .. } if !negotiated.strict))
        );
        duel.log_on();
        for _ in 0..3 {
            // A marker in a later key exchange comes too late to change anything.
            duel.peer.proposal.kex.push_str(",kex-strict-s-v00@openssh.com,kex-strict-c-v00@openssh.com");
            duel.renew_keys();
            duel.peer.send(&Ping { data: b"x" });
            duel.expect(Number::PONG);
        }
    }
}

#[test]
fn a_message_before_the_proposal_is_fatal_to_a_strict_peer_only() {
    for role in ROLES {
        for (peer, strict) in [(Peer::new(role, 5), true), (Peer::plain(role, 5), false)] {
            let mut duel = Duel::new(peer, Config::default());
            duel.peer.identify();
            duel.peer.send(&Ignore { data: b"" });
            duel.expect(Number::KEXINIT);
            duel.peer.send_kexinit();
            if strict {
                assert_eq!(duel.expect_end(), PeerMisbehaved::StrictKex.into());
            } else {
                duel.agree();
                duel.expect_alive();
            }
        }
    }
}

#[test]
fn a_message_inserted_into_a_strict_first_exchange_is_fatal() {
    let insert: [fn(&mut Peer); 5] = [
        |peer| peer.send(&Ignore { data: b"" }),
        |peer| peer.send(&Debug { always_display: false, message: b"", language: b"" }),
        |peer| peer.send(&Unimplemented { sequence: 0 }),
        |peer| peer.send_payload(&[150]),
        |peer| peer.send_payload(&[]),
    ];
    for role in ROLES {
        for insert in insert {
            let mut duel = Duel::against(role);
            duel.propose();
            insert(&mut duel.peer);
            let error = duel.expect_end();
            assert!(
                matches!(error, Error::Peer(PeerMisbehaved::StrictKex | PeerMisbehaved::Unexpected { .. })),
                "{error}"
            );
        }
    }
}

#[test]
fn a_message_inserted_before_newkeys_is_fatal() {
    for role in ROLES {
        let mut duel = Duel::against(role);
        duel.propose();
        match role {
            Role::Client => duel.peer.send_init(),
            Role::Server => {
                let init = duel.expect(Number::KEX_ECDH_INIT);
                duel.peer.send_reply(&underpass_testkit::peer::public_of(&init));
            }
        }
        duel.peer.send(&Ignore { data: b"" });
        assert_eq!(duel.expect_end(), PeerMisbehaved::StrictKex.into());
    }
}

/// Terrapin: an attacker inserts a message before the keys and takes the first one after them away, so that the
/// numbers of all that follow fit again.
#[test]
fn a_truncated_prefix_is_noticed_when_strict() {
    for role in ROLES {
        for strict in [true, false] {
            let peer = if strict { Peer::new(role, 5) } else { Peer::plain(role, 5) };
            let mut duel = chacha(peer);
            let inserted = !strict;
            duel.peer.identify();
            duel.peer.send_kexinit();
            duel.settle();
            if inserted {
                // The engine counts it, the honest peer does not know of it.
                let ignore = b"\0\0\0\x0c\x06\x02\0\0\0\0\0\0\0\0\0\0";
                duel.deliver(ignore);
            }
            duel.expect(Number::KEXINIT);
            duel.agree();
            // The first packet under the new keys is taken away.
            duel.peer.send(&Ignore { data: b"" });
            duel.peer.output.clear();
            duel.peer.send(&Ignore { data: b"" });
            if strict {
                expect_forgery(&mut duel);
            } else {
                // What strictness is for: without it nothing is noticed.
                duel.expect_alive();
            }
        }
    }
}

#[test]
fn a_missing_packet_is_noticed_later_too() {
    for cipher in ["aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr"] {
        let mut peer = Peer::new(Role::Server, 5);
        peer.proposal.cipher = cipher.to_owned();
        let mut duel = Duel::new(peer, Config::default());
        duel.exchange_keys();
        duel.log_on();
        let id = duel.open_channel(0, 100);
        duel.peer.send(&ChannelData { recipient: id.0, data: b"taken away" });
        duel.peer.output.clear();
        duel.peer.send(&ChannelData { recipient: id.0, data: b"left alone" });
        expect_forgery(&mut duel);
    }
}

#[test]
fn the_first_packet_of_an_engine_is_its_proposal() {
    let mut duel = Duel::against(Role::Server);
    duel.peer.identify();
    duel.expect(Number::KEXINIT);
    assert_eq!(duel.numbers(), []);
}

/// Where lengths are encrypted too, a wrong one can come to light first.
#[track_caller]
fn expect_forgery(duel: &mut Duel) {
    let error = duel.expect_end();
    assert!(
        matches!(error, Error::Peer(PeerMisbehaved::Packet(PacketError::Forged | PacketError::Length(_)))),
        "{error}"
    );
}

fn chacha(mut peer: Peer) -> Duel {
    peer.proposal.cipher = "chacha20-poly1305@openssh.com".to_owned();
    Duel::new(peer, Config::default())
}
