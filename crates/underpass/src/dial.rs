//! The way to the server: name lookup and TCP, with one deadline for both.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{AddressFamily, Error, Event, Settings, Step};

/// How long an address may hold up the next one (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 32;

/// Connects to the server.
pub(crate) async fn dial(settings: &Settings) -> Result<TcpStream, Error> {
    let deadline = Instant::now() + settings.connect_timeout;
    settings.tell(|| Event::Connecting { host: settings.host.clone(), port: settings.port });
    let timeout = |step| Error::timeout(step, &settings.host, settings.connect_timeout);
    let addresses = timeout_at(deadline, resolve(settings)).await.map_err(|_| timeout(Step::Resolve))??;
    let stream = timeout_at(deadline, race(settings, addresses)).await.map_err(|_| timeout(Step::Dial))??;
    if let Ok(address) = stream.peer_addr() {
        settings.tell(|| Event::Connected { address });
    }
    Ok(stream)
}

/// The server's addresses, families alternating so that a broken one costs little (RFC 8305 section 4).
async fn resolve(settings: &Settings) -> Result<Vec<SocketAddr>, Error> {
    let found = lookup_host((settings.host.as_str(), settings.port))
        .await
        .map_err(|error| Error::resolve(&settings.host, error))?;
    let (mut v6, mut v4): (Vec<_>, Vec<_>) = found.take(MAX_ADDRESSES).partition(SocketAddr::is_ipv6);
    match settings.address_family {
        AddressFamily::Any => {}
        AddressFamily::V4 => v6.clear(),
        AddressFamily::V6 => v4.clear(),
    }
    let mut addresses = Vec::with_capacity(v6.len() + v4.len());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    loop {
        let before = addresses.len();
        addresses.extend(v6.next());
        addresses.extend(v4.next());
        if addresses.len() == before {
            return Ok(addresses);
        }
    }
}

/// Connects to the first address that answers, giving each a head start.
async fn race(settings: &Settings, addresses: Vec<SocketAddr>) -> Result<TcpStream, Error> {
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let keepalive = settings.tcp_keepalive;
            attempts.spawn(async move { (address, connect(address, keepalive).await) });
        }
        if attempts.is_empty() {
            return Err(Error::dial(&settings.host, failures));
        }
        let next = Instant::now() + ATTEMPT_DELAY;
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok((_, Ok(stream))) => return Ok(stream),
                Ok((address, Err(error))) => failures.push((address, error)),
                // Only the runtime's end stops an attempt, and this with it.
                Err(_) => {}
            },
            () = sleep_until(next), if waiting.len() > 0 => {}
        }
    }
}

async fn connect(address: SocketAddr, keepalive: bool) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_keepalive(keepalive)?;
    // Small packets are keystrokes and acknowledgements: they must not wait for more.
    socket.set_nodelay(true)?;
    socket.connect(address).await
}
