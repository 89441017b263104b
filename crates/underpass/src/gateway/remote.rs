//! What a gateway listens on for one of its clients (RFC 4254 section 7.1). It ends with the session.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::listen::ACCEPT_PAUSE;
use crate::session::{Carry, Command, ConnectionInfo, Socket};
use crate::{Endpoint, Peer, Target, tcp};

/// Forwards of one session. Each costs a descriptor or two, and a port that others may want.
const MAX_FORWARDS: usize = 64;

/// Where a client of a [`Gateway`](super::Gateway) wants it to listen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListenRequest {
    /// As the client put it: an IP address, `localhost`, or empty for everywhere. Other names are refused in any case.
    pub address: String,
    /// The port; 0 leaves the choice to the system.
    pub port: u16,
}

/// The forwards of a session. Dropping them frees their ports.
#[derive(Default)]
pub(super) struct RemoteForwards {
    /// By what the client asked for, with the real port.
    listening: HashMap<ListenRequest, JoinSet<()>>,
}

impl RemoteForwards {
    /// Listens, and hands what connects to the session. Gives the port.
    pub(super) fn listen(
        &mut self,
        request: ListenRequest,
        ids: &Arc<AtomicU64>,
        commands: &UnboundedSender<Command>,
    ) -> io::Result<NonZeroU16> {
        if self.listening.len() >= MAX_FORWARDS {
            return Err(io::Error::other("there are too many forwards"));
        }
        let (listeners, port) = bind(&request)?;
        let request = ListenRequest { port: port.get(), ..request };
        let mut tasks = JoinSet::new();
        for listener in listeners {
            let target = Target { host: request.address.clone(), port: request.port };
            tasks.spawn(accept(listener, target, ids.clone(), commands.clone()));
        }
        self.listening.insert(request, tasks);
        Ok(port)
    }

    /// Takes out what listens, to be stopped; connections that exist go on.
    pub(super) fn cancel(&mut self, request: &ListenRequest) -> Option<JoinSet<()>> {
        self.listening.remove(request)
    }
}

/// Ends when it is aborted, or nobody takes its connections any more.
async fn accept(
    listener: TcpListener,
    target: Target,
    ids: Arc<AtomicU64>,
    commands: UnboundedSender<Command>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let id = ids.fetch_add(1, Ordering::Relaxed) + 1;
                let (peer, target, since) = (Peer::Tcp(peer), Endpoint::Tcp(target.clone()), Instant::now());
                let info = ConnectionInfo { id, peer, target, since };
                if commands.send(carry(stream, info)).is_err() {
                    return;
                }
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn carry(stream: TcpStream, info: ConnectionInfo) -> Command {
    // Not fatal: the connection is only slower without.
    let _ = stream.set_nodelay(true);
    Command::Carry(Box::new(Carry::plain(Socket::forwarded(stream), info)))
}

/// Binds at once, without looking names up: the answer then never comes too late.
fn bind(request: &ListenRequest) -> io::Result<(Vec<TcpListener>, NonZeroU16)> {
    let (first, second) = addresses(&request.address)?;
    match bind_one(first, request.port) {
        Ok((listener, port)) => {
            // A bonus: the first may serve it already, or its family not exist.
            let second = second.and_then(|address| bind_one(address, port.get()).ok());
            let listeners = std::iter::once(listener).chain(second.map(|(listener, _)| listener));
            Ok((listeners.collect(), port))
        }
        Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
            Err(error)
        }
        // The system may have the other family only.
        Err(error) => {
            bind_one(second.ok_or(error)?, request.port).map(|(listener, port)| (vec![listener], port))
        }
    }
}

fn bind_one(address: IpAddr, port: u16) -> io::Result<(TcpListener, NonZeroU16)> {
    let listener = tcp::listen(SocketAddr::new(address, port))?;
    let port = NonZeroU16::new(listener.local_addr()?.port());
    let port = port.ok_or_else(|| io::Error::other("the system gave no port"))?;
    Ok((listener, port))
}

/// RFC 4254 section 7.1: what the names stand for, and the address of the other family where they mean both.
fn addresses(name: &str) -> io::Result<(IpAddr, Option<IpAddr>)> {
    match name {
        "" | "*" => Ok((Ipv6Addr::UNSPECIFIED.into(), Some(Ipv4Addr::UNSPECIFIED.into()))),
        "localhost" => Ok((Ipv4Addr::LOCALHOST.into(), Some(Ipv6Addr::LOCALHOST.into()))),
        address => match address.parse() {
            Ok(address) => Ok((address, None)),
            Err(_) => Err(io::Error::other("names are not looked up")),
        },
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn request(address: &str, port: u16) -> ListenRequest {
        ListenRequest { address: address.to_owned(), port }
    }

    #[tokio::test]
    async fn a_port_is_free_again_after_a_cancel_under_the_real_number() {
        let (commands, _taken) = unbounded_channel();
        let mut forwards = RemoteForwards::default();
        let port = forwards.listen(request("127.0.0.1", 0), &Arc::default(), &commands).unwrap().get();
        assert!(forwards.listen(request("127.0.0.1", port), &Arc::default(), &commands).is_err());
        assert!(forwards.cancel(&request("127.0.0.1", 0)).is_none());
        forwards.cancel(&request("127.0.0.1", port)).unwrap().shutdown().await;
        forwards.listen(request("127.0.0.1", port), &Arc::default(), &commands).unwrap();
    }

    #[tokio::test]
    async fn names_stand_for_addresses_and_unknown_ones_are_refused() {
        let (commands, mut taken) = unbounded_channel();
        let mut forwards = RemoteForwards::default();
        for name in ["", "*", "localhost", "127.0.0.1"] {
            let port = forwards.listen(request(name, 0), &Arc::default(), &commands).unwrap().get();
            let _stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let Some(Command::Carry(carry)) = taken.recv().await else { panic!() };
            assert_eq!(carry.info.target, Endpoint::from((name, port)));
        }
        assert!(forwards.listen(request("example.invalid", 0), &Arc::default(), &commands).is_err());
    }

    #[tokio::test]
    async fn the_number_of_forwards_is_bounded() {
        let (commands, _taken) = unbounded_channel();
        let mut forwards = RemoteForwards::default();
        let mut listen = || forwards.listen(request("127.0.0.1", 0), &Arc::default(), &commands);
        assert!((0..MAX_FORWARDS).all(|_| listen().is_ok()));
        assert!(listen().is_err());
    }
}
