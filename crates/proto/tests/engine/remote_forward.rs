//! Remote forwards (RFC 4254 section 7.1): requests, replies in their order, and the channels that belong to them.

use std::num::NonZeroU16;

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::MAX_REQUESTS;
use underpass_proto::{
    Answer, ChannelKind, Connection, Error, Event, ForwardVerdict, Question, RemoteBind, RequestId,
    RequestOutcome, Role,
};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::pair::{Job, Pair};
use underpass_testkit::peer::Peer;
use underpass_wire::{
    ChannelKind as WireKind, ChannelOpen, ChannelOpenFailure, GlobalRequest, GlobalRequestData, Ignore,
    Message, Number, OpenFailureReason, RequestFailure, RequestSuccess,
};

use crate::support::{MILLISECOND, SECOND, conditions};

const PORT: NonZeroU16 = NonZeroU16::new(4000).unwrap();
const GRANTED: RequestOutcome = RequestOutcome::Granted { port: None };

fn tcp(address: &str, port: u16) -> RemoteBind {
    RemoteBind::Tcp { address: address.to_owned(), port }
}

fn grant_port(peer: &mut Peer, port: u32) {
    peer.send(&RequestSuccess { data: &port.to_be_bytes() });
}

fn open(peer: &mut Peer, address: &str, port: u32) {
    let kind = WireKind::ForwardedTcpip { address, port, originator: "::1", originator_port: 5 };
    peer.send(&ChannelOpen { sender: 1, window: 1 << 20, max_packet: 1 << 15, kind });
}

/// Takes the question about a channel of the server and gives the forward it is said to belong to.
#[track_caller]
fn expect_forwarded(duel: &mut Duel) -> RequestId {
    match duel.expect_question().1 {
        Question::OpenChannel { kind: ChannelKind::ForwardedTcpip { forward, .. }, .. } => forward,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn expect_prohibited(duel: &mut Duel) {
    let refusal = duel.expect(Number::CHANNEL_OPEN_FAILURE);
    let Message::ChannelOpenFailure(ChannelOpenFailure { reason, .. }) = message(&refusal) else { panic!() };
    assert_eq!(reason, OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
    assert_eq!(duel.events, [], "the application is not bothered");
}

/// A forward that the peer has granted, and nothing left to look at.
#[track_caller]
fn granted(duel: &mut Duel, bind: &RemoteBind) -> RequestId {
    let forward = duel.engine.request_forward(bind, duel.now).expect("there is room");
    duel.expect(Number::GLOBAL_REQUEST);
    grant_port(&mut duel.peer, PORT.get().into());
    duel.settle();
    assert!(matches!(
        duel.events.pop_front(),
        Some(Event::RequestAnswered { request, outcome: RequestOutcome::Granted { .. } }) if request == forward
    ));
    forward
}

#[test]
fn connections_to_the_server_are_carried_to_the_client() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        pair.server.answer_with(|question| {
            let verdict = ForwardVerdict::Granted { port: Some(PORT) };
            matches!(question, Question::Forward(_)).then_some(Answer::Forward(verdict))
        });
        let now = pair.now();
        let forward = pair.client.connection.request_forward(&tcp("0", 0), now).unwrap();
        pair.run_until("answered", |pair| pair.client.outcomes.contains_key(&forward));
        assert_eq!(pair.client.outcomes[&forward], RequestOutcome::Granted { port: Some(PORT) });
        let forwarded = |connection: &mut Connection, name: &str, now| {
            connection.open_forwarded_tcpip((name, PORT.get()), ("192.0.2.1", 7), now)
        };
        let ids: Vec<_> = (0..3)
            .map(|n| pair.open_channel_as(Role::Server, forwarded, Job::exchange(n, 60_000, n), Job::echo()))
            .collect();
        pair.run_until_idle();
        for id in ids {
            assert_eq!(pair.server.report(id).received, 60_000);
        }
        let expected = ChannelKind::ForwardedTcpip {
            forward,
            address: "0".to_owned(),
            port: PORT.get(),
            originator: "192.0.2.1".to_owned(),
            originator_port: 7,
        };
        assert!(
            pair.client.questions.iter().any(|question| {
                matches!(question, Question::OpenChannel { kind, .. } if *kind == expected)
            })
        );
    }
}

#[test]
fn requests_and_signs_of_life_get_their_own_replies_whatever_the_order_of_decisions() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        // The server decides later, and backwards; whatever has an even port is granted.
        let now = pair.now();
        let requests: Vec<_> = (1..30)
            .map(|port| {
                pair.client.connection.probe(3600 * SECOND, now);
                pair.client.connection.request_forward(&tcp("", port), now).unwrap()
            })
            .collect();
        pair.run_until("all asked", |pair| pair.server.unanswered.len() == requests.len());
        let now = pair.now();
        while let Some((id, question)) = pair.server.unanswered.pop_back() {
            let Question::Forward(RemoteBind::Tcp { port, .. }) = question else { panic!() };
            let verdict = match port % 2 {
                0 => ForwardVerdict::Granted { port: None },
                _ => ForwardVerdict::Refused,
            };
            assert!(pair.server.connection.answer(id, Answer::Forward(verdict), now));
        }
        pair.run_until("all answered", |pair| pair.client.outcomes.len() == requests.len());
        for (port, request) in (1..30).zip(requests) {
            let expected = if port % 2 == 0 { GRANTED } else { RequestOutcome::Refused };
            assert_eq!(pair.client.outcomes[&request], expected, "port {port}");
        }
    }
}

#[test]
fn a_request_says_what_is_to_be_listened_on_and_a_cancel_names_the_chosen_port() {
    let mut duel = Duel::opened_against(Role::Server);
    let forward = duel.engine.request_forward(&tcp("localhost", 0), duel.now).unwrap();
    let request = duel.expect(Number::GLOBAL_REQUEST);
    let data = GlobalRequestData::TcpipForward { address: "localhost", port: 0 };
    assert_eq!(message(&request), Message::GlobalRequest(GlobalRequest::new(true, data)));
    assert_eq!(duel.engine.cancel_forward(forward, duel.now), None, "it is not granted yet");
    grant_port(&mut duel.peer, 4000);
    duel.settle();
    let outcome = RequestOutcome::Granted { port: Some(PORT) };
    assert_eq!(duel.events.pop_front(), Some(Event::RequestAnswered { request: forward, outcome }));

    let cancel = duel.engine.cancel_forward(forward, duel.now).unwrap();
    let request = duel.expect(Number::GLOBAL_REQUEST);
    let data = GlobalRequestData::CancelTcpipForward { address: "localhost", port: 4000 };
    assert_eq!(message(&request), Message::GlobalRequest(GlobalRequest::new(true, data)));
    assert_eq!(duel.engine.cancel_forward(forward, duel.now), None, "it is cancelled");
    duel.peer.send(&RequestSuccess { data: b"" });
    duel.settle();
    assert_eq!(duel.events, [Event::RequestAnswered { request: cancel, outcome: GRANTED }]);
}

#[test]
fn a_grant_of_port_zero_without_a_possible_port_is_a_fault() {
    let answers: [&[u8]; 5] = [b"", b"\0\0\x0f", b"\0\0\x0f\xa0\0", b"\0\0\0\0", b"\0\x01\0\0"];
    for data in answers {
        let mut duel = Duel::opened_against(Role::Server);
        duel.engine.request_forward(&tcp("", 0), duel.now).unwrap();
        duel.peer.send(&RequestSuccess { data });
        let error = duel.expect_end();
        assert!(
            matches!(
                error,
                Error::Peer(
                    PeerMisbehaved::Message { number: Number::REQUEST_SUCCESS, .. }
                        | PeerMisbehaved::ImpossiblePort(0 | 0x1_0000)
                )
            ),
            "{data:?}: {error}"
        );
        assert!(!duel.events.iter().any(|event| matches!(event, Event::RequestAnswered { .. })));
    }
}

#[test]
fn a_grant_of_a_given_port_may_repeat_it() {
    for data in [b"".as_slice(), b"\0\0\0\x50", b"\0\0\0\x51..."] {
        let mut duel = Duel::opened_against(Role::Server);
        let request = duel.engine.request_forward(&tcp("", 80), duel.now).unwrap();
        duel.peer.send(&RequestSuccess { data });
        duel.expect_alive();
        assert_eq!(duel.events, [Event::RequestAnswered { request, outcome: GRANTED }]);
    }
}

#[test]
fn replies_that_nobody_waits_for_answer_nothing_later() {
    let mut duel = Duel::opened_against(Role::Server);
    for _ in 0..10_000 {
        grant_port(&mut duel.peer, 4000);
        duel.peer.send(&RequestFailure);
    }
    duel.expect_alive();
    let forward = duel.engine.request_forward(&tcp("", 80), duel.now).unwrap();
    duel.settle();
    assert_eq!(duel.events, []);
    duel.peer.send(&RequestFailure);
    duel.peer.send(&RequestSuccess { data: b"" });
    duel.settle();
    let outcome = RequestOutcome::Refused;
    assert_eq!(duel.events, [Event::RequestAnswered { request: forward, outcome }]);
}

#[test]
fn a_server_opens_only_what_an_active_forward_is_there_for() {
    let mut duel = Duel::opened_against(Role::Server);
    open(&mut duel.peer, "", 80);
    expect_prohibited(&mut duel);
    let forward = granted(&mut duel, &tcp("localhost", 80));
    for (address, port) in [("localhost", 81), ("localhost", 0), ("localhost", 80 + (1 << 16))] {
        open(&mut duel.peer, address, port);
        expect_prohibited(&mut duel);
    }
    duel.peer.send(&ChannelOpen {
        sender: 1,
        window: 1,
        max_packet: 1,
        kind: WireKind::DirectTcpip { host: "localhost", port: 80, originator: "", originator_port: 1 },
    });
    expect_prohibited(&mut duel);
    // Servers put the address in their own way.
    for address in ["localhost", "127.0.0.1"] {
        open(&mut duel.peer, address, 80);
        assert_eq!(expect_forwarded(&mut duel), forward);
    }
    open(&mut duel.peer, &"x".repeat(2000), 80);
    let refusal = duel.expect(Number::CHANNEL_OPEN_FAILURE);
    assert!(matches!(message(&refusal), Message::ChannelOpenFailure(refusal)
        if refusal.reason == OpenFailureReason::CONNECT_FAILED));
}

#[test]
fn a_connection_may_come_before_the_answer() {
    let mut duel = Duel::opened_against(Role::Server);
    let forward = duel.engine.request_forward(&tcp("", 0), duel.now).unwrap();
    open(&mut duel.peer, "", 4000);
    assert_eq!(expect_forwarded(&mut duel), forward);
    grant_port(&mut duel.peer, 4001);
    duel.settle();
    duel.events.clear();
    duel.received.clear();
    // From now on it is only that port.
    open(&mut duel.peer, "", 4000);
    expect_prohibited(&mut duel);
    open(&mut duel.peer, "", 4001);
    assert_eq!(expect_forwarded(&mut duel), forward);
}

#[test]
fn channels_for_a_refused_forward_are_refused() {
    let mut duel = Duel::opened_against(Role::Server);
    duel.engine.request_forward(&tcp("", 80), duel.now).unwrap();
    duel.expect(Number::GLOBAL_REQUEST);
    duel.peer.send(&RequestFailure);
    duel.settle();
    duel.events.clear();
    open(&mut duel.peer, "", 80);
    expect_prohibited(&mut duel);
}

#[test]
fn channels_for_a_cancelled_forward_are_refused() {
    let mut duel = Duel::opened_against(Role::Server);
    let forward = granted(&mut duel, &tcp("", 80));
    duel.engine.cancel_forward(forward, duel.now).unwrap();
    duel.expect(Number::GLOBAL_REQUEST);
    open(&mut duel.peer, "", 80);
    expect_prohibited(&mut duel);
    // Even if the server goes on with it.
    duel.peer.send(&RequestFailure);
    duel.settle();
    duel.events.clear();
    open(&mut duel.peer, "", 80);
    expect_prohibited(&mut duel);
}

#[test]
fn requests_are_bounded_and_answers_make_room() {
    let mut duel = Duel::opened_against(Role::Server);
    let ask = |duel: &mut Duel| duel.engine.request_forward(&tcp("", 80), duel.now);
    for _ in 0..MAX_REQUESTS {
        assert!(ask(&mut duel).is_some());
    }
    assert_eq!(ask(&mut duel), None);
    // An answer that does not come in time is due all the same.
    duel.pass(30 * SECOND);
    assert_eq!(ask(&mut duel), None);
    duel.peer.send(&RequestFailure);
    duel.settle();
    assert!(ask(&mut duel).is_some());
    assert_eq!(ask(&mut duel), None);
}

#[test]
fn nobody_asks_before_log_on_after_the_end_or_as_the_server() {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    assert_eq!(duel.engine.request_forward(&tcp("", 80), duel.now), None);
    let mut duel = Duel::opened_against(Role::Server);
    assert_eq!(duel.engine.open_forwarded_tcpip(("", 80), ("", 1), duel.now), None);
    assert_eq!(duel.engine.open_forwarded_streamlocal(b"/s", duel.now), None);
    duel.engine.received_end(duel.now);
    assert_eq!(duel.engine.request_forward(&tcp("", 80), duel.now), None);
    let mut duel = Duel::opened_against(Role::Client);
    assert_eq!(duel.engine.request_forward(&tcp("", 80), duel.now), None);
    assert_eq!(duel.engine.open_direct_tcpip(("db", 80), ("", 1), duel.now), None);
    assert_eq!(duel.numbers(), []);
}

#[test]
fn a_late_answer_keeps_its_place() {
    let mut duel = Duel::opened_against(Role::Server);
    let first = duel.engine.request_forward(&tcp("", 0), duel.now).unwrap();
    duel.pass(10 * SECOND);
    let second = duel.engine.request_forward(&tcp("", 80), duel.now).unwrap();
    duel.pass(20 * SECOND - MILLISECOND);
    assert_eq!(duel.events, []);
    duel.pass(MILLISECOND);
    let timeout = Event::RequestAnswered { request: first, outcome: RequestOutcome::Timeout };
    assert_eq!(duel.events.pop_front(), Some(timeout));
    duel.received.clear();
    open(&mut duel.peer, "", 4000);
    expect_prohibited(&mut duel);

    // The late grant is undone; it is not taken for the second's.
    grant_port(&mut duel.peer, 4000);
    let cancel = duel.expect(Number::GLOBAL_REQUEST);
    let data = GlobalRequestData::CancelTcpipForward { address: "", port: 4000 };
    assert_eq!(message(&cancel), Message::GlobalRequest(GlobalRequest::new(false, data)));
    assert_eq!(duel.events, []);
    // Behind the requests there are two probes that the silence has caused.
    for _ in 0..3 {
        duel.peer.send(&RequestFailure);
    }
    duel.settle();
    let refused = Event::RequestAnswered { request: second, outcome: RequestOutcome::Refused };
    assert_eq!(duel.events, [refused]);
}

#[test]
fn any_number_of_unanswered_probes_keep_their_places() {
    let mut duel = Duel::opened_against(Role::Server);
    let probe = |duel: &mut Duel| {
        duel.engine.probe(SECOND, duel.now);
        duel.expect(Number::GLOBAL_REQUEST);
        // The peer lives, but is slow to reply.
        duel.peer.send(&Ignore { data: b"" });
        duel.settle();
    };
    let requests: Vec<_> = (1..4)
        .map(|port| {
            (0..100).for_each(|_| probe(&mut duel));
            let request = duel.engine.request_forward(&tcp("", port), duel.now).unwrap();
            duel.expect(Number::GLOBAL_REQUEST);
            request
        })
        .collect();
    for request in requests {
        (0..100).for_each(|_| duel.peer.send(&RequestFailure));
        duel.settle();
        assert_eq!(duel.events, []);
        duel.peer.send(&RequestSuccess { data: b"" });
        duel.settle();
        assert_eq!(duel.events.pop_front(), Some(Event::RequestAnswered { request, outcome: GRANTED }));
    }
}

#[test]
fn requests_wait_for_the_end_of_a_key_exchange() {
    let mut duel = Duel::opened_against(Role::Server);
    duel.engine.rekey(duel.now);
    duel.expect(Number::KEXINIT);
    duel.engine.request_forward(&tcp("", 80), duel.now).unwrap();
    assert_eq!(duel.numbers(), []);
    duel.peer.send_kexinit();
    duel.agree();
    assert_eq!(duel.numbers(), [Number::GLOBAL_REQUEST]);
}

#[test]
fn a_thousand_forwards_one_after_another_leave_nothing() {
    let mut duel = Duel::opened_against(Role::Server);
    for _ in 0..1000 {
        let forward = granted(&mut duel, &tcp("", 0));
        duel.engine.cancel_forward(forward, duel.now).unwrap();
        duel.expect(Number::GLOBAL_REQUEST);
        duel.peer.send(&RequestSuccess { data: b"" });
        duel.settle();
        duel.events.clear();
    }
    duel.pass(10 * SECOND);
    duel.expect_alive();
    open(&mut duel.peer, "", 4000);
    expect_prohibited(&mut duel);
}
