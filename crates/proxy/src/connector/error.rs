use std::fmt;

use super::ProxyReply;
use crate::escape::Escaped;
use crate::reader::Stop;
use crate::url::ProxyKind;

/// Why there is no connection through a proxy. Its text is here as it came; it is escaped when shown.
///
/// | error | whose matter it is |
/// |---|---|
/// | [`Unusable`](Self::Unusable) | the configuration's: nothing was sent |
/// | [`WantsCredentials`](Self::WantsCredentials), [`RejectedCredentials`](Self::RejectedCredentials), [`NoCommonMethod`](Self::NoCommonMethod) | the credentials': trying again changes nothing |
/// | [`Refused`](Self::Refused) | the target's or the proxy's rules', as the reply says |
/// | [`NotThisKind`](Self::NotThisKind) | the configuration's: the proxy speaks something else |
/// | [`BrokeProtocol`](Self::BrokeProtocol), [`TooLong`](Self::TooLong) | the proxy's software's |
/// | [`Closed`](Self::Closed) | the proxy's or the network's: may pass |
/// | [`AlreadyConnected`](Self::AlreadyConnected) | the caller's: a fault of the program |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// This proxy cannot be asked for this target.
    Unusable {
        /// Why.
        what: String,
    },
    /// The proxy wants to know who we are, and there are no credentials for it.
    WantsCredentials {
        /// The ways of authentication that an HTTP proxy offers, as in its `Proxy-Authenticate` headers.
        offered: Vec<u8>,
    },
    /// The proxy does not accept the credentials.
    RejectedCredentials {
        /// The ways of authentication that an HTTP proxy offers, as in its `Proxy-Authenticate` headers.
        offered: Vec<u8>,
    },
    /// A SOCKS 5 proxy wants neither user name and password nor to do without.
    NoCommonMethod,
    /// The proxy makes no connection to the target.
    Refused {
        /// What it says.
        reply: ProxyReply,
    },
    /// Whatever answers is no proxy of this kind.
    NotThisKind {
        /// What was expected.
        kind: ProxyKind,
        /// The first byte of its answer.
        first: u8,
    },
    /// The proxy broke the protocol.
    BrokeProtocol {
        /// What it did.
        what: &'static str,
    },
    /// The answer is longer than it may be.
    TooLong {
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// The proxy closed the connection before it had answered. The caller says so: only it can see it.
    Closed,
    /// The caller passed bytes on after the handshake. They were not taken.
    AlreadyConnected,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { what } => f.write_str(what),
            Self::WantsCredentials { offered } => {
                f.write_str("the proxy wants a user name and a password")?;
                offers(f, offered)
            }
            Self::RejectedCredentials { offered } => {
                f.write_str("the proxy did not accept the user name and the password")?;
                offers(f, offered)
            }
            Self::NoCommonMethod => f.write_str("the proxy accepts no user name and password"),
            Self::Refused { reply } => write!(f, "the proxy did not connect: {reply}"),
            Self::NotThisKind { kind, first } => {
                write!(f, "this is no {} proxy: ", kind.name())?;
                match first {
                    b'S' => f.write_str("it answers like an SSH server"),
                    b'H' => f.write_str("it answers like an HTTP server"),
                    0x15 | 0x16 => f.write_str("it answers in TLS"),
                    _ => write!(f, "its answer begins with the byte {first:#04x}"),
                }
            }
            Self::BrokeProtocol { what } => write!(f, "the proxy broke the protocol: {what}"),
            Self::TooLong { limit } => write!(f, "the proxy's answer has more than {limit} bytes"),
            Self::Closed => f.write_str("the proxy closed the connection before it had answered"),
            Self::AlreadyConnected => f.write_str("the proxy has connected already"),
        }
    }
}

fn offers(f: &mut fmt::Formatter<'_>, offered: &[u8]) -> fmt::Result {
    match offered.is_empty() {
        true => Ok(()),
        false => write!(f, " (it offers: {})", Escaped(offered)),
    }
}

impl std::error::Error for ProxyError {}

impl From<ProxyError> for Stop<ProxyError> {
    fn from(error: ProxyError) -> Self {
        Self::Failed(error)
    }
}
