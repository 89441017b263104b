//! Unix-domain sockets on either side of `-L` and `-R`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use underpass_conformance::client::ANY_PORT;
use underpass_conformance::{Client, Failure, PeerKind, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn a_socket_here_leads_to_a_port_at_the_server() -> Result<()> {
    let (scratch, echo) = (tempfile::tempdir()?, Target::Echo.start()?);
    let here = scratch.path().join("here");
    for kind in PeerKind::ALL {
        let peer = kind.start()?;
        let session = Client::of(&peer)?.forward_from(here.as_path(), echo.address()).start()?;
        assert_eq!(fs::metadata(&here)?.permissions().mode() & 0o777, 0o600);
        echoes(&here)?;
        assert_eq!(session.stop(PATIENCE)?.code, Some(0));
        assert!(!here.exists(), "the socket is left behind");
    }
    Ok(())
}

#[test]
fn a_port_here_leads_to_a_socket_at_the_server() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let there = scratch.path().join("there");
    start_echo(&there)?;
    for kind in WITH_SOCKETS {
        let peer = kind.start()?;
        let session = Client::of(&peer)?.forward(there.display()).start()?;
        let traffic = traffic::echo_in_parallel(session.local(), 20, LENGTH);
        traffic::run_through(&session, &peer, PATIENCE, traffic)?;
    }
    Ok(())
}

#[test]
fn a_socket_at_the_server_leads_to_a_port_here() -> Result<()> {
    let (scratch, echo) = (tempfile::tempdir()?, Target::Echo.start()?);
    for kind in WITH_SOCKETS {
        let there = scratch.path().join(kind.to_string());
        let peer = kind.start()?;
        let session = Client::of(&peer)?.forward_remotely(there.as_path(), echo.address()).start()?;
        echoes(&there).map_err(|failure| session.process().failure(failure))?;
    }
    Ok(())
}

#[test]
fn a_port_at_the_server_leads_to_a_socket_here() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let here = scratch.path().join("here");
    start_echo(&here)?;
    for kind in PeerKind::ALL {
        let peer = kind.start()?;
        let session = Client::of(&peer)?.forward_remotely(ANY_PORT, here.display()).start()?;
        let traffic = traffic::echo_in_parallel(session.remotes()[0], 20, LENGTH);
        traffic::run_through(&session, &peer, PATIENCE, traffic)?;
    }
    Ok(())
}

#[test]
fn sockets_lead_to_sockets() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let path = |name: &str| scratch.path().join(name);
    start_echo(&path("echo"))?;
    let peer = PeerKind::Sshd.start()?;
    let session = Client::of(&peer)?
        .forward_from(path("here").as_path(), path("echo").display())
        .forward_remotely(path("there").as_path(), path("echo").display())
        .start()?;
    for end in ["here", "there"] {
        echoes(&path(end)).map_err(|failure| session.process().failure(failure))?;
    }
    Ok(())
}

#[test]
fn a_stale_socket_is_replaced_only_when_that_is_wanted() -> Result<()> {
    let (scratch, echo, peer) = (tempfile::tempdir()?, Target::Echo.start()?, PeerKind::Sshd.start()?);
    let stale = scratch.path().join("stale");
    drop(UnixListener::bind(&stale)?);
    let client = || Ok::<_, Failure>(Client::of(&peer)?.forward_from(stale.as_path(), echo.address()));
    client()?.run(PATIENCE)?.failed_with(&[LISTEN])?;
    let _session = client()?.option("StreamLocalBindUnlink", "yes").start()?;
    echoes(&stale)?;
    // Now somebody listens, and is not pushed aside.
    client()?.option("StreamLocalBindUnlink", "yes").run(PATIENCE)?.failed_with(&[LISTEN])?;
    echoes(&stale)
}

#[test]
fn a_target_that_is_no_socket_ends_its_connection_alone() -> Result<()> {
    let (scratch, echo, peer) = (tempfile::tempdir()?, Target::Echo.start()?, PeerKind::Sshd.start()?);
    let nowhere = scratch.path().join("nowhere");
    let session = Client::of(&peer)?.forward(nowhere.display()).forward(echo.address()).start()?;
    let nothing = traffic::run(PATIENCE, traffic::echo(session.locals()[0], Payload::new(62), 1));
    assert!(nothing.is_err());
    let failed = session.wait_for_event_that("connection-failed", PATIENCE, |_| true)?;
    assert_eq!(failed["target"], nowhere.display().to_string(), "{failed}");
    traffic::run_through(
        &session,
        &peer,
        PATIENCE,
        traffic::echo(session.locals()[1], Payload::new(63), LENGTH),
    )
}

fn echoes(socket: &Path) -> Result<()> {
    traffic::run(PATIENCE, async {
        for seed in 0..5 {
            traffic::echo_on(UnixStream::connect(socket).await?, Payload::new(seed), LENGTH).await?;
        }
        Ok(())
    })
}

/// Listens on a socket and sends back what comes, on threads that end with the process.
fn start_echo(path: &Path) -> Result<()> {
    let listener = UnixListener::bind(path)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut reader = stream.try_clone()?;
                std::io::copy(&mut reader, &mut &stream)?;
                stream.shutdown(std::net::Shutdown::Write)
            });
        }
    });
    Ok(())
}

/// Those that have sockets at their side; dropbear 2022 has not.
const WITH_SOCKETS: [PeerKind; 2] = [PeerKind::Sshd, PeerKind::Asyncssh];

const LENGTH: u64 = 200_003;

const LISTEN: i32 = 9;

const PATIENCE: Duration = Duration::from_secs(30);
