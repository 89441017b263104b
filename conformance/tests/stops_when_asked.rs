//! An interrupt lets open connections finish; a second one does not.
//!
//! OpenSSH's client does neither, so that these tests fail when it stands in.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use underpass_conformance::client::Session;
use underpass_conformance::{Client, PeerKind, Result, traffic};
use underpass_testkit::target::Target;

#[test]
fn a_tunnel_without_connections_stops_at_once() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    let session = Client::of(&peer)?.forward("127.0.0.1:1").start()?;
    assert_eq!(session.stop(PATIENCE)?.code, Some(0));
    Ok(())
}

#[test]
fn a_connection_that_is_open_is_served_to_its_end() -> Result<()> {
    let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
    let mut session = Client::of(&peer)?.forward(echo.address()).start()?;
    traffic::run(PATIENCE, async {
        let mut stream = open(&session).await?;
        session.process().interrupt()?;
        session.wait_for_event("stopping", PATIENCE)?;
        stream.write_all(b"goodbye").await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        assert_eq!(answer, "goodbye");
        Ok(())
    })?;
    assert_eq!(session.wait(PATIENCE)?.code, Some(0));
    Ok(())
}

#[test]
fn a_second_interrupt_cuts_what_is_open() -> Result<()> {
    let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
    let mut session = Client::of(&peer)?.forward(echo.address()).start()?;
    traffic::run(PATIENCE, async {
        let mut stream = open(&session).await?;
        session.process().interrupt()?;
        session.wait_for_event("stopping", PATIENCE)?;
        session.process().interrupt()?;
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        Ok(())
    })?;
    assert_eq!(session.wait(PATIENCE)?.code, Some(CUT));
    Ok(())
}

/// A connection that has reached its target.
async fn open(session: &Session) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(session.local()).await?;
    stream.write_all(b"x").await?;
    stream.read_exact(&mut [0]).await?;
    Ok(stream)
}

const PATIENCE: Duration = Duration::from_secs(15);

/// The exit code of our client when a signal cut it short.
const CUT: i32 = 130;
