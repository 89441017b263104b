//! Clients of a dynamic forward: what they ask for, and what they are told.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use tokio::time::timeout;
use underpass_proxy::{Acceptor, AcceptorProgress as Progress, Host, Outcome};

use crate::session::{Socket, last_words, write_all};
use crate::{Endpoint, Error, ErrorKind, Settings, Target};

/// Clients that may be saying where they want to go at the same time. They do not count as connections: whoever
/// dawdles holds up nobody.
pub(crate) const MAX_HANDSHAKES: usize = 4096;

/// What a client may take for all of it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that has said where it wants to go, and waits to hear whether it can.
pub(crate) struct Asked {
    pub(crate) target: Endpoint,
    pub(crate) acceptor: Acceptor,
    /// What it sent behind its request.
    pub(crate) early: Vec<u8>,
}

/// Speaks with a client until it has said where it wants to go.
///
/// # Errors
/// It has not, or may not go there. It was told so in its own protocol.
pub(crate) async fn negotiate(settings: &Settings, socket: &mut Socket) -> Result<Asked, Error> {
    let asked = timeout(TIMEOUT, listen(settings, socket)).await;
    let asked = asked.unwrap_or_else(|_| Err(format!("said nowhere to go within {} s", TIMEOUT.as_secs())));
    let asked = asked.map_err(Error::client_misbehaved)?;
    if let Some(target) = asked.target.tcp()
        && !settings.destinations.allows(&target.host, target.port)
    {
        let what = format!("{target}, which is not among the destinations,");
        // Told as well as may be.
        let _ = timeout(TIMEOUT, last_words(socket, &asked.acceptor.answer(Outcome::NotAllowed))).await;
        return Err(Error::not_allowed(what));
    }
    Ok(asked)
}

async fn listen(settings: &Settings, socket: &mut Socket) -> Result<Asked, String> {
    let mut acceptor = Acceptor::new(settings.proxy_access.clone());
    let mut buffer = [0; 1024];
    loop {
        let count = poll_fn(|cx| socket.poll_read(cx, &mut buffer)).await.map_err(in_words)?;
        if count == 0 {
            return Err("hung up before it said where to go".to_owned());
        }
        let progress = acceptor.receive(&buffer[..count]);
        match progress {
            Ok(Progress::Asked(request)) => {
                let host = match request.target.host {
                    Host::Name(name) => name,
                    Host::Ip(address) => address.to_string(),
                };
                let target = Endpoint::Tcp(Target { host, port: request.target.port });
                let early = acceptor.take_early();
                return Ok(Asked { target, acceptor, early });
            }
            Ok(Progress::More) => {
                write_all(socket, acceptor.transmit()).await.map_err(in_words)?;
                acceptor.transmitted(acceptor.transmit().len());
            }
            Err(refused) => {
                // Told as well as may be.
                let _ = last_words(socket, acceptor.transmit()).await;
                return Err(refused.to_string());
            }
        }
    }
}

fn in_words(error: io::Error) -> String {
    error.to_string()
}

/// What a client of the proxy protocols is told of an error.
pub(crate) fn outcome(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::TargetRefused { .. } => error.inferred_outcome().unwrap_or(Outcome::Failed),
        ErrorKind::TargetUnreachable { cause, .. } => match cause {
            io::ErrorKind::ConnectionRefused => Outcome::Refused,
            io::ErrorKind::HostUnreachable => Outcome::HostUnreachable,
            io::ErrorKind::NetworkUnreachable => Outcome::NetworkUnreachable,
            io::ErrorKind::TimedOut => Outcome::TimedOut,
            _ => Outcome::Failed,
        },
        ErrorKind::NotAllowed { .. } => Outcome::NotAllowed,
        ErrorKind::TooMany { .. } => Outcome::Busy,
        ErrorKind::Timeout { .. } => Outcome::TimedOut,
        _ => Outcome::Failed,
    }
}
