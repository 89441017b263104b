//! The client's side: a proxy is asked for a connection.

mod error;
mod headers;
mod http;
mod reply;
mod socks4;
mod socks5;

use std::fmt;

pub use error::ProxyError;
pub use headers::{HeaderError, Headers};
pub use reply::ProxyReply;

use zeroize::Zeroizing;

use crate::buffer::Buffer;
use crate::head;
use crate::limits::MAX_INTERIM;
use crate::reader::{Reader, Stop};
use crate::target::Target;
use crate::url::{ProxyKind, ProxyUrl};

/// How far a handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It needs more bytes. Something may have to be transmitted first.
    More,
    /// The proxy has connected to the target. The connection is a tunnel from here on.
    Connected,
}

/// The handshake with a proxy.
///
/// 1. Write what [`transmit`](Self::transmit) lends, from the start, and report it with
///    [`transmitted`](Self::transmitted).
/// 2. Pass what the proxy sends to [`receive`](Self::receive), in any portions, and go on with 1.
/// 3. After [`Progress::Connected`] the connection carries the tunnel. Its first bytes are those of
///    [`take_early`](Self::take_early): an SSH server does not wait to be spoken to.
///
/// After an error there is nothing to say any more. It sets no deadline. A proxy that closes the connection before it has answered is
/// [`ProxyError::Closed`], for the caller to notice.
///
/// ```
/// use underpass_proxy::{Connector, ConnectorProgress, ProxyUrl};
///
/// let proxy: ProxyUrl = "http://proxy.example:3128".parse()?;
/// let mut connector = Connector::new(&proxy, &"bastion.example:22".parse()?)?;
/// assert!(connector.transmit().starts_with(b"CONNECT bastion.example:22 HTTP/1.1\r\n"));
/// connector.transmitted(connector.transmit().len());
/// let progress = connector.receive(b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-")?;
/// assert_eq!(progress, ConnectorProgress::Connected);
/// assert_eq!(connector.take_early(), b"SSH-2.0-");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Connector {
    state: State,
    /// Whether the proxy was told who we are, or will be.
    has_credentials: bool,
    incoming: Buffer,
    outgoing: Buffer,
}

/// ```text
/// Http ─────────────────────────────────────────┐
/// Socks4 ───────────────────────────────────────┼──▶ Connected
/// Socks5Method ──▶ Socks5Credentials ──▶ Socks5Reply
///         └───────────────────────────────▲
/// ```
/// Every state but `Connected` may end in `Failed`.
enum State {
    Http {
        kind: ProxyKind,
        /// How many interim answers came.
        interim: usize,
    },
    Socks4 {
        kind: ProxyKind,
    },
    Socks5Method {
        /// What to send if the proxy chooses user name and password.
        credentials: Zeroizing<Vec<u8>>,
        request: Vec<u8>,
    },
    Socks5Credentials {
        request: Vec<u8>,
    },
    Socks5Reply,
    Connected,
    Failed(ProxyError),
}

impl Connector {
    /// Asks `proxy` for a connection to `target`.
    ///
    /// The caller has resolved the target where [`ProxyUrl::resolve`] says `Here`; only SOCKS 4 insists. Over
    /// `https` the caller speaks TLS to the proxy, and this is what goes through it. SOCKS 4 sends the user name
    /// and has no place for the password. The error is [`ProxyError::Unusable`].
    pub fn new(proxy: &ProxyUrl, target: &Target) -> Result<Self, ProxyError> {
        Self::with_headers(proxy, target, &Headers::default())
    }

    /// The same, with headers of the caller's for an HTTP proxy; SOCKS has no place for them.
    pub fn with_headers(proxy: &ProxyUrl, target: &Target, headers: &Headers) -> Result<Self, ProxyError> {
        target.check().map_err(|error| ProxyError::Unusable { what: error.to_string() })?;
        let credentials = proxy.credentials.as_ref();
        let kind = proxy.kind;
        let mut outgoing = Buffer::default();
        let state = match kind {
            ProxyKind::Http | ProxyKind::Https => {
                outgoing.push(&http::request(target, credentials, headers)?);
                State::Http { kind, interim: 0 }
            }
            ProxyKind::Socks4 | ProxyKind::Socks4a => {
                outgoing.push(&socks4::request(target, credentials, kind == ProxyKind::Socks4a)?);
                State::Socks4 { kind }
            }
            ProxyKind::Socks5 | ProxyKind::Socks5h => {
                outgoing.push(socks5::greeting(credentials.is_some()));
                let credentials = credentials.map(socks5::credentials).unwrap_or_default();
                State::Socks5Method { credentials, request: socks5::request(target) }
            }
        };
        let has_credentials = credentials.is_some() || headers.has("proxy-authorization");
        Ok(Self { state, has_credentials, incoming: Buffer::default(), outgoing })
    }

    /// Takes what the proxy sent.
    ///
    /// Errors are final, and every later call returns the same one. After [`Progress::Connected`] nothing is
    /// taken any more, and the error is [`ProxyError::AlreadyConnected`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Progress, ProxyError> {
        match &self.state {
            State::Connected => return Err(ProxyError::AlreadyConnected),
            State::Failed(error) => return Err(error.clone()),
            _ => self.incoming.push(bytes),
        }
        // Reading a head again for each of its bytes would be work without a result. Only the first is looked
        // at before its line is complete: it tells whether this is an HTTP proxy at all.
        let rest = self.incoming.rest();
        let is_begun = rest.len() > bytes.len();
        let is_idle = matches!(self.state, State::Http { .. }) && is_begun && !bytes.contains(&b'\n');
        if is_idle && !head::is_too_long(rest) {
            return Ok(Progress::More);
        }
        loop {
            match self.step() {
                Ok(()) if matches!(self.state, State::Connected) => return Ok(Progress::Connected),
                Ok(()) => {}
                Err(Stop::More) => return Ok(Progress::More),
                Err(Stop::Failed(error)) => {
                    self.incoming.clear();
                    self.outgoing.clear();
                    self.state = State::Failed(error.clone());
                    return Err(error);
                }
            }
        }
    }

    /// Bytes to write to the proxy.
    pub fn transmit(&self) -> &[u8] {
        self.outgoing.rest()
    }

    /// Reports that the first `n` of these bytes were written.
    pub fn transmitted(&mut self, n: usize) {
        self.outgoing.advance(n);
    }

    /// What the target said right behind the proxy's answer: at most what the last call of
    /// [`receive`](Self::receive) brought.
    pub fn early(&self) -> &[u8] {
        match self.state {
            State::Connected => self.incoming.rest(),
            _ => &[],
        }
    }

    /// The same, handed over.
    pub fn take_early(&mut self) -> Vec<u8> {
        match self.state {
            State::Connected => self.incoming.take_rest(),
            _ => Vec::new(),
        }
    }

    /// Reads one message, if it is complete.
    fn step(&mut self) -> Result<(), Stop<ProxyError>> {
        let mut reader = Reader::new(self.incoming.rest());
        let next = match &mut self.state {
            State::Http { kind, interim } => match http::answer(&mut reader, *kind, self.has_credentials)? {
                http::Answer::Connected => State::Connected,
                http::Answer::Interim if *interim < MAX_INTERIM => {
                    State::Http { kind: *kind, interim: *interim + 1 }
                }
                http::Answer::Interim => {
                    return Err(ProxyError::BrokeProtocol { what: "it never comes to an answer" }.into());
                }
            },
            State::Socks4 { kind } => {
                socks4::answer(&mut reader, *kind)?;
                State::Connected
            }
            State::Socks5Method { credentials, request } => {
                match socks5::method(&mut reader, self.has_credentials)? {
                    socks5::Method::None => {
                        self.outgoing.push(request);
                        State::Socks5Reply
                    }
                    socks5::Method::Credentials => {
                        self.outgoing.push(credentials);
                        State::Socks5Credentials { request: std::mem::take(request) }
                    }
                }
            }
            State::Socks5Credentials { request } => {
                socks5::admitted(&mut reader)?;
                self.outgoing.push(request);
                State::Socks5Reply
            }
            State::Socks5Reply => {
                socks5::answer(&mut reader)?;
                State::Connected
            }
            State::Connected | State::Failed(_) => return Err(Stop::More),
        };
        let consumed = reader.consumed();
        self.incoming.advance(consumed);
        self.state = next;
        Ok(())
    }
}

/// Without the bytes, among which may be a password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("has_credentials", &self.has_credentials).finish_non_exhaustive()
    }
}
