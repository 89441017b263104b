use super::{Protocol, http, socks4, socks5};
use crate::socks5::reply;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The target accepted the connection.
    Connected,
    /// The target refused it.
    Refused,
    /// No way leads to the host.
    HostUnreachable,
    /// No way leads to its network.
    NetworkUnreachable,
    /// The name has no address.
    Unresolvable,
    /// A rule forbids it.
    NotAllowed,
    /// The target did not answer in time.
    TimedOut,
    /// Something else went wrong.
    Failed,
    /// There are too many connections already.
    Busy,
}

/// An outcome in the terms of each protocol. SOCKS 4 knows only yes and no.
struct Row {
    /// RFC 1928 section 6.
    socks5: u8,
    /// RFC 9110 section 15.
    http: &'static str,
    /// For the body of the answer.
    text: &'static str,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &[Self] = &[
        Self::Connected,
        Self::Refused,
        Self::HostUnreachable,
        Self::NetworkUnreachable,
        Self::Unresolvable,
        Self::NotAllowed,
        Self::TimedOut,
        Self::Failed,
        Self::Busy,
    ];

    #[rustfmt::skip]
    fn row(self) -> Row {
        let (socks5, http, text) = match self {
            Self::Connected => (reply::SUCCEEDED, "200 Connection established", ""),
            Self::Refused => (reply::CONNECTION_REFUSED, "502 Bad Gateway", "The target refused the connection."),
            Self::HostUnreachable => (reply::HOST_UNREACHABLE, "502 Bad Gateway", "The host cannot be reached."),
            Self::NetworkUnreachable => (reply::NETWORK_UNREACHABLE, "502 Bad Gateway", "The network cannot be reached."),
            Self::Unresolvable => (reply::HOST_UNREACHABLE, "502 Bad Gateway", "The name of the host has no address."),
            Self::NotAllowed => (reply::NOT_ALLOWED, "403 Forbidden", "Connections to this target are not allowed."),
            Self::TimedOut => (reply::TTL_EXPIRED, "504 Gateway Timeout", "The target did not answer in time."),
            Self::Failed => (reply::GENERAL_FAILURE, "502 Bad Gateway", "The connection could not be made."),
            Self::Busy => (reply::GENERAL_FAILURE, "503 Service Unavailable", "There are too many connections at the moment."),
        };
        Row { socks5, http, text }
    }

    pub(super) fn reply(self, protocol: Protocol) -> Vec<u8> {
        let row = self.row();
        match (protocol, self) {
            (Protocol::HttpConnect, Self::Connected) => http::ESTABLISHED.to_vec(),
            (Protocol::HttpConnect, _) => http::error(row.http, "", row.text),
            (Protocol::Socks5, _) => socks5::reply(row.socks5).to_vec(),
            (Protocol::Socks4 | Protocol::Socks4a, Self::Connected) => {
                socks4::reply(socks4::GRANTED).to_vec()
            }
            (Protocol::Socks4 | Protocol::Socks4a, _) => socks4::reply(socks4::REJECTED).to_vec(),
        }
    }
}
