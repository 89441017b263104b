//! `-W`: standard input and output as one end of a connection.

use std::process::Command;
use std::time::Duration;

use underpass_conformance::account::USER;
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::process::{Process, kill_all};
use underpass_conformance::{Client, Failure, PeerKind, Result, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::target::{Receipt, Refusing, Target};

with_each_peer!(
    what_is_sent_comes_back,
    an_upload_is_answered_after_its_end,
    an_answer_ends_it_though_input_goes_on,
    another_client_reaches_its_server_through_it,
);

fn what_is_sent_comes_back(kind: PeerKind) -> Result<()> {
    let (peer, echo) = (kind.start()?, Target::Echo.start()?);
    let answer = ask(Client::of(&peer)?, &echo.address().to_string(), &sent())?;
    assert_eq!(answer.len(), sent().len());
    Ok(PAYLOAD.check(0, &answer)?)
}

fn an_upload_is_answered_after_its_end(kind: PeerKind) -> Result<()> {
    let (peer, sink) = (kind.start()?, Target::Sink.start()?);
    let answer = ask(Client::of(&peer)?, &sink.address().to_string(), &sent())?;
    assert_eq!(answer, Receipt::of(PAYLOAD, LENGTH as u64).encode());
    Ok(())
}

fn an_answer_ends_it_though_input_goes_on(kind: PeerKind) -> Result<()> {
    let (peer, burst) = (kind.start()?, Target::Burst(PAYLOAD, LENGTH as u64).start()?);
    let mut session = Client::of(&peer)?.start_on_standard_streams(burst.address())?;
    assert_eq!(session.wait(PATIENCE)?.code, Some(0));
    let answer = session.process().out().bytes();
    assert_eq!(answer.len(), LENGTH);
    Ok(PAYLOAD.check(0, &answer)?)
}

fn another_client_reaches_its_server_through_it(kind: PeerKind) -> Result<()> {
    let (first, second) = (kind.start()?, PeerKind::Sshd.start()?);
    let mut ssh = Command::new("ssh");
    ssh.args([
        "-Fnone",
        "-oBatchMode=yes",
        "-oGlobalKnownHostsFile=/dev/null",
        "-oStrictHostKeyChecking=yes",
    ])
    .args(["-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-oUpdateHostKeys=no"])
    .arg(format!("-oUserKnownHostsFile={}", second.known_hosts().display()))
    .arg(format!("-oProxyCommand={}", Client::of(&first)?.proxy_command("%h:%p")?))
    .arg("-i")
    .arg(Keys::get()?.user(KeyType::Ed25519))
    .args(["-p", &second.address().port().to_string(), "-l", USER, "127.0.0.1"])
    .arg("head -c 100000 /dev/zero | tr '\\0' x");
    let mut ssh = Process::start(&ssh)?;
    let status = ssh.wait(PATIENCE)?;
    if status.code() != Some(0) || ssh.out().bytes() != [b'x'; 100_000] {
        return Err(ssh.failure(format!("ended with {status}\n{}", second.process().said())));
    }
    Ok(())
}

#[test]
fn a_target_that_refuses_is_an_error() -> Result<()> {
    let (peer, refusing) = (PeerKind::Sshd.start()?, Refusing::start()?);
    let mut session = Client::of(&peer)?.start_on_standard_streams(refusing.address())?;
    let outcome = session.wait(PATIENCE)?;
    assert_eq!(outcome.code, Some(TARGET), "{outcome:?}");
    assert_eq!(outcome.out, "");
    assert!(outcome.err.contains(&refusing.address().to_string()), "{outcome:?}");
    Ok(())
}

/// Half of a conversation cannot be had again on another connection.
#[test]
fn a_connection_that_breaks_ends_it() -> Result<()> {
    let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
    let mut session = Client::of(&peer)?.start_on_standard_streams(echo.address())?;
    session.process_mut().write("x")?;
    session.process().wait_for(session.process().out(), PATIENCE, |out| (out == "x").then_some(()))?;
    kill_all(&peer.session_processes()?)?;
    let outcome = session.wait(PATIENCE)?;
    assert_eq!(outcome.code, Some(LOST), "{outcome:?}");
    Ok(())
}

#[test]
fn an_input_that_is_empty_still_gets_its_answer() -> Result<()> {
    let (peer, reply) = (PeerKind::Sshd.start()?, Target::Reply(PAYLOAD, LENGTH as u64).start()?);
    let answer = ask(Client::of(&peer)?, &reply.address().to_string(), b"")?;
    assert_eq!(answer.len(), LENGTH);
    Ok(PAYLOAD.check(0, &answer)?)
}

/// What comes to standard output when this goes to standard input; exit code 0.
fn ask(client: Client, target: &str, question: &[u8]) -> Result<Vec<u8>> {
    let mut session = client.start_on_standard_streams(target)?;
    session.process_mut().write(question)?;
    session.process_mut().close_input();
    let outcome = session.wait(PATIENCE)?;
    match outcome.code {
        Some(0) => Ok(session.process().out().bytes()),
        code => Err(Failure::new(format!("ended with {code:?}: {}", outcome.err))),
    }
}

/// Every byte, in no order.
fn sent() -> Vec<u8> {
    let mut bytes = vec![0; LENGTH];
    PAYLOAD.fill(0, &mut bytes);
    bytes
}

const PAYLOAD: Payload = Payload::new(71);

const LENGTH: usize = 2_000_003;

// Exit codes of our client.
const TARGET: i32 = 10;
const LOST: i32 = 11;

const PATIENCE: Duration = Duration::from_secs(30);
