//! The server's key: proven, accepted by the application before anything secret is sent, and looked at again when it
//! changes.

use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_crypto::{Provider, SignatureError, Signer as _};
use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Answer, Error, Event, Question, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::pair::{Pair, Setup};
use underpass_testkit::peer::public_of;
use underpass_wire::{Disconnect, DisconnectReason, Ignore, KexEcdhReply, Message, Number};

#[test]
fn the_application_is_shown_the_key_the_server_has_proven() {
    let mut pair = Pair::new(Setup::new(1));
    pair.client.answer_with(|_| None);
    pair.run_until("a question", |pair| !pair.client.unanswered.is_empty());
    let (_, question) = pair.client.unanswered.pop_front().unwrap();
    let key = pair.host_key.public_key().to_vec();
    assert_eq!(question, Question::HostKey { key, algorithm: "ssh-ed25519" });
}

#[test]
fn a_refused_key_ends_the_connection_before_anything_is_asked_for() {
    let mut duel = Duel::against(Role::Server);
    let question = until_question(&mut duel);
    duel.received.clear();
    assert!(duel.engine.answer(question, Answer::HostKey(false), duel.now));
    assert_eq!(duel.expect_end(), Error::HostKeyRefused);
    let goodbye = duel.expect(Number::DISCONNECT);
    assert!(matches!(
        underpass_testkit::duel::message(&goodbye),
        Message::Disconnect(Disconnect { reason: DisconnectReason::HOST_KEY_NOT_VERIFIABLE, .. })
    ));
    assert_eq!(duel.numbers(), []);
}

#[test]
fn nothing_is_sent_while_the_application_looks_at_the_key() {
    let mut duel = Duel::against(Role::Server);
    let question = until_question(&mut duel);
    duel.received.clear();
    // What the server may say meanwhile is served.
    duel.peer.send(&Ignore { data: b"" });
    assert_eq!(duel.numbers(), []);
    duel.expect_alive();
    assert!(duel.engine.answer(question, Answer::HostKey(true), duel.now));
    duel.settle();
    assert_eq!(duel.received.pop_front().unwrap(), [Number::NEWKEYS.0]);
    assert!(!duel.engine.answer(question, Answer::HostKey(false), duel.now), "it was answered");
    duel.expect_alive();
}

#[test]
fn an_answer_after_the_end_changes_nothing() {
    let mut duel = Duel::against(Role::Server);
    let question = until_question(&mut duel);
    duel.engine.received_end(duel.now);
    duel.settle();
    assert_eq!(duel.events.pop_back(), Some(Event::Closed(Error::Lost)));
    duel.events.clear();
    assert!(!duel.engine.answer(question, Answer::HostKey(true), duel.now));
    duel.settle();
    assert_eq!(duel.events, []);
    assert_eq!(duel.engine.transmit(), b"");
}

#[test]
fn answers_of_the_wrong_kind_leave_the_question_open() {
    let mut duel = Duel::against(Role::Server);
    let question = until_question(&mut duel);
    assert!(!duel.engine.answer(question, Answer::Open(Ok(())), duel.now));
    assert!(!duel.engine.answer(question, Answer::Signature(None), duel.now));
    assert!(duel.engine.answer(question, Answer::HostKey(true), duel.now));
}

#[test]
fn the_same_key_is_not_asked_about_again() {
    let mut duel = Duel::opened_against(Role::Server);
    for _ in 0..3 {
        duel.renew_keys();
    }
    let later = |event: &Event| matches!(event, Event::KeysExchanged { rekey: true, proof: None, .. });
    assert!(duel.events.iter().all(later));
}

#[test]
fn the_first_exchange_tells_how_the_key_was_proven() {
    let mut duel = Duel::against(Role::Server);
    let question = until_question(&mut duel);
    duel.engine.answer(question, Answer::HostKey(true), duel.now);
    duel.settle();
    let proofs = duel.events.drain(..).filter_map(|event| match event {
        Event::KeysExchanged { proof, .. } => Some(proof),
        _ => None,
    });
    let proof = proofs.collect::<Option<Vec<_>>>().and_then(|mut proofs| proofs.pop()).unwrap();
    assert_eq!(proof.host_key, duel.peer.host_key.public_key());
    assert_eq!(Some(proof.session_id.as_slice()), duel.peer.session_id());
    let verify = Provider::find(Provider::ALL.signatures, "ssh-ed25519").unwrap().verify;
    assert_eq!(verify(&proof.host_key, &proof.signature, &proof.session_id), Ok(()));
}

#[test]
fn another_key_in_a_later_exchange_is_asked_about() {
    for accepted in [true, false] {
        let mut duel = Duel::opened_against(Role::Server);
        duel.peer.host_key = Ed25519Key::generate(&mut SeededEntropy::new(99));
        duel.peer.send_kexinit();
        duel.expect(Number::KEXINIT);
        let init = duel.expect(Number::KEX_ECDH_INIT);
        duel.peer.send_reply(&public_of(&init));
        duel.peer.send_newkeys();
        let (id, question) = duel.expect_question();
        let key = duel.peer.host_key.public_key().to_vec();
        assert_eq!(question, Question::HostKey { key, algorithm: "ssh-ed25519" });
        duel.engine.answer(id, Answer::HostKey(accepted), duel.now);
        if accepted {
            duel.expect(Number::NEWKEYS);
            duel.settle();
            // It is the known one from now on.
            duel.events.clear();
            duel.renew_keys();
            assert!(duel.events.iter().all(|event| !matches!(event, Event::Question(..))));
        } else {
            assert_eq!(duel.expect_end(), Error::HostKeyRefused);
        }
    }
}

#[test]
fn a_signature_that_does_not_belong_to_the_exchange_is_fatal() {
    let mut duel = Duel::against(Role::Server);
    duel.propose();
    duel.expect(Number::KEX_ECDH_INIT);
    let host_key = duel.peer.host_key.public_key().to_vec();
    let signature = duel.peer.host_key.sign("ssh-ed25519", b"something else").unwrap();
    duel.peer.send(&KexEcdhReply { host_key: &host_key, server_public: &[9; 32], signature: &signature });
    assert_eq!(duel.expect_end(), PeerMisbehaved::HostKeySignature(SignatureError::Mismatch).into());
    assert!(duel.events.iter().all(|event| !matches!(event, Event::Question(..))));
}

fn until_question(duel: &mut Duel) -> underpass_proto::QuestionId {
    duel.propose();
    let init = duel.expect(Number::KEX_ECDH_INIT);
    duel.peer.send_reply(&public_of(&init));
    duel.peer.send_newkeys();
    let (id, question) = duel.expect_question();
    assert!(matches!(question, Question::HostKey { .. }));
    id
}
