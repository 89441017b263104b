//! What the tests share: a gateway, a target, a tunnel between them, and clients.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use underpass::gateway::{Gateway, GatewayBuilder};
use underpass_component::{Event, EventKind, SshTunnel};
use underpass_testkit::server::Server;
use underpass_testkit::target::Target;

pub(crate) const USER: &str = "me";
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// Where gateways run.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// No test takes this long, unless it hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A gateway that lets [`USER`] in with [`PASSWORD`] and reaches everything.
pub(crate) fn gateway() -> Gateway {
    gateway_with(|gateway| gateway.allow_password(USER, PASSWORD))
}

pub(crate) fn gateway_with(policy: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Gateway {
    gateway_at((Ipv4Addr::LOCALHOST, 0).into(), policy)
}

pub(crate) fn gateway_at(
    address: SocketAddr,
    policy: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
) -> Gateway {
    let builder = policy(Gateway::builder().allow_targets(|_| true));
    RUNTIME.block_on(builder.start(address)).unwrap()
}

/// A tunnel that is ready to start: it goes to the echo target through the gateway, and accepts its key.
pub(crate) struct Setup {
    pub(crate) tunnel: SshTunnel,
    pub(crate) gateway: Gateway,
    pub(crate) target: Server,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self::to(Target::Echo)
    }

    pub(crate) fn to(target: Target) -> Self {
        let (gateway, target) = (gateway(), target.start().unwrap());
        let tunnel = tunnel_through(&gateway);
        tunnel.set_ssh_forward_host(target.address().ip().to_string()).unwrap();
        tunnel.set_ssh_forward_port(target.address().port().into()).unwrap();
        Self { tunnel, gateway, target }
    }

    /// Started.
    pub(crate) fn started() -> Self {
        let setup = Self::new();
        setup.tunnel.start_listening().unwrap();
        setup
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(&self.tunnel)
    }

    /// A client that the tunnel has, and its number.
    pub(crate) fn client(&self) -> (TcpStream, i64) {
        let mut stream = self.connect();
        // What comes back shows that the target is reached.
        echo(&self.tunnel, &mut stream, b"!");
        let id = self.tunnel.client_connection_id(place(&self.tunnel, &stream)).unwrap();
        (stream, id.parse().unwrap())
    }
}

/// The place of the client at the other end.
pub(crate) fn place(tunnel: &SshTunnel, stream: &TcpStream) -> i64 {
    let port = i64::from(stream.local_addr().unwrap().port());
    let has_port = |place: &i64| tunnel.client_remote_port(*place).is_ok_and(|of| of == port);
    (0..tunnel.client_count()).find(has_port).unwrap()
}

/// A tunnel through the gateway, to nowhere in particular.
pub(crate) fn tunnel_through(gateway: &Gateway) -> SshTunnel {
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(gateway.address().ip().to_string()).unwrap();
    tunnel.set_ssh_port(gateway.address().port().into()).unwrap();
    tunnel.set_ssh_user(USER).unwrap();
    tunnel.set_ssh_password(PASSWORD).unwrap();
    tunnel.set_local_host("127.0.0.1").unwrap();
    tunnel.config("SSHAcceptAnyServerHostKey=True").unwrap();
    tunnel
}

pub(crate) fn connect(tunnel: &SshTunnel) -> TcpStream {
    let port = u16::try_from(tunnel.local_port()).unwrap();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Sends bytes and gets them back, while events are delivered.
pub(crate) fn echo(tunnel: &SshTunnel, stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    assert_eq!(read(tunnel, stream, bytes.len()), bytes);
}

/// Reads so many bytes, while events are delivered.
pub(crate) fn read(tunnel: &SshTunnel, stream: &TcpStream, length: usize) -> Vec<u8> {
    let mut stream = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).map(|()| bytes)
    });
    until(tunnel, || reader.is_finished());
    reader.join().unwrap().unwrap()
}

/// Reads to the end, while events are delivered.
pub(crate) fn read_to_end(tunnel: &SshTunnel, stream: &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut stream = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes)
    });
    until(tunnel, || reader.is_finished());
    reader.join().unwrap()
}

/// Delivers events until something is so.
#[track_caller]
pub(crate) fn until(tunnel: &SshTunnel, is_so: impl Fn() -> bool) {
    let late = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < late, "it took too long");
        tunnel.do_events();
    }
}

/// Keeps the events of some kinds, in order.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<Event>>>);

impl Record {
    pub(crate) fn of(tunnel: &SshTunnel, kinds: &[EventKind]) -> Self {
        let record = Self::default();
        for kind in kinds {
            let record = record.clone();
            tunnel.on(*kind, move |_, event| record.events().push(event.clone()));
        }
        record
    }

    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.events().len()
    }

    /// Takes what there is.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events())
    }
}

/// An address of this machine that nobody listens at, for as long as this lives.
pub(crate) fn nobody() -> (underpass_testkit::target::Refusing, SocketAddr) {
    let refusing = underpass_testkit::target::Refusing::start().unwrap();
    let address = refusing.address();
    (refusing, address)
}
