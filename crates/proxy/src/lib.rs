//! Handshakes of SOCKS 4, 4a, 5 and HTTP CONNECT, both sides: bytes in, bytes out.
//!
//! Nothing here opens a socket, resolves a name or reads a clock.
//!
//! - [`Acceptor`] is the proxy's side. It tells the protocol from a client's first byte and gives a [`Request`],
//!   which the caller answers with an [`Outcome`].
//! - [`Connector`] is the client's side. It asks the proxy of a [`ProxyUrl`] for a connection to a [`Target`].
//! - [`Exceptions`] is the list of hosts that are reached without the proxy.
//! - [`limits`] are the bounds of what the other side may send.
//!
//! ```
//! use underpass_proxy::{Access, Acceptor, AcceptorProgress, Connector, ConnectorProgress, Outcome};
//!
//! let target = "bastion.example:22".parse()?;
//! let mut client = Connector::new(&"socks4a://proxy.example".parse()?, &target)?;
//! let mut server = Acceptor::new(Access::Anyone);
//!
//! let AcceptorProgress::Asked(request) = server.receive(client.transmit())? else {
//!     unreachable!("SOCKS 4a is one question and one answer");
//! };
//! assert_eq!(request.target, target);
//! assert_eq!(client.receive(&server.answer(Outcome::Connected))?, ConnectorProgress::Connected);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod limits;

mod acceptor;
mod buffer;
mod connector;
mod escape;
mod exceptions;
mod head;
mod reader;
mod secret;
mod socks5;
mod target;
mod url;

pub use acceptor::{Acceptor, Access, Outcome, Progress as AcceptorProgress, Protocol, Refused, Request};
pub use connector::{Connector, HeaderError, Headers, Progress as ConnectorProgress, ProxyError, ProxyReply};
pub use exceptions::{Exceptions, Warning};
pub use secret::{Credentials, CredentialsError, Password};
pub use target::{Host, Target, TargetError};
pub use url::{ProxyKind, ProxyUrl, Resolve, UrlError};
