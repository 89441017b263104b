//! Where clients come in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as Std, ToSocketAddrs as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use underpass::{Adopt, ClientAccess, End, ResolvedNames, Tunnel};

use crate::client::{Client, Options, SEND_BUFFER, Wiretap};
use crate::error::{OK, of_socket};
use crate::link::gone;
use crate::lock::lock;
use crate::store::Store;
use crate::tunnel::Inner;
use crate::{Connected, ConnectionRequest, Error, Event, EventKind, runtime};

/// How long to wait after the system gave no connection, for want of descriptors or memory; and while the program is far
/// behind with its events.
const PAUSE: Duration = Duration::from_millis(100);

/// How long looking a name of the lists up may take.
const LOOKUP: Duration = Duration::from_secs(5);

/// Where clients' data go.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Fixed(String, u16),
    /// To wherever the client says: it talks to a proxy.
    AskedFor,
}

/// The sockets that listen.
pub(crate) struct Doors {
    listeners: Vec<TcpListener>,
    port: u16,
    places: Arc<Semaphore>,
}

impl Doors {
    /// Listens as the members say.
    ///
    /// # Errors
    /// The system does not let us.
    pub(crate) fn open(store: &Store) -> Result<Self, Error> {
        let addresses = addresses(store)?;
        let mut listeners: Vec<Std> = Vec::new();
        let mut port = u16::try_from(store.number("local_port")).unwrap_or(0);
        for address in addresses {
            match listen(store, SocketAddr::new(address, port)) {
                Ok(listener) => {
                    port = listener.local_addr().map_err(|error| of_socket(&error))?.port();
                    listeners.push(listener);
                }
                // A machine without the other family.
                Err(_) if !listeners.is_empty() && store.number("UseIPv6") == BOTH => {}
                Err(error)
                    if address.is_ipv6() && store.number("UseIPv6") == BOTH && listeners.is_empty() =>
                {
                    let _ = error;
                }
                Err(error) => return Err(of_socket(&error)),
            }
        }
        if listeners.is_empty() {
            return Err(
                Error::new(10049).because("No address of this machine can be listened at; see UseIPv6.")
            );
        }
        let _context = runtime::handle()?.enter();
        let listeners = listeners.into_iter().map(TcpListener::from_std).collect::<io::Result<_>>();
        let most = usize::try_from(store.number("MaxConnections")).unwrap_or(0);
        let listeners = listeners.map_err(|error| of_socket(&error))?;
        Ok(Self { listeners, port, places: Arc::new(Semaphore::new(most)) })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Accepts clients until told to stop.
    pub(crate) async fn serve(
        self,
        inner: Weak<Inner>,
        tunnel: Tunnel,
        target: Target,
        mut stop: watch::Receiver<()>,
    ) {
        let Self { listeners, places, .. } = self;
        let entrance = Entrance { inner, tunnel, target, places };
        let all = futures_of(&listeners, &entrance);
        tokio::select! {
            () = all => {}
            // Said, or dropped with the listener.
            _ = stop.changed() => {}
        }
    }
}

/// Accepts at one or two sockets.
async fn futures_of(listeners: &[TcpListener], entrance: &Entrance) {
    match listeners {
        [one] => entrance.accept(one).await,
        [one, other, ..] => {
            tokio::join!(entrance.accept(one), entrance.accept(other));
        }
        [] => {}
    }
}

/// `UseIPv6`: both families.
const BOTH: i64 = 2;

/// The addresses to listen at. The family of one that is named needs no setting.
fn addresses(store: &Store) -> Result<Vec<IpAddr>, Error> {
    let host = store.text("local_host");
    let (v4, v6) = match store.number("UseIPv6") {
        1 => (false, true),
        BOTH => (true, true),
        _ => (true, false),
    };
    if host.is_empty() {
        let all = [(v6, IpAddr::from(Ipv6Addr::UNSPECIFIED)), (v4, IpAddr::from(Ipv4Addr::UNSPECIFIED))];
        return Ok(all.into_iter().filter_map(|(wanted, address)| wanted.then_some(address)).collect());
    }
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let found = (host.as_str(), 0).to_socket_addrs();
    let found =
        found.map_err(|error| Error::new(11001).because(format!("local_host is `{host}`: {error}.")))?;
    let fits = |address: &IpAddr| if address.is_ipv4() { v4 } else { v6 };
    let first = found.map(|address| address.ip()).find(fits);
    first.map(|address| vec![address]).ok_or_else(|| {
        Error::new(11004).because(format!("`{host}` has no address of the family that UseIPv6 asks for."))
    })
}

fn listen(store: &Store, address: SocketAddr) -> io::Result<Std> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        // Both families are bound by themselves.
        socket.set_only_v6(true)?;
    }
    let exclusive = store.flag("BindExclusively");
    // A port of which old connections are still known to the system is free; two programs cannot share it so.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
    socket.set_reuse_port(!exclusive)?;
    #[cfg(windows)]
    socket.set_reuse_address(!exclusive)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(store.number("connection_backlog")).unwrap_or(i32::MAX).max(1))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[derive(Clone)]
struct Entrance {
    inner: Weak<Inner>,
    tunnel: Tunnel,
    target: Target,
    places: Arc<Semaphore>,
}

impl Entrance {
    async fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            let Some(inner) = self.inner.upgrade() else { return };
            while inner.queue.is_full() {
                sleep(PAUSE).await;
            }
            // For one too many there is nobody to serve it.
            let Ok(place) = self.places.clone().try_acquire_owned() else { continue };
            drop(inner);
            tokio::spawn(self.clone().serve(stream, peer, place));
        }
    }

    /// A client from beginning to end.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let Some(inner) = self.inner.upgrade() else { return };
        if !admit(&inner, peer).await {
            return;
        }
        let Ok(local) = stream.local_addr() else { return };
        let client = {
            let store = lock(&inner.store);
            configure(&stream, &store);
            let id = inner.next_id.fetch_add(1, Ordering::Relaxed);
            Arc::new(Client::new(id, peer, local, store.flag("linger"), options(&store)))
        };
        inner.clients.add(client.clone());
        let adopted = self.tunnel.adopt(stream, self.adopt(&inner, &client));
        let reached = adopted.reached().await;
        let ended = adopted.clone();
        let _ = client.adopted.set(adopted);
        let id = client.id.into();
        if let Err(error) = reached {
            inner.forget(client.id);
            let error = Error::new(1201).because(error);
            let (status_code, description) = (error.code().into(), error.message().to_owned());
            inner.tell(EventKind::Connected, || Connected { connection_id: id, status_code, description });
            inner.report(id, &error);
            return;
        }
        let (status_code, description) = (OK.0.into(), OK.1.to_owned());
        inner.tell(EventKind::Connected, || Connected { connection_id: id, status_code, description });
        drop(inner);
        let end = ended.ended().await.end;
        drop(place);
        let Some(inner) = self.inner.upgrade() else { return };
        client.is_over();
        gone(&inner, &client, &outcome_of(end));
    }

    fn adopt(&self, inner: &Arc<Inner>, client: &Arc<Client>) -> Adopt {
        let way = match &self.target {
            Target::Fixed(host, port) => Adopt::to((host.as_str(), *port)),
            Target::AskedFor => Adopt::dynamic(),
        };
        let close_on_eof = lock(&inner.store).flag("ShutdownChannelOnEOF");
        let tap = Wiretap { tunnel: self.inner.clone(), client: Arc::downgrade(client) };
        way.close_on_eof(close_on_eof).send_buffer(SEND_BUFFER).tap(Arc::new(tap))
    }
}

/// As events tell it. What the program ended has ended as it should.
fn outcome_of(end: End) -> Result<(), Error> {
    match end {
        End::Proper | End::Cut { kind: io::ErrorKind::ConnectionAborted | io::ErrorKind::TimedOut, .. } => {
            Ok(())
        }
        End::Cut { kind: io::ErrorKind::NotConnected, why } => Err(Error::new(1001).because(why)),
        End::Cut { kind, why } => Err(of_socket(&io::Error::new(kind, why))),
        End::Unreached(error) => Err(error.into()),
        end => Err(Error::new(1001).because(end)),
    }
}

/// Whether a client may come in: as the lists say, unless the program says otherwise.
async fn admit(inner: &Arc<Inner>, peer: SocketAddr) -> bool {
    let access = access(&lock(&inner.store));
    let accept = match access {
        Ok(access) => {
            let mut names = ResolvedNames::default();
            for name in access.names() {
                if let Ok(Ok(found)) = timeout(LOOKUP, lookup_host((name, 0))).await {
                    names.insert(name, found.map(|address| address.ip()));
                }
            }
            access.judge(peer.ip(), &names).is_ok()
        }
        // They were checked when they were set.
        Err(_) => false,
    };
    let (address, port) = (peer.ip().to_canonical().to_string(), peer.port().into());
    let answer = inner.ask(ConnectionRequest { address, port, accept }.into()).await;
    matches!(answer, Some(Event::ConnectionRequest(request)) if request.accept)
}

/// Who may connect.
///
/// # Errors
/// An entry is none.
pub(crate) fn access(store: &Store) -> Result<ClientAccess, Error> {
    let list = |name: &str| {
        let list = store.text(name).parse();
        list.map_err(|error: underpass::Error| Error::invalid(format!("{name}: {error}")))
    };
    Ok(ClientAccess { allowed: Some(list("AllowedClients")?), blocked: list("BlockedClients")? })
}

/// What a client has at first.
fn options(store: &Store) -> Options {
    Options {
        accept_data: true,
        eol: store.bytes("default_eol"),
        idle_timeout: 0,
        record_length: None,
        single_line_mode: store.flag("default_single_line_mode"),
        timeout: store.number("default_timeout"),
        user_data: Vec::new(),
        bytes_taken: 0,
        ready_to_send: true,
        moved: (Instant::now(), 0),
    }
}

/// What is set on a client's socket. What the system does not do is no error.
fn configure(stream: &TcpStream, store: &Store) {
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_nodelay(store.flag("TcpNoDelay"));
    if store.flag("keep_alive") {
        let _ = socket.set_tcp_keepalive(&keepalive(store));
    }
    if let Some(size) = size(store, "InBufferSize") {
        let _ = socket.set_recv_buffer_size(size);
    }
    if let Some(size) = size(store, "OutBufferSize") {
        let _ = socket.set_send_buffer_size(size);
    }
}

fn keepalive(store: &Store) -> TcpKeepalive {
    let mut options = TcpKeepalive::new();
    if let Some(time) = milliseconds(store, "KeepAliveTime") {
        options = options.with_time(time);
    }
    #[cfg(not(any(target_os = "openbsd", target_os = "haiku", target_os = "vita")))]
    if let Some(interval) = milliseconds(store, "KeepAliveInterval") {
        options = options.with_interval(interval);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(count) =
        store.number_if_set("KeepAliveRetryCount").and_then(|count| u32::try_from(count).ok())
    {
        options = options.with_retries(count);
    }
    options
}

/// A time that was set. Systems count whole seconds.
pub(crate) fn milliseconds(store: &Store, name: &str) -> Option<Duration> {
    let time = u64::try_from(store.number_if_set(name)?).ok().filter(|time| *time > 0)?;
    Some(Duration::from_millis(time).max(Duration::from_secs(1)))
}

/// A size that was set.
pub(crate) fn size(store: &Store, name: &str) -> Option<usize> {
    usize::try_from(store.number_if_set(name)?).ok().filter(|size| *size > 0)
}
