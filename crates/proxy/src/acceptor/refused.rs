use std::fmt;

use super::{Protocol, http, socks4, socks5};
use crate::escape::Escaped;
use crate::reader::Stop;
use crate::socks5::{method, reply};
use crate::target::TargetError;

/// Why a client gets no connection. All but [`AlreadyAsked`](Self::AlreadyAsked) are the client's doing. Its
/// text is here as it came; it is escaped when shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No proxy protocol begins like this. The client is told nothing: it would not understand.
    UnknownProtocol {
        /// The first byte.
        first: u8,
    },
    /// A SOCKS command other than CONNECT, such as BIND or UDP ASSOCIATE.
    Command {
        /// The protocol.
        protocol: Protocol,
        /// The command's number.
        command: u8,
    },
    /// A SOCKS 5 address of a kind that does not exist.
    AddressType {
        /// The kind's number.
        address_type: u8,
    },
    /// An HTTP request other than CONNECT, as for a plain web page.
    Method {
        /// The method.
        method: String,
    },
    /// A version of HTTP other than 1.0 and 1.1.
    HttpVersion {
        /// The version.
        version: String,
    },
    /// The client offers no SOCKS 5 method that is accepted here.
    NoCommonMethod {
        /// The methods that it offers.
        offered: Vec<u8>,
    },
    /// User name and password in a version that does not exist.
    CredentialsVersion {
        /// The version.
        version: u8,
    },
    /// The client sent no user name and password.
    CredentialsRequired {
        /// The protocol; SOCKS 4 cannot carry any.
        protocol: Protocol,
    },
    /// User name and password are wrong.
    WrongCredentials {
        /// The protocol.
        protocol: Protocol,
        /// The user name.
        user: String,
    },
    /// Nothing can be connected to there.
    Target {
        /// The protocol.
        protocol: Protocol,
        /// What is wrong with it.
        error: TargetError,
    },
    /// The client broke the protocol.
    Malformed {
        /// The protocol.
        protocol: Protocol,
        /// What is wrong.
        what: &'static str,
    },
    /// Something is longer than it may be.
    TooLong {
        /// The protocol.
        protocol: Protocol,
        /// What it is.
        what: &'static str,
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// The caller passed bytes on after the request was complete. They were not taken.
    AlreadyAsked,
}

impl Refused {
    /// What the client is told before the connection is closed.
    pub(super) fn farewell(&self) -> Vec<u8> {
        match self {
            Self::UnknownProtocol { .. } | Self::AlreadyAsked => Vec::new(),
            Self::NoCommonMethod { .. } => socks5::NO_METHOD.to_vec(),
            Self::CredentialsVersion { .. } => socks5::NOT_ADMITTED.to_vec(),
            Self::AddressType { .. } => socks5::reply(reply::ADDRESS_TYPE_NOT_SUPPORTED).to_vec(),
            Self::Method { .. } => http::error("405 Method Not Allowed", "Allow: CONNECT\r\n", ONLY_CONNECT),
            Self::HttpVersion { .. } => {
                http::error("505 HTTP Version Not Supported", "", "This proxy speaks HTTP/1.1.")
            }
            Self::Command { protocol, .. }
            | Self::CredentialsRequired { protocol }
            | Self::WrongCredentials { protocol, .. }
            | Self::Target { protocol, .. }
            | Self::Malformed { protocol, .. }
            | Self::TooLong { protocol, .. } => match protocol {
                Protocol::Socks4 | Protocol::Socks4a => socks4::reply(socks4::REJECTED).to_vec(),
                Protocol::Socks5 => self.farewell_socks5(),
                Protocol::HttpConnect => self.farewell_http(),
            },
        }
    }

    fn farewell_socks5(&self) -> Vec<u8> {
        match self {
            Self::WrongCredentials { .. } => socks5::NOT_ADMITTED.to_vec(),
            Self::Command { .. } => socks5::reply(reply::COMMAND_NOT_SUPPORTED).to_vec(),
            _ => socks5::reply(reply::GENERAL_FAILURE).to_vec(),
        }
    }

    fn farewell_http(&self) -> Vec<u8> {
        match self {
            Self::CredentialsRequired { .. } => http::error(UNAUTHENTICATED, CHALLENGE, "Who are you?"),
            Self::WrongCredentials { .. } => {
                http::error(UNAUTHENTICATED, CHALLENGE, "User name or password is wrong.")
            }
            Self::TooLong { .. } => {
                http::error("431 Request Header Fields Too Large", "", "The request is too long.")
            }
            // Nothing that the client sent is repeated: a page of ours shall not show what others put into it.
            Self::Target { error, .. } => {
                http::error("400 Bad Request", "", &format!("Bad target: {error}."))
            }
            _ => http::error("400 Bad Request", "", "This is no valid request."),
        }
    }
}

const ONLY_CONNECT: &str = "This proxy understands CONNECT only. Set it as the proxy for HTTPS or as a SOCKS proxy, \
                            not as a proxy for plain HTTP.";

const UNAUTHENTICATED: &str = "407 Proxy Authentication Required";

/// RFC 7617 section 2.
const CHALLENGE: &str = "Proxy-Authenticate: Basic realm=\"tunnel\", charset=\"UTF-8\"\r\n";

/// The first byte of a TLS record with a ClientHello (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProtocol { first: TLS_HANDSHAKE } => {
                f.write_str("the client speaks TLS; this proxy expects SOCKS or HTTP CONNECT in the clear")
            }
            Self::UnknownProtocol { first } => {
                write!(f, "the client speaks neither SOCKS nor HTTP: its first byte is {first:#04x}")
            }
            Self::Command { protocol, command } => {
                let name = match command {
                    2 => "BIND",
                    3 if *protocol == Protocol::Socks5 => "UDP ASSOCIATE",
                    _ => return write!(f, "the {protocol} command {command} does not exist"),
                };
                write!(f, "the client asks for {name}; only CONNECT is supported")
            }
            Self::AddressType { address_type } => {
                write!(f, "the SOCKS 5 address type {address_type} does not exist")
            }
            Self::Method { method } => {
                write!(f, "the client asks for {}; only CONNECT is supported", Escaped(method.as_bytes()))
            }
            Self::HttpVersion { version } => {
                write!(f, "the client speaks {}; only HTTP/1 is supported", Escaped(version.as_bytes()))
            }
            Self::NoCommonMethod { offered } if offered.contains(&method::CREDENTIALS) => {
                f.write_str("the client insists on sending a user name and a password, and none are expected")
            }
            Self::NoCommonMethod { .. } => {
                f.write_str("the client does not offer the SOCKS 5 authentication that is expected")
            }
            Self::CredentialsVersion { version } => {
                write!(f, "user name and password came in the unknown version {version}")
            }
            Self::CredentialsRequired { protocol: Protocol::Socks4 | Protocol::Socks4a } => {
                f.write_str("a user name and a password are required, and SOCKS 4 has none")
            }
            Self::CredentialsRequired { .. } => f.write_str("the client sent no user name and password"),
            Self::WrongCredentials { user, .. } => {
                write!(
                    f,
                    "the password for `{}` is wrong, or there is no such user",
                    Escaped(user.as_bytes())
                )
            }
            Self::Target { error, .. } => write!(f, "the client asks for an impossible target: {error}"),
            Self::Malformed { protocol, what } => write!(f, "the client broke {protocol}: {what}"),
            Self::TooLong { what, limit, .. } => write!(f, "the {what} has more than {limit} bytes"),
            Self::AlreadyAsked => f.write_str("the request is complete already"),
        }
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for Stop<Refused> {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused)
    }
}
