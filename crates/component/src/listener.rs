//! Where clients come in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as Std, ToSocketAddrs as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use underpass::{Adopt, Adopted, ClientAccess, End, ResolvedNames, Tunnel};

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
    most: usize,
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
                // A machine without one of the families.
                Err(error) if store.number("UseIPv6") == BOTH && lacks_family(&error) => {}
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
        Ok(Self { listeners, port, most })
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
        let Self { listeners, most, .. } = self;
        let entrance = Entrance { inner, tunnel, target, most };
        tokio::select! {
            () = accept_at(&listeners, &entrance) => {}
            // Said, or dropped with the listener.
            _ = stop.changed() => {}
        }
    }
}

/// Whether it is not the port that is the matter.
fn lacks_family(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// Accepts at one or two sockets.
async fn accept_at(listeners: &[TcpListener], entrance: &Entrance) {
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
    let listener = socket.into();
    underpass::unpace_loopback(&listener);
    Ok(listener)
}

#[derive(Clone)]
struct Entrance {
    inner: Weak<Inner>,
    tunnel: Tunnel,
    target: Target,
    most: usize,
}

/// One of as many as `MaxConnections` says.
struct Place(Arc<()>);

impl Entrance {
    async fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            while self.inner.upgrade().is_some_and(|inner| inner.queue.is_full()) {
                sleep(PAUSE).await;
            }
            // For one too many there is nobody to serve it.
            let Some(place) = self.place() else { continue };
            tokio::spawn(self.clone().serve(stream, peer, place));
        }
    }

    /// A place for one more client. Those that came before somebody stopped listening and began again have theirs.
    fn place(&self) -> Option<Place> {
        let place = Place(self.inner.upgrade()?.places.clone());
        (Arc::strong_count(&place.0) <= self.most.saturating_add(1)).then_some(place)
    }

    /// A client from beginning to end. The tunnel's inside is not held while anything is waited for.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, place: Place) {
        if !admit(&self.inner, peer).await {
            return;
        }
        let Ok(local) = stream.local_addr() else { return };
        let Some((client, adopted)) = self.take_in(stream, peer, local) else { return };
        let reached = adopted.reached().await;
        let Some(inner) = self.inner.upgrade() else { return };
        let id = client.id.into();
        if let Err(error) = reached {
            client.is_over();
            inner.forget(client.id);
            let error = Error::new(1201).because(error);
            let (status_code, description) = (error.code().into(), error.message().to_owned());
            inner.tell(EventKind::Connected, || Connected { connection_id: id, status_code, description });
            inner.report(id, &error);
            return;
        }
        let (status_code, description) = (OK.0.into(), OK.1.to_owned());
        inner.tell(EventKind::Connected, || Connected { connection_id: id, status_code, description });
        // From now on its data are told of, and what came already.
        client.unqueue();
        if inner.handlers.has(EventKind::DataIn) {
            inner.enqueue(&client);
        }
        drop(inner);
        let end = adopted.ended().await.end;
        drop(place);
        let Some(inner) = self.inner.upgrade() else { return };
        client.is_over();
        gone(&inner, &client, &outcome_of(end));
    }

    /// Makes it one of the clients, which can be closed from now on.
    fn take_in(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Option<(Arc<Client>, Adopted)> {
        let inner = self.inner.upgrade()?;
        let client = {
            let store = lock(&inner.store);
            configure(&stream, &store);
            let id = inner.next_id.fetch_add(1, Ordering::Relaxed);
            Arc::new(Client::new(id, peer, local, linger(&store), options(&store)))
        };
        let adopted = self.tunnel.adopt(stream, self.adopt(&inner, &client));
        let _ = client.adopted.set(adopted.clone());
        // Settings of its number may be there already.
        client.tell_of_channel(inner.channel_rules(client.id).is_some());
        inner.clients.add(client.clone());
        Some((client, adopted))
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
async fn admit(inner: &Weak<Inner>, peer: SocketAddr) -> bool {
    let Some(access) = inner.upgrade().map(|inner| access(&lock(&inner.store))) else { return false };
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
    let Some(inner) = inner.upgrade() else { return false };
    let answer = Inner::ask(inner, ConnectionRequest { address, port, accept }.into()).await;
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

/// How long a client has to take what is left for it when it is closed; `None` if that is dropped.
fn linger(store: &Store) -> Option<Duration> {
    store.flag("linger").then(|| store.seconds("LingerTime").unwrap_or(LINGER))
}

/// Where `LingerTime` leaves it to the system. As long as Linux keeps a socket that nobody reads from once the program
/// has closed it.
const LINGER: Duration = Duration::from_secs(60);

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
