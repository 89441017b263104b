//! Who opens channels, and what becomes of those that nobody wants.

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::{MAX_CHANNELS, MAX_PENDING_OPENS};
use underpass_proto::{Answer, ChannelKind, Error, Event, Question, Refusal, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::pair::{Job, Pair, Setup};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    ChannelClose, ChannelData, ChannelKind as WireKind, ChannelOpen, ChannelOpenConfirmation,
    ChannelOpenFailure, Message, Number, OpenFailureReason,
};

use crate::support::conditions;

const DIRECT: WireKind<'_> =
    WireKind::DirectTcpip { host: "db", port: 5432, originator: "::1", originator_port: 40_000 };

fn open(peer: &mut Peer, sender: u32, kind: WireKind<'_>) {
    peer.send(&ChannelOpen { sender, window: 1 << 20, max_packet: 1 << 15, kind });
}

#[track_caller]
fn expect_refusal(duel: &mut Duel, sender: u32, expected: OpenFailureReason) {
    let refusal = duel.expect(Number::CHANNEL_OPEN_FAILURE);
    let Message::ChannelOpenFailure(refusal) = message(&refusal) else { panic!() };
    assert_eq!((refusal.recipient, refusal.reason), (sender, expected));
}

#[test]
fn a_refused_target_is_told_with_its_reason_and_leaves_nothing() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let now = pair.now();
        for _ in 0..20 {
            // The server has no job for such a host.
            pair.client.connection.open_direct_tcpip(("nowhere", 1), ("::1", 2), now).unwrap();
        }
        pair.run_until_idle();
        assert_eq!((&pair.client.closed, &pair.server.closed), (&None, &None));
    }
    let mut duel = Duel::opened_against(Role::Server);
    let id = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
    let (reason, description) = (OpenFailureReason::CONNECT_FAILED, b"no \x1b[2J route".to_vec());
    duel.peer.send(&ChannelOpenFailure { recipient: id.0, reason, description: &description, language: b"" });
    duel.settle();
    let refusal = Refusal::Peer { reason, description };
    assert_eq!(duel.events, [Event::ChannelRefused { channel: id, refusal }]);
    assert_eq!(duel.engine.channel_count(), 0);
}

#[test]
fn a_client_lets_no_server_open_channels() {
    let mut duel = Duel::opened_against(Role::Server);
    let kinds = [
        DIRECT,
        WireKind::Session,
        WireKind::ForwardedTcpip { address: "", port: 1, originator: "", originator_port: 2 },
        WireKind::DirectStreamlocal { path: b"/tmp/x" },
        WireKind::ForwardedStreamlocal { path: b"/tmp/x" },
        WireKind::Other { name: "auth-agent@openssh.com", data: b"" },
        WireKind::Other { name: "x11", data: b"\0\0\0\0\0\0\0\0" },
    ];
    for (sender, kind) in (0..).zip(kinds) {
        open(&mut duel.peer, sender, kind);
        expect_refusal(&mut duel, sender, OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
    }
    duel.expect_alive();
    assert_eq!(duel.events, [], "the application is not bothered");
    assert_eq!(duel.engine.channel_count(), 0);
}

#[test]
fn a_server_opens_connections_and_nothing_else() {
    let mut duel = Duel::opened_against(Role::Client);
    open(&mut duel.peer, 1, WireKind::Session);
    expect_refusal(&mut duel, 1, OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
    open(&mut duel.peer, 2, WireKind::Other { name: "tun@openssh.com", data: b"" });
    expect_refusal(&mut duel, 2, OpenFailureReason::UNKNOWN_CHANNEL_TYPE);
    duel.peer.send(&ChannelOpen { sender: 3, window: 1, max_packet: 0, kind: DIRECT });
    expect_refusal(&mut duel, 3, OpenFailureReason::RESOURCE_SHORTAGE);
    for (host, originator) in [("h".repeat(2000), "::1".to_owned()), ("db".to_owned(), "o".repeat(200_000))] {
        let (host, originator) = (host.as_str(), originator.as_str());
        open(&mut duel.peer, 3, WireKind::DirectTcpip { host, port: 1, originator, originator_port: 2 });
        expect_refusal(&mut duel, 3, OpenFailureReason::CONNECT_FAILED);
    }
    open(&mut duel.peer, 4, DIRECT);
    let (id, question) = duel.expect_question();
    let Question::OpenChannel { kind: ChannelKind::DirectTcpip { host, port, .. }, .. } = question else {
        panic!()
    };
    assert_eq!((host.as_str(), port), ("db", 5432));
    duel.engine.answer(id, Answer::Open(Err(OpenFailureReason::CONNECT_FAILED)), duel.now);
    expect_refusal(&mut duel, 4, OpenFailureReason::CONNECT_FAILED);
    assert_eq!(duel.engine.channel_count(), 0);
}

#[test]
fn a_flood_of_opens_is_bounded() {
    let mut duel = Duel::opened_against(Role::Client);
    let extra = 100;
    for sender in 0..(MAX_PENDING_OPENS + extra) as u32 {
        open(&mut duel.peer, sender, DIRECT);
    }
    assert_eq!(duel.numbers(), vec![Number::CHANNEL_OPEN_FAILURE; extra]);
    assert_eq!(duel.engine.channel_count(), MAX_PENDING_OPENS);
    // Answers make room.
    duel.answer(Answer::Open(Err(OpenFailureReason::CONNECT_FAILED)));
    duel.answer(Answer::Open(Ok(())));
    open(&mut duel.peer, 1, DIRECT);
    assert_eq!(duel.numbers(), [Number::CHANNEL_OPEN_FAILURE, Number::CHANNEL_OPEN_CONFIRMATION]);
    duel.expect_alive();
}

#[test]
fn an_undecided_open_stops_nothing_else() {
    let mut duel = Duel::opened_against(Role::Client);
    open(&mut duel.peer, 1, DIRECT);
    let (undecided, _) = duel.expect_question();
    open(&mut duel.peer, 2, DIRECT);
    let (decided, question) = duel.expect_question();
    let Question::OpenChannel { channel, .. } = question else { panic!() };
    duel.engine.answer(decided, Answer::Open(Ok(())), duel.now);
    duel.expect(Number::CHANNEL_OPEN_CONFIRMATION);
    duel.peer.send(&ChannelData { recipient: channel.0, data: b"hello" });
    duel.renew_keys();
    assert_eq!(duel.engine.chunks(channel).collect::<Vec<_>>().concat(), b"hello");
    assert!(duel.engine.answer(undecided, Answer::Open(Ok(())), duel.now));
    duel.expect(Number::CHANNEL_OPEN_CONFIRMATION);
}

#[test]
fn a_peer_cannot_decide_about_its_own_request() {
    let confirmation =
        ChannelOpenConfirmation { recipient: 0, sender: 9, window: 100, max_packet: 100, data: b"" };
    let failure = ChannelOpenFailure {
        recipient: 0,
        reason: OpenFailureReason::CONNECT_FAILED,
        description: b"",
        language: b"",
    };
    let answers: [&dyn Fn(&mut Peer); 2] = [&|peer| peer.send(&confirmation), &|peer| peer.send(&failure)];
    for answer in answers {
        let mut duel = Duel::opened_against(Role::Client);
        open(&mut duel.peer, 5, DIRECT);
        duel.settle();
        duel.events.clear();
        answer(&mut duel.peer);
        let error = duel.expect_end();
        assert!(matches!(error, Error::Peer(PeerMisbehaved::ChannelState(0, _))), "{error}");
        assert!(!duel.events.iter().any(|event| matches!(event, Event::ChannelOpened(_))));
    }
}

#[test]
fn an_open_channel_cannot_be_opened_or_refused_again() {
    for confirm in [true, false] {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.open_channel(100, 100);
        if confirm {
            duel.peer.send(&ChannelOpenConfirmation {
                recipient: id.0,
                sender: 8,
                window: 1,
                max_packet: 1,
                data: b"",
            });
        } else {
            duel.peer.send(&ChannelOpenFailure {
                recipient: id.0,
                reason: OpenFailureReason::CONNECT_FAILED,
                description: b"",
                language: b"",
            });
        }
        assert!(matches!(duel.expect_end(), Error::Peer(PeerMisbehaved::ChannelState(..))));
    }
}

#[test]
fn a_channel_that_is_given_up_while_it_opens_ends_with_one_event() {
    for confirmed in [true, false] {
        let mut duel = Duel::opened_against(Role::Server);
        let id = duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).unwrap();
        duel.engine.close(id, duel.now);
        assert_eq!(duel.numbers(), [Number::CHANNEL_OPEN]);
        if confirmed {
            duel.peer.send(&ChannelOpenConfirmation {
                recipient: id.0,
                sender: 8,
                window: 1,
                max_packet: 1,
                data: b"",
            });
            duel.expect(Number::CHANNEL_CLOSE);
            duel.peer.send(&ChannelClose { recipient: id.0 });
        } else {
            duel.peer.send(&ChannelOpenFailure {
                recipient: id.0,
                reason: OpenFailureReason::CONNECT_FAILED,
                description: b"",
                language: b"",
            });
        }
        duel.expect_alive();
        assert_eq!(duel.events, [Event::ChannelClosed(id)]);
        assert_eq!(duel.engine.channel_count(), 0);
    }
}

#[test]
fn closing_a_channel_one_is_asked_about_refuses_it() {
    let mut duel = Duel::opened_against(Role::Client);
    open(&mut duel.peer, 5, DIRECT);
    let (id, question) = duel.expect_question();
    let Question::OpenChannel { channel, .. } = question else { panic!() };
    duel.engine.close(channel, duel.now);
    expect_refusal(&mut duel, 5, OpenFailureReason::CONNECT_FAILED);
    assert!(!duel.engine.answer(id, Answer::Open(Ok(())), duel.now));
    assert_eq!(duel.engine.channel_count(), 0);
}

#[test]
fn no_more_channels_are_opened_than_allowed() {
    let mut duel = Duel::opened_against(Role::Server);
    for _ in 0..MAX_CHANNELS {
        assert!(duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).is_some());
    }
    assert!(duel.engine.open_direct_tcpip(("db", 1), ("::1", 2), duel.now).is_none());
    assert!(!duel.engine.is_closed(), "the application may ask for all at once");
    assert_eq!(duel.numbers().len(), MAX_CHANNELS);
    duel.pass(std::time::Duration::from_secs(30));
    assert_eq!(duel.events.len(), MAX_CHANNELS, "all are given up");
}

#[test]
fn channels_that_open_after_the_end_are_not_to_be_had() {
    let mut pair = Pair::open(Setup::new(1));
    pair.open_channel(Job::check(1), Job::check(1));
    let now = pair.now();
    pair.client.connection.received_end(now);
    assert_eq!(pair.client.connection.open_direct_tcpip(("db", 1), ("::1", 2), now), None);
    assert_eq!(pair.client.connection.channel_count(), 0);
}
