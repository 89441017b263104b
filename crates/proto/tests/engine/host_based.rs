//! Logging on by the word of the client's host (RFC 4252 section 9).

use underpass_crypto::Signer as _;
use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_proto::error::AuthenticationFailed;
use underpass_proto::{Answer, Attempt, Credential, Error, HostClaim, Question, Role, Verdict};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::pair::Pair;
use underpass_wire::{Message, Number, UserauthMethod};

use crate::{authentication::send_server_sig_algs, support::conditions};

const ED25519: &str = "ssh-ed25519";

fn host() -> Ed25519Key {
    Ed25519Key::generate(&mut SeededEntropy::new(9))
}

fn claim() -> HostClaim {
    let (host_name, local_user) = ("client.example.".to_owned(), "alice".to_owned());
    HostClaim { key: host().public_key().to_vec(), host: host_name, local_user }
}

fn vouch(algorithms: &[&str]) -> Answer {
    let algorithms = algorithms.iter().map(|name| (*name).to_owned()).collect();
    Answer::Credential(Credential::HostBased { claim: claim(), algorithms })
}

/// The client vouches once, its signature being `sign`ed, and the server takes whatever can be taken.
fn logged_on(mut pair: Pair, sign: impl Fn(&[u8]) -> Option<Vec<u8>> + 'static) -> Pair {
    pair.client.answer_with(move |question| match question {
        Question::HostKey { .. } => Some(Answer::HostKey(true)),
        Question::Credential { last: None } => Some(vouch(&[ED25519])),
        Question::Credential { .. } => Some(Answer::Credential(Credential::GiveUp)),
        Question::Signature { key, algorithm, data } => {
            assert_eq!((key, algorithm.as_str()), (&claim().key, ED25519));
            Some(Answer::Signature(sign(data)))
        }
        other => panic!("{other:?}"),
    });
    pair.server.answer_with(|_| Some(Answer::Verdict(Verdict::Accept)));
    pair.run_until("logged on or closed", |pair| {
        (pair.client.authenticated && pair.server.authenticated) || pair.client.closed.is_some()
    });
    pair
}

fn asked(attempt: Attempt) -> Vec<Question> {
    vec![Question::Authenticate { user: "me".to_owned(), attempt }]
}

#[test]
fn a_host_vouches_for_its_user_and_the_server_decides_what_that_is_worth() {
    for setup in conditions().step_by(4) {
        let pair = logged_on(Pair::new(setup), |data| host().sign(ED25519, data).ok());
        assert!(pair.client.authenticated);
        let expected = Attempt::HostBased { claim: claim(), algorithm: ED25519.to_owned() };
        assert_eq!(pair.server.questions, asked(expected));
    }
}

#[test]
fn a_word_that_the_key_has_not_signed_cannot_be_accepted() {
    for (seed, left_out) in [(10, 0), (9, 1)] {
        let key = Ed25519Key::generate(&mut SeededEntropy::new(seed));
        let sign = move |data: &[u8]| key.sign(ED25519, &data[left_out..]).ok();
        let pair = logged_on(Pair::new(conditions().next().unwrap()), sign);
        assert_eq!(pair.server.questions, asked(Attempt::Unusable));
        let closed = pair.client.closed;
        assert!(matches!(closed, Some(Error::Authentication(AuthenticationFailed::GaveUp { .. }))));
    }
}

#[test]
fn a_key_that_cannot_sign_after_all_leaves_other_ways() {
    let pair = logged_on(Pair::new(conditions().next().unwrap()), |_| None);
    assert!(pair.server.questions.is_empty(), "the server has heard of nothing");
}

/// What the server lists is about users' keys, and so a hint at most.
#[test]
fn the_algorithm_is_one_that_the_server_lists_if_it_lists_one() {
    for (listed, chosen) in [
        (None, "rsa-sha2-512"),
        (Some("ssh-ed25519,rsa-sha2-256"), "rsa-sha2-256"),
        (Some("ssh-ed25519"), "rsa-sha2-512"),
    ] {
        let mut duel = Duel::against(Role::Server);
        duel.exchange_keys();
        if let Some(listed) = listed {
            send_server_sig_algs(&mut duel.peer, listed);
        }
        duel.grant_service();
        duel.answer(vouch(&["rsa-sha2-512", "rsa-sha2-256"]));
        let (id, question) = duel.expect_question();
        let Question::Signature { algorithm, data, .. } = question else { panic!("{question:?}") };
        assert_eq!(algorithm, chosen, "{listed:?}");
        // RFC 4252 section 9: what is signed is the session identifier and the request.
        assert!(duel.engine.answer(id, Answer::Signature(Some(b"signature".to_vec())), duel.now));
        duel.settle();
        let request = duel.expect(Number::USERAUTH_REQUEST);
        let Message::UserauthRequest(request) = message(&request) else { panic!() };
        let UserauthMethod::HostBased { host, local_user, signature, .. } = request.method else {
            panic!("{request:?}")
        };
        assert_eq!((host, local_user, signature), ("client.example.", "alice", &b"signature"[..]));
        let mut signed = Vec::new();
        request.put_signed(duel.peer.session_id().unwrap(), &mut signed);
        assert_eq!(data, signed);
    }
}
