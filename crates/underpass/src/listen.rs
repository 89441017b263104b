//! Taking ports and Unix-domain sockets of this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, lookup_host};

use crate::unix::{self, UnixDoor};
use crate::{Bind, BindAddress, Bound, Error, Interface, Peer, Settings, session::Stream, tcp};

/// How long to wait after an accept failed for want of descriptors or memory.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that the system keeps while the session is busy.
const BACKLOG: u32 = 1024;

/// Ports that are tried until one is free on all addresses of a forward with port 0.
const PORT_TRIES: usize = 16;

/// Something that accepts connections. Dropped, it is closed, and the file of a Unix-domain socket is gone.
pub(crate) enum Door {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixDoor),
}

impl Door {
    pub(crate) fn bound(&self) -> Bound {
        match self {
            Self::Tcp(_, address) => Bound::Tcp(*address),
            Self::Unix(door) => Bound::Unix(door.path().to_owned()),
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, peer) = listener.accept().await?;
                Ok((stream.into(), Peer::Tcp(peer)))
            }
            Self::Unix(door) => Ok((door.accept().await?, Peer::Unix)),
        }
    }
}

/// All places of a forward.
///
/// # Errors
/// One of them is taken or not allowed. Of the two families of addresses, this machine need not have both.
pub(crate) async fn bind(settings: &Settings, bind: &Bind) -> Result<Vec<Door>, Error> {
    match bind {
        Bind::Tcp(BindAddress { interface: Interface::Default, port }) if settings.gateway_ports => {
            bind_tcp(settings, &BindAddress { interface: Interface::All, port: *port }).await
        }
        Bind::Tcp(address) => bind_tcp(settings, address).await,
        Bind::Unix(path) => {
            let (path, unlink) = (path.clone(), settings.unlink_sockets);
            Ok(vec![Door::Unix(unix::bind(&path, unlink).map_err(|error| Error::bind_unix(&path, error))?)])
        }
    }
}

async fn bind_tcp(settings: &Settings, bind: &BindAddress) -> Result<Vec<Door>, Error> {
    let addresses = match bind.addresses() {
        Some(addresses) => addresses,
        None => look_up(bind).await?,
    };
    let Some((first, others)) = addresses.split_first() else {
        return Err(Error::configuration(format!("the address to listen on, {bind}, is not known")));
    };
    for attempt in 1.. {
        let (listener, address) = bind_one(settings, *first).map_err(|error| Error::bind(*first, error))?;
        let mut bound = vec![Door::Tcp(listener, address)];
        let mut taken = false;
        for other in others {
            let other = SocketAddr::new(other.ip(), address.port());
            match bind_one(settings, other) {
                Ok((listener, address)) => bound.push(Door::Tcp(listener, address)),
                // The other family's port is somebody else's: a client could reach either.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    if first.port() != 0 || attempt >= PORT_TRIES {
                        return Err(Error::bind(other, error));
                    }
                    taken = true;
                }
                // A machine without that family.
                Err(_) => {}
            }
        }
        if !taken {
            return Ok(bound);
        }
    }
    unreachable!("the loop ends at the last attempt")
}

async fn look_up(bind: &BindAddress) -> Result<Vec<SocketAddr>, Error> {
    let Interface::Host(host) = &bind.interface else { return Ok(Vec::new()) };
    let found = lookup_host((host.as_str(), bind.port)).await.map_err(|error| Error::resolve(host, error))?;
    Ok(found.take(1).collect())
}

fn bind_one(settings: &Settings, address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = tcp::socket(address)?;
    if address.is_ipv6() {
        // Both families are bound by themselves.
        socket2::SockRef::from(&socket).set_only_v6(true)?;
    }
    // A port that was just in use is free again; elsewhere the option would let two programs share it.
    #[cfg(unix)]
    socket.set_reuseaddr(!settings.exclusive_bind)?;
    #[cfg(not(unix))]
    let _ = settings;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
