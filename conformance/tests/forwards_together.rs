//! Forwards of all kinds in one command, all busy at the same time.

use std::time::Duration;

use tokio::net::UnixStream;
use underpass_conformance::client::ANY_PORT;
use underpass_conformance::{Client, PeerKind, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn every_kind_of_forward_carries_beside_the_others_with_sshd() -> Result<()> {
    every_kind_of_forward_carries_beside_the_others(PeerKind::Sshd)
}

#[test]
fn every_kind_of_forward_carries_beside_the_others_with_asyncssh() -> Result<()> {
    every_kind_of_forward_carries_beside_the_others(PeerKind::Asyncssh)
}

fn every_kind_of_forward_carries_beside_the_others(kind: PeerKind) -> Result<()> {
    let (peer, echo, sink) = (kind.start()?, Target::Echo.start()?, Target::Sink.start()?);
    let scratch = tempfile::tempdir()?;
    let (here, there) = (scratch.path().join("here"), scratch.path().join("there"));
    let session = Client::of(&peer)?
        .option("RekeyLimit", "4M")
        .forward(echo.address())
        .forward_remotely(ANY_PORT, sink.address())
        .forward_dynamically()
        .forward_from(here.as_path(), echo.address())
        .forward_remotely_and_dynamically(ANY_PORT)
        .forward_remotely(there.as_path(), echo.address())
        .forward(sink.address())
        .start()?;
    let &[local, proxy, local_sink] = session.locals() else {
        return Err(session.process().failure("lacks a port here"));
    };
    let &[remote_sink, remote_proxy] = session.remotes() else {
        return Err(session.process().failure("lacks a port at the server"));
    };
    let target = echo.address();
    traffic::run_through(&session, &peer, PATIENCE, async {
        traffic::in_parallel(10, |number| {
            let (here, there, payload) = (here.clone(), there.clone(), Payload::new(number));
            async move {
                let through = async |proxy| {
                    let stream = traffic::through_socks5(proxy, target).await?;
                    traffic::echo_on(stream, payload, LENGTH).await
                };
                let socket =
                    async |path| traffic::echo_on(UnixStream::connect(path).await?, payload, LENGTH).await;
                tokio::try_join!(
                    traffic::echo(local, payload, LENGTH),
                    traffic::upload(local_sink, payload, LENGTH),
                    traffic::upload(remote_sink, payload, LENGTH),
                    through(proxy),
                    through(remote_proxy),
                    socket(here),
                    socket(there),
                )
                .map(drop)
            }
        })
        .await
    })?;
    assert_eq!(session.stop(PATIENCE)?.code, Some(0));
    assert!(!here.exists());
    Ok(())
}

const LENGTH: u64 = 300_017;

const PATIENCE: Duration = Duration::from_secs(40);
