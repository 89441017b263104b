//! Every step ends, whatever the server does or does not.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use underpass::{Builder, ErrorKind, HostKeyQuestion, Prompt, Prompter, Secret, Step};
use underpass_testkit::script::Script;

use crate::support::{Bastion, bare_builder, refused, unanswering};

const SOON: Duration = Duration::from_millis(500);

/// Long enough that a test which waits for its end fails.
const AGES: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_before_the_keys_ends_at_the_deadline_of_the_step() {
    let silent = [
        (Script::Silent, Step::Identify),
        (Script::DripBanner, Step::Identify),
        (Script::SilentAfterBanner, Step::Negotiate),
        (Script::SilentAfterKexInit, Step::KeyExchange),
    ];
    for (script, step) in silent {
        let server = script.start().unwrap();
        let error = refused(bare_builder(server.address()).handshake_timeout(SOON)).await;
        assert_eq!((error.step(), error.kind()), (step, &ErrorKind::Timeout { after: SOON }), "{script:?}");
        assert!(error.advice().is_some(), "{script:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_talks_nonsense_is_found_out_long_before_the_deadline() {
    let talking = [
        (Script::EndlessLines, "peer-misbehaved"),
        (Script::EndlessIgnore, "peer-misbehaved"),
        (Script::Http, "peer-misbehaved"),
        (Script::Ssh1Only, "peer-misbehaved"),
        (Script::MaxStartups, "peer-misbehaved"),
        (Script::CloseAtOnce, "lost"),
    ];
    for (script, kind) in talking {
        let server = script.start().unwrap();
        let error = refused(bare_builder(server.address()).handshake_timeout(AGES)).await;
        assert_eq!(error.kind().name(), kind, "{script:?}: {error}");
        assert!(error.advice().is_some() && error.to_string().contains("127.0.0.1"), "{script:?}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_the_dial_is_given_up() {
    let (listener, _waiting) = unanswering().await;
    let error = refused(bare_builder(listener.local_addr().unwrap()).connect_timeout(SOON)).await;
    assert_eq!(error.step(), Step::Dial);
    assert_eq!(*error.kind(), ErrorKind::Timeout { after: SOON });
}

#[tokio::test]
async fn a_server_that_refuses_the_dial_is_reported_with_its_address() {
    let refusing = underpass_testkit::target::Refusing::start().unwrap();
    let error = refused(bare_builder(refusing.address())).await;
    let ErrorKind::Dial { attempts } = error.kind() else { panic!("{error}") };
    assert_eq!((attempts[0].address, attempts[0].refused), (refusing.address(), true));
}

/// A person who never answers, until the test ends.
struct Absent(std::sync::Mutex<mpsc::Receiver<()>>);

impl Absent {
    fn wait(&self) {
        let _ = self.0.lock().unwrap().recv();
    }
}

impl Prompter for Absent {
    fn password(&self, _: &str, _: &str, _: u32) -> Option<Secret> {
        self.wait();
        None
    }

    fn passphrase(&self, _: &Path, _: u32) -> Option<Secret> {
        self.wait();
        None
    }

    fn responses(&self, _: &str, _: &str, _: &[Prompt]) -> Option<Vec<Secret>> {
        self.wait();
        None
    }

    fn new_password(&self, _: &str) -> Option<Secret> {
        self.wait();
        None
    }

    fn accept_host_key(&self, _: &HostKeyQuestion) -> bool {
        self.wait();
        false
    }
}

fn without_password(bastion: &Bastion) -> Builder {
    let mut settings = bastion.builder().batch(false).settings().unwrap();
    settings.password = None;
    settings.into()
}

/// Also, the runtime can be shut down while the question is open: otherwise the test would not end.
#[test]
fn a_person_who_never_answers_does_not_stop_the_clock_nor_the_program() {
    let (leave, absent) = mpsc::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bastion = Bastion::start().await;
        let builder = without_password(&bastion).auth_timeout(SOON);
        let error = refused(builder.prompter(Absent(absent.into()))).await;
        assert_eq!((error.step(), error.kind()), (Step::Authenticate, &ErrorKind::Timeout { after: SOON }));
    });
    drop(runtime);
    drop(leave);
}

/// A person whose answers cannot be had for a fault in the program.
struct Broken;

impl Prompter for Broken {
    fn password(&self, _: &str, _: &str, _: u32) -> Option<Secret> {
        panic!("the password prompt is broken, as the test wants it");
    }

    fn passphrase(&self, _: &Path, _: u32) -> Option<Secret> {
        None
    }

    fn responses(&self, _: &str, _: &str, _: &[Prompt]) -> Option<Vec<Secret>> {
        panic!("the prompt for responses is broken, as the test wants it");
    }

    fn new_password(&self, _: &str) -> Option<Secret> {
        None
    }

    fn accept_host_key(&self, _: &HostKeyQuestion) -> bool {
        false
    }
}

#[tokio::test]
async fn a_prompter_that_panics_is_one_without_an_answer() {
    let bastion = Bastion::start().await;
    let error = refused(without_password(&bastion).prompter(Broken)).await;
    assert!(matches!(error.kind(), ErrorKind::Authentication { .. }), "{error}");
}
