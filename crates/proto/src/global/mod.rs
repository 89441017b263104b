//! Global requests (RFC 4254 section 4): remote forwards and signs of life.
//!
//! Requests carry no number. Each side answers in the order in which it was asked, so both directions are queues:
//! [`ours`] for the replies that are due to us, [`theirs`] for those that we owe.

pub(crate) mod forwards;
pub(crate) mod ours;
pub(crate) mod theirs;

use std::num::NonZeroU16;

use underpass_wire::GlobalRequestData as Data;

use crate::limits::{MAX_HOST, MAX_PATH};

/// What the server listens on for a remote forward.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RemoteBind {
    /// A TCP port (RFC 4254 section 7.1).
    Tcp {
        /// Address or name. Empty: everywhere; `localhost`: the loopback addresses.
        address: String,
        /// The port; 0 lets the server choose one.
        port: u16,
    },
    /// A Unix-domain socket (`streamlocal-forward@openssh.com`, OpenSSH's PROTOCOL section 2.4).
    Unix {
        /// Its path.
        path: Vec<u8>,
    },
}

/// Names one global request of ours, and the forward that it asked for. Never reused within a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(crate) u64);

/// What became of a global request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It is granted.
    Granted {
        /// The port that the server chose, where it was asked to listen on port 0; `None` for all else.
        port: Option<NonZeroU16>,
    },
    /// It is refused. The protocol has no place for a reason.
    Refused,
    /// There was no answer in time. Should the server grant a forward after all, it is cancelled at once.
    Timeout,
}

/// Server role: the fate of a request about a remote forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardVerdict {
    /// It is done.
    Granted {
        /// The port that is listened on. The client is told where it asked for port 0, and there it must be given;
        /// elsewhere it is not looked at.
        port: Option<NonZeroU16>,
    },
    /// It is not.
    Refused,
}

impl RemoteBind {
    /// The request to listen on it.
    fn listen(&self) -> Data<'_> {
        match self {
            Self::Tcp { address, port } => Data::TcpipForward { address, port: (*port).into() },
            Self::Unix { path } => Data::StreamlocalForward { path },
        }
    }

    /// The request to listen on it no longer.
    fn cancel(&self) -> Data<'_> {
        match self {
            Self::Tcp { address, port } => Data::CancelTcpipForward { address, port: (*port).into() },
            Self::Unix { path } => Data::CancelStreamlocalForward { path },
        }
    }

    /// A port that is left to the server.
    fn is_open_port(&self) -> bool {
        matches!(self, Self::Tcp { port: 0, .. })
    }

    /// What a peer names; `None` if it can be no place to listen on.
    fn tcp(address: &str, port: u32) -> Option<Self> {
        let port = u16::try_from(port).ok()?;
        (address.len() <= MAX_HOST).then(|| Self::Tcp { address: address.to_owned(), port })
    }

    /// As [`tcp`](Self::tcp).
    fn unix(path: &[u8]) -> Option<Self> {
        (path.len() <= MAX_PATH).then(|| Self::Unix { path: path.to_vec() })
    }
}
