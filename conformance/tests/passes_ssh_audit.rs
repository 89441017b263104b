//! What the command offers when nobody chose anything, as ssh-audit sees it.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use underpass_conformance::peer::asyncssh::python;
use underpass_conformance::process::Process;
use underpass_conformance::{Client, Failure, Result};

/// What ssh-audit holds against every key exchange of before 2022. A client that offers nothing else reaches no older
/// server; the hybrid ones come first.
const ACCEPTED: &str = "does not provide protection against post-quantum attacks";

#[test]
fn the_defaults_are_above_reproach() -> Result<()> {
    let report = audit()?;
    let mut seen = 0;
    for kind in ["kex", "key", "enc", "mac"] {
        for algorithm in report[kind].as_array().into_iter().flatten() {
            seen += 1;
            let complaints =
                ["fail", "warn"].into_iter().filter_map(|level| algorithm["notes"][level].as_array());
            let complaints: Vec<&Value> = complaints.flatten().filter(|text| *text != ACCEPTED).collect();
            assert!(complaints.is_empty(), "{kind} {}: {complaints:?}", algorithm["algorithm"]);
        }
    }
    assert!(seen > 10, "ssh-audit saw only {seen} algorithms: {report}");
    let first = &report["kex"][0];
    assert!(first["notes"].get("warn").is_none(), "the first key exchange is a hybrid one: {first}");
    Ok(())
}

/// Has ssh-audit pose as a server once. Gives its report.
fn audit() -> Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    // It cannot pick a port itself, and does not say when it listens: the client tries until it is heard.
    while Instant::now() < deadline {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = Command::new(python()?);
        command.args(["-m", "ssh_audit", "--no-colors", "--client-audit", "--json", "--port"]);
        let mut auditor = Process::start(command.arg(address.port().to_string()))?;
        while Instant::now() < deadline && auditor.wait(PAUSE).is_err() {
            let client = Client::to(address).ours().option("UserKnownHostsFile", "none");
            client.option("GlobalKnownHostsFile", "none").forward("127.0.0.1:1").run(PATIENCE)?;
        }
        let report = auditor.out().text();
        if let Ok(report) = serde_json::from_str(&report) {
            return Ok(report);
        }
    }
    Err(Failure::new("ssh-audit gave no report"))
}

const PAUSE: Duration = Duration::from_millis(200);

/// Python takes a second to start; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
