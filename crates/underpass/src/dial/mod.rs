//! The way to the server: directly, through a proxy, or through a program; with one deadline for all of it.

mod command;
mod proxy;
mod system;
mod tcp;
mod tls;

use std::fmt;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use underpass_proxy::{Exceptions, Headers, ProxyUrl};

use crate::session::Stream;
use crate::{Error, Event, Settings, Step};

/// How the server is reached.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxy {
    /// Over TCP, with nothing in between.
    #[default]
    Direct,
    /// Through a proxy.
    Url {
        /// The proxy.
        url: Box<ProxyUrl>,
        /// What an HTTP proxy is sent besides.
        headers: Headers,
    },
    /// Through the proxy that the environment names: `ALL_PROXY`, else `HTTPS_PROXY`, in either case, with the
    /// exceptions in `NO_PROXY`. If it names none, through the one in the settings of Windows, of macOS, or of GNOME and
    /// the desktops that share its settings. Else directly.
    System {
        /// What an HTTP proxy is sent besides.
        headers: Headers,
    },
    /// Through a program that passes bytes on between its standard input and output and the server. A shell starts it.
    Command(String),
}

impl Proxy {
    /// Reads the URL of a proxy, `none` or `system`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration): what is wrong, without the credentials.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "none" => Ok(Self::Direct),
            "system" => Ok(Self::System { headers: Headers::new() }),
            url => match url.parse() {
                Ok(url) => Ok(Self::Url { url: Box::new(url), headers: Headers::new() }),
                Err(problem) => Err(Error::configuration(format!("in the proxy's URL, {problem}"))),
            },
        }
    }

    /// Has an HTTP proxy sent these headers besides.
    #[must_use]
    pub fn with_headers(self, headers: Headers) -> Self {
        match self {
            Self::Url { url, .. } => Self::Url { url, headers },
            Self::System { .. } => Self::System { headers },
            other => other,
        }
    }
}

impl fmt::Debug for Proxy {
    /// Without credentials; a command may hold some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("Direct"),
            Self::Url { url, .. } => write!(f, "Url({}:{})", url.host, url.port),
            Self::System { .. } => f.write_str("System"),
            Self::Command(_) => f.write_str("Command"),
        }
    }
}

/// What an SSH connection goes over.
pub(crate) struct Transport {
    pub(crate) stream: Stream,
    /// What has been read from it already.
    pub(crate) early: Vec<u8>,
    /// The ends of the TCP connection below, if there is one.
    pub(crate) ends: Option<ServerConnection>,
}

/// The ends of the TCP connection that leads to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ServerConnection {
    /// On this machine.
    pub local: SocketAddr,
    /// On the server, or on the proxy before it.
    pub remote: SocketAddr,
}

impl ServerConnection {
    /// `None`: it is broken already.
    fn of(stream: &TcpStream) -> Option<Self> {
        Some(Self { local: stream.local_addr().ok()?, remote: stream.peer_addr().ok()? })
    }
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        let ends = ServerConnection::of(&stream);
        Self { stream: stream.into(), early: Vec::new(), ends }
    }
}

impl From<Stream> for Transport {
    fn from(stream: Stream) -> Self {
        Self { stream, early: Vec::new(), ends: None }
    }
}

/// Connects to the server.
pub(crate) async fn dial(settings: &Settings) -> Result<Transport, Error> {
    let deadline = Instant::now() + settings.connect_timeout;
    settings.tell(|| Event::Connecting { host: settings.host.clone(), port: settings.port });
    match &settings.proxy {
        Proxy::Url { .. } | Proxy::System { .. } if is_exception(settings) => {
            Ok(direct(settings, &settings.host, settings.port, deadline).await?.into())
        }
        Proxy::Direct => Ok(direct(settings, &settings.host, settings.port, deadline).await?.into()),
        Proxy::Url { url, headers } => proxy::through(settings, url, headers, deadline).await,
        Proxy::System { headers } => match system::proxy(&settings.host, settings.port).await? {
            Some(url) => proxy::through(settings, &url, headers, deadline).await,
            None => Ok(direct(settings, &settings.host, settings.port, deadline).await?.into()),
        },
        Proxy::Command(command) => match command::start(command) {
            Ok(pipes) => Ok(Stream::Other(Box::new(pipes)).into()),
            Err(error) => Err(Error::proxy_command(&settings.host, format!("it does not start: {error}"))),
        },
    }
}

fn is_exception(settings: &Settings) -> bool {
    let exceptions = Exceptions::parse(&settings.proxy_exceptions);
    for warning in exceptions.warnings() {
        settings.tell(|| Event::Warning { text: format!("among the exceptions of the proxy, {warning}") });
    }
    exceptions.contains(&settings.host, settings.port)
}

/// TCP to a host: the server, or a proxy before it.
async fn direct(settings: &Settings, host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Error> {
    let timeout = |step| Error::timeout(step, host, settings.connect_timeout);
    let resolved = timeout_at(deadline, tcp::resolve(settings, host, port)).await;
    let addresses = resolved.map_err(|_| timeout(Step::Resolve))??;
    let raced = timeout_at(deadline, tcp::race(settings, host, addresses)).await;
    let stream = raced.map_err(|_| timeout(Step::Dial))??;
    if let Ok(address) = stream.peer_addr() {
        settings.tell(|| Event::Connected { address });
    }
    Ok(stream)
}
