//! A peer that sends without end, or never reads, costs a bounded amount.

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::{
    MAX_BUFFER, MAX_IDLE_MESSAGES, MAX_PENDING_CHANNEL_CONTROL, MAX_PENDING_CONTROL,
};
use underpass_proto::{Config, Error, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    ChannelClose, ChannelOpenConfirmation, ChannelRequest, Debug, GlobalRequest, GlobalRequestData, Ignore,
    Message, Number, Ping, Pong, Unimplemented,
};

use crate::support::ROLES;

#[test]
fn a_peer_that_makes_us_answer_and_does_not_read_is_dropped() {
    type Flood = fn(&mut Peer);
    let floods: [(&str, Flood); 4] = [
        ("requests", |peer| {
            peer.send(&GlobalRequest::new(true, GlobalRequestData::Keepalive));
        }),
        ("pings", |peer| peer.send(&Ping { data: &[0; 10_000] })),
        ("unknown messages", |peer| peer.send_payload(&[150, 1, 2, 3])),
        ("channel requests", |peer| {
            peer.send(&ChannelRequest { recipient: 0, name: "x", want_reply: true, data: b"" });
        }),
    ];
    for role in ROLES {
        for renewing in [false, true] {
            for (what, flood) in floods {
                if what == "channel requests" && role == Role::Client {
                    continue;
                }
                let mut duel = Duel::opened_against(role);
                if role == Role::Server {
                    duel.open_channel(100, 100);
                }
                duel.reading = false;
                if renewing {
                    // The answers wait for an exchange that the peer never finishes.
                    duel.engine.rekey(duel.now);
                }
                let (mut most, mut sent) = (0, 0);
                let error = loop {
                    (0..50).for_each(|_| flood(&mut duel.peer));
                    sent += 50;
                    if let Some(error) = duel.end() {
                        break error;
                    }
                    most = most.max(duel.engine.transmit().len());
                };
                assert_eq!(error, PeerMisbehaved::DoesNotRead.into(), "{what}");
                let bound = MAX_BUFFER + MAX_PENDING_CONTROL + MAX_PENDING_CHANNEL_CONTROL;
                assert!(most <= bound && sent <= bound / 32, "{what}: {most} bytes for {sent} messages");
            }
        }
    }
}

#[test]
fn a_peer_that_reads_may_ask_as_much_as_it_likes() {
    let mut duel = Duel::opened_against(Role::Server);
    for round in 0..20_000_u32 {
        let data = round.to_be_bytes();
        duel.peer.send(&Ping { data: &data });
        let pong = duel.expect(Number::PONG);
        assert_eq!(message(&pong), Message::Pong(Pong { data: &data }));
    }
}

#[test]
fn messages_without_content_are_bounded_before_log_on() {
    let idle: [fn(&mut Peer); 4] = [
        |peer| peer.send(&Ignore { data: b"" }),
        |peer| peer.send(&Debug { always_display: true, message: b"", language: b"" }),
        |peer| peer.send(&Unimplemented { sequence: 0 }),
        |peer| peer.send_payload(&[150]),
    ];
    for role in ROLES {
        for send in idle {
            for with_keys in [false, true] {
                let mut duel = Duel::new(Peer::plain(role, 5), Config::default());
                if with_keys {
                    duel.exchange_keys();
                } else {
                    duel.propose();
                }
                for _ in 0..MAX_IDLE_MESSAGES {
                    send(&mut duel.peer);
                }
                duel.expect_alive();
                send(&mut duel.peer);
                assert_eq!(duel.expect_end(), PeerMisbehaved::IdleChatter.into());
            }
        }
    }
}

#[test]
fn messages_without_content_are_harmless_after_log_on() {
    let mut duel = Duel::opened_against(Role::Server);
    for _ in 0..10 * MAX_IDLE_MESSAGES {
        duel.peer.send(&Ignore { data: &[0; 100] });
        duel.peer.send(&Unimplemented { sequence: 3 });
    }
    duel.expect_alive();
    assert_eq!((duel.numbers(), duel.events.len()), (vec![], 0));
}

#[test]
fn an_unknown_message_is_answered_with_its_number() {
    for role in ROLES {
        let mut duel = Duel::opened_against(role);
        duel.renew_keys();
        // Strict key exchange has begun to count anew.
        duel.peer.send(&Ignore { data: b"" });
        duel.peer.send(&Ignore { data: b"" });
        for (sequence, number) in [(2, 0_u8), (3, 9), (4, 19), (5, 101), (6, 150), (7, 255)] {
            duel.peer.send_payload(&[number, 1, 2, 3]);
            let answer = duel.expect(Number::UNIMPLEMENTED);
            assert_eq!(message(&answer), Message::Unimplemented(Unimplemented { sequence }), "{number}");
        }
        duel.expect_alive();
    }
}

#[test]
fn renewing_keys_again_and_again_leaves_nothing_behind() {
    let mut duel = Duel::opened_against(Role::Server);
    for _ in 0..300 {
        duel.renew_keys();
        duel.events.clear();
    }
    duel.expect_alive();
    assert_eq!(duel.engine.transmit().len(), 0);
}

#[test]
fn an_application_may_close_many_channels_while_nothing_can_be_written() {
    let mut duel = Duel::opened_against(Role::Server);
    let count = 50_000;
    let ids: Vec<_> =
        (0..count).map(|_| duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap()).collect();
    for id in &ids {
        duel.peer.send(&ChannelOpenConfirmation {
            recipient: id.0,
            sender: id.0,
            window: 100,
            max_packet: 100,
            data: b"",
        });
    }
    duel.settle();
    duel.received.clear();
    duel.reading = false;
    for id in &ids {
        duel.engine.finish(*id, duel.now);
        duel.engine.close(*id, duel.now);
    }
    assert!(!duel.engine.is_closed());
    // The peer closes them as well before it reads.
    for id in &ids {
        duel.peer.send(&ChannelClose { recipient: id.0 });
    }
    duel.expect_alive();
    assert_eq!(duel.engine.channel_count(), 0);
    duel.reading = true;
    assert_eq!(duel.numbers().len(), 2 * count);
}

#[test]
fn the_goodbye_to_a_peer_that_does_not_read_still_fits() {
    let mut duel = Duel::opened_against(Role::Server);
    duel.reading = false;
    loop {
        duel.peer.send(&Ping { data: &[0; 50_000] });
        if duel.end().is_some() {
            break;
        }
    }
    duel.reading = true;
    let numbers = duel.numbers();
    assert!(numbers.len() > 10);
    assert_eq!(numbers.last(), Some(&Number::DISCONNECT));
    assert_eq!(duel.expect_end(), Error::Peer(PeerMisbehaved::DoesNotRead));
}
