//! Logging on, by every method and combination, and the lies either side can tell meanwhile.

use std::collections::VecDeque;

use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_crypto::{Provider, Secret, Signature, Signer as _};
use underpass_proto::error::{AuthenticationFailed, PeerMisbehaved};
use underpass_proto::limits::{MAX_AUTH_REQUESTS, MAX_AUTH_ROUNDS, MAX_BANNERS};
use underpass_proto::{
    Answer, Attempt, Config, Credential, Error, Event, Prompt, Prompts, Question, QuestionId, Refused, Role,
    Verdict,
};
use underpass_testkit::duel::{Duel, message};
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::pair::{Pair, Setup};
use underpass_testkit::peer::{Peer, encoded};
use underpass_wire::{
    ChannelOpen, ExtInfo, Extension, List, Message, NameList, Number, Sensitive, ServiceAccept,
    ServiceRequest, UserauthBanner, UserauthFailure, UserauthInfoRequest, UserauthMethod,
    UserauthPasswdChangereq, UserauthPkOk, UserauthRequest, UserauthSuccess,
};

use crate::support::{conditions, expect_unexpected};

// ---- engine against engine ----

/// Plays the two scripts against each other, under every condition, and gives both lists of questions of the last run.
fn log_on(
    client: impl Fn() -> Vec<Answer>,
    server: impl Fn() -> Vec<Verdict>,
) -> (Vec<Question>, Vec<Question>, Option<Error>) {
    let mut last = None;
    for setup in conditions().step_by(4) {
        let mut pair = Pair::new(setup);
        let mut answers: VecDeque<_> = client().into();
        let mut verdicts: VecDeque<_> = server().into();
        pair.client.answer_with(move |question| match question {
            Question::HostKey { .. } => Some(Answer::HostKey(true)),
            _ => Some(answers.pop_front().unwrap_or_else(|| panic!("no answer is left for {question:?}"))),
        });
        pair.server.answer_with(move |question| {
            let verdict = verdicts.pop_front();
            Some(Answer::Verdict(verdict.unwrap_or_else(|| panic!("no verdict is left for {question:?}"))))
        });
        pair.run_until("logged on or closed", |pair| {
            (pair.client.authenticated && pair.server.authenticated) || pair.client.closed.is_some()
        });
        let questions = std::mem::take(&mut pair.client.questions);
        let without_host_key =
            questions.into_iter().filter(|question| !matches!(question, Question::HostKey { .. }));
        last = Some((
            without_host_key.collect(),
            std::mem::take(&mut pair.server.questions),
            pair.client.closed.take(),
        ));
    }
    last.expect("there are conditions")
}

fn password(text: &str) -> Answer {
    Answer::Credential(Credential::Password(text.into()))
}

fn refuse(methods: &[&str], partial: bool) -> Verdict {
    Verdict::Refuse { methods: methods.iter().map(|name| (*name).to_owned()).collect(), partial }
}

fn asked_after(methods: &[&str], partial: bool) -> Question {
    let remaining = methods.iter().map(|name| (*name).to_owned()).collect();
    Question::Credential { last: Some(Refused { remaining, partial, no_algorithm: false }) }
}

fn attempt(attempt: Attempt) -> Question {
    Question::Authenticate { user: "me".to_owned(), attempt }
}

#[test]
fn nothing_is_enough_where_nothing_is_needed() {
    let (client, server, error) =
        log_on(|| vec![Answer::Credential(Credential::None)], || vec![Verdict::Accept]);
    assert_eq!(client, [Question::Credential { last: None }]);
    assert_eq!(server, [attempt(Attempt::None)]);
    assert_eq!(error, None);
}

#[test]
fn a_wrong_password_is_refused_and_a_right_one_taken() {
    let (client, server, error) = log_on(
        || vec![password("wrong"), password("right")],
        || vec![refuse(&["password"], false), Verdict::Accept],
    );
    assert_eq!(client, [Question::Credential { last: None }, asked_after(&["password"], false)]);
    let tried = |text: &str| attempt(Attempt::Password(text.into()));
    assert_eq!(server, [tried("wrong"), tried("right")]);
    assert_eq!(error, None);
}

#[test]
fn an_expired_password_is_changed() {
    let (client, server, error) = log_on(
        || {
            vec![
                password("old"),
                Answer::NewPassword(Some("short".into())),
                Answer::NewPassword(Some("new".into())),
            ]
        },
        || {
            vec![
                Verdict::ChangePassword { prompt: "expired".to_owned() },
                Verdict::ChangePassword { prompt: "too short".to_owned() },
                Verdict::Accept,
            ]
        },
    );
    let asked = |prompt: &str| Question::NewPassword { prompt: prompt.into() };
    assert_eq!(client[1..], [asked("expired"), asked("too short")]);
    let change = |new: &str| attempt(Attempt::PasswordChange { old: "old".into(), new: new.into() });
    assert_eq!(server[1..], [change("short"), change("new")]);
    assert_eq!(error, None);
}

#[test]
fn a_password_need_not_be_changed() {
    let (client, _, error) = log_on(
        || vec![password("old"), Answer::NewPassword(None), Answer::Credential(Credential::GiveUp)],
        || vec![Verdict::ChangePassword { prompt: "expired".to_owned() }],
    );
    assert!(matches!(client[2], Question::Credential { last: Some(_) }));
    assert!(matches!(error, Some(Error::Authentication(AuthenticationFailed::GaveUp { .. }))));
}

#[test]
fn a_key_logs_on_with_and_without_asking_first() {
    for query in [true, false] {
        let mut pair = Pair::new(Setup::new(1));
        let key = Ed25519Key::generate(&mut SeededEntropy::new(9));
        let public = key.public_key().to_vec();
        let blob = public.clone();
        pair.client.answer_with(move |question| match question {
            Question::HostKey { .. } => Some(Answer::HostKey(true)),
            Question::Credential { last: None } => Some(Answer::Credential(Credential::Key {
                key: blob.clone(),
                algorithms: vec!["ssh-ed25519".to_owned()],
                query,
            })),
            Question::Signature { key: asked, algorithm, data } => {
                assert_eq!(*asked, blob);
                Some(Answer::Signature(Some(key.sign(algorithm, data).unwrap())))
            }
            other => panic!("{other:?}"),
        });
        pair.run_until("logged on", |pair| pair.client.authenticated && pair.server.authenticated);
        let algorithm = "ssh-ed25519".to_owned();
        let offered = attempt(Attempt::KeyQuery { key: public.clone(), algorithm: algorithm.clone() });
        let proven = attempt(Attempt::Key { key: public, algorithm });
        let expected = if query { vec![offered, proven] } else { vec![proven] };
        assert_eq!(pair.server.questions, expected);
    }
}

#[test]
fn a_refused_query_costs_no_signature() {
    let key = Ed25519Key::generate(&mut SeededEntropy::new(9)).public_key().to_vec();
    let offer = || {
        Answer::Credential(Credential::Key {
            key: key.clone(),
            algorithms: vec!["ssh-ed25519".to_owned()],
            query: true,
        })
    };
    let (client, _, error) = log_on(
        || vec![offer(), password("right")],
        || vec![refuse(&["publickey", "password"], false), Verdict::Accept],
    );
    assert_eq!(client[1..], [asked_after(&["publickey", "password"], false)]);
    assert_eq!(error, None);
}

#[test]
fn a_wrong_signature_cannot_be_accepted() {
    let key = Ed25519Key::generate(&mut SeededEntropy::new(9));
    let signature = key.sign("ssh-ed25519", b"something else").unwrap();
    let (_, server, error) = log_on(
        || {
            vec![
                Answer::Credential(Credential::Key {
                    key: key.public_key().to_vec(),
                    algorithms: vec!["ssh-ed25519".to_owned()],
                    query: false,
                }),
                Answer::Signature(Some(signature.clone())),
                Answer::Credential(Credential::GiveUp),
            ]
        },
        // A careless application.
        || vec![Verdict::Accept],
    );
    assert_eq!(server, [attempt(Attempt::Unusable)]);
    assert!(matches!(error, Some(Error::Authentication(_))));
}

#[test]
fn a_key_that_cannot_sign_after_all_leaves_other_ways() {
    let key = Ed25519Key::generate(&mut SeededEntropy::new(9)).public_key().to_vec();
    let (client, server, error) = log_on(
        || {
            vec![
                Answer::Credential(Credential::Key {
                    key: key.clone(),
                    algorithms: vec!["ssh-ed25519".to_owned()],
                    query: true,
                }),
                Answer::Signature(None),
                password("right"),
            ]
        },
        || vec![Verdict::Accept, Verdict::Accept],
    );
    assert!(matches!(client[2], Question::Credential { last: Some(_) }));
    assert_eq!(server.len(), 2);
    assert_eq!(error, None);
}

#[test]
fn prompts_come_in_rounds_and_may_be_none() {
    let prompts = |texts: &[&str]| Prompts {
        name: b"name".to_vec(),
        instruction: b"do".to_vec(),
        prompts: texts
            .iter()
            .map(|text| Prompt { text: text.as_bytes().to_vec(), echo: text.ends_with('!') })
            .collect(),
    };
    let rounds = [prompts(&["password: ", "token! "]), prompts(&[]), prompts(&["sure! "])];
    let (client, server, error) = log_on(
        || {
            vec![
                Answer::Credential(Credential::KeyboardInteractive),
                Answer::Responses(Some(vec!["secret".into(), "123".into()])),
                Answer::Responses(Some(vec![])),
                Answer::Responses(Some(vec!["yes".into()])),
            ]
        },
        || rounds.iter().cloned().map(Verdict::Prompt).chain([Verdict::Accept]).collect(),
    );
    assert_eq!(client[1..], rounds.clone().map(Question::Prompts));
    let given =
        |texts: &[&str]| attempt(Attempt::Responses(texts.iter().map(|text| Secret::from(*text)).collect()));
    assert_eq!(server[1..], [given(&["secret", "123"]), given(&[]), given(&["yes"])]);
    assert_eq!(error, None);
}

#[test]
fn several_methods_can_be_required() {
    let (client, _, error) = log_on(
        || {
            vec![
                password("right"),
                Answer::Credential(Credential::KeyboardInteractive),
                Answer::Responses(Some(vec!["1".into()])),
            ]
        },
        || {
            vec![
                refuse(&["keyboard-interactive"], true),
                Verdict::Prompt(Prompts {
                    prompts: vec![Prompt { text: b"token".to_vec(), echo: false }],
                    ..Prompts::default()
                }),
                Verdict::Accept,
            ]
        },
    );
    assert_eq!(client[1], asked_after(&["keyboard-interactive"], true));
    assert_eq!(error, None);
}

#[test]
fn giving_up_tells_what_was_left() {
    let (_, _, error) = log_on(
        || vec![password("wrong"), Answer::Credential(Credential::GiveUp)],
        || vec![refuse(&["publickey"], false)],
    );
    let remaining = vec!["publickey".to_owned()];
    assert_eq!(error, Some(Error::Authentication(AuthenticationFailed::GaveUp { remaining })));
}

#[test]
fn endless_attempts_end() {
    let attempts = MAX_AUTH_REQUESTS as usize + 10;
    let (_, server, error) = log_on(
        || (0..attempts).map(|_| password("wrong")).collect(),
        || vec![refuse(&["password"], false); attempts],
    );
    assert_eq!(server.len(), MAX_AUTH_REQUESTS as usize);
    assert_eq!(error, Some(Error::Authentication(AuthenticationFailed::TooManyRequests)));
}

#[test]
fn no_secret_is_shown_by_debugging_what_happened() {
    let (client, server, _) = log_on(
        || vec![password("hunter2"), Answer::NewPassword(Some("hunter3".into()))],
        || vec![Verdict::ChangePassword { prompt: String::new() }, Verdict::Accept],
    );
    let shown = format!("{client:?} {server:?} {:?}", password("hunter4"));
    assert!(!shown.contains("hunter"), "{shown}");
}

// ---- the client against a scripted server ----

fn client_after_service() -> Duel {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.grant_service();
    duel
}

fn waiting_client(credential: Credential) -> Duel {
    let mut duel = client_after_service();
    duel.answer(Answer::Credential(credential));
    duel.expect(Number::USERAUTH_REQUEST);
    duel
}

#[test]
fn success_without_a_request_is_fatal() {
    let mut before_the_service = Duel::against(Role::Server);
    before_the_service.exchange_keys();
    before_the_service.peer.send(&UserauthSuccess);
    expect_unexpected(before_the_service, Number::USERAUTH_SUCCESS);

    let mut before_a_request = client_after_service();
    before_a_request.peer.send(&UserauthSuccess);
    expect_unexpected(before_a_request, Number::USERAUTH_SUCCESS);

    let mut after_a_refusal = waiting_client(Credential::None);
    after_a_refusal.peer.send(&UserauthFailure { methods: NameList::EMPTY, partial_success: false });
    after_a_refusal.peer.send(&UserauthSuccess);
    expect_unexpected(after_a_refusal, Number::USERAUTH_SUCCESS);

    let mut while_signing = client_after_service();
    while_signing.answer(Answer::Credential(Credential::Key {
        key: b"key".to_vec(),
        algorithms: vec!["ssh-ed25519".to_owned()],
        query: false,
    }));
    while_signing.peer.send(&UserauthSuccess);
    expect_unexpected(while_signing, Number::USERAUTH_SUCCESS);
}

#[test]
fn a_refusal_without_a_request_is_fatal() {
    let mut duel = client_after_service();
    duel.peer.send(&UserauthFailure { methods: NameList::EMPTY, partial_success: false });
    expect_unexpected(duel, Number::USERAUTH_FAILURE);
}

#[test]
fn channels_before_log_on_are_fatal() {
    let mut duel = waiting_client(Credential::None);
    duel.peer.send(&ChannelOpen {
        sender: 1,
        window: 1,
        max_packet: 1,
        kind: underpass_wire::ChannelKind::Session,
    });
    expect_unexpected(duel, Number::CHANNEL_OPEN);
}

#[test]
fn another_service_than_the_one_asked_for_is_fatal() {
    let mut duel = Duel::against(Role::Server);
    duel.exchange_keys();
    duel.peer.send(&ServiceAccept { name: "ssh-connection" });
    assert_eq!(duel.expect_end(), PeerMisbehaved::WrongService.into());
}

#[test]
fn a_message_of_another_method_is_fatal() {
    let request = |duel: &mut Duel| {
        let prompts = List::EMPTY;
        duel.peer.send(&UserauthInfoRequest { name: b"", instruction: b"", language: b"", prompts });
    };
    let mut duel = waiting_client(Credential::None);
    request(&mut duel);
    assert!(matches!(duel.expect_end(), Error::Peer(_)));

    let mut duel = waiting_client(Credential::KeyboardInteractive);
    duel.peer.send(&UserauthPkOk { algorithm: "ssh-ed25519", key: b"key" });
    assert!(matches!(duel.expect_end(), Error::Peer(_)));
}

#[test]
fn another_key_than_the_one_offered_is_not_signed_for() {
    let mut duel = waiting_client(Credential::Key {
        key: b"key".to_vec(),
        algorithms: vec!["ssh-ed25519".to_owned()],
        query: true,
    });
    duel.peer.send(&UserauthPkOk { algorithm: "ssh-ed25519", key: b"another" });
    assert!(matches!(duel.expect_end(), Error::Peer(_)));
}

#[test]
fn a_giant_count_of_prompts_is_refused_without_believing_it() {
    for count in [0x3fff_ffff_u32, u32::MAX, 1000] {
        let mut duel = waiting_client(Credential::KeyboardInteractive);
        let mut payload = vec![Number::USERAUTH_INFO_REQUEST.0];
        payload.extend([0; 12]);
        payload.extend(count.to_be_bytes());
        duel.peer.send_payload(&payload);
        assert!(matches!(duel.expect_end(), Error::Peer(PeerMisbehaved::Message { .. })));
    }
}

#[test]
fn endless_rounds_end() {
    let mut duel = waiting_client(Credential::KeyboardInteractive);
    let mut rounds = 0;
    let error = loop {
        let prompts = List::EMPTY;
        duel.peer.send(&UserauthInfoRequest { name: b"", instruction: b"", language: b"", prompts });
        if let Some(error) = duel.end() {
            break error;
        }
        duel.answer(Answer::Responses(Some(vec![])));
        rounds += 1;
    };
    assert_eq!((rounds, error), (MAX_AUTH_ROUNDS, PeerMisbehaved::EndlessAuthentication.into()));

    let mut duel = waiting_client(Credential::Password("old".into()));
    let error = loop {
        duel.peer.send(&UserauthPasswdChangereq { prompt: b"again", language: b"" });
        if let Some(error) = duel.end() {
            break error;
        }
        duel.answer(Answer::NewPassword(Some("new".into())));
    };
    assert_eq!(error, PeerMisbehaved::EndlessAuthentication.into());
}

#[test]
fn answers_that_do_not_fit_leave_the_question_open() {
    let mut duel = waiting_client(Credential::KeyboardInteractive);
    let mut buffer = Vec::new();
    let prompts = List::new([underpass_wire::Prompt { text: b"token", echo: false }], &mut buffer).unwrap();
    duel.peer.send(&UserauthInfoRequest { name: b"", instruction: b"", language: b"", prompts });
    let (id, _) = duel.expect_question();
    let now = duel.now;
    let mut answer = |answer| duel.engine.answer(id, answer, now);
    assert!(!answer(Answer::Responses(Some(vec![]))), "too few");
    assert!(!answer(Answer::Responses(Some(vec!["1".into(), "2".into()]))), "too many");
    assert!(!answer(password("x")), "of another kind");
    assert!(answer(Answer::Responses(Some(vec!["1".into()]))));
    assert!(!answer(Answer::Responses(Some(vec!["1".into()]))), "answered before");
    assert_eq!(duel.numbers(), [Number::USERAUTH_INFO_RESPONSE]);
}

#[test]
fn an_answer_that_the_server_did_not_wait_for_is_void() {
    let mut duel = waiting_client(Credential::KeyboardInteractive);
    duel.peer.send(&UserauthInfoRequest { name: b"", instruction: b"", language: b"", prompts: List::EMPTY });
    let (stale, _) = duel.expect_question();
    duel.peer.send(&UserauthFailure { methods: NameList::EMPTY, partial_success: false });
    let (fresh, question) = duel.expect_question();
    assert!(matches!(question, Question::Credential { last: Some(_) }));
    assert!(!duel.engine.answer(stale, Answer::Responses(Some(vec![])), duel.now));
    assert!(duel.engine.answer(fresh, password("next"), duel.now));
    assert_eq!(duel.numbers(), [Number::USERAUTH_REQUEST]);
}

#[test]
fn banners_are_passed_on_up_to_a_bound() {
    let mut duel = waiting_client(Credential::None);
    for _ in 0..1000 {
        duel.peer.send(&UserauthBanner { message: b"welcome", language: b"" });
    }
    duel.settle();
    let banners = duel.events.iter().filter(|event| matches!(event, Event::Banner(_))).count();
    assert_eq!(banners, MAX_BANNERS as usize);
    duel.peer.send(&UserauthSuccess);
    duel.settle();
    assert_eq!(duel.events.back(), Some(&Event::Authenticated));
}

#[test]
fn only_signature_algorithms_that_the_server_lists_are_used() {
    for (listed, chosen) in [
        (Some("rsa-sha2-256"), Some("rsa-sha2-256")),
        (Some("rsa-sha2-256,rsa-sha2-512"), Some("rsa-sha2-512")),
        (Some("ssh-ed25519,ssh-rsa"), None),
        (Some(""), None),
        (None, Some("rsa-sha2-512")),
    ] {
        let mut duel = Duel::against(Role::Server);
        duel.exchange_keys();
        if let Some(listed) = listed {
            send_server_sig_algs(&mut duel.peer, listed);
        }
        duel.grant_service();
        duel.answer(Answer::Credential(Credential::Key {
            key: b"key".to_vec(),
            algorithms: vec!["rsa-sha2-512".to_owned(), "rsa-sha2-256".to_owned()],
            query: true,
        }));
        match chosen {
            Some(chosen) => {
                let request = duel.expect(Number::USERAUTH_REQUEST);
                let Message::UserauthRequest(UserauthRequest {
                    method: UserauthMethod::PublicKeyQuery { algorithm, .. },
                    ..
                }) = message(&request)
                else {
                    panic!()
                };
                assert_eq!(algorithm, chosen);
            }
            None => {
                let (_, question) = duel.expect_question();
                assert!(matches!(
                    question,
                    Question::Credential { last: Some(Refused { no_algorithm: true, .. }) }
                ));
                assert_eq!(duel.numbers(), []);
            }
        }
    }
}

#[test]
fn the_signature_algorithm_is_the_first_that_goes_with_the_key_but_for_weak_ones() {
    let rsa = "ssh-rsa,rsa-sha2-256,rsa-sha2-512";
    let all = Some("ssh-rsa,rsa-sha2-512,rsa-sha2-256");
    let table: &[(&str, &str, Option<&str>, &str)] = &[
        // The list, the algorithms of the key, what the server lists, what is used.
        (rsa, rsa, None, "ssh-rsa"),
        (rsa, rsa, all, "rsa-sha2-256"),
        ("ssh-rsa,rsa-sha2-512,rsa-sha2-256", rsa, all, "rsa-sha2-512"),
        (rsa, rsa, Some("ssh-rsa,rsa-sha2-512"), "rsa-sha2-512"),
        (rsa, rsa, Some("rsa-sha2-256"), "rsa-sha2-256"),
        (rsa, rsa, Some("ssh-rsa"), "ssh-rsa"),
        ("rsa-sha2-512,ssh-rsa", rsa, Some("ssh-rsa"), "ssh-rsa"),
        ("ssh-rsa", rsa, all, "ssh-rsa"),
        ("ecdsa-sha2-nistp256,rsa-sha2-512", rsa, None, "rsa-sha2-512"),
        // Whoever has no choice is not kept from trying by a list that may be short.
        (rsa, "rsa-sha2-512", Some("ssh-ed25519"), "rsa-sha2-512"),
        ("ssh-ed25519", "ssh-ed25519", Some("rsa-sha2-256,rsa-sha2-512"), "ssh-ed25519"),
        ("ssh-dss", "ssh-dss", Some(""), "ssh-dss"),
        ("x509v3-sign-rsa", "x509v3-sign-rsa", Some("rsa-sha2-256"), "x509v3-sign-rsa"),
        ("x509v3-sign-rsa,x509v3-sign-dss", "x509v3-sign-dss", None, "x509v3-sign-dss"),
        // With a certificate, servers list the signature's name or the algorithm's.
        (CERTIFIED, CERTIFIED, Some("rsa-sha2-256"), "rsa-sha2-256-cert-v01@openssh.com"),
        (
            CERTIFIED,
            CERTIFIED,
            Some("rsa-sha2-512-cert-v01@openssh.com"),
            "rsa-sha2-512-cert-v01@openssh.com",
        ),
    ];
    for &(list, of_key, listed, used) in table {
        assert_eq!(
            used_for(list, of_key, listed, false).as_deref(),
            Some(used),
            "{list} {of_key} {listed:?}"
        );
    }
}

const CERTIFIED: &str = "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com";

#[test]
fn what_the_server_does_not_list_is_tried_where_that_is_wanted() {
    let rsa = "rsa-sha2-512,ssh-rsa";
    for (listed, strictly, otherwise) in [
        (Some("ssh-ed25519"), None, Some("rsa-sha2-512")),
        (Some(""), None, Some("rsa-sha2-512")),
        (Some("ssh-rsa"), Some("ssh-rsa"), Some("ssh-rsa")),
        (None, Some("rsa-sha2-512"), Some("rsa-sha2-512")),
    ] {
        assert_eq!(used_for(rsa, rsa, listed, false).as_deref(), strictly, "{listed:?}");
        assert_eq!(used_for(rsa, rsa, listed, true).as_deref(), otherwise, "{listed:?}");
    }
    // What the list does not have is never used.
    assert_eq!(used_for("ssh-ed25519", rsa, None, true), None);
}

#[test]
fn what_is_for_servers_that_list_it_by_its_name_is_shown_to_no_others() {
    let name = "x509v3-ecdsa-sha2-nistp256";
    let if_listed = |listed: Option<&str>, unlisted: bool| {
        let mut config = Config { unlisted_signatures: unlisted, ..Config::default() };
        config.algorithms.public_key_if_listed = named(name);
        used_with(config, name, listed)
    };
    for listed in [None, Some(""), Some("ecdsa-sha2-nistp256"), Some("x509v3-ecdsa-sha2-nistp384")] {
        assert_eq!((if_listed(listed, false), if_listed(listed, true)), (None, None), "{listed:?}");
    }
    assert_eq!(if_listed(Some("ssh-ed25519,x509v3-ecdsa-sha2-nistp256"), false).as_deref(), Some(name));
}

fn named(list: &str) -> Vec<&'static Signature> {
    list.split(',').filter_map(|name| Provider::find(Provider::ALL.signatures, name)).collect()
}

/// What a key is offered with; `None` if it is not.
fn used_for(list: &str, of_key: &str, listed: Option<&str>, unlisted: bool) -> Option<String> {
    let mut config = Config { unlisted_signatures: unlisted, ..Config::default() };
    config.algorithms.public_key = named(list);
    used_with(config, of_key, listed)
}

fn used_with(config: Config, of_key: &str, listed: Option<&str>) -> Option<String> {
    let mut duel = Duel::new(Peer::new(Role::Server, 5), config);
    duel.exchange_keys();
    if let Some(listed) = listed {
        send_server_sig_algs(&mut duel.peer, listed);
    }
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::Key {
        key: b"key".to_vec(),
        algorithms: of_key.split(',').map(str::to_owned).collect(),
        query: true,
    }));
    duel.settle();
    if duel.events.iter().any(|event| matches!(event, Event::Question(..))) {
        let (_, question) = duel.expect_question();
        assert!(matches!(question, Question::Credential { last: Some(Refused { no_algorithm: true, .. }) }));
        return None;
    }
    let request = duel.expect(Number::USERAUTH_REQUEST);
    let Message::UserauthRequest(UserauthRequest {
        method: UserauthMethod::PublicKeyQuery { algorithm, .. },
        ..
    }) = message(&request)
    else {
        panic!()
    };
    Some(algorithm.to_owned())
}

pub(crate) fn send_server_sig_algs(peer: &mut Peer, names: &str) {
    let mut buffer = Vec::new();
    let extension = Extension { name: b"server-sig-algs", value: names.as_bytes() };
    let extensions = List::new([extension], &mut buffer).expect("one is not too many");
    peer.send(&ExtInfo { extensions });
}

#[test]
fn extensions_come_only_where_they_are_legal() {
    // Before the keys.
    let mut duel = Duel::new(Peer::plain(Role::Server, 5), underpass_proto::Config::default());
    duel.propose();
    send_server_sig_algs(&mut duel.peer, "ssh-ed25519");
    expect_unexpected(duel, Number::EXT_INFO);
    // After log-on.
    let mut duel = Duel::opened_against(Role::Server);
    send_server_sig_algs(&mut duel.peer, "ssh-ed25519");
    expect_unexpected(duel, Number::EXT_INFO);
}

// ---- the server against a scripted client ----

fn server_after_service() -> Duel {
    let mut duel = Duel::against(Role::Client);
    duel.exchange_keys();
    duel.received.clear();
    duel.peer.send(&ServiceRequest { name: "ssh-userauth" });
    duel.expect(Number::SERVICE_ACCEPT);
    duel
}

fn request(peer: &mut Peer, method: UserauthMethod<'_>) {
    peer.send(&UserauthRequest { user: b"me", service: "ssh-connection", method });
}

fn verdict(duel: &mut Duel, verdict: Verdict) -> QuestionId {
    let (id, _) = duel.expect_question();
    assert!(duel.engine.answer(id, Answer::Verdict(verdict), duel.now));
    duel.settle();
    id
}

#[test]
fn a_server_lists_its_signature_algorithms_for_a_client_that_wants_to_know() {
    let mut duel = Duel::against(Role::Client);
    duel.exchange_keys();
    let info = duel.expect(Number::EXT_INFO);
    let Message::ExtInfo(info) = message(&info) else { panic!() };
    assert!(info.server_sig_algs().unwrap().contains("rsa-sha2-256"));
    // Once: not after later key exchanges.
    duel.renew_keys();
    assert_eq!(duel.numbers(), []);

    let mut duel = Duel::new(Peer::plain(Role::Client, 5), underpass_proto::Config::default());
    duel.exchange_keys();
    assert_eq!(duel.numbers(), []);
}

#[test]
fn requests_that_come_together_are_decided_one_by_one() {
    let mut duel = server_after_service();
    for word in ["one", "two", "three"] {
        request(&mut duel.peer, UserauthMethod::Password { password: Sensitive(word.as_bytes()) });
    }
    // What crosses success is ignored.
    for _ in 0..5 {
        request(&mut duel.peer, UserauthMethod::None);
    }
    for word in ["one", "two", "three"] {
        let (id, question) = duel.expect_question();
        assert_eq!(question, attempt(Attempt::Password(word.into())));
        assert!(duel.events.is_empty(), "the next one waits");
        let verdict = if word == "three" { Verdict::Accept } else { refuse(&["password"], false) };
        assert!(duel.engine.answer(id, Answer::Verdict(verdict), duel.now));
        assert!(!duel.engine.answer(id, Answer::Verdict(Verdict::Accept), duel.now), "only once");
    }
    assert_eq!(
        duel.numbers(),
        [Number::USERAUTH_FAILURE, Number::USERAUTH_FAILURE, Number::USERAUTH_SUCCESS]
    );
    duel.expect_alive();
    assert_eq!(duel.events, [Event::Authenticated]);
}

#[test]
fn a_flood_of_requests_waits_in_bounded_memory_and_ends() {
    let mut duel = server_after_service();
    let mut packets = Vec::new();
    for _ in 0..100_000 {
        request(&mut duel.peer, UserauthMethod::None);
        packets.append(&mut duel.peer.output);
    }
    // The engine reads as much as its buffer holds and then no more.
    let mut offset = 0;
    let mut verdicts = 0;
    loop {
        while offset < packets.len() {
            let space = duel.engine.receive_space();
            let count = space.len().min(packets.len() - offset);
            if count == 0 {
                break;
            }
            assert!(space.len() <= 1 << 20);
            space[..count].copy_from_slice(&packets[offset..offset + count]);
            duel.engine.received(count, duel.now);
            offset += count;
        }
        duel.take_events();
        if duel.end().is_some() {
            break;
        }
        verdict(&mut duel, refuse(&[], false));
        verdicts += 1;
    }
    assert_eq!(verdicts, MAX_AUTH_REQUESTS);
    assert_eq!(duel.expect_end(), Error::Authentication(AuthenticationFailed::TooManyRequests));
}

#[test]
fn unknown_methods_services_and_algorithms_are_dealt_with() {
    let mut duel = server_after_service();
    request(&mut duel.peer, UserauthMethod::Other { name: "magic", data: Sensitive(b"abra") });
    let (id, question) = duel.expect_question();
    assert_eq!(question, attempt(Attempt::Unusable));
    duel.engine.answer(id, Answer::Verdict(Verdict::Accept), duel.now);
    duel.expect(Number::USERAUTH_FAILURE);
    request(&mut duel.peer, UserauthMethod::PublicKeyQuery { algorithm: "ssh-dss", key: b"key" });
    let (id, question) = duel.expect_question();
    assert_eq!(question, attempt(Attempt::Unusable));
    duel.engine.answer(id, Answer::Verdict(refuse(&["password"], false)), duel.now);
    let failure = duel.expect(Number::USERAUTH_FAILURE);
    assert_eq!(
        failure,
        encoded(&UserauthFailure { methods: NameList::new("password").unwrap(), partial_success: false })
    );
    duel.peer.send(&UserauthRequest { user: b"me", service: "ssh-shopping", method: UserauthMethod::None });
    assert_eq!(duel.expect_end(), PeerMisbehaved::WrongService.into());
}

#[test]
fn responses_nobody_asked_for_are_fatal() {
    let mut duel = server_after_service();
    duel.peer.send_payload(&[Number::USERAUTH_INFO_RESPONSE.0, 0, 0, 0, 0]);
    expect_unexpected(duel, Number::USERAUTH_INFO_RESPONSE);
}

#[test]
fn another_request_may_come_instead_of_responses() {
    let mut duel = server_after_service();
    request(&mut duel.peer, UserauthMethod::KeyboardInteractive { language: b"", submethods: b"" });
    verdict(&mut duel, Verdict::Prompt(Prompts::default()));
    duel.expect(Number::USERAUTH_INFO_REQUEST);
    request(&mut duel.peer, UserauthMethod::None);
    verdict(&mut duel, Verdict::Accept);
    duel.expect(Number::USERAUTH_SUCCESS);
}

#[test]
fn a_verdict_that_does_not_fit_is_a_refusal() {
    for misfit in [Verdict::Prompt(Prompts::default()), Verdict::ChangePassword { prompt: String::new() }] {
        let mut duel = server_after_service();
        request(&mut duel.peer, UserauthMethod::None);
        verdict(&mut duel, misfit);
        duel.expect(Number::USERAUTH_FAILURE);
    }
}

// ---- names ----

/// RFC 4252 section 5 wants UTF-8, and some servers want something else.
#[test]
fn a_users_name_is_sent_as_it_is_given() {
    let user = b"m\x94";
    let mut duel = Duel::of_user(Peer::new(Role::Server, 5), Config::default(), user);
    let key = Ed25519Key::generate(&mut SeededEntropy::new(3));
    duel.exchange_keys();
    duel.grant_service();
    duel.answer(Answer::Credential(Credential::Key {
        key: key.public_key().to_vec(),
        algorithms: vec!["ssh-ed25519".to_owned()],
        query: false,
    }));
    let (id, Question::Signature { data, .. }) = duel.expect_question() else { panic!("no signature") };
    // What is signed names the user in the same way (RFC 4252 section 7).
    let signature = key.sign("ssh-ed25519", &data).unwrap();
    assert!(duel.engine.answer(id, Answer::Signature(Some(signature)), duel.now));
    let request = duel.expect(Number::USERAUTH_REQUEST);
    let Message::UserauthRequest(request) = message(&request) else { panic!("no request") };
    assert_eq!(request.user, user);
    let mut signed = Vec::new();
    request.put_signed(&data[4..4 + data[3] as usize], &mut signed);
    assert_eq!(signed, data);
}

#[test]
fn a_server_takes_names_in_utf8_only() {
    let mut duel = Duel::against(Role::Client);
    duel.exchange_keys();
    duel.peer.send(&ServiceRequest { name: "ssh-userauth" });
    duel.peer.send(&UserauthRequest {
        user: b"m\x94",
        service: "ssh-connection",
        method: UserauthMethod::None,
    });
    let error = duel.expect_end();
    let number = Number::USERAUTH_REQUEST;
    assert!(
        matches!(error, Error::Peer(PeerMisbehaved::Message { number: of, .. }) if of == number),
        "{error}"
    );
}
