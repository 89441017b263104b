//! Unix-domain sockets: OpenSSH's PROTOCOL section 2.4.

use underpass_proto::limits::MAX_PATH;
use underpass_proto::{
    Answer, ChannelKind, Connection, ForwardVerdict, Question, RemoteBind, RequestOutcome, Role,
};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::pair::{Job, Pair};
use underpass_wire::{
    ChannelKind as WireKind, ChannelOpen, ChannelOpenFailure, GlobalRequest, GlobalRequestData, Message,
    Number, OpenFailureReason, RequestSuccess,
};

use crate::support::conditions;

const GRANTED: ForwardVerdict = ForwardVerdict::Granted { port: None };

fn unix(path: &str) -> RemoteBind {
    RemoteBind::Unix { path: path.as_bytes().to_vec() }
}

#[track_caller]
fn expect_refusal(duel: &mut Duel, expected: OpenFailureReason) {
    let refusal = duel.expect(Number::CHANNEL_OPEN_FAILURE);
    let Message::ChannelOpenFailure(ChannelOpenFailure { reason, .. }) = message(&refusal) else { panic!() };
    assert_eq!(reason, expected);
}

#[test]
fn bytes_go_both_ways_to_a_socket_of_the_server() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        let direct = |connection: &mut Connection, name: &str, now| {
            connection.open_direct_streamlocal(name.as_bytes(), now)
        };
        let id = pair.open_channel_as(Role::Client, direct, Job::exchange(1, 100_000, 1), Job::echo());
        pair.run_until_idle();
        assert_eq!(pair.client.report(id).received, 100_000);
        let asked = pair.server.questions.last();
        assert!(
            matches!(asked, Some(Question::OpenChannel { kind: ChannelKind::DirectStreamlocal { path }, .. }) if path == b"0")
        );
    }
}

#[test]
fn bytes_come_both_ways_from_a_socket_of_the_server() {
    for setup in conditions() {
        let mut pair = Pair::open(setup);
        pair.server.answer_with(|question| {
            matches!(question, Question::Forward(_)).then_some(Answer::Forward(GRANTED))
        });
        let now = pair.now();
        let forward = pair.client.connection.request_forward(&unix("0"), now).unwrap();
        pair.run_until("answered", |pair| pair.client.outcomes.contains_key(&forward));
        assert_eq!(pair.client.outcomes[&forward], RequestOutcome::Granted { port: None });
        let forwarded = |connection: &mut Connection, name: &str, now| {
            connection.open_forwarded_streamlocal(name.as_bytes(), now)
        };
        let id = pair.open_channel_as(Role::Server, forwarded, Job::exchange(1, 100_000, 1), Job::echo());
        pair.run_until_idle();
        assert_eq!(pair.server.report(id).received, 100_000);
        let asked = pair.client.questions.last();
        assert!(matches!(
            asked,
            Some(Question::OpenChannel { kind: ChannelKind::ForwardedStreamlocal { forward: of, path }, .. })
                if *of == forward && path == b"0"
        ));
    }
}

#[test]
fn only_the_path_that_was_asked_for_is_opened_and_no_port_stands_for_it() {
    let mut duel = Duel::opened_against(Role::Server);
    let forward = duel.engine.request_forward(&unix("/run/a"), duel.now).unwrap();
    let request = duel.expect(Number::GLOBAL_REQUEST);
    let expected = GlobalRequest::new(true, GlobalRequestData::StreamlocalForward { path: b"/run/a" });
    assert_eq!(message(&request), Message::GlobalRequest(expected));
    duel.peer.send(&RequestSuccess { data: b"" });
    let tcp = WireKind::ForwardedTcpip { address: "/run/a", port: 0, originator: "", originator_port: 0 };
    for kind in [WireKind::ForwardedStreamlocal { path: b"/run/b" }, tcp] {
        duel.peer.send(&ChannelOpen { sender: 1, window: 100, max_packet: 100, kind });
        expect_refusal(&mut duel, OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
    }
    let kind = WireKind::ForwardedStreamlocal { path: b"/run/a" };
    let open = ChannelOpen { sender: 1, window: 100, max_packet: 100, kind };
    duel.peer.send(&open);
    duel.expect_question();

    duel.engine.cancel_forward(forward, duel.now).unwrap();
    let request = duel.expect(Number::GLOBAL_REQUEST);
    let expected = GlobalRequest::new(true, GlobalRequestData::CancelStreamlocalForward { path: b"/run/a" });
    assert_eq!(message(&request), Message::GlobalRequest(expected));
    duel.peer.send(&open);
    expect_refusal(&mut duel, OpenFailureReason::ADMINISTRATIVELY_PROHIBITED);
}

#[test]
fn a_path_is_bounded_and_need_not_be_text() {
    let mut duel = Duel::opened_against(Role::Client);
    for (path, good) in [(vec![0xff; MAX_PATH], true), (vec![b'a'; MAX_PATH + 1], false)] {
        let kind = WireKind::DirectStreamlocal { path: &path };
        duel.peer.send(&ChannelOpen { sender: 1, window: 100, max_packet: 100, kind });
        duel.peer.send(&GlobalRequest::new(true, GlobalRequestData::StreamlocalForward { path: &path }));
        if good {
            let Question::OpenChannel { kind, .. } = duel.expect_question().1 else { panic!() };
            assert_eq!(kind, ChannelKind::DirectStreamlocal { path: path.clone() });
            let (id, question) = duel.expect_question();
            assert_eq!(question, Question::Forward(RemoteBind::Unix { path }));
            assert!(duel.engine.answer(id, Answer::Forward(GRANTED), duel.now));
            let success = duel.expect(Number::REQUEST_SUCCESS);
            assert_eq!(message(&success), Message::RequestSuccess(RequestSuccess { data: b"" }));
        } else {
            expect_refusal(&mut duel, OpenFailureReason::CONNECT_FAILED);
            duel.expect(Number::REQUEST_FAILURE);
        }
    }
    assert_eq!(duel.events, []);
}
