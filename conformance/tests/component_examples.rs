//! The programs of `crates/component/examples` do what they say.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use underpass_conformance::account::{PASSWORD, USER};
use underpass_conformance::component::{PATIENCE, fingerprint};
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::process::Process;
use underpass_conformance::{Failure, Peer, Result, proxy, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// Where they are, once they are built as the tests are: a test of another package gets no path from cargo.
fn directory() -> Result<&'static Path> {
    static BUILT: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|failure| failure.to_string()));
    built.as_deref().map_err(Failure::new)
}

fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    // With the features of the workspace, under which all they depend on is built already.
    cargo.args(["build", "--quiet", "--workspace", "--examples"]);
    let output = cargo.args(["--message-format", "json-render-diagnostics"]).output()?;
    if !output.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&output.stderr)).during("building the examples"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_one = message["target"]["name"] == "fixed_forward";
        message["executable"].as_str().filter(|_| is_one).map(PathBuf::from)
    });
    let parent = executable.and_then(|path| path.parent().map(Path::to_owned));
    parent.ok_or_else(|| Failure::new("fixed_forward has no executable"))
}

/// Starts one, with the server and these arguments, and the fingerprint of the server's key before the last ones.
fn example(name: &str, peer: &Peer, before: &[&str], after: &[&str]) -> Result<Process> {
    let (host, port) = (peer.address().ip().to_string(), peer.address().port().to_string());
    let mut command = Command::new(directory()?.join(name));
    command.args([host, port]).args(before).arg(fingerprint()?).args(after);
    Process::start(&command)
}

/// Ends in time, with success, and has printed these words.
fn ends_with(mut process: Process, words: &str) -> Result<()> {
    let status = process.wait(PATIENCE)?;
    match status.success() && process.out().text().contains(words) {
        true => Ok(()),
        false => Err(process.failure(format!("expected `{words}`; {status}"))),
    }
}

fn listening(process: &Process) -> Result<SocketAddr> {
    let port = |out: &str| {
        let line = out.split_inclusive('\n').find_map(|line| line.strip_prefix("listening "))?;
        line.strip_suffix('\n')?.parse().ok()
    };
    let port: u16 = process.wait_for(process.out(), PATIENCE, port)?;
    Ok(([127, 0, 0, 1], port).into())
}

#[test]
fn fixed_forward() -> Result<()> {
    let (peer, target) = (sshd::start(&[])?, Target::Echo.start()?);
    let port = target.address().port().to_string();
    let process = example("fixed_forward", &peer, &[USER, PASSWORD], &["127.0.0.1", &port])?;
    traffic::run(PATIENCE, traffic::echo(listening(&process)?, Payload::new(3), 100_000))?;
    process.wait_for(process.out(), PATIENCE, |out| out.contains("connected -1: OK").then_some(()))?;
    process.wait_for(process.out(), PATIENCE, |out| out.contains("disconnected 1: OK").then_some(()))
}

#[test]
fn dynamic_forward() -> Result<()> {
    let (peer, target) = (sshd::start(&[])?, Target::Echo.start()?);
    let port = target.address().port().to_string();
    ends_with(example("dynamic_forward", &peer, &[USER, PASSWORD], &["127.0.0.1", &port])?, "answer hello\n")
}

#[test]
fn data_tap() -> Result<()> {
    let (peer, target) = (sshd::start(&[])?, Target::Echo.start()?);
    let port = target.address().port().to_string();
    let process = example("data_tap", &peer, &[USER, PASSWORD], &["127.0.0.1", &port])?;
    TcpStream::connect(listening(&process)?)?.write_all(b"one\r\ntwo\r\nrest")?;
    let lines = "1: one\n1: two\n1: rest\u{2026}\n";
    process.wait_for(process.out(), PATIENCE, |out| out.contains(lines).then_some(()))
}

#[test]
fn host_key() -> Result<()> {
    let peer = sshd::start(&[])?;
    let trusted = format!("trusted {}", fingerprint()?);
    ends_with(example("host_key", &peer, &[USER, PASSWORD], &[])?, &trusted)?;
    let mut command = Command::new(directory()?.join("host_key"));
    command.args([peer.address().ip().to_string(), peer.address().port().to_string()]);
    ends_with(Process::start(command.args([USER, PASSWORD, "00:11"]))?, "refused: ")
}

#[test]
fn public_key() -> Result<()> {
    let (peer, keys, scratch) = (sshd::start(&[])?, Keys::get()?, tempfile::tempdir()?);
    let (key, pfx) = (scratch.path().join("key.pem"), scratch.path().join("key.pfx"));
    std::fs::copy(keys.user(KeyType::EcdsaP256), &key)?;
    // OpenSSL does not read OpenSSH's files.
    run(Command::new("ssh-keygen").args(["-q", "-p", "-N", "", "-m", "PKCS8", "-f"]).arg(&key))?;
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-export", "-passout", "pass:marble", "-inkey"]).arg(&key);
    run(openssl.arg("-in").arg(keys.x509_user(KeyType::EcdsaP256)).arg("-out").arg(&pfx))?;
    let pfx = pfx.display().to_string();
    let process = example("public_key", &peer, &[USER, &pfx, "marble", "CN=tess"], &[])?;
    ends_with(process, "logged on\n")
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::new(String::from_utf8_lossy(&output.stderr))),
    }
}

#[test]
fn keyboard_interactive() -> Result<()> {
    let rounds = json!([[["First: ", false, "one"], ["Second: ", true, "two"]]]);
    let peer = asyncssh::start(&json!({ "authorized_keys": null, "password": null, "prompts": rounds }))?;
    let asked = "asked \"First: \" (shown: false)\nasked \"Second: \" (shown: true)\nlogged on\n";
    ends_with(example("keyboard_interactive", &peer, &[USER, "one", "two"], &[])?, asked)
}

#[test]
fn custom_authentication() -> Result<()> {
    let peer = sshd::start(&[])?;
    ends_with(example("custom_authentication", &peer, &[USER, PASSWORD], &[])?, "logged on\n")
}

#[test]
fn reconnect() -> Result<()> {
    let peer = sshd::start(&[])?;
    let process = example("reconnect", &peer, &[USER, PASSWORD], &[])?;
    listening(&process)?;
    sshd::stop(&peer)?;
    for attempt in 1..=4 {
        let words = format!("attempt {attempt} at {}\n", peer.address());
        process.wait_for(process.out(), PATIENCE, |out| out.contains(&words).then_some(()))?;
    }
    ends_with(process, "given up\n")
}

#[test]
fn socks_proxy() -> Result<()> {
    let (peer, proxy) = (sshd::start(&[])?, proxy::socks5("somebody", "plum-7a")?);
    let [proxy, server] =
        [proxy.address(), peer.address()].map(|at| [at.ip().to_string(), at.port().to_string()]);
    let mut command = Command::new(directory()?.join("socks_proxy"));
    command.args(proxy).args(["somebody", "plum-7a"]).args(server).args([USER, PASSWORD, &fingerprint()?]);
    ends_with(Process::start(&command)?, "through the proxy\n")
}
