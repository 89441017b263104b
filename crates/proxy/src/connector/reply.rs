use std::fmt;

use crate::escape::Escaped;
use crate::socks5::reply;

/// How a proxy says no, in the terms of its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyReply {
    /// The code of SOCKS 4, 0x5b to 0x5d.
    Socks4(u8),
    /// The code of SOCKS 5 (RFC 1928 section 6).
    Socks5(u8),
    /// The status of HTTP (RFC 9110 section 15).
    Http {
        /// The code, not 2xx.
        status: u16,
        /// The reason phrase as it came.
        reason: Vec<u8>,
    },
}

impl ProxyReply {
    /// What the code means, if it means anything.
    fn meaning(&self) -> Option<&'static str> {
        Some(match self {
            Self::Socks4(0x5b) => "it was rejected or failed",
            Self::Socks4(0x5c) => "the proxy asked this machine's identd about the user and got no answer",
            Self::Socks4(0x5d) => "this machine's identd names another user",
            Self::Socks5(reply::GENERAL_FAILURE) => "the proxy failed",
            Self::Socks5(reply::NOT_ALLOWED) => "the proxy's rules forbid it",
            Self::Socks5(reply::NETWORK_UNREACHABLE) => "the network cannot be reached",
            Self::Socks5(reply::HOST_UNREACHABLE) => "the host cannot be reached, or has no address",
            Self::Socks5(reply::CONNECTION_REFUSED) => "the target refused the connection",
            Self::Socks5(reply::TTL_EXPIRED) => "the target did not answer in time",
            Self::Socks5(reply::COMMAND_NOT_SUPPORTED) => "the proxy makes no connections",
            Self::Socks5(reply::ADDRESS_TYPE_NOT_SUPPORTED) => "the proxy does not take this kind of address",
            Self::Http { status: 403, .. } => "the proxy's rules forbid it",
            Self::Http { status: 405 | 501, .. } => "the proxy makes no connections",
            Self::Http { status: 502, .. } => "the proxy could not connect to the target",
            Self::Http { status: 503, .. } => "the proxy is overloaded, or could not connect to the target",
            Self::Http { status: 504, .. } => "the target did not answer in time",
            _ => return None,
        })
    }
}

impl fmt::Display for ProxyReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(meaning) = self.meaning() {
            write!(f, "{meaning} ")?;
        }
        match self {
            Self::Socks4(code) => write!(f, "(SOCKS 4 reply {code})"),
            Self::Socks5(code) => write!(f, "(SOCKS 5 reply {code})"),
            Self::Http { status, reason } if reason.is_empty() => write!(f, "(HTTP status {status})"),
            Self::Http { status, reason } => write!(f, "(HTTP status {status}: {})", Escaped(reason)),
        }
    }
}
