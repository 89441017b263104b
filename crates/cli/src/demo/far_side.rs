//! What is at the other end of the tunnel: a gateway and a target, on a thread of their own.

use std::{io, net::SocketAddr, thread};

use tokio::{net::TcpListener, sync::oneshot};
use underpass::{Error, Secret, Step, gateway::Gateway};

use super::exchange;

/// The gateway and the target; they end when this is dropped.
pub(super) struct FarSide {
    pub(super) gateway: SocketAddr,
    pub(super) target: SocketAddr,
    /// The fingerprint of the gateway's key.
    pub(super) fingerprint: String,
    /// The line that makes the gateway's key known.
    pub(super) known_hosts: String,
    verdict: oneshot::Receiver<io::Result<()>>,
    _running: oneshot::Sender<()>,
}

impl FarSide {
    /// Starts a gateway that lets `user` in with `password`, to nothing but the target; and a target that takes one
    /// connection, with `length` bytes each way.
    pub(super) async fn start(user: &str, password: Secret, length: u64) -> Result<Self, Error> {
        let (ready, is_ready) = oneshot::channel();
        let user = user.to_owned();
        let failed = |what: String| Error::internal(Step::Configure, what);
        thread::Builder::new()
            .name("far side".to_owned())
            .spawn(move || run(user, password, length, ready))
            .map_err(|error| failed(format!("no thread can be started: {error}")))?;
        is_ready.await.unwrap_or_else(|_| Err(failed("the other side has died".to_owned())))
    }

    /// What the target found, once it has sent its answer.
    pub(super) async fn verdict(&mut self) -> io::Result<()> {
        (&mut self.verdict).await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

/// A runtime of its own keeps the two sides from sharing a processor.
fn run(user: String, password: Secret, length: u64, ready: oneshot::Sender<Result<FarSide, Error>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = Error::internal(Step::Configure, "the runtime does not start").with_source(error);
            return drop(ready.send(Err(error)));
        }
    };
    runtime.block_on(async {
        let (report, verdict) = oneshot::channel();
        let (running, stopped) = oneshot::channel();
        let started = start(user, password, verdict, running).await;
        let (far_side, gateway, listener) = match started {
            Ok(started) => started,
            Err(error) => return drop(ready.send(Err(error))),
        };
        if ready.send(Ok(far_side)).is_err() {
            return;
        }
        let work = async {
            let found = exchange::answer(listener, length).await;
            // Whoever asked may have failed already.
            let _ = report.send(found);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = work => {}
            _ = stopped => {}
        }
        gateway.stop();
    });
}

async fn start(
    user: String,
    password: Secret,
    verdict: oneshot::Receiver<io::Result<()>>,
    running: oneshot::Sender<()>,
) -> Result<(FarSide, Gateway, TcpListener), Error> {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let bind = |error| Error::bind(loopback, error);
    let listener = TcpListener::bind(loopback).await.map_err(bind)?;
    let target = listener.local_addr().map_err(bind)?;
    let gateway = Gateway::builder()
        .allow_password(user, password)
        .allow_targets(move |asked| asked.host == target.ip().to_string() && asked.port == target.port())
        .start(loopback)
        .await?;
    let far_side = FarSide {
        gateway: gateway.address(),
        target,
        fingerprint: gateway.fingerprint(),
        known_hosts: gateway.known_hosts(&gateway.address().ip().to_string())?,
        verdict,
        _running: running,
    };
    Ok((far_side, gateway, listener))
}
