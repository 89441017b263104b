//! A client that has no descriptors left goes on with what it has, recovers, and says so once.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use underpass_conformance::client::Session;
use underpass_conformance::peer::sshd;
use underpass_conformance::{Client, Failure, Result, traffic};
use underpass_testkit::target::Target;

#[test]
fn the_listener_outlives_it_and_open_connections_flow() -> Result<()> {
    let (peer, echo) = (sshd::start(&[])?, Target::Echo.start()?);
    let session = Client::of(&peer)?.ours().forward(echo.address()).start()?;
    traffic::run(PATIENCE, async {
        let mut open = Vec::new();
        for _ in 0..3 {
            open.push(TcpStream::connect(session.local()).await?);
        }
        for stream in &mut open {
            echoed(stream).await?;
        }
        leave_descriptors(&session, FEW)?;
        let mut crowd = Vec::new();
        for _ in 0..10 * FEW {
            crowd.push(TcpStream::connect(session.local()).await?);
        }
        session.wait_for_event_that("warning", PATIENCE, |event| says(event, OUT))?;
        for stream in &mut open {
            echoed(stream).await?;
        }
        drop(crowd);
        while !warnings(&session).iter().any(|event| says(event, AGAIN)) {
            echoed(&mut TcpStream::connect(session.local()).await?).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for stream in &mut open {
            echoed(stream).await?;
        }
        Ok(())
    })?;
    let told = |words| warnings(&session).iter().filter(|event| says(event, words)).count();
    assert_eq!((told(OUT), told(AGAIN)), (1, 1), "{:?}", warnings(&session));
    session.stop(PATIENCE).map(drop)
}

async fn echoed(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"still here").await?;
    let mut returned = [0; 10];
    stream.read_exact(&mut returned).await?;
    if &returned == b"still here" { Ok(()) } else { Err(Failure::new("other bytes came back")) }
}

/// From now on the client can open so many more descriptors.
fn leave_descriptors(session: &Session, count: usize) -> Result<()> {
    let pid = session.process().pid();
    let open = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let used: Vec<usize> = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The limit is on the number, and the lowest free one is taken.
    let last = (0..).filter(|number| !used.contains(number)).nth(count - 1).unwrap_or_default();
    let limit = last + 1;
    let status =
        Command::new("prlimit").args([&format!("--pid={pid}"), &format!("--nofile={limit}:")]).status()?;
    if status.success() { Ok(()) } else { Err(Failure::new("prlimit failed")) }
}

fn warnings(session: &Session) -> Vec<Value> {
    session.events().into_iter().filter(|event| event["event"] == "warning").collect()
}

fn says(event: &Value, words: &str) -> bool {
    event["text"].as_str().is_some_and(|text| text.contains(words))
}

/// Descriptors that are left.
const FEW: usize = 5;

const OUT: &str = "cannot take connections";
const AGAIN: &str = "takes connections again";

const PATIENCE: Duration = Duration::from_secs(30);
