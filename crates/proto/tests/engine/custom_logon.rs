//! Logons whose messages the application writes, against a scripted server.

use underpass_crypto::Secret;
use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::MAX_AUTH_ROUNDS;
use underpass_proto::{Answer, Credential, Error, Event, Question, Role};
use underpass_testkit::duel::Duel;
use underpass_wire::{
    Encode, NameList, Number, ServiceAccept, UserauthFailure, UserauthPasswdChangereq, UserauthSuccess,
};

/// A client whose application writes the messages.
fn custom() -> Duel {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::Custom));
    duel
}

#[track_caller]
fn expect_packet(duel: &mut Duel, last: &[u8], reply: Option<&[u8]>) {
    let (id, question) = duel.expect_question();
    let session_id = duel.peer.session_id().expect("keys were exchanged").to_vec();
    assert_eq!(question, Question::Packet { last: last.to_vec(), session_id });
    assert!(duel.engine.answer(id, Answer::Packet(reply.map(Secret::new)), duel.now));
    duel.settle();
}

fn payload(message: &impl Encode) -> Vec<u8> {
    let mut payload = Vec::new();
    message.encode(&mut payload);
    payload
}

fn service_accept() -> Vec<u8> {
    payload(&ServiceAccept { name: "ssh-userauth" })
}

const REQUEST: &[u8] = b"\x32whatever the application likes";

#[test]
fn every_message_of_the_server_is_shown_and_every_answer_sent_as_it_is() {
    let mut duel = custom();
    expect_packet(&mut duel, &service_accept(), Some(REQUEST));
    assert_eq!(duel.expect_payload(), REQUEST);
    // A number that no method of ours has a meaning for.
    duel.peer.send_payload(b"\x4fquestion");
    expect_packet(&mut duel, b"\x4fquestion", Some(b"\x3danswer"));
    assert_eq!(duel.expect_payload(), b"\x3danswer");
    let failure =
        UserauthFailure { methods: NameList::new("password").expect("it is one"), partial_success: true };
    duel.peer.send(&failure);
    expect_packet(&mut duel, &payload(&failure), Some(REQUEST));
    assert_eq!(duel.expect_payload(), REQUEST);
    duel.peer.send(&UserauthSuccess);
    duel.settle();
    assert_eq!(duel.events.pop_front(), Some(Event::Authenticated));
}

#[test]
fn what_is_no_message_of_a_logon_is_not_sent() {
    let too_long = vec![0x32; 32_769];
    for answer in [
        None,
        Some(&b""[..]),
        Some(b"\x34"),
        Some(b"\x5a channel"),
        Some(b"\x15"),
        Some(b"\x35"),
        Some(&too_long),
    ] {
        let mut duel = custom();
        expect_packet(&mut duel, &service_accept(), answer);
        let (_, question) = duel.expect_question();
        assert!(matches!(question, Question::Credential { last: Some(_) }), "{question:?}");
    }
}

#[test]
fn a_message_answers_no_other_question() {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::Password("old".into())));
    duel.peer.send(&UserauthPasswdChangereq { prompt: b"another one", language: b"" });
    let (id, question) = duel.expect_question();
    assert!(matches!(question, Question::NewPassword { .. }), "{question:?}");
    assert!(!duel.engine.answer(id, Answer::Packet(Some(Secret::new(REQUEST))), duel.now));
}

#[test]
fn a_success_that_nothing_was_sent_for_is_fatal() {
    let mut duel = custom();
    duel.peer.send(&UserauthSuccess);
    let error = duel.expect_end();
    let Error::Peer(PeerMisbehaved::Unexpected { number, .. }) = error else { panic!("{error}") };
    assert_eq!(number, Number::USERAUTH_SUCCESS);
}

#[test]
fn a_message_that_nobody_waits_for_is_fatal() {
    let mut duel = custom();
    duel.peer.send_payload(b"\x4fquestion");
    assert!(matches!(duel.expect_end(), Error::Peer(PeerMisbehaved::Unexpected { .. })));
}

#[test]
fn a_server_that_never_comes_to_an_end_is_left() {
    let mut duel = custom();
    expect_packet(&mut duel, &service_accept(), Some(REQUEST));
    for _ in 0..MAX_AUTH_ROUNDS {
        duel.expect(Number(REQUEST[0]));
        duel.peer.send_payload(b"\x3cagain");
        expect_packet(&mut duel, b"\x3cagain", Some(REQUEST));
    }
    duel.expect(Number(REQUEST[0]));
    duel.peer.send_payload(b"\x3cagain");
    assert!(matches!(duel.expect_end(), Error::Peer(PeerMisbehaved::EndlessAuthentication)));
}
