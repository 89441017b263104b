//! Local listeners: bound before anything secret is sent, served once the user is logged on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::session::{Carry, Command, ConnectionInfo, Socket};
use crate::{BindAddress, Error, Event, Forward, Settings};

/// Connections that the system keeps while the session is busy.
const BACKLOG: u32 = 1024;

/// Ports that are tried until one is free on all addresses of a forward with port 0.
const PORT_TRIES: usize = 16;

/// How long to wait after an accept failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// A forward's bound socket.
pub(crate) struct Listener {
    socket: TcpListener,
    pub(crate) forward: Forward,
    pub(crate) address: SocketAddr,
}

/// Binds the forwards of the settings. What cannot be bound is an error or a warning, as they say.
pub(crate) async fn bind(settings: &Settings) -> Result<Vec<Listener>, Error> {
    let mut listeners = Vec::new();
    for forward in &settings.forwards {
        let Forward::Local { bind, .. } = forward;
        match bind_all(bind).await {
            Ok(sockets) => {
                for (socket, address) in sockets {
                    listeners.push(Listener { socket, forward: forward.clone(), address });
                }
            }
            Err(error) if settings.exit_on_forward_failure => return Err(error),
            Err(error) => settings.tell(|| Event::Warning { text: error.to_string() }),
        }
    }
    Ok(listeners)
}

impl Listener {
    /// Hands accepted connections to the session until it is gone, or `stop` is true or dropped. The port is free by
    /// the time when `stop` is not watched any more.
    pub(crate) async fn serve(
        self,
        commands: UnboundedSender<Command>,
        ids: Arc<AtomicU64>,
        mut stop: watch::Receiver<bool>,
    ) {
        tokio::select! {
            () = self.accept(&commands, &ids) => {}
            () = commands.closed() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        drop(self);
    }

    async fn accept(&self, commands: &UnboundedSender<Command>, ids: &AtomicU64) {
        let Forward::Local { target, .. } = &self.forward;
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let id = ids.fetch_add(1, Ordering::Relaxed) + 1;
                    if commands
                        .send(carry(stream, ConnectionInfo { id, peer, target: target.clone() }))
                        .is_err()
                    {
                        return;
                    }
                }
                Err(error) if is_of_the_connection(&error) => {}
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

fn carry(stream: TcpStream, info: ConnectionInfo) -> Command {
    // Not fatal: the connection is only slower without.
    let _ = stream.set_nodelay(true);
    Command::Carry(Box::new(Carry { socket: Socket::forwarded(stream), info }))
}

/// All addresses of a forward, on one port. Those after the first need not be available.
async fn bind_all(bind: &BindAddress) -> Result<Vec<(TcpListener, SocketAddr)>, Error> {
    let addresses = match bind.addresses() {
        Some(addresses) => addresses,
        None => look_up(bind).await?,
    };
    let Some((first, others)) = addresses.split_first() else {
        return Err(Error::configuration(format!("the address to listen on, {bind}, is not known")));
    };
    for attempt in 1.. {
        let (listener, address) = bind_one(*first).map_err(|error| Error::bind(*first, error))?;
        let mut bound = vec![(listener, address)];
        let mut taken = false;
        for other in others {
            let other = SocketAddr::new(other.ip(), address.port());
            match bind_one(other) {
                Ok(pair) => bound.push(pair),
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
    let crate::Interface::Host(host) = &bind.interface else { return Ok(Vec::new()) };
    let found = lookup_host((host.as_str(), bind.port)).await.map_err(|error| Error::resolve(host, error))?;
    Ok(found.take(1).collect())
}

fn bind_one(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // Both families are bound by themselves.
            socket2::SockRef::from(&socket).set_only_v6(true)?;
            socket
        }
    };
    // A port that was just in use is free again; elsewhere the option would let two programs share it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The connection went away before it was accepted; the listener is fine.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
