//! Nothing secret is sent to a server whose key is not trusted.

use std::fs;
use std::path::Path;

use underpass::{Builder, Error, ErrorKind, Event, HostKeyPolicy, HostKeyVerdict, Step};

use crate::credentials::Prompts;
use crate::support::{Bastion, Events, NAME, PASSWORD, bare_builder, refused, within};

fn verdicts(events: &Events) -> Vec<HostKeyVerdict> {
    let verdict = |event| if let Event::HostKey { verdict, .. } = event { Some(verdict) } else { None };
    events.all().into_iter().filter_map(verdict).collect()
}

/// A tunnel that has only `file` as its record.
fn builder(bastion: &Bastion, file: &Path) -> Builder {
    bare_builder(bastion.gateway.address()).user_known_hosts([file]).password(PASSWORD)
}

/// Refused before anything was tried to log in with.
async fn distrusted(builder: Builder) -> Error {
    let events = Events::default();
    let error = refused(builder.observer(events.observer())).await;
    assert_eq!(error.step(), Step::HostKey);
    assert!(error.advice().is_some());
    assert_eq!(events.count("auth-attempt"), 0);
    assert_eq!(verdicts(&events), []);
    error
}

#[tokio::test]
async fn an_unknown_key_is_refused_and_shown() {
    let bastion = Bastion::start().await;
    let file = bastion.path("empty");
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::Ask] {
        let error = distrusted(builder(&bastion, &file).host_key_policy(policy)).await;
        let ErrorKind::HostKeyUnknown { key_type, fingerprint, files } = error.kind() else {
            panic!("{error}")
        };
        assert_eq!(key_type, "ssh-ed25519");
        assert_eq!(*fingerprint, bastion.gateway.fingerprint());
        assert_eq!(files[0], file);
    }
    assert!(!file.exists());
}

#[tokio::test]
async fn a_new_key_is_put_on_record_if_asked_to_and_known_from_then_on() {
    let bastion = Bastion::start().await;
    let (file, events) = (bastion.path("new/known_hosts"), Events::default());
    for policy in [HostKeyPolicy::AcceptNew, HostKeyPolicy::AcceptNew, HostKeyPolicy::Strict] {
        let builder = builder(&bastion, &file).host_key_policy(policy).observer(events.observer());
        within(builder.open()).await.unwrap();
    }
    assert_eq!(verdicts(&events), [HostKeyVerdict::Added, HostKeyVerdict::Known, HostKeyVerdict::Known]);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(text.starts_with(&format!("{NAME} ssh-ed25519 ")), "{text}");
}

#[tokio::test]
async fn without_an_alias_the_record_names_host_and_port() {
    let bastion = Bastion::start().await;
    let file = bastion.path("new");
    let destination = bastion.gateway.address().to_string();
    let builder = Builder::new(destination).user("me").password(PASSWORD).default_identities(false);
    let builder = builder.user_known_hosts([&file]).global_known_hosts([""; 0]).batch(true);
    within(builder.host_key_policy(HostKeyPolicy::AcceptNew).open()).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), bastion.gateway.known_hosts("127.0.0.1").unwrap());
}

#[tokio::test]
async fn a_person_decides_about_a_new_key() {
    let bastion = Bastion::start().await;
    let file = bastion.path("asked");
    let builder = |accept| {
        let prompts = Prompts { host_key: accept, ..Prompts::default() };
        builder(&bastion, &file).batch(false).host_key_policy(HostKeyPolicy::Ask).prompter(prompts)
    };
    let error = distrusted(builder(false)).await;
    assert!(matches!(error.kind(), ErrorKind::HostKeyUnknown { .. }), "{error}");
    assert!(!file.exists());
    within(builder(true).open()).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn a_changed_key_is_refused_under_every_policy_that_checks() {
    let (bastion, other) = (Bastion::start().await, Bastion::start().await);
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::Ask, HostKeyPolicy::AcceptNew] {
        let builder = builder(&bastion, &other.known_hosts()).host_key_policy(policy).batch(false);
        let error = distrusted(builder.prompter(Prompts { host_key: true, ..Prompts::default() })).await;
        let ErrorKind::HostKeyChanged { fingerprint, recorded, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(*fingerprint, bastion.gateway.fingerprint());
        let recorded = recorded.as_ref().unwrap();
        assert_eq!((recorded.file.as_path(), recorded.line), (other.known_hosts().as_path(), 1));
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_though_it_is_on_record() {
    let bastion = Bastion::start().await;
    let known = fs::read_to_string(bastion.known_hosts()).unwrap();
    fs::write(bastion.known_hosts(), format!("{known}@revoked {known}")).unwrap();
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::AcceptNew] {
        let error = distrusted(bastion.builder().host_key_policy(policy)).await;
        let ErrorKind::HostKeyRevoked { recorded, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(recorded.as_ref().unwrap().line, 2);
    }
}

#[tokio::test]
async fn an_unchecked_key_is_told_as_such() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let builder =
        builder(&bastion, &bastion.path("none")).host_key_policy(HostKeyPolicy::DangerouslyAcceptAny);
    within(builder.observer(events.observer()).open()).await.unwrap();
    assert_eq!(verdicts(&events), [HostKeyVerdict::Unchecked]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_no_permission() {
    let bastion = Bastion::start().await;
    // A directory opens and does not read.
    let error = refused(builder(&bastion, bastion.known_hosts().parent().unwrap())).await;
    assert!(matches!(error.kind(), ErrorKind::Configuration { .. }), "{error}");
    assert_eq!(error.step(), Step::Configure);
}
