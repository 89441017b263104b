//! Remote forwards (RFC 4254 section 7.1) from the server's side: questions, and replies in the order of the requests.

use std::num::NonZeroU16;

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::{MAX_HOST, MAX_OWED_REFUSALS, MAX_REQUESTS};
use underpass_proto::{Answer, ForwardVerdict, Question, RemoteBind, Role};
use underpass_testkit::duel::{Duel, message};
use underpass_wire::{Encode, GlobalRequest, GlobalRequestData, Message, Number, RequestSuccess};

use crate::support::{MILLISECOND, SECOND};

const PORT: NonZeroU16 = NonZeroU16::new(4000).unwrap();
const DONE: ForwardVerdict = ForwardVerdict::Granted { port: None };
const KEEPALIVE: GlobalRequest<'_> =
    GlobalRequest { name: "keepalive@openssh.com", want_reply: true, data: GlobalRequestData::Keepalive };

fn bind(port: u16) -> RemoteBind {
    RemoteBind::Tcp { address: String::new(), port }
}

fn ask(duel: &mut Duel, want_reply: bool, port: u32) {
    let data = GlobalRequestData::TcpipForward { address: "", port };
    duel.peer.send(&GlobalRequest::new(want_reply, data));
}

#[track_caller]
fn decide(duel: &mut Duel, verdict: ForwardVerdict) {
    duel.answer(Answer::Forward(verdict));
}

#[test]
fn the_application_decides_about_listening_and_its_end() {
    let mut duel = Duel::opened_against(Role::Client);
    ask(&mut duel, true, 80);
    let (id, question) = duel.expect_question();
    assert_eq!(question, Question::Forward(bind(80)));
    assert!(!duel.engine.answer(id, Answer::Open(Ok(())), duel.now), "that is another question's answer");
    assert!(duel.engine.answer(id, Answer::Forward(ForwardVerdict::Refused), duel.now));
    assert!(!duel.engine.answer(id, Answer::Forward(DONE), duel.now), "once");
    duel.expect(Number::REQUEST_FAILURE);
    let data = GlobalRequestData::CancelTcpipForward { address: "", port: 80 };
    duel.peer.send(&GlobalRequest::new(true, data));
    let (id, question) = duel.expect_question();
    assert_eq!(question, Question::CancelForward(bind(80)));
    duel.engine.answer(id, Answer::Forward(DONE), duel.now);
    duel.expect(Number::REQUEST_SUCCESS);
}

#[test]
fn the_port_is_told_where_it_was_left_to_the_server_and_only_there() {
    let mut duel = Duel::opened_against(Role::Client);
    let told = ForwardVerdict::Granted { port: Some(PORT) };
    for (port, data) in [(0, b"\0\0\x0f\xa0".as_slice()), (4000, b"")] {
        ask(&mut duel, true, port);
        decide(&mut duel, told);
        let success = duel.expect(Number::REQUEST_SUCCESS);
        assert_eq!(message(&success), Message::RequestSuccess(RequestSuccess { data }));
    }
    ask(&mut duel, true, 0);
    let (id, _) = duel.expect_question();
    assert!(!duel.engine.answer(id, Answer::Forward(DONE), duel.now), "a port is missing");
    assert!(duel.engine.answer(id, Answer::Forward(told), duel.now));
}

#[test]
fn replies_keep_the_order_of_the_requests() {
    let mut duel = Duel::opened_against(Role::Client);
    duel.peer.send(&KEEPALIVE);
    duel.expect(Number::REQUEST_FAILURE);
    ask(&mut duel, true, 1);
    duel.peer.send(&KEEPALIVE);
    ask(&mut duel, false, 2);
    duel.peer.send(&KEEPALIVE);
    ask(&mut duel, true, 3);
    let questions: Vec<_> = (0..3).map(|_| duel.expect_question().0).collect();
    for last_first in [2, 1] {
        duel.engine.answer(questions[last_first], Answer::Forward(DONE), duel.now);
        assert_eq!(duel.numbers(), []);
    }
    duel.engine.answer(questions[0], Answer::Forward(DONE), duel.now);
    let (success, failure) = (Number::REQUEST_SUCCESS, Number::REQUEST_FAILURE);
    // The second wants no reply.
    assert_eq!(duel.numbers(), [success, failure, failure, success]);
    duel.peer.send(&KEEPALIVE);
    duel.expect(Number::REQUEST_FAILURE);
}

#[test]
fn what_is_not_decided_in_time_is_refused() {
    let mut duel = Duel::opened_against(Role::Client);
    ask(&mut duel, true, 1);
    let (first, _) = duel.expect_question();
    duel.pass(10 * SECOND);
    duel.received.clear();
    ask(&mut duel, true, 2);
    duel.peer.send(&KEEPALIVE);
    let (second, _) = duel.expect_question();
    duel.engine.answer(second, Answer::Forward(DONE), duel.now);
    duel.pass(20 * SECOND - MILLISECOND);
    let replies = |duel: &mut Duel| {
        let mut numbers = duel.numbers();
        numbers.retain(|number| *number != Number::GLOBAL_REQUEST);
        numbers
    };
    assert_eq!(replies(&mut duel), []);
    duel.pass(MILLISECOND);
    let (success, failure) = (Number::REQUEST_SUCCESS, Number::REQUEST_FAILURE);
    assert_eq!(replies(&mut duel), [failure, success, failure]);
    assert!(!duel.engine.answer(first, Answer::Forward(DONE), duel.now), "too late");
}

#[test]
fn impossible_places_are_refused_without_a_question() {
    let mut duel = Duel::opened_against(Role::Client);
    let long = "h".repeat(MAX_HOST + 1);
    let requests = [
        GlobalRequestData::TcpipForward { address: "", port: 1 << 16 },
        GlobalRequestData::CancelTcpipForward { address: "", port: u32::MAX },
        GlobalRequestData::TcpipForward { address: &long, port: 80 },
    ];
    for data in requests {
        duel.peer.send(&GlobalRequest::new(true, data));
        duel.expect(Number::REQUEST_FAILURE);
    }
    assert_eq!(duel.events, []);
}

#[test]
fn a_client_listens_for_nobody() {
    let mut duel = Duel::opened_against(Role::Server);
    ask(&mut duel, true, 80);
    duel.expect(Number::REQUEST_FAILURE);
    assert_eq!(duel.events, []);
}

#[test]
fn requests_beyond_the_bound_are_refused_in_their_turn() {
    let mut duel = Duel::opened_against(Role::Client);
    for _ in 0..MAX_REQUESTS + 10 {
        ask(&mut duel, true, 80);
    }
    duel.settle();
    assert_eq!((duel.events.len(), duel.numbers()), (MAX_REQUESTS, vec![]));
    for _ in 0..MAX_REQUESTS {
        decide(&mut duel, DONE);
    }
    let mut expected = vec![Number::REQUEST_SUCCESS; MAX_REQUESTS];
    expected.extend([Number::REQUEST_FAILURE; 10]);
    assert_eq!(duel.numbers(), expected);
    ask(&mut duel, true, 80);
    duel.expect_question();
}

#[test]
fn refusals_that_pile_up_behind_a_decision_are_bounded() {
    let floods: [&dyn Encode; 2] = [
        &KEEPALIVE,
        &GlobalRequest { name: "unknown", want_reply: true, data: GlobalRequestData::Other { data: b"" } },
    ];
    for flood in floods {
        let mut payload = Vec::new();
        flood.encode(&mut payload);
        let mut duel = Duel::opened_against(Role::Client);
        ask(&mut duel, true, 80);
        for _ in 0..MAX_OWED_REFUSALS {
            duel.peer.send_payload(&payload);
        }
        duel.expect_alive();
        duel.peer.send_payload(&payload);
        assert_eq!(duel.expect_end(), PeerMisbehaved::DoesNotRead.into());
    }
}

#[test]
fn a_flood_of_requests_to_which_no_reply_is_wanted_costs_nothing() {
    let mut duel = Duel::opened_against(Role::Client);
    for _ in 0..20_000 {
        ask(&mut duel, false, 80);
    }
    duel.expect_alive();
    assert_eq!((duel.events.len(), duel.numbers()), (MAX_REQUESTS, vec![]));
    duel.pass(30 * SECOND);
    let numbers = duel.numbers();
    assert!(numbers.iter().all(|number| *number == Number::GLOBAL_REQUEST), "{numbers:?}");
    duel.events.clear();
    ask(&mut duel, true, 80);
    decide(&mut duel, DONE);
    duel.expect(Number::REQUEST_SUCCESS);
}

#[test]
fn replies_wait_for_the_end_of_a_key_exchange_in_their_order() {
    let mut duel = Duel::opened_against(Role::Client);
    ask(&mut duel, true, 80);
    duel.peer.send(&KEEPALIVE);
    duel.settle();
    duel.engine.rekey(duel.now);
    duel.expect(Number::KEXINIT);
    decide(&mut duel, DONE);
    assert_eq!(duel.numbers(), []);
    duel.peer.send_kexinit();
    duel.agree();
    assert_eq!(duel.numbers(), [Number::REQUEST_SUCCESS, Number::REQUEST_FAILURE]);
}
