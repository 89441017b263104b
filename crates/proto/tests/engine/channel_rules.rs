//! What a peer may and may not do with channels, and what of it concerns only one channel.

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::{INITIAL_WINDOW, MAX_CHANNEL_DATA};
use underpass_proto::{ChannelId, Error, Event, Receiving, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    ChannelClose, ChannelData, ChannelEof, ChannelExtendedData, ChannelFailure, ChannelOpenConfirmation,
    ChannelOpenFailure, ChannelRequest, ChannelSuccess, ChannelWindowAdjust, GlobalRequest,
    GlobalRequestData, Message, Number, OpenFailureReason, RequestFailure, RequestSuccess,
};

use crate::support::ROLES;

/// Every message that names a channel.
type Send = fn(&mut Peer, u32);
const MESSAGES: [(&str, Send); 10] = [
    ("data", |peer, recipient| peer.send(&ChannelData { recipient, data: b"late" })),
    ("extended data", |peer, recipient| {
        peer.send(&ChannelExtendedData { recipient, code: 1, data: b"late" });
    }),
    ("window adjust", |peer, recipient| peer.send(&ChannelWindowAdjust { recipient, bytes: 1 })),
    ("eof", |peer, recipient| peer.send(&ChannelEof { recipient })),
    ("close", |peer, recipient| peer.send(&ChannelClose { recipient })),
    ("request", |peer, recipient| {
        peer.send(&ChannelRequest { recipient, name: "exit-status", want_reply: true, data: b"\0\0\0\0" });
    }),
    ("success", |peer, recipient| peer.send(&ChannelSuccess { recipient })),
    ("failure", |peer, recipient| peer.send(&ChannelFailure { recipient })),
    ("confirmation", |peer, recipient| {
        peer.send(&ChannelOpenConfirmation { recipient, sender: 1, window: 1, max_packet: 1, data: b"" });
    }),
    ("refusal", |peer, recipient| {
        peer.send(&ChannelOpenFailure {
            recipient,
            reason: OpenFailureReason::CONNECT_FAILED,
            description: b"",
            language: b"",
        });
    }),
];

#[test]
fn late_messages_for_a_closed_channel_are_ignored() {
    for (what, send) in MESSAGES {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.open_channel(100, 100);
        duel.engine.close(id, duel.now);
        duel.expect(Number::CHANNEL_CLOSE);
        duel.peer.send(&ChannelClose { recipient: id.0 });
        duel.settle();
        assert_eq!(duel.engine.channel_count(), 0);
        duel.events.clear();
        send(&mut duel.peer, id.0);
        assert_eq!(duel.end(), None, "{what}");
        assert_eq!((duel.numbers(), duel.events.len()), (vec![], 0), "{what}");
    }
}

#[test]
fn messages_that_cross_our_close_are_ignored() {
    for (what, send) in &MESSAGES[..8] {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.open_channel(100, 100);
        duel.engine.close(id, duel.now);
        duel.expect(Number::CHANNEL_CLOSE);
        send(&mut duel.peer, id.0);
        assert_eq!(duel.end(), None, "{what}");
        assert_eq!(duel.numbers(), [], "{what}");
    }
}

#[test]
fn messages_after_the_peers_close_are_ignored() {
    for (what, send) in &MESSAGES[..8] {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.open_channel(100, 100);
        duel.peer.send(&ChannelClose { recipient: id.0 });
        duel.expect(Number::CHANNEL_CLOSE);
        send(&mut duel.peer, id.0);
        assert_eq!(duel.end(), None, "{what}");
        assert_eq!(duel.engine.chunks(id).count(), 0, "{what}");
        duel.engine.close(id, duel.now);
        assert_eq!(duel.engine.channel_count(), 0);
    }
}

#[test]
fn messages_for_channels_that_never_were_are_fatal() {
    for role in ROLES {
        for (what, send) in MESSAGES {
            for number in [0, 1, 7, u32::MAX] {
                let mut duel = Duel::opened_against(role);
                send(&mut duel.peer, number);
                assert_eq!(duel.expect_end(), PeerMisbehaved::NoSuchChannel(number).into(), "{what}");
            }
        }
    }
}

#[test]
fn messages_before_the_channel_is_open_are_fatal() {
    for (what, send) in &MESSAGES[..5] {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
        duel.settle();
        send(&mut duel.peer, id.0);
        let error = duel.expect_end();
        assert!(matches!(error, Error::Peer(PeerMisbehaved::ChannelState(..))), "{what}: {error}");
    }
}

#[track_caller]
fn expect_fatal(mut duel: Duel, expected: fn(&PeerMisbehaved) -> bool) {
    let error = duel.expect_end();
    assert!(matches!(&error, Error::Peer(fault) if expected(fault)), "{error}");
}

fn with_channel() -> (Duel, ChannelId) {
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.open_channel(100, 100);
    (duel, id)
}

#[test]
fn data_after_the_end_of_file_is_fatal() {
    let (mut duel, id) = with_channel();
    duel.peer.send(&ChannelEof { recipient: id.0 });
    duel.peer.send(&ChannelData { recipient: id.0, data: b"more" });
    expect_fatal(duel, |fault| matches!(fault, PeerMisbehaved::ChannelState(0, _)));
}

#[test]
fn a_window_that_is_exceeded_is_fatal_at_the_first_byte() {
    let (mut duel, id) = with_channel();
    let data = vec![0; MAX_CHANNEL_DATA];
    for _ in 0..INITIAL_WINDOW as usize / MAX_CHANNEL_DATA {
        duel.peer.send(&ChannelData { recipient: id.0, data: &data });
    }
    duel.expect_alive();
    duel.peer.send(&ChannelData { recipient: id.0, data: b"" });
    duel.expect_alive();
    duel.peer.send(&ChannelData { recipient: id.0, data: b"x" });
    expect_fatal(duel, |fault| matches!(fault, PeerMisbehaved::WindowExceeded(0)));
}

#[test]
fn an_oversized_packet_is_fatal() {
    let (mut duel, id) = with_channel();
    let data = vec![0; MAX_CHANNEL_DATA + 1];
    duel.peer.send(&ChannelData { recipient: id.0, data: &data[1..] });
    duel.expect_alive();
    duel.peer.send(&ChannelData { recipient: id.0, data: &data });
    expect_fatal(duel, |fault| matches!(fault, PeerMisbehaved::WindowExceeded(0)));
}

#[test]
fn a_window_beyond_its_range_is_fatal_and_the_largest_is_not() {
    let (mut duel, id) = with_channel();
    duel.peer.send(&ChannelWindowAdjust { recipient: id.0, bytes: u32::MAX - 100 });
    duel.expect_alive();
    assert_eq!(duel.engine.slots(id, 1000).capacity(), 1000);
    duel.peer.send(&ChannelWindowAdjust { recipient: id.0, bytes: 1 });
    expect_fatal(duel, |fault| matches!(fault, PeerMisbehaved::WindowOverflow(0)));
}

#[test]
fn empty_data_is_harmless() {
    let (mut duel, id) = with_channel();
    for _ in 0..100_000 {
        duel.peer.send(&ChannelData { recipient: id.0, data: b"" });
    }
    duel.expect_alive();
    assert_eq!(duel.engine.chunks(id).count(), 0);
    assert!(duel.events.len() <= 1, "{} events", duel.events.len());
}

#[test]
fn a_second_stream_is_dropped_with_credit() {
    let (mut duel, id) = with_channel();
    let data = vec![0; MAX_CHANNEL_DATA];
    for _ in 0..100 {
        duel.peer.send(&ChannelExtendedData { recipient: id.0, code: 1, data: &data });
        duel.settle();
    }
    duel.expect_alive();
    assert_eq!(duel.engine.chunks(id).count(), 0);
    let credit: u64 = duel
        .received
        .drain(..)
        .map(|payload| match message(&payload) {
            Message::ChannelWindowAdjust(adjust) => u64::from(adjust.bytes),
            other => panic!("{other:?}"),
        })
        .sum();
    assert!(credit > 100 * MAX_CHANNEL_DATA as u64 - u64::from(INITIAL_WINDOW) / 4, "{credit}");
}

#[test]
fn ends_may_come_twice() {
    let (mut duel, id) = with_channel();
    duel.peer.send(&ChannelData { recipient: id.0, data: b"last" });
    duel.peer.send(&ChannelEof { recipient: id.0 });
    duel.peer.send(&ChannelEof { recipient: id.0 });
    duel.settle();
    assert_eq!(duel.engine.receiving(id), Some(Receiving::Finished));
    duel.peer.send(&ChannelClose { recipient: id.0 });
    duel.peer.send(&ChannelClose { recipient: id.0 });
    assert_eq!(duel.numbers(), [Number::CHANNEL_CLOSE]);
    assert_eq!(duel.engine.receiving(id), Some(Receiving::Closed { finished: true }));
    // What came before is still there.
    assert_eq!(duel.engine.chunks(id).collect::<Vec<_>>().concat(), b"last");
    duel.engine.consume(id, 4, duel.now);
    duel.engine.close(id, duel.now);
    duel.engine.close(id, duel.now);
    duel.expect_alive();
    assert_eq!(duel.events.iter().filter(|event| **event == Event::ChannelClosed(id)).count(), 1);
}

#[test]
fn the_application_may_end_things_twice_and_touch_what_is_over() {
    let (mut duel, id) = with_channel();
    duel.engine.finish(id, duel.now);
    duel.engine.finish(id, duel.now);
    assert_eq!(duel.engine.slots(id, 10).capacity(), 0);
    duel.engine.close(id, duel.now);
    duel.engine.close(id, duel.now);
    duel.engine.finish(id, duel.now);
    assert_eq!(duel.numbers(), [Number::CHANNEL_EOF, Number::CHANNEL_CLOSE]);
    duel.peer.send(&ChannelClose { recipient: id.0 });
    duel.settle();
    duel.engine.close(id, duel.now);
    duel.engine.consume(id, 0, duel.now);
    assert_eq!(duel.engine.slots(id, 10).capacity(), 0);
    duel.engine.commit(id, 0, duel.now);
    assert_eq!(duel.engine.receiving(id), None);
    assert_eq!(duel.numbers(), []);
}

#[test]
fn requests_for_a_channel_are_refused_if_an_answer_is_wanted() {
    let (mut duel, id) = with_channel();
    for want_reply in [true, false] {
        duel.peer.send(&ChannelRequest { recipient: id.0, name: "shell", want_reply, data: b"" });
    }
    let failure = duel.expect(Number::CHANNEL_FAILURE);
    assert_eq!(message(&failure), Message::ChannelFailure(ChannelFailure { recipient: 7 }));
    assert_eq!(duel.numbers(), []);
}

#[test]
fn global_requests_are_refused_and_replies_nobody_waits_for_ignored() {
    for role in ROLES {
        let mut duel = Duel::opened_against(role);
        for want_reply in [true, false] {
            duel.peer.send(&GlobalRequest::new(want_reply, GlobalRequestData::NoMoreSessions));
            duel.peer.send(&GlobalRequest::new(want_reply, GlobalRequestData::HostKeys { keys: b"" }));
        }
        assert_eq!(duel.numbers(), [Number::REQUEST_FAILURE; 2]);
        for _ in 0..1000 {
            duel.peer.send(&RequestSuccess { data: b"\0\0\0\x16" });
            duel.peer.send(&RequestFailure);
        }
        duel.expect_alive();
        assert_eq!((duel.numbers(), duel.events.len()), (vec![], 0));
    }
}
