//! Why a connection ended. The first question an [`Error`] answers is whose fault it was.

use std::fmt;

use underpass_crypto::packet::PacketError;
use underpass_crypto::{InflateError, KexError, SignatureError};
use underpass_wire::{DecodeError, DisconnectReason, Number};

use crate::timer::Deadline;

/// The end of a connection. Errors are final: after one, the connection only lends what is left to write.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol.
    Peer(PeerMisbehaved),
    /// The peer is sound, but there is nothing both sides can do.
    Incompatible(PeerIncompatible),
    /// The host key was not accepted by the application.
    HostKeyRefused,
    /// The application's GSS-API came to nothing in a key exchange.
    GssFailed,
    /// The server took none of the credentials, or there were none left to offer.
    Authentication(AuthenticationFailed),
    /// The peer ended the connection with SSH_MSG_DISCONNECT.
    Disconnected {
        /// Its reason.
        reason: DisconnectReason,
        /// Its words, made safe to print.
        description: String,
    },
    /// The transport ended without a word.
    Lost,
    /// A step took longer than its deadline.
    Timeout(Deadline),
    /// The application ended the connection.
    Stopped,
    /// A fault of ours.
    Internal(&'static str),
}

/// What a peer did that no correct peer does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// Something is wrong before or with the identification (RFC 4253 section 4.2).
    Preamble(&'static str),
    /// A packet cannot be one, or is forged.
    Packet(PacketError),
    /// A payload does not expand to a message.
    Compression(InflateError),
    /// A message is malformed.
    Message {
        /// Its number.
        number: Number,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A message came in a phase or direction in which it is not legal.
    Unexpected {
        /// Its number.
        number: Number,
        /// The phase.
        phase: &'static str,
    },
    /// Strict key exchange was violated: something came that could be an inserted message (CVE-2023-48795).
    StrictKex,
    /// A value of the key exchange is not acceptable.
    KeyExchange(KexError),
    /// The host key's signature over the exchange is not valid.
    HostKeySignature(SignatureError),
    /// A channel number was never opened.
    NoSuchChannel(u32),
    /// More data than the window, or a packet larger than announced.
    WindowExceeded(u32),
    /// A window grew beyond 2^32 - 1 (RFC 4254 section 5.2).
    WindowOverflow(u32),
    /// A message for a channel that its state does not allow, e.g. data after end of file.
    ChannelState(u32, &'static str),
    /// A remote forward listens on a port that does not exist.
    ImpossiblePort(u32),
    /// Replies pile up because the peer does not read them or never finishes a key exchange.
    DoesNotRead,
    /// Too many messages without content.
    IdleChatter,
    /// The rounds of an authentication method do not end.
    EndlessAuthentication,
    /// A service other than the one asked for was accepted.
    WrongService,
    /// A GSS-API exchange does not come to an end, or ends without what it needs.
    Gss(&'static str),
    /// The GSS-API's proof over the key exchange is not valid.
    GssMic,
}

/// What both sides would have had to share.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerIncompatible {
    /// What answered does not speak SSH; its first line, made safe to print.
    NotSsh(String),
    /// Another version of the protocol; the identification, made safe to print.
    Version(String),
    /// An identification that does not match the pattern it must; made safe to print.
    Identification(String),
    /// The peer does not do the strict key exchange (CVE-2023-48795), without which it is not to be served.
    NotStrict {
        /// The cipher that was chosen and cannot be used without; `None`: none can.
        cipher: Option<&'static str>,
    },
    /// The server's GSS-API gave up; its words, made safe to print.
    GssRefused(String),
    /// A GSS-API context without a service that SSH needs (RFC 4462 section 2.1).
    GssTooWeak {
        /// The service.
        missing: &'static str,
    },
    /// No common algorithm.
    NoCommonAlgorithm {
        /// Which list (RFC 4253 section 7.1).
        list: AlgorithmList,
        /// What we offered.
        ours: Vec<String>,
        /// What the peer offered.
        theirs: Vec<String>,
    },
}

/// The name-lists of KEXINIT (RFC 4253 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmList {
    /// Key exchange methods.
    Kex,
    /// Host key algorithms.
    HostKey,
    /// Ciphers, client to server.
    CipherToServer,
    /// Ciphers, server to client.
    CipherToClient,
    /// MACs, client to server.
    MacToServer,
    /// MACs, server to client.
    MacToClient,
    /// Compression, client to server.
    CompressionToServer,
    /// Compression, server to client.
    CompressionToClient,
}

/// Why nobody was logged on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthenticationFailed {
    /// The application had nothing more to offer.
    GaveUp {
        /// What the server would still have accepted.
        remaining: Vec<String>,
    },
    /// The bound on requests was reached.
    TooManyRequests,
}

impl Error {
    /// What the peer is told in SSH_MSG_DISCONNECT; `None` when there is nobody to tell.
    pub fn disconnect_reason(&self) -> Option<DisconnectReason> {
        use DisconnectReason as Reason;
        Some(match self {
            Self::Disconnected { .. } | Self::Lost => return None,
            Self::Peer(PeerMisbehaved::Packet(PacketError::Forged)) => Reason::MAC_ERROR,
            Self::Peer(PeerMisbehaved::Compression(_)) => Reason::COMPRESSION_ERROR,
            Self::Peer(
                PeerMisbehaved::KeyExchange(_) | PeerMisbehaved::HostKeySignature(_) | PeerMisbehaved::GssMic,
            )
            | Self::GssFailed => Reason::KEY_EXCHANGE_FAILED,
            Self::Peer(_) => Reason::PROTOCOL_ERROR,
            Self::Incompatible(PeerIncompatible::Version(_) | PeerIncompatible::Identification(_)) => {
                Reason::PROTOCOL_VERSION_NOT_SUPPORTED
            }
            Self::Incompatible(PeerIncompatible::NotSsh(_)) => return None,
            Self::Incompatible(_) => Reason::KEY_EXCHANGE_FAILED,
            Self::HostKeyRefused => Reason::HOST_KEY_NOT_VERIFIABLE,
            Self::Authentication(_) => Reason::NO_MORE_AUTH_METHODS_AVAILABLE,
            Self::Timeout(_) | Self::Stopped => Reason::BY_APPLICATION,
            Self::Internal(_) => Reason::BY_APPLICATION,
        })
    }
}

macro_rules! from {
    ($($inner:ty => $variant:expr),+ $(,)?) => {$(
        impl From<$inner> for Error {
            fn from(inner: $inner) -> Self { $variant(inner) }
        }
    )+};
}
from! {
    PeerMisbehaved => Error::Peer,
    PeerIncompatible => Error::Incompatible,
    PacketError => |e| Error::Peer(PeerMisbehaved::Packet(e)),
    InflateError => |e| Error::Peer(PeerMisbehaved::Compression(e)),
    KexError => |e| match e {
        KexError::Internal => Error::Internal("the key exchange's arithmetic failed"),
        e => Error::Peer(PeerMisbehaved::KeyExchange(e)),
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(fault) => write!(f, "{fault}"),
            Self::Incompatible(fault) => write!(f, "{fault}"),
            Self::HostKeyRefused => f.write_str("the host key was not accepted"),
            Self::GssFailed => f.write_str("GSS-API cannot go on with the key exchange"),
            Self::Authentication(AuthenticationFailed::GaveUp { remaining }) if remaining.is_empty() => {
                f.write_str("no credential was accepted")
            }
            Self::Authentication(AuthenticationFailed::GaveUp { remaining }) => {
                write!(f, "no credential was accepted; the server still takes {}", remaining.join(", "))
            }
            Self::Authentication(AuthenticationFailed::TooManyRequests) => {
                f.write_str("too many authentication requests")
            }
            Self::Disconnected { reason, description } if description.is_empty() => {
                write!(f, "the peer disconnected: {reason}")
            }
            Self::Disconnected { reason, description } => {
                write!(f, "the peer disconnected: {description} ({reason})")
            }
            Self::Lost => f.write_str("the connection was closed without a word"),
            Self::Timeout(deadline) => write!(f, "{deadline}"),
            Self::Stopped => f.write_str("the connection was ended"),
            Self::Internal(what) => write!(f, "internal fault: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for PeerMisbehaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preamble(what) => write!(f, "malformed identification: {what}"),
            Self::Packet(error) => write!(f, "{error}"),
            Self::Compression(error) => write!(f, "a compressed packet is unusable: {error}"),
            Self::Message { number, error } => write!(f, "malformed {number}: {error}"),
            Self::Unexpected { number, phase } => write!(f, "{number} is not legal during {phase}"),
            Self::StrictKex => f.write_str("a message was inserted into the strict key exchange"),
            Self::KeyExchange(error) => write!(f, "key exchange: {error}"),
            Self::HostKeySignature(error) => write!(f, "host key: {error}"),
            Self::NoSuchChannel(id) => write!(f, "channel {id} was never opened"),
            Self::WindowExceeded(id) => write!(f, "more data than channel {id} may receive"),
            Self::WindowOverflow(id) => write!(f, "the window of channel {id} overflows"),
            Self::ChannelState(id, what) => write!(f, "channel {id}: {what}"),
            Self::ImpossiblePort(port) => write!(f, "the forward is said to listen on port {port}"),
            Self::DoesNotRead => f.write_str("the peer makes us queue replies without end"),
            Self::IdleChatter => f.write_str("too many messages without content"),
            Self::EndlessAuthentication => f.write_str("an authentication method does not come to an end"),
            Self::WrongService => f.write_str("a service was accepted that nobody asked for"),
            Self::Gss(what) => write!(f, "GSS-API: {what}"),
            Self::GssMic => f.write_str("the server's GSS-API proof of the key exchange is not valid"),
        }
    }
}

impl fmt::Display for PeerIncompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSsh(line) => write!(f, "what answers does not speak SSH; it says \"{line}\""),
            Self::Version(line) => write!(f, "the peer does not speak SSH 2.0: \"{line}\""),
            Self::Identification(line) => {
                write!(f, "the peer's identification does not match the pattern: \"{line}\"")
            }
            Self::NotStrict { cipher: None } => {
                f.write_str("the peer does not do the strict key exchange, which is required")
            }
            Self::NotStrict { cipher: Some(cipher) } => write!(
                f,
                "the peer does not do the strict key exchange, without which {cipher} is open to prefix truncation \
                 (CVE-2023-48795)"
            ),
            Self::GssRefused(words) => write!(f, "the server's GSS-API gave up: {words}"),
            Self::GssTooWeak { missing } => write!(f, "the GSS-API context has no {missing}"),
            Self::NoCommonAlgorithm { list, ours, theirs } => {
                write!(
                    f,
                    "no common {list}: we offer {}, the peer offers {}",
                    ours.join(","),
                    theirs.join(",")
                )
            }
        }
    }
}

impl fmt::Display for AlgorithmList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kex => "key exchange method",
            Self::HostKey => "host key algorithm",
            Self::CipherToServer => "cipher to the server",
            Self::CipherToClient => "cipher to the client",
            Self::MacToServer => "MAC to the server",
            Self::MacToClient => "MAC to the client",
            Self::CompressionToServer => "compression to the server",
            Self::CompressionToClient => "compression to the client",
        })
    }
}
