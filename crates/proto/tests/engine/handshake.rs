//! What can go wrong before there are keys.

use underpass_crypto::algorithms::x25519::CURVE25519_SHA256;
use underpass_crypto::packet::PacketError;
use underpass_crypto::{KexError, Proof, Provider};
use underpass_proto::error::{AlgorithmList, PeerIncompatible, PeerMisbehaved};
use underpass_proto::{Algorithms, Config, Error, Event, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::peer::Peer;
use underpass_wire::{Disconnect, DisconnectReason, Number};

use crate::support::ROLES;

#[test]
fn what_is_not_ssh_is_recognised_and_told() {
    let cases: [(&[u8], &str); 4] = [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400"),
        (b"Exceeded MaxStartups\r\n", "MaxStartups"),
        (b"SSH-1.5-old\r\n", "SSH-1.5-old"),
        (b"\x1b[31mHTTP/\r\nHTTP/1.0 200 \x1b[2J\r\n", "HTTP/1.0 200"),
    ];
    for (line, told) in cases {
        let mut duel = Duel::against(Role::Server);
        duel.deliver(line);
        let error = duel.expect_end();
        assert!(matches!(error, Error::Incompatible(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(told) && !text.contains('\x1b'), "{text}");
    }
}

#[test]
fn lines_before_a_servers_identification_are_skipped_up_to_a_bound() {
    let mut duel = Duel::against(Role::Server);
    for _ in 0..50 {
        duel.deliver(b"Welcome to the machine.\r\n");
    }
    duel.exchange_keys();
    duel.expect_alive();

    let mut duel = Duel::against(Role::Server);
    for _ in 0..1000 {
        duel.deliver(b"Welcome to the machine.\r\n");
    }
    assert!(matches!(duel.expect_end(), Error::Incompatible(PeerIncompatible::NotSsh(_))));

    let mut duel = Duel::against(Role::Server);
    duel.deliver(&[b'a'; 5000]);
    assert!(matches!(duel.expect_end(), Error::Peer(PeerMisbehaved::Preamble(_))));
}

#[test]
fn a_handshake_may_come_in_single_bytes() {
    for role in ROLES {
        let mut duel = Duel::against(role);
        duel.peer.identify();
        duel.peer.send_kexinit();
        for byte in std::mem::take(&mut duel.peer.output) {
            duel.deliver(&[byte]);
        }
        duel.expect(Number::KEXINIT);
        duel.agree();
        duel.log_on();
    }
}

#[test]
fn a_wrong_guess_is_passed_over() {
    for role in ROLES {
        let mut peer = Peer::new(role, 5);
        peer.proposal.kex = format!("diffie-hellman-group1-sha1,{}", peer.proposal.kex);
        peer.proposal.follows = true;
        let mut duel = Duel::new(peer, Config::default());
        duel.peer.identify();
        duel.peer.send_kexinit();
        // The guessed packet, of a method that the engine does not offer.
        duel.peer.send_payload(&[30, 0, 0, 0, 1, 4]);
        duel.expect(Number::KEXINIT);
        duel.peer.proposal.follows = false;
        duel.agree();
        duel.log_on();
    }
}

#[test]
fn a_right_guess_is_taken() {
    for role in ROLES {
        let mut config = Config::default();
        config.algorithms.kex = vec![&CURVE25519_SHA256];
        let mut peer = Peer::new(role, 5);
        peer.proposal.follows = true;
        let mut duel = Duel::new(peer, config);
        duel.exchange_keys();
        duel.log_on();
    }
}

#[test]
fn peers_without_a_common_algorithm_are_told_which_list() {
    type Change = fn(&mut Peer);
    let cases: [(Change, [AlgorithmList; 2]); 4] = [
        (|peer| peer.proposal.kex = "diffie-hellman-group1-sha1".to_owned(), [AlgorithmList::Kex; 2]),
        (|peer| peer.proposal.host_key = "ssh-dss".to_owned(), [AlgorithmList::HostKey; 2]),
        (
            |peer| peer.proposal.cipher = "rot13".to_owned(),
            [AlgorithmList::CipherToClient, AlgorithmList::CipherToServer],
        ),
        (
            |peer| {
                peer.proposal.cipher = "aes128-ctr".to_owned();
                peer.proposal.mac = "hmac-md5".to_owned();
            },
            [AlgorithmList::MacToClient, AlgorithmList::MacToServer],
        ),
    ];
    for role in ROLES {
        for (change, lists) in cases {
            let mut peer = Peer::new(role, 5);
            change(&mut peer);
            let mut duel = Duel::new(peer, Config::default());
            duel.peer.identify();
            duel.peer.send_kexinit();
            let error = duel.expect_end();
            assert!(
                matches!(&error, Error::Incompatible(PeerIncompatible::NoCommonAlgorithm { list, .. })
                    if lists.contains(list)),
                "{error}"
            );
        }
    }
}

#[test]
fn markers_are_no_methods() {
    for role in ROLES {
        let mut peer = Peer::new(role, 5);
        peer.proposal.kex =
            "ext-info-c,ext-info-s,kex-strict-c-v00@openssh.com,kex-strict-s-v00@openssh.com".to_owned();
        let mut duel = Duel::new(peer, Config::default());
        duel.peer.identify();
        duel.peer.send_kexinit();
        assert!(matches!(
            duel.expect_end(),
            Error::Incompatible(PeerIncompatible::NoCommonAlgorithm { list: AlgorithmList::Kex, .. })
        ));
    }
}

#[test]
fn malformed_name_lists_are_refused() {
    for list in ["", ",", "a,", ",a", "a,,b", "a b", "a\0"] {
        let mut duel = Duel::against(Role::Server);
        duel.peer.identify();
        let mut payload = vec![Number::KEXINIT.0];
        payload.extend([0; 16]);
        for _ in 0..10 {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload.extend([0; 5]);
        duel.peer.send_payload(&payload);
        let error = duel.expect_end();
        // An empty list is well-formed and of no use.
        let expected = match list {
            "" => matches!(error, Error::Incompatible(_)),
            _ => matches!(error, Error::Peer(PeerMisbehaved::Message { number: Number::KEXINIT, .. })),
        };
        assert!(expected, "{list:?}: {error}");
    }
}

#[test]
fn malformed_public_values_are_refused() {
    let low_order = {
        // RFC 7748 section 6.1: points that force an all-zero secret.
        let mut points = vec![vec![0; 32]];
        points.push([&[1][..], &[0; 31]].concat());
        points
    };
    let lengths = [0, 1, 31, 33, 1184, 1216, 65_000].map(|len| vec![9; len]);
    for role in ROLES {
        for (public, zero) in
            low_order.iter().map(|point| (point, true)).chain(lengths.iter().map(|bytes| (bytes, false)))
        {
            let mut peer = Peer::new(role, 5);
            peer.bend_public = Some(public.clone());
            let mut duel = Duel::new(peer, Config::default());
            duel.propose();
            match role {
                Role::Client => duel.peer.send_init(),
                Role::Server => {
                    let init = duel.expect(Number::KEX_ECDH_INIT);
                    duel.peer.send_reply(&underpass_testkit::peer::public_of(&init));
                }
            }
            let error = duel.expect_end();
            let expected = match &error {
                Error::Peer(PeerMisbehaved::KeyExchange(KexError::Length { .. })) => !zero,
                Error::Peer(PeerMisbehaved::KeyExchange(_)) => zero,
                _ => false,
            };
            assert!(expected, "{} bytes: {error}", public.len());
        }
    }
}

#[test]
fn messages_of_the_key_exchange_out_of_turn_are_fatal() {
    for role in ROLES {
        for payload in [&[21][..], &[31, 0, 0, 0, 0], &[30, 0, 0, 0, 0], &[34, 0, 0, 0, 0], &[49]] {
            // Before the peer's proposal, and after it in the wrong direction or too early.
            for proposed in [false, true] {
                let right = match role {
                    Role::Client => 30,
                    Role::Server => 31,
                };
                if proposed && payload[0] == right {
                    continue;
                }
                let mut duel = Duel::against(role);
                duel.peer.identify();
                if proposed {
                    duel.peer.send_kexinit();
                    duel.settle();
                }
                duel.peer.send_payload(payload);
                let error = duel.expect_end();
                assert!(
                    matches!(error, Error::Peer(PeerMisbehaved::Unexpected { .. })),
                    "{payload:?}: {error}"
                );
            }
        }
    }
}

#[test]
fn impossible_lengths_are_refused_before_anything_is_awaited() {
    for length in [0_u32, 1, 4, 5, 11, 13, 262_145, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        for role in ROLES {
            let mut duel = Duel::against(role);
            duel.peer.identify();
            duel.settle();
            duel.deliver(&length.to_be_bytes());
            let error = duel.expect_end();
            assert_eq!(error, PeerMisbehaved::Packet(PacketError::Length(length)).into());
        }
    }
}

#[test]
fn impossible_paddings_are_refused() {
    for padding in [0_u8, 3, 12, 255] {
        let mut duel = Duel::against(Role::Server);
        duel.peer.identify();
        duel.settle();
        duel.deliver(&[&[0, 0, 0, 12, padding][..], &[0; 11]].concat());
        assert_eq!(duel.expect_end(), PeerMisbehaved::Packet(PacketError::Padding(padding)).into());
    }
}

#[test]
fn a_peers_goodbye_is_told_without_its_escapes() {
    for role in ROLES {
        let mut duel = Duel::against(role);
        duel.propose();
        duel.peer.send(&Disconnect {
            reason: DisconnectReason::TOO_MANY_CONNECTIONS,
            description: b"go \x1b[2Jaway",
            language: b"",
        });
        let Error::Disconnected { reason, description } = duel.expect_end() else { panic!() };
        assert_eq!(reason, DisconnectReason::TOO_MANY_CONNECTIONS);
        assert!(description.contains("away") && !description.contains('\x1b'), "{description:?}");
        duel.settle();
        assert!(!duel.numbers().contains(&Number::DISCONNECT), "a goodbye is not answered");
    }
}

#[test]
fn a_configuration_that_cannot_be_sent_is_refused() {
    use underpass_proto::{ClientConfig, Connection};
    use underpass_testkit::entropy::SeededEntropy;
    let config = Config { identification: "SSH-2.0-a\r\nb".to_owned(), ..Config::default() };
    let client = ClientConfig { common: config, user: "me".into() };
    let client = Connection::client(client, Box::new(SeededEntropy::new(1)), std::time::Instant::now());
    assert!(matches!(client, Err(Error::Internal(_))));
}

#[test]
fn every_algorithm_carries_a_connection_while_either_side_renews_the_keys() {
    use underpass_testkit::pair::{Job, Pair, Setup};
    let mut all = Algorithms::all(&Provider::ALL);
    // A server has no part in the others.
    all.kex.retain(|kex| kex.proof == Proof::HostKey);
    let run = |algorithms: Algorithms, seed| {
        ROLES.map(|watchful| {
            let config = Config { algorithms: all.clone(), rekey_bytes: u64::MAX, ..Config::default() };
            let mut setup = Setup { client: config.clone(), server: config, ..Setup::new(seed) };
            setup.client.algorithms = algorithms.clone();
            match watchful {
                Role::Client => setup.client.rekey_bytes = 50_000,
                Role::Server => setup.server.rekey_bytes = 50_000,
            }
            let mut pair = Pair::open(setup);
            let id = pair.open_channel(Job::exchange(1, 200_000, 1), Job::echo());
            pair.run_until_idle();
            assert_eq!(pair.client.report(id).received, 200_000);
            assert!(pair.client.exchanges.len() > 2, "{watchful:?} renews the keys");
            pair.client.exchanges[0].clone()
        })
    };
    for kex in &all.kex {
        for negotiated in run(Algorithms { kex: vec![*kex], ..all.clone() }, 1) {
            assert_eq!(negotiated.kex.name, kex.name);
        }
    }
    for cipher in &all.ciphers_out {
        // Every cipher with one MAC, and every MAC with a cipher of each sort.
        let macs = match cipher.name {
            "aes128-ctr" | "aes128-cbc" => all.macs_out.as_slice(),
            _ => &all.macs_out[..1],
        };
        for mac in macs {
            let algorithms = Algorithms {
                ciphers_out: vec![*cipher],
                ciphers_in: vec![*cipher],
                macs_out: vec![*mac],
                macs_in: vec![*mac],
                ..all.clone()
            };
            for negotiated in run(algorithms, 2) {
                assert_eq!(negotiated.cipher_in.name, cipher.name);
                assert!(negotiated.mac_in.is_none_or(|chosen| chosen.name == mac.name));
            }
        }
    }
}

#[test]
fn the_two_directions_may_have_different_ciphers() {
    use underpass_testkit::pair::{Job, Pair, Setup};
    let mut config = Config { rekey_bytes: 50_000, ..Config::default() };
    config.algorithms.ciphers_in.reverse();
    let mut pair = Pair::open(Setup { client: config, ..Setup::new(1) });
    let first = &pair.client.exchanges[0];
    assert_ne!(first.cipher_in, first.cipher_out);
    assert_eq!(first.cipher_in, pair.server.exchanges[0].cipher_out);
    let id = pair.open_channel(Job::exchange(1, 200_000, 1), Job::echo());
    pair.run_until_idle();
    assert_eq!(pair.client.report(id).received, 200_000);
}

#[test]
fn the_identification_is_told() {
    let mut duel = Duel::against(Role::Server);
    duel.propose();
    let told = duel.events.iter().find_map(|event| match event {
        Event::Identified(identification) => Some(identification.software().to_owned()),
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("Scripted"));
}
