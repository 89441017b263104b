use std::{fmt, net::SocketAddr, path::PathBuf};

use crate::{Target, destination::Bracketed};

/// Where connections of a forward end up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A host and port.
    Tcp(Target),
    /// A Unix-domain socket; on the server's side this is an extension of OpenSSH's.
    Unix(PathBuf),
    /// Wherever the client of a dynamic forward will say.
    Undecided,
}

impl Endpoint {
    /// The host and port, unless it is a Unix-domain socket.
    pub fn tcp(&self) -> Option<&Target> {
        match self {
            Self::Tcp(target) => Some(target),
            Self::Unix(_) | Self::Undecided => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(target) => target.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
            Self::Undecided => f.write_str("wherever it asks for"),
        }
    }
}

impl From<Target> for Endpoint {
    fn from(target: Target) -> Self {
        Self::Tcp(target)
    }
}

impl From<(&str, u16)> for Endpoint {
    fn from(target: (&str, u16)) -> Self {
        Self::Tcp(target.into())
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address.into())
    }
}

impl From<PathBuf> for Endpoint {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

/// Who is at the near end of a forwarded connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Peer {
    /// Somebody who connected to a port of this machine.
    Tcp(SocketAddr),
    /// Somebody who connected to a Unix-domain socket, which does not say who.
    Unix,
    /// The program that holds the tunnel.
    Program,
    /// Somebody who connected to the server, as the server tells it.
    Remote {
        /// An address, as it came.
        host: String,
        /// The port.
        port: u16,
    },
    /// Somebody who connected to a Unix-domain socket of the server.
    RemoteUnix,
    /// The connection to the next hop of the same tunnel.
    Hop,
}

impl Peer {
    /// How RFC 4254 section 7.2 wants the originator named: an address and a port.
    pub(crate) fn originator(&self) -> (String, u16) {
        match self {
            Self::Tcp(address) => (address.ip().to_string(), address.port()),
            Self::Remote { host, port } => (host.clone(), *port),
            // There is no address; this is what OpenSSH says then.
            Self::Unix | Self::RemoteUnix | Self::Program | Self::Hop => ("127.0.0.1".to_owned(), 65535),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("a local socket"),
            Self::Program => f.write_str("this program"),
            Self::Remote { host, port } => {
                let host = underpass_wire::Untrusted(host.as_bytes()).to_string();
                write!(f, "{}:{port}", Bracketed(&host))
            }
            Self::RemoteUnix => f.write_str("a socket of the server"),
            Self::Hop => f.write_str("the next hop"),
        }
    }
}

/// Where a forward takes connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bound {
    /// A port of this machine.
    Tcp(SocketAddr),
    /// A Unix-domain socket of this machine.
    Unix(PathBuf),
    /// A port of the server.
    Remote {
        /// The address as it was asked for; empty for all of the server's.
        host: String,
        /// The real port.
        port: u16,
    },
    /// A Unix-domain socket of the server.
    RemoteUnix(PathBuf),
}

impl Bound {
    /// The real port, unless it is a Unix-domain socket.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()),
            Self::Remote { port, .. } => Some(*port),
            Self::Unix(_) | Self::RemoteUnix(_) => None,
        }
    }

    /// Whether the server listens, and not this machine.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Remote { .. } | Self::RemoteUnix(_))
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) | Self::RemoteUnix(path) => path.display().fmt(f),
            Self::Remote { host, port } if host.is_empty() => write!(f, "*:{port}"),
            Self::Remote { host, port } => write!(f, "{}:{port}", Bracketed(host)),
        }
    }
}
