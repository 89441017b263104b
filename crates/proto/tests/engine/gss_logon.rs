//! `gssapi-with-mic` and `gssapi-keyex` (RFC 4462 sections 3 and 4), against a scripted server. The mechanism is made up.

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::limits::MAX_GSS_ROUNDS;
use underpass_proto::{
    Answer, Credential, Error, Event, GssCall, GssReply, GssServices, GssUse, Question, Role,
};
use underpass_testkit::duel::Duel;
use underpass_wire::{
    AuthMethod, Context, Message, NameList, Number, Oid, Put as _, UserauthFailure, UserauthGssapiError,
    UserauthGssapiErrtok, UserauthGssapiMic, UserauthGssapiResponse, UserauthGssapiToken, UserauthMethod,
    UserauthRequest, UserauthSuccess,
};

use crate::support::expect_unexpected;

const MECHANISM: &[u8] = b"\x06\x03\x2a\x03\x04";
const GOOD: GssServices = GssServices { mutual: true, integrity: true };

/// A client that has asked for this method.
fn asked(credential: Credential) -> Duel {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(credential));
    duel
}

/// A client whose mechanism the server has picked.
fn with_mechanism() -> Duel {
    let mut duel = asked(Credential::GssapiWithMic { mechanism: MECHANISM });
    let request = duel.expect(Number::USERAUTH_REQUEST);
    let Message::UserauthRequest(UserauthRequest { user: b"me", service: "ssh-connection", method }) =
        message(&request)
    else {
        panic!()
    };
    let UserauthMethod::GssapiWithMic { mechanisms } = method else { panic!("{method:?}") };
    assert_eq!(mechanisms.iter().collect::<Vec<_>>(), [Oid(MECHANISM)]);
    duel.peer.send(&UserauthGssapiResponse { mechanism: Oid(MECHANISM) });
    duel
}

fn message(payload: &[u8]) -> Message<'_> {
    let context = Context { kex: None, auth: Some(AuthMethod::GssapiWithMic) };
    Message::decode(payload, context).expect("the engine's messages are well-formed")
}

#[track_caller]
fn expect_call(duel: &mut Duel, usage: GssUse, expected: &GssCall, reply: Option<GssReply>) {
    let (id, question) = duel.expect_question();
    assert_eq!(question, Question::Gss(usage, expected.clone()));
    assert!(duel.engine.answer(id, Answer::Gss(reply), duel.now));
    duel.settle();
}

fn token(token: Option<&[u8]>, established: Option<GssServices>) -> GssReply {
    GssReply::Token { token: token.map(<[u8]>::to_vec), established }
}

fn initiate(token: Option<&[u8]>) -> GssCall {
    GssCall::Initiate { token: token.map(<[u8]>::to_vec) }
}

#[track_caller]
fn expect_token(duel: &mut Duel, expected: &[u8]) {
    let sent = duel.expect(Number::USERAUTH_GSSAPI_TOKEN);
    let Message::UserauthGssapiToken(UserauthGssapiToken { token }) = message(&sent) else { panic!() };
    assert_eq!(token, expected);
}

/// What a MIC is for (RFC 4462 section 3.5).
fn proven(duel: &Duel, method: &str) -> Vec<u8> {
    let mut data = Vec::new();
    data.put_string(duel.peer.session_id().expect("keys were exchanged"));
    data.put_u8(50);
    ["me", "ssh-connection", method].iter().for_each(|text| data.put_text(text));
    data
}

#[track_caller]
fn expect_next_credential(duel: &mut Duel) {
    let (_, question) = duel.expect_question();
    assert!(matches!(question, Question::Credential { last: Some(_) }), "{question:?}");
}

#[test]
fn tokens_pass_both_ways_and_a_mic_ends_it() {
    let mut duel = with_mechanism();
    expect_call(&mut duel, GssUse::Logon, &initiate(None), Some(token(Some(b"first"), None)));
    expect_token(&mut duel, b"first");
    duel.peer.send(&UserauthGssapiToken { token: b"second" });
    let reply = token(Some(b"third"), Some(GOOD));
    expect_call(&mut duel, GssUse::Logon, &initiate(Some(b"second")), Some(reply));
    expect_token(&mut duel, b"third");
    let data = proven(&duel, "gssapi-with-mic");
    expect_call(&mut duel, GssUse::Logon, &GssCall::Sign { data }, Some(GssReply::Mic(b"mic".to_vec())));
    let sent = duel.expect(Number::USERAUTH_GSSAPI_MIC);
    assert!(matches!(message(&sent), Message::UserauthGssapiMic(UserauthGssapiMic { mic: b"mic" })));
    duel.peer.send(&UserauthSuccess);
    duel.settle();
    assert_eq!(duel.events.pop_front(), Some(Event::Authenticated));
}

#[test]
fn the_context_of_the_key_exchange_logs_on_with_one_message() {
    let mut duel = asked(Credential::GssapiKeyex);
    let data = proven(&duel, "gssapi-keyex");
    let reply = Some(GssReply::Mic(b"mic".to_vec()));
    expect_call(&mut duel, GssUse::KeyExchange, &GssCall::Sign { data }, reply);
    let request = duel.expect(Number::USERAUTH_REQUEST);
    let Message::UserauthRequest(UserauthRequest { method, .. }) = message(&request) else { panic!() };
    assert!(matches!(method, UserauthMethod::GssapiKeyex { mic: b"mic" }), "{method:?}");
    duel.peer.send(&UserauthSuccess);
    duel.settle();
    assert_eq!(duel.events.pop_front(), Some(Event::Authenticated));
}

#[test]
fn what_comes_to_nothing_leaves_the_other_methods() {
    for reply in [
        // The application has no credentials,
        None,
        // the mechanism stops without a token,
        Some(token(None, None)),
        // or gives nothing that ties the logon to the connection.
        Some(token(Some(b"first"), Some(GssServices { mutual: true, integrity: false }))),
    ] {
        let mut duel = with_mechanism();
        expect_call(&mut duel, GssUse::Logon, &initiate(None), reply);
        expect_next_credential(&mut duel);
    }
    let mut duel = asked(Credential::GssapiKeyex);
    let data = proven(&duel, "gssapi-keyex");
    expect_call(&mut duel, GssUse::KeyExchange, &GssCall::Sign { data }, None);
    expect_next_credential(&mut duel);
}

#[test]
fn the_servers_words_are_told_and_its_refusal_awaited() {
    let mut duel = with_mechanism();
    expect_call(&mut duel, GssUse::Logon, &initiate(None), Some(token(Some(b"first"), None)));
    duel.peer.send(&UserauthGssapiErrtok { token: b"why" });
    duel.peer.send(&UserauthGssapiError { major: 1, minor: 2, message: b"no key", language: b"" });
    let methods = NameList::new("password").expect("it is a name");
    duel.peer.send(&UserauthFailure { methods, partial_success: false });
    duel.settle();
    assert_eq!(duel.events.pop_front(), Some(Event::GssLogonFailed(Vec::new())));
    assert_eq!(duel.events.pop_front(), Some(Event::GssLogonFailed(b"no key".to_vec())));
    expect_next_credential(&mut duel);
}

#[test]
fn a_refusal_overtakes_the_mechanism() {
    let mut duel = with_mechanism();
    let (id, _) = duel.expect_question();
    duel.peer.send(&UserauthFailure { methods: NameList::EMPTY, partial_success: false });
    expect_next_credential(&mut duel);
    assert!(!duel.engine.answer(id, Answer::Gss(Some(token(Some(b"late"), None))), duel.now));
}

#[test]
fn a_mechanism_that_was_not_offered_is_refused() {
    let mut duel = asked(Credential::GssapiWithMic { mechanism: MECHANISM });
    duel.peer.send(&UserauthGssapiResponse { mechanism: Oid(b"\x06\x01\x2b") });
    let fault = PeerMisbehaved::Gss("the server picked a mechanism that was not offered");
    assert_eq!(duel.expect_end(), Error::Peer(fault));
}

#[test]
fn messages_that_are_not_due_are_refused() {
    // A token before the mechanism is picked,
    let mut duel = asked(Credential::GssapiWithMic { mechanism: MECHANISM });
    duel.peer.send(&UserauthGssapiToken { token: b"early" });
    expect_unexpected(duel, Number::USERAUTH_GSSAPI_TOKEN);
    // the mechanism twice,
    let mut duel = with_mechanism();
    expect_call(&mut duel, GssUse::Logon, &initiate(None), Some(token(Some(b"first"), None)));
    duel.peer.send(&UserauthGssapiResponse { mechanism: Oid(MECHANISM) });
    expect_unexpected(duel, Number::USERAUTH_GSSAPI_RESPONSE);
    // a token while one is dealt with, or after the context is complete,
    let mut duel = with_mechanism();
    duel.peer.send(&UserauthGssapiToken { token: b"early" });
    expect_unexpected(duel, Number::USERAUTH_GSSAPI_TOKEN);
    let mut duel = with_mechanism();
    expect_call(&mut duel, GssUse::Logon, &initiate(None), Some(token(Some(b"first"), Some(GOOD))));
    duel.peer.send(&UserauthGssapiToken { token: b"late" });
    expect_unexpected(duel, Number::USERAUTH_GSSAPI_TOKEN);
    // success without proof, and any of them in another method.
    let mut duel = with_mechanism();
    duel.peer.send(&UserauthSuccess);
    expect_unexpected(duel, Number::USERAUTH_SUCCESS);
    let mut duel = asked(Credential::Password("secret".into()));
    duel.peer.send(&UserauthGssapiToken { token: b"stray" });
    expect_unexpected(duel, Number(61));
}

#[test]
fn floods_of_tokens_and_of_errors_end_the_connection() {
    let endless = Error::Peer(PeerMisbehaved::Gss("the logon comes to no end"));
    let mut duel = with_mechanism();
    expect_call(&mut duel, GssUse::Logon, &initiate(None), Some(token(Some(b"first"), None)));
    for _ in 0..MAX_GSS_ROUNDS {
        duel.peer.send(&UserauthGssapiToken { token: b"again" });
        let reply = token(Some(b"and again"), None);
        expect_call(&mut duel, GssUse::Logon, &initiate(Some(b"again")), Some(reply));
    }
    duel.peer.send(&UserauthGssapiToken { token: b"again" });
    assert_eq!(duel.expect_end(), endless);

    let mut duel = with_mechanism();
    for _ in 0..=MAX_GSS_ROUNDS {
        duel.peer.send(&UserauthGssapiErrtok { token: b"no" });
    }
    assert_eq!(duel.expect_end(), endless);
}
