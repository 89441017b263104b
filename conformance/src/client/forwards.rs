//! What a client is told to forward.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::Client;
use crate::Result;

/// One forward of the command line.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    flag: &'static str,
    listen: Listen,
    /// `host:port` or a path; `None` when each connection says itself where it goes.
    target: Option<String>,
}

/// Where a forward takes connections. Port 0 leaves the port to whoever listens.
#[derive(Clone, Debug)]
pub enum Listen {
    /// A TCP port.
    Port(SocketAddr),
    /// A Unix-domain socket.
    File(PathBuf),
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::Port(address)
    }
}

impl From<&Path> for Listen {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => address.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Client {
    /// Forwards a loopback port of the client's choice to `target`, a `host:port` or a path.
    #[must_use]
    pub fn forward(self, target: impl Display) -> Self {
        self.forward_from(ANY_PORT, target)
    }

    /// Forwards from here to `target`, a `host:port` or a path.
    #[must_use]
    pub fn forward_from(self, listen: impl Into<Listen>, target: impl Display) -> Self {
        self.with_forward("-L", listen.into(), Some(target.to_string()))
    }

    /// Is a proxy on a loopback port of its choice.
    #[must_use]
    pub fn forward_dynamically(self) -> Self {
        self.with_forward("-D", ANY_PORT.into(), None)
    }

    /// Has the server forward from there to `target`, a `host:port` or a path.
    #[must_use]
    pub fn forward_remotely(self, listen: impl Into<Listen>, target: impl Display) -> Self {
        self.with_forward("-R", listen.into(), Some(target.to_string()))
    }

    /// Has the server be a proxy there.
    #[must_use]
    pub fn forward_remotely_and_dynamically(self, listen: impl Into<Listen>) -> Self {
        self.with_forward("-R", listen.into(), None)
    }

    fn with_forward(mut self, flag: &'static str, listen: Listen, target: Option<String>) -> Self {
        self.forwards.push(Forward { flag, listen, target });
        self
    }
}

impl Forward {
    pub(super) fn arguments(&self) -> [OsString; 2] {
        let Self { flag, listen, target } = self;
        let what = match target {
            Some(target) => format!("{listen}:{target}"),
            None => listen.to_string(),
        };
        [flag.into(), what.into()]
    }

    /// Replaces port 0 by one that is free on this machine, where the servers are, too.
    pub(super) fn choose_port(&mut self) -> Result<()> {
        if let Listen::Port(address) = &mut self.listen
            && address.port() == 0
        {
            *address = TcpListener::bind(*address)?.local_addr()?;
        }
        Ok(())
    }

    pub(super) fn door(&self) -> Door {
        let address = match self.listen {
            Listen::Port(address) => Some(address),
            Listen::File(_) => None,
        };
        Door { remote: self.flag == "-R", address }
    }
}

/// Where a forward takes connections now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) remote: bool,
    /// `None` for a Unix-domain socket.
    pub(super) address: Option<SocketAddr>,
}

/// A loopback port that whoever listens chooses.
pub const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
