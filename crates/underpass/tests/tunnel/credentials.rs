//! What a tunnel logs in with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use underpass::gateway::GatewayBuilder;
use underpass::{ErrorKind, Event, HostKeyQuestion, Prompt, Prompter, Secret, ServerPacket, Step, keys};
use underpass_wire::Put as _;

use crate::support::{Bastion, Events, PASSWORD, USER, refused, within};

pub(crate) const PASSPHRASE: &str = "open-sesame-of-the-tests";

/// A person with fixed answers, who counts the questions.
#[derive(Clone, Default)]
pub(crate) struct Prompts {
    pub(crate) password: Option<&'static str>,
    pub(crate) passphrase: Option<&'static str>,
    pub(crate) host_key: bool,
    pub(crate) asked: Arc<AtomicU32>,
}

impl Prompts {
    fn answer(&self, answer: Option<&str>) -> Option<Secret> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        answer.map(Secret::from)
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Prompter for Prompts {
    fn password(&self, user: &str, _: &str, _: u32) -> Option<Secret> {
        assert_eq!(user, USER);
        self.answer(self.password)
    }

    fn passphrase(&self, _: &Path, _: u32) -> Option<Secret> {
        self.answer(self.passphrase)
    }

    fn responses(&self, _: &str, _: &str, prompts: &[Prompt]) -> Option<Vec<Secret>> {
        prompts.iter().map(|_| self.answer(self.password)).collect()
    }

    fn new_password(&self, _: &str) -> Option<Secret> {
        self.answer(None)
    }

    fn accept_host_key(&self, _: &HostKeyQuestion) -> bool {
        self.host_key
    }
}

pub(crate) fn key_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The public half of a key file.
fn public(name: &str) -> Vec<u8> {
    keys::public_of(&std::fs::read(key_file(name)).unwrap()).unwrap().blob().to_vec()
}

pub(crate) async fn bastion_for(keys: &[&str]) -> Bastion {
    let allow = |gateway: GatewayBuilder, name: &&str| gateway.allow_key(USER, public(name));
    Bastion::with(|gateway| keys.iter().fold(gateway, allow)).await
}

/// The ways to log in that were tried, in order.
fn tried(events: &Events) -> Vec<String> {
    let method = |event| if let Event::AuthAttempt { method, .. } = event { Some(method) } else { None };
    events.all().into_iter().filter_map(method).collect()
}

#[tokio::test]
async fn the_right_password_logs_in_by_each_method_that_takes_one() {
    let bastion = Bastion::start().await;
    for method in ["password", "keyboard-interactive"] {
        let events = Events::default();
        let builder = bastion.builder().preferred_authentications([method]).observer(events.observer());
        within(builder.open()).await.unwrap();
        assert_eq!(tried(&events), ["none", method]);
        let done = |event: &Event| matches!(event, Event::Authenticated { method: by, .. } if by == method);
        assert!(events.all().iter().any(done));
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_what_was_tried() {
    let bastion = Bastion::start().await;
    let error = refused(bastion.builder().password("wrong")).await;
    let ErrorKind::Authentication { user, tried, accepted } = error.kind() else { panic!("{error}") };
    assert_eq!(user, USER);
    assert_eq!(*tried, ["keyboard-interactive", "password"]);
    assert_eq!(*accepted, ["password", "keyboard-interactive"]);
    assert_eq!(error.step(), Step::Authenticate);
    assert!(error.advice().unwrap().contains("password"));
}

#[tokio::test]
async fn an_unknown_user_looks_like_a_wrong_password() {
    let bastion = Bastion::start().await;
    let error = refused(bastion.builder().user("nobody")).await;
    assert!(matches!(error.kind(), ErrorKind::Authentication { user, .. } if user == "nobody"), "{error}");
}

#[tokio::test]
async fn without_credentials_the_error_says_what_the_server_takes() {
    let bastion = Bastion::start().await;
    let mut settings = bastion.builder().settings().unwrap();
    settings.password = None;
    let error = refused(settings.into()).await;
    let ErrorKind::Authentication { tried, accepted, .. } = error.kind() else { panic!("{error}") };
    assert!(tried.is_empty());
    assert_eq!(*accepted, ["password", "keyboard-interactive"]);
}

#[tokio::test]
async fn a_person_is_asked_for_a_password_as_often_as_agreed() {
    let bastion = Bastion::start().await;
    for method in ["password", "keyboard-interactive"] {
        let builder = |prompts: &Prompts| {
            let mut settings = bastion.builder().batch(false).settings().unwrap();
            settings.password = None;
            let builder = underpass::Builder::from(settings).preferred_authentications([method]);
            builder.number_of_password_prompts(2).prompter(prompts.clone())
        };
        let right = Prompts { password: Some(PASSWORD), ..Prompts::default() };
        within(builder(&right).open()).await.unwrap();
        assert_eq!(right.asked(), 1);
        let wrong = Prompts { password: Some("wrong"), ..Prompts::default() };
        refused(builder(&wrong)).await;
        assert_eq!(wrong.asked(), 2);
        let silent = Prompts::default();
        let error = refused(builder(&silent)).await;
        assert_eq!(silent.asked(), 1);
        assert!(
            matches!(error.kind(), ErrorKind::Authentication { tried, .. } if tried.is_empty()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_batch_asks_nobody() {
    let bastion = bastion_for(&["id_encrypted"]).await;
    let prompts = Prompts { passphrase: Some(PASSPHRASE), password: Some(PASSWORD), ..Prompts::default() };
    let builder = bastion.builder().identity_file(key_file("id_encrypted")).batch(true);
    refused(builder.prompter(prompts.clone())).await;
    assert_eq!(prompts.asked(), 0);
}

#[tokio::test]
async fn a_key_logs_in_from_a_file_and_from_memory() {
    let bastion = bastion_for(&["id_plain"]).await;
    within(bastion.builder().identity_file(key_file("id_plain")).open()).await.unwrap();
    let key = keys::load(&std::fs::read(key_file("id_plain")).unwrap(), None).unwrap();
    within(bastion.builder().signer(key.signer).open()).await.unwrap();
}

#[tokio::test]
async fn keys_are_tried_in_order_until_one_fits() {
    let bastion = bastion_for(&["id_encrypted"]).await;
    let events = Events::default();
    let builder =
        bastion.builder().identity_file(key_file("id_plain")).identity_file(key_file("id_encrypted"));
    within(builder.passphrase(PASSPHRASE).observer(events.observer()).open()).await.unwrap();
    assert_eq!(tried(&events), ["none", "publickey", "publickey"]);
    let details: Vec<String> = events.all().iter().map(ToString::to_string).collect();
    let position = |name: &str| details.iter().position(|text| text.contains(name)).unwrap();
    assert!(position("id_plain") < position("id_encrypted"), "{details:?}");
}

#[tokio::test]
async fn an_encrypted_key_opens_with_the_passphrase_of_the_settings_or_of_a_person() {
    let bastion = bastion_for(&["id_encrypted"]).await;
    let builder = || bastion.builder().identity_file(key_file("id_encrypted")).batch(false);
    within(builder().passphrase(PASSPHRASE).open()).await.unwrap();
    let prompts = Prompts { passphrase: Some(PASSPHRASE), ..Prompts::default() };
    within(builder().prompter(prompts.clone()).open()).await.unwrap();
    // A wrong one in the settings is no reason to give up.
    within(builder().passphrase("wrong").prompter(prompts.clone()).open()).await.unwrap();
    assert_eq!(prompts.asked(), 2);
}

#[tokio::test]
async fn a_wrong_or_missing_passphrase_is_told_with_the_file() {
    let bastion = bastion_for(&["id_encrypted"]).await;
    let builder = || bastion.builder().identity_file(key_file("id_encrypted"));
    for (builder, expected) in [(builder(), "passphrase"), (builder().passphrase("wrong"), "passphrase")] {
        let error = refused(builder).await;
        let ErrorKind::Identity { path, problem } = error.kind() else { panic!("{error}") };
        assert_eq!(*path, key_file("id_encrypted"));
        assert!(problem.contains(expected), "{problem}");
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn nobody_is_asked_for_the_passphrase_of_a_key_that_the_server_refuses() {
    let bastion = bastion_for(&["id_plain"]).await;
    let prompts = Prompts { passphrase: Some(PASSPHRASE), ..Prompts::default() };
    let builder = bastion.builder().identity_file(key_file("id_encrypted")).batch(false);
    let error = refused(builder.prompter(prompts.clone())).await;
    assert!(matches!(error.kind(), ErrorKind::Authentication { .. }), "{error}");
    assert_eq!(prompts.asked(), 0);
}

#[tokio::test]
async fn a_key_file_that_is_none_is_named_before_anything_is_dialled() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let files = [bastion.path("missing"), bastion.known_hosts()];
    for file in files {
        let error = refused(bastion.builder().identity_file(&file).observer(events.observer())).await;
        assert!(matches!(error.kind(), ErrorKind::Identity { path, .. } if *path == file), "{error}");
    }
    assert_eq!(events.count("connecting"), 0);
}

/// Messages of the login are written by hand: a password, and answers to the prompts of keyboard-interactive.
fn by_hand(method: &'static str, answer: &'static str) -> impl Fn(ServerPacket<'_>) -> Option<Secret> {
    move |packet| {
        let mut payload = Vec::new();
        match packet.payload.first()? {
            // The service is there.
            6 => {
                payload.put_u8(50);
                [USER, "ssh-connection", method].into_iter().for_each(|text| payload.put_text(text));
                if method == "password" {
                    payload.put_bool(false);
                    payload.put_text(answer);
                } else {
                    ["", ""].into_iter().for_each(|text| payload.put_text(text));
                }
            }
            // The server prompts.
            60 => {
                payload.put_u8(61);
                payload.put_u32(1);
                payload.put_text(answer);
            }
            _ => return None,
        }
        assert!(packet.session_id.len() >= 32);
        Some(Secret::new(payload))
    }
}

#[tokio::test]
async fn a_program_may_write_the_messages_itself() {
    let bastion = Bastion::start().await;
    for method in ["password", "keyboard-interactive"] {
        let builder = bastion.builder().custom_authentication(by_hand(method, PASSWORD));
        within(builder.open()).await.unwrap();
        let error = refused(bastion.builder().custom_authentication(by_hand(method, "wrong"))).await;
        assert!(error.to_string().contains("custom"), "{error}");
        assert!(matches!(error.kind(), ErrorKind::Authentication { .. }), "{error:?}");
    }
    // Whoever gives nothing to send, or what is no message of a login, has given up.
    for answer in [None, Some(Secret::from("Z"))] {
        let error = refused(bastion.builder().custom_authentication(move |_| answer.clone())).await;
        assert!(matches!(error.kind(), ErrorKind::Authentication { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn without_a_method_only_a_request_without_one_is_made() {
    let bastion = Bastion::start().await;
    for methods in [&[][..], &["none"]] {
        let events = Events::default();
        let builder = bastion.builder().preferred_authentications(methods.iter().copied());
        let error = refused(builder.observer(events.observer())).await;
        let ErrorKind::Authentication { tried: said, accepted, .. } = error.kind() else { panic!("{error}") };
        assert_eq!((tried(&events), said), (vec!["none".to_owned()], &vec!["none".to_owned()]));
        assert!(accepted.iter().any(|method| method == "password"), "{accepted:?}");
        assert!(error.advice().unwrap().contains("a key or a password"));
    }
}

#[tokio::test]
async fn a_refusal_is_the_end_where_that_is_wanted() {
    let allow =
        |gateway: GatewayBuilder| gateway.allow_password(USER, PASSWORD).allow_key(USER, public("id_plain"));
    let bastion = Bastion::with(allow).await;
    for (stop, expected) in [
        (true, &["none", "keyboard-interactive"][..]),
        (false, &["none", "keyboard-interactive", "publickey"]),
    ] {
        let events = Events::default();
        let builder = bastion.builder().password("wrong").identity_file(key_file("id_plain"));
        let builder = builder.preferred_authentications(["keyboard-interactive", "publickey"]);
        let opened = within(builder.stop_at_first_refusal(stop).observer(events.observer()).open()).await;
        assert_eq!(tried(&events), expected);
        let Err(error) = opened else {
            assert!(!stop);
            continue;
        };
        assert!(stop, "{error}");
        let ErrorKind::Authentication { tried, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(tried.as_slice(), ["keyboard-interactive"]);
    }
}
