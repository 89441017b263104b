//! TCP to a host: name lookup, and a race of its addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::{AddressFamily, Error, Settings, tcp};

/// How long an address may hold up the next one (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 32;

/// The host's addresses, families alternating so that a broken one costs little (RFC 8305 section 4).
pub(super) async fn resolve(settings: &Settings, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let found = lookup_host((host, port)).await.map_err(|error| Error::resolve(host, error))?;
    let (mut v6, mut v4): (Vec<_>, Vec<_>) = found.take(MAX_ADDRESSES).partition(SocketAddr::is_ipv6);
    let family = match settings.local_address {
        Some(IpAddr::V4(_)) => AddressFamily::V4,
        Some(IpAddr::V6(_)) => AddressFamily::V6,
        None => settings.address_family,
    };
    match family {
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
pub(super) async fn race(
    settings: &Settings,
    host: &str,
    addresses: Vec<SocketAddr>,
) -> Result<TcpStream, Error> {
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let socket = prepare(settings, address);
            attempts.spawn(async move {
                let connected = match socket {
                    Ok(socket) => socket.connect(address).await,
                    Err(error) => Err(error),
                };
                (address, connected)
            });
        }
        if attempts.is_empty() {
            return Err(Error::dial(host, failures));
        }
        // A local port can be used for one attempt at a time.
        let head_start = if settings.local_port == 0 { ATTEMPT_DELAY } else { settings.connect_timeout };
        let next = Instant::now() + head_start;
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

/// A socket with everything that has to be set before it connects.
fn prepare(settings: &Settings, address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = tcp::socket(address)?;
    settings.server_socket.apply(&socket2::SockRef::from(&socket))?;
    if settings.local_address.is_some() || settings.local_port != 0 {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        if settings.local_port != 0 {
            // The port of a connection that has just ended is still remembered by the system.
            socket.set_reuseaddr(true)?;
        }
        socket.bind(SocketAddr::new(settings.local_address.unwrap_or(any), settings.local_port))?;
    }
    Ok(socket)
}
