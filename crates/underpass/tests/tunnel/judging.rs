//! A program that judges servers' keys by itself.

use std::fs;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use underpass::gateway::Gateway;
use underpass::{
    Backoff, Builder, CertificateError, CertifiedKey, ErrorKind, Event, HostCertificate, HostKeyPolicy,
    HostKeyVerdict, Reconnect, ShownHostKey, Signer, Step, X509Certificate, X509Key, keys,
};
use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::relay::CuttingRelay;
use underpass_wire::{Put as _, Reader};

use crate::credentials::key_file;
use crate::support::{
    Bastion, Events, NAME, PASSWORD, USER, bare_builder, eventually, loopback, refused, within,
};

/// Accepts or refuses everything, and remembers what it saw.
#[derive(Clone, Default)]
struct Judge(Arc<Mutex<Vec<ShownHostKey>>>);

impl Judge {
    fn of(&self, builder: Builder, accept: bool) -> Builder {
        let seen = self.0.clone();
        builder.host_key_judge(move |shown| {
            seen.lock().unwrap().push(shown.clone());
            accept
        })
    }

    fn seen(&self) -> Vec<ShownHostKey> {
        self.0.lock().unwrap().clone()
    }
}

/// A tunnel whose record would not let it pass: it cannot even be read.
fn unread(bastion: &Bastion) -> Builder {
    let directory = bastion.path("");
    bare_builder(bastion.gateway.address())
        .user_known_hosts([&directory])
        .ca_certificates([directory])
        .password(PASSWORD)
}

#[tokio::test]
async fn a_key_that_the_program_accepts_needs_no_record() {
    let (bastion, judge, events) = (Bastion::start().await, Judge::default(), Events::default());
    within(judge.of(unread(&bastion), true).observer(events.observer()).open()).await.unwrap();
    let seen = judge.seen();
    let [shown] = seen.as_slice() else { panic!("{seen:?}") };
    let key = bastion.gateway.host_keys().next().unwrap();
    assert_eq!((shown.host.as_str(), shown.port), (NAME, bastion.gateway.address().port()));
    assert_eq!((shown.algorithm.as_str(), shown.key_type.as_str()), ("ssh-ed25519", "ssh-ed25519"));
    assert_eq!((shown.blob.as_slice(), shown.key.as_slice()), (key, key));
    assert_eq!((&shown.fingerprint, &shown.certificate), (&bastion.gateway.fingerprint(), &None));
    let told = |event: &Event| matches!(event, Event::HostKey { verdict: HostKeyVerdict::Accepted, .. });
    assert_eq!(events.all().iter().filter(|event| told(event)).count(), 1);
}

#[tokio::test]
async fn a_key_that_the_program_refuses_is_refused_whatever_else_would_trust_it() {
    let bastion = Bastion::start().await;
    for policy in [HostKeyPolicy::AcceptNew, HostKeyPolicy::DangerouslyAcceptAny] {
        let (judge, events) = (Judge::default(), Events::default());
        let builder = judge.of(bastion.builder().host_key_policy(policy), false);
        let error = refused(builder.observer(events.observer())).await;
        let ErrorKind::HostKeyRejected { key_type, fingerprint } = error.kind() else { panic!("{error}") };
        assert_eq!((key_type.as_str(), fingerprint), ("ssh-ed25519", &bastion.gateway.fingerprint()));
        assert_eq!((error.step(), judge.seen().len()), (Step::HostKey, 1));
        assert!(error.advice().is_some());
        assert_eq!(events.count("auth-attempt") + events.count("host-key"), 0);
    }
}

#[tokio::test]
async fn the_program_is_asked_on_every_connection_and_not_again_about_the_same_key() {
    let (bastion, judge, events) = (Bastion::start().await, Judge::default(), Events::default());
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let builder = judge.of(bastion.builder_at(relay.address()), true).observer(events.observer());
    let soon = Reconnect::default().backoff(Backoff::Fixed(Duration::from_millis(100)));
    let tunnel = within(builder.reconnect(soon).open()).await.unwrap();
    tunnel.rekey();
    eventually("new keys", || events.count("key-exchange") == 2).await;
    assert_eq!(judge.seen().len(), 1);
    relay.cut();
    eventually("a new connection", || events.count("reconnected") == 1).await;
    assert_eq!(judge.seen().len(), 2);
}

#[tokio::test]
async fn a_program_that_takes_its_time_holds_up_nothing_else() {
    let (bastion, judging) = (Bastion::start().await, mpsc::channel::<bool>());
    let (answer, answers) = (judging.0, Mutex::new(judging.1));
    let builder = unread(&bastion).host_key_judge(move |_| answers.lock().unwrap().recv().unwrap());
    let opening = tokio::spawn(builder.open());
    // On the same thread, meanwhile.
    within(bastion.builder().open()).await.unwrap();
    assert!(!opening.is_finished());
    answer.send(true).unwrap();
    within(opening).await.unwrap().unwrap();
}

async fn shown_with(host_key: Arc<dyn Signer>, algorithm: &str) -> ShownHostKey {
    let gateway =
        Gateway::builder().host_key_algorithms("+*").host_key(host_key).allow_password(USER, PASSWORD);
    let gateway = gateway.start(loopback()).await.unwrap();
    let judge = Judge::default();
    let builder = bare_builder(gateway.address()).password(PASSWORD);
    // Without being asked for, a certificate is not shown: then there is nothing in common.
    let error = refused(judge.of(builder.clone(), true)).await;
    assert!(matches!(error.kind(), ErrorKind::PeerIncompatible { .. }), "{error}");
    within(judge.of(builder.host_key_algorithms(algorithm), true).open()).await.unwrap();
    judge.seen().remove(0)
}

/// A host's certificate for `name`, for ever.
fn certificate(key: &dyn Signer, name: &str, authority: &dyn Signer) -> Vec<u8> {
    let mut fields = Reader::new(key.public_key());
    let format = fields.text().unwrap();
    let mut blob = Vec::new();
    blob.put_text(&format!("{format}-cert-v01@openssh.com"));
    blob.put_string(b"a nonce");
    blob.put_bytes(fields.rest());
    blob.put_u64(0);
    blob.put_u32(2);
    blob.put_text("the bastion");
    blob.put_nested(|names| names.put_text(name));
    blob.put_u64(0);
    blob.put_u64(u64::MAX);
    for _ in 0..3 {
        blob.put_string(b"");
    }
    blob.put_string(authority.public_key());
    let signature = authority.sign(authority.algorithms()[0], &blob).unwrap();
    blob.put_string(&signature);
    blob
}

#[tokio::test]
async fn a_certificate_is_shown_with_its_authority_and_whether_it_is_good_for_the_host() {
    let entropy = &mut SeededEntropy::new(5);
    let authority = Ed25519Key::generate(entropy);
    for (name, validity) in [(NAME, Ok(())), ("another", Err(CertificateError::Principal))] {
        let key = Arc::new(Ed25519Key::generate(entropy));
        let blob = certificate(&*key, name, &authority);
        let certified = Arc::new(CertifiedKey::new(key.clone(), blob.clone()).unwrap());
        let shown = shown_with(certified, "ssh-ed25519-cert-v01@openssh.com").await;
        assert_eq!((&shown.blob, shown.key.as_slice()), (&blob, key.public_key()));
        assert_eq!(shown.algorithm, "ssh-ed25519-cert-v01@openssh.com");
        assert_eq!(shown.key_type, "ssh-ed25519");
        let key_id = b"the bastion".to_vec();
        let expected =
            HostCertificate::OpenSsh { authority: authority.public_key().to_vec(), key_id, validity };
        assert_eq!(shown.certificate, Some(expected));
    }
}

#[tokio::test]
async fn an_x509_certificate_is_shown_with_its_names() {
    let file = fs::read(key_file("x509_host.pem")).unwrap();
    let key = keys::load(&file, None).unwrap().signer;
    let certificates = X509Certificate::all_from(&file, 1).unwrap();
    let public = key.public_key().to_vec();
    let host_key = Arc::new(X509Key::each(&key, &certificates).unwrap().remove(0));
    let shown = shown_with(host_key, "x509v3-ecdsa-sha2-nistp256").await;
    assert_eq!((&shown.key, shown.key_type.as_str()), (&public, "ecdsa-sha2-nistp256"));
    let Some(HostCertificate::X509 { names, der }) = &shown.certificate else { panic!("{shown:?}") };
    assert_eq!(names.subject, "CN=bastion.example,O=Example");
    assert_eq!(names.issuer, names.subject);
    assert_eq!(der.as_slice(), certificates[0].der());
}
