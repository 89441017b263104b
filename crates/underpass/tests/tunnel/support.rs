//! What the tests of a whole tunnel share: a gateway, files for it, and somebody who listens to the events.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use underpass::gateway::{Gateway, GatewayBuilder};
use underpass::{Builder, Error, Event, Forward, Reconnect, Tunnel, known_hosts};
use underpass_testkit::Payload;

pub(crate) const USER: &str = "me";
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// Under this name, without a port, the gateway's key is on record: so a relay may stand before it.
pub(crate) const NAME: &str = "bastion";

/// A gateway that reaches everything, and a directory with its key in a `known_hosts` file.
pub(crate) struct Bastion {
    pub(crate) gateway: Gateway,
    directory: TempDir,
}

impl Bastion {
    /// Lets [`USER`] in with [`PASSWORD`].
    pub(crate) async fn start() -> Self {
        Self::with(|gateway| gateway.allow_password(USER, PASSWORD).allow_targets(|_| true)).await
    }

    pub(crate) async fn with(policy: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        let gateway = policy(Gateway::builder()).start(loopback()).await.unwrap();
        let bastion = Self { gateway, directory: TempDir::new().unwrap() };
        let lines =
            bastion.gateway.host_keys().map(|key| known_hosts::append_line(NAME, 22, key, None).unwrap());
        fs::write(bastion.known_hosts(), lines.collect::<String>()).unwrap();
        bastion
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.path("known_hosts")
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A tunnel through the gateway, by password and without prompts.
    pub(crate) fn builder(&self) -> Builder {
        self.builder_at(self.gateway.address())
    }

    /// The same through whatever stands before the gateway.
    pub(crate) fn builder_at(&self, address: SocketAddr) -> Builder {
        bare_builder(address).user_known_hosts([self.known_hosts()]).password(PASSWORD)
    }

    /// Opens a tunnel to `target`.
    pub(crate) async fn tunnel_to(&self, target: SocketAddr) -> Tunnel {
        self.builder().forward(to(target)).open().await.unwrap()
    }
}

/// A tunnel that knows nobody, has nothing to log in with, asks nobody, and ends when its connection does.
pub(crate) fn bare_builder(address: SocketAddr) -> Builder {
    Tunnel::builder(address.to_string())
        .user(USER)
        .host_key_alias(NAME)
        .user_known_hosts([""; 0])
        .global_known_hosts([""; 0])
        .default_identities(false)
        .batch(true)
        .reconnect(Reconnect::never())
}

/// Port 0 of the loopback interface.
pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A forward from a port that the system picks.
pub(crate) fn to(target: SocketAddr) -> Forward {
    Forward::local(loopback(), target)
}

/// Where the tunnel's only forward listens.
pub(crate) fn entrance(tunnel: &Tunnel) -> SocketAddr {
    tunnel.listeners()[0].1
}

pub(crate) fn connect(tunnel: &Tunnel) -> TcpStream {
    connect_to(entrance(tunnel))
}

/// Blocks for the handshake, which needs nobody's help on the loopback interface: so that a reset that follows at
/// once is not taken for a failure to connect.
pub(crate) fn connect_to(address: SocketAddr) -> TcpStream {
    let stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    TcpStream::from_std(stream).unwrap()
}

/// Both ends of a connection that a program has accepted by itself: the client's, and its own.
pub(crate) async fn accepted() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let client = connect_to(listener.local_addr().unwrap());
    (client, listener.accept().await.unwrap().0)
}

/// Fails the test when the tunnel opens after all.
pub(crate) async fn refused(builder: Builder) -> Error {
    within(builder.open()).await.expect_err("the tunnel opened")
}

/// A listener that accepts nobody, and so many who wait there that the next one gets no answer at all.
pub(crate) async fn unanswering() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(loopback()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 100, "the system's queue has no end");
    }
    (listener, waiting)
}

/// So that a test that would wait for ever fails instead. No test passes or fails by how fast it is.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it ends within a minute")
}

/// Waits for a state that nothing announces.
pub(crate) async fn eventually(what: &str, mut reached: impl FnMut() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never so: {what}"));
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Sends `length` bytes of the payload and ends its half.
pub(crate) async fn send(
    stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    payload: Payload,
    length: u64,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut offset = 0;
    while offset < length {
        let piece = &mut buffer[..(length - offset).min(64 * 1024) as usize];
        payload.fill(offset, piece);
        stream.write_all(piece).await?;
        offset += piece.len() as u64;
    }
    stream.shutdown().await
}

/// Reads to the end, and gives how much of the payload came. Panics at a wrong byte.
pub(crate) async fn receive(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    payload: Payload,
) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut offset = 0;
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(offset);
        }
        payload.check(offset, &buffer[..count]).unwrap();
        offset += count as u64;
    }
}

/// Sends the payload to an echo and reads it back, both at once.
pub(crate) async fn echo(stream: TcpStream, payload: Payload, length: u64) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    let (sent, received) = tokio::join!(send(&mut write, payload, length), receive(&mut read, payload));
    sent?;
    assert_eq!(received?, length);
    Ok(())
}

/// Whether a connection ended visibly broken.
pub(crate) async fn is_reset(stream: &mut TcpStream) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match within(stream.read(&mut buffer)).await {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// Remembers every event.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    pub(crate) fn observer(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let events = self.clone();
        move |event| events.0.lock().unwrap().push(event.clone())
    }

    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.all().iter().map(Event::name).collect()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.names().into_iter().filter(|each| *each == name).count()
    }

    /// Why connections failed.
    pub(crate) fn failures(&self) -> Vec<Error> {
        let failure =
            |event| if let Event::ConnectionFailed { error, .. } = event { Some(error) } else { None };
        self.all().into_iter().filter_map(failure).collect()
    }
}
