//! Damage to packets under every cipher: an error, never a panic, never taken for data.

use underpass_crypto::Provider;
use underpass_crypto::packet::{MAX_PACKET_LENGTH, PacketError};
use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Algorithms, Config, Error, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::link::{Fault, Weather};
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{Ping, ServiceAccept};

const PROTECTIONS: [(&str, &str); 10] = [
    ("aes128-gcm@openssh.com", ""),
    ("chacha20-poly1305@openssh.com", ""),
    ("aes128-ctr", "hmac-sha2-256-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha2-512-etm@openssh.com"),
    ("aes128-ctr", "hmac-sha2-256"),
    ("aes256-ctr", "hmac-sha2-512"),
    ("3des-cbc", "umac-64-etm@openssh.com"),
    ("arcfour128", "umac-128@openssh.com"),
    ("3des-ctr", "hmac-ripemd160-96"),
    CHAINED,
];

/// How a packet under it is bad must not show.
const CHAINED: (&str, &str) = ("aes128-cbc", "hmac-sha1");

/// An engine that is told to offer everything, and a peer that offers these.
fn under(cipher: &str, mac: &str) -> Duel {
    let mut peer = Peer::new(Role::Server, 5);
    peer.proposal.cipher = cipher.to_owned();
    if !mac.is_empty() {
        peer.proposal.mac = mac.to_owned();
    }
    Duel::new(peer, Config { algorithms: Algorithms::all(&Provider::ALL), ..Config::default() })
}

/// An engine that awaits the first packet under keys, and that packet.
fn before_a_packet(cipher: &str, mac: &str) -> (Duel, Vec<u8>) {
    let mut duel = under(cipher, mac);
    duel.exchange_keys();
    duel.peer.send(&ServiceAccept { name: "ssh-userauth" });
    let packet = std::mem::take(&mut duel.peer.output);
    (duel, packet)
}

#[test]
fn every_flipped_bit_of_a_packet_is_noticed() {
    // More than any length field can make the engine wait for.
    let filler = vec![0; 300 * 1024];
    for (cipher, mac) in PROTECTIONS {
        let (_, packet) = before_a_packet(cipher, mac);
        for bit in 0..packet.len() * 8 {
            let (mut duel, mut packet) = before_a_packet(cipher, mac);
            packet[bit / 8] ^= 1 << (bit % 8);
            duel.deliver(&packet);
            duel.deliver(&filler);
            let error = duel.expect_end();
            assert!(
                matches!(error, Error::Peer(PeerMisbehaved::Packet(_))),
                "{cipher} {mac}, bit {bit}: {error}"
            );
        }
    }
}

#[test]
fn a_packet_without_its_last_byte_is_waited_for() {
    for (cipher, mac) in PROTECTIONS {
        let (mut duel, packet) = before_a_packet(cipher, mac);
        let (last, rest) = packet.split_last().unwrap();
        duel.deliver(rest);
        duel.expect_alive();
        assert_eq!(
            duel.events.iter().filter(|event| matches!(event, underpass_proto::Event::Question(..))).count(),
            0
        );
        duel.deliver(&[*last]);
        duel.expect_question();
    }
}

#[test]
fn a_packet_may_not_come_twice() {
    for (cipher, mac) in PROTECTIONS {
        let (mut duel, packet) = before_a_packet(cipher, mac);
        duel.deliver(&packet);
        duel.expect_alive();
        duel.deliver(&packet);
        duel.deliver(&vec![0; 300 * 1024]);
        assert!(matches!(duel.expect_end(), Error::Peer(PeerMisbehaved::Packet(_))), "{cipher} {mac}");
    }
}

#[test]
fn the_largest_packets_pass_and_larger_ones_do_not() {
    for (cipher, mac) in PROTECTIONS {
        let mut duel = under(cipher, mac);
        duel.exchange_keys();
        duel.log_on();
        // A ping's header and the most padding.
        for len in [0, 1, 100_000, 262_144 - 64] {
            duel.peer.send(&Ping { data: &vec![1; len] });
            let pong = duel.expect(underpass_wire::Number::PONG);
            assert_eq!(pong.len(), 5 + len, "{cipher}");
        }
        duel.peer.send(&Ping { data: &vec![1; 262_144] });
        let Error::Peer(PeerMisbehaved::Packet(error)) = duel.expect_end() else { panic!("{cipher} {mac}") };
        assert_eq!(error == PacketError::Forged, (cipher, mac) == CHAINED, "{cipher} {mac}: {error}");
    }
}

#[test]
fn under_a_chained_cipher_nothing_tells_how_a_packet_is_bad() {
    let (cipher, mac) = CHAINED;
    let (_, packet) = before_a_packet(cipher, mac);
    let tag_len = 20;
    // In the length, in the payload, in the tag.
    let endings = [0, 20, packet.len() - 1].map(|at| {
        let (mut duel, mut packet) = before_a_packet(cipher, mac);
        packet[at] ^= 0x80;
        packet.resize(MAX_PACKET_LENGTH + tag_len, 0);
        let (last, rest) = packet.split_last().unwrap();
        duel.deliver(rest);
        duel.expect_alive();
        duel.deliver(&[*last]);
        let error = duel.expect_end();
        assert_eq!(error, Error::Peer(PeerMisbehaved::Packet(PacketError::Forged)));
        duel.received
    });
    assert!(!endings[0].is_empty(), "the peer is told");
    assert!(endings.iter().all(|told| *told == endings[0]), "{endings:?}");
}

#[test]
fn a_flipped_bit_anywhere_in_a_connection_ends_it() {
    let (up, down) = {
        let pair = tunnel(None, None);
        (pair.up.given(), pair.down.given())
    };
    let mut unnoticed = 0;
    for at in 0..120 {
        // Spread over everything, with every position within a byte.
        let (up, down) = ((at * up * 8 / 120 + at % 8), (at * down * 8 / 120 + at % 8));
        for (up, down) in [(Some(up), None), (None, Some(down))] {
            if !ends(up, down) {
                // What nothing protects is the padding of packets in clear, of 11 bytes at most.
                let beyond = |bit| bit + 12 * 8;
                assert!(ends(up.map(beyond), down.map(beyond)), "bit {up:?} {down:?} went unnoticed");
                unnoticed += 1;
            }
        }
    }
    assert!(unnoticed <= 3, "{unnoticed} bits went unnoticed, more than there can be in padding");
}

/// Whether a flipped bit ends the connection of both sides.
fn ends(up: Option<u64>, down: Option<u64>) -> bool {
    let pair = tunnel(up, down);
    pair.client.closed.is_some() && pair.server.closed.is_some()
}

/// A whole connection with some data, with a bit flipped on the way.
fn tunnel(up: Option<u64>, down: Option<u64>) -> Pair {
    let mut pair = Pair::new(Setup { weather: Weather::ROUGH, ..Setup::new(3) });
    up.into_iter().for_each(|bit| pair.up.fail(Fault::Flip(bit)));
    down.into_iter().for_each(|bit| pair.down.fail(Fault::Flip(bit)));
    pair.run_until("logged on or closed", |pair| {
        (pair.client.authenticated && pair.server.authenticated)
            || (pair.client.closed.is_some() && pair.server.closed.is_some())
    });
    if pair.client.closed.is_none() && pair.server.closed.is_none() {
        pair.open_channel(Job::exchange(1, 20_000, 2), Job::exchange(2, 20_000, 1));
        pair.run_until("the end of the channel or of everything", |pair| {
            let over = pair.client.closed.is_some() && pair.server.closed.is_some();
            over || (pair.client.connection.channel_count() == 0
                && pair.server.connection.channel_count() == 0
                && pair.client.closed.is_none()
                && pair.server.closed.is_none())
        });
    }
    pair
}
