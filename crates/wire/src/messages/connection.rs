//! The connection protocol: RFC 4254, and OpenSSH's forwarding of Unix-domain sockets.

use super::Encode;
use crate::{
    codec::{DecodeError, Put, Reader},
    field::{codes, messages},
    number::Number,
};

messages! {
    /// A global request is granted (RFC 4254 section 4).
    RequestSuccess<'a> = REQUEST_SUCCESS {
        /// Depends on the request.
        data: &'a [u8] as rest,
    }

    /// A global request is refused (RFC 4254 section 4).
    RequestFailure = REQUEST_FAILURE

    /// A channel is open (RFC 4254 section 5.1).
    ChannelOpenConfirmation<'a> = CHANNEL_OPEN_CONFIRMATION {
        /// The channel's number at the receiver of this message.
        recipient: u32,
        /// The channel's number at its sender.
        sender: u32,
        /// Initial window for the receiver's data, in bytes.
        window: u32,
        /// Most bytes of data in one message to the sender.
        max_packet: u32,
        /// Depends on the channel type.
        data: &'a [u8] as rest,
    }

    /// A channel is refused (RFC 4254 section 5.1).
    ChannelOpenFailure<'a> = CHANNEL_OPEN_FAILURE {
        /// The channel's number at the receiver of this message.
        recipient: u32,
        /// Why, for programs.
        reason: OpenFailureReason,
        /// Why, for people; not to be shown raw.
        description: &'a [u8],
        /// Language tag; some implementations leave it out.
        language: &'a [u8] as optional,
    }

    /// The receiver may send more (RFC 4254 section 5.2).
    ChannelWindowAdjust = CHANNEL_WINDOW_ADJUST {
        /// The channel's number at the receiver of this message.
        recipient: u32,
        /// By how much.
        bytes: u32,
    }

    /// Data (RFC 4254 section 5.2).
    ChannelData<'a> = CHANNEL_DATA {
        /// The channel's number at the receiver of this message.
        recipient: u32,
        /// The data.
        data: &'a [u8],
    }

    /// Data of a second stream, such as standard error (RFC 4254 section 5.2).
    ChannelExtendedData<'a> = CHANNEL_EXTENDED_DATA {
        /// The channel's number at the receiver of this message.
        recipient: u32,
        /// Which stream; 1 is standard error.
        code: u32,
        /// The data.
        data: &'a [u8],
    }

    /// The sender has no more data (RFC 4254 section 5.3).
    ChannelEof = CHANNEL_EOF {
        /// The channel's number at the receiver of this message.
        recipient: u32,
    }

    /// The sender is done with the channel (RFC 4254 section 5.3).
    ChannelClose = CHANNEL_CLOSE {
        /// The channel's number at the receiver of this message.
        recipient: u32,
    }

    /// A request about a channel (RFC 4254 section 5.4); [`kind`](Self::kind) reads the data.
    ChannelRequest<'a> = CHANNEL_REQUEST {
        /// The channel's number at the receiver of this message.
        recipient: u32,
        /// Such as `exit-status`.
        name: &'a str,
        /// Whether CHANNEL_SUCCESS or CHANNEL_FAILURE is expected.
        want_reply: bool,
        /// Depends on the name.
        data: &'a [u8] as rest,
    }

    /// A channel request is granted (RFC 4254 section 5.4).
    ChannelSuccess = CHANNEL_SUCCESS {
        /// The channel's number at the receiver of this message.
        recipient: u32,
    }

    /// A channel request is refused (RFC 4254 section 5.4).
    ChannelFailure = CHANNEL_FAILURE {
        /// The channel's number at the receiver of this message.
        recipient: u32,
    }
}

codes! {
    /// Why a channel is refused (RFC 4254 section 5.1). Unknown values stay representable.
    OpenFailureReason {
        1 ADMINISTRATIVELY_PROHIBITED = "administratively prohibited";
        2 CONNECT_FAILED = "connect failed";
        3 UNKNOWN_CHANNEL_TYPE = "unknown channel type";
        4 RESOURCE_SHORTAGE = "resource shortage";
    }
}

impl RequestSuccess<'_> {
    /// The port that the server chose for a `tcpip-forward` of port 0 (RFC 4254 section 7.1).
    pub fn allocated_port(&self) -> Result<u32, DecodeError> {
        let mut reader = Reader::new(self.data);
        let port = reader.u32()?;
        reader.finish()?;
        Ok(port)
    }
}

/// A request about the connection as a whole (RFC 4254 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalRequest<'a> {
    /// Such as `tcpip-forward`. [`GlobalRequest::new`] keeps it in step with `data`.
    pub name: &'a str,
    /// Whether REQUEST_SUCCESS or REQUEST_FAILURE is expected.
    pub want_reply: bool,
    /// What is asked.
    pub data: GlobalRequestData<'a>,
}

/// What a [`GlobalRequest`] asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalRequestData<'a> {
    /// `tcpip-forward`: listen and forward (RFC 4254 section 7.1).
    TcpipForward {
        /// Address or name to listen on; empty for all.
        address: &'a str,
        /// Port to listen on; 0 for any.
        port: u32,
    },
    /// `cancel-tcpip-forward` (RFC 4254 section 7.1).
    CancelTcpipForward {
        /// As in the request to listen.
        address: &'a str,
        /// The port that is listened on.
        port: u32,
    },
    /// `streamlocal-forward@openssh.com`: listen on a Unix-domain socket and forward.
    StreamlocalForward {
        /// Path of the socket.
        path: &'a [u8],
    },
    /// `cancel-streamlocal-forward@openssh.com`.
    CancelStreamlocalForward {
        /// Path of the socket.
        path: &'a [u8],
    },
    /// `keepalive@openssh.com`: any reply shows that the peer is alive.
    Keepalive,
    /// `hostkeys-00@openssh.com`: all host keys of the server.
    HostKeys {
        /// Encoded keys, each a `string`.
        keys: &'a [u8],
    },
    /// `no-more-sessions@openssh.com`: the client will open no session.
    NoMoreSessions,
    /// Any other request.
    Other {
        /// Depends on the name.
        data: &'a [u8],
    },
}

const TCPIP_FORWARD: &str = "tcpip-forward";
const CANCEL_TCPIP_FORWARD: &str = "cancel-tcpip-forward";
const STREAMLOCAL_FORWARD: &str = "streamlocal-forward@openssh.com";
const CANCEL_STREAMLOCAL_FORWARD: &str = "cancel-streamlocal-forward@openssh.com";
const KEEPALIVE: &str = "keepalive@openssh.com";
const HOSTKEYS: &str = "hostkeys-00@openssh.com";
const NO_MORE_SESSIONS: &str = "no-more-sessions@openssh.com";

impl<'a> GlobalRequest<'a> {
    /// A request with the name that belongs to `data`. [`GlobalRequestData::Other`] has none of its own and
    /// gets the empty one: build that request field by field.
    pub fn new(want_reply: bool, data: GlobalRequestData<'a>) -> Self {
        Self { name: data.name().unwrap_or_default(), want_reply, data }
    }

    /// Decodes what follows the message number.
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (name, want_reply) = (reader.text()?, reader.bool()?);
        Ok(Self { name, want_reply, data: GlobalRequestData::decode(name, reader)? })
    }
}

impl Encode for GlobalRequest<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(Number::GLOBAL_REQUEST.0);
        out.put_text(self.name);
        out.put_bool(self.want_reply);
        self.data.encode(out);
    }
}

impl<'a> GlobalRequestData<'a> {
    /// The request's name; `None` for [`Other`](Self::Other).
    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::TcpipForward { .. } => TCPIP_FORWARD,
            Self::CancelTcpipForward { .. } => CANCEL_TCPIP_FORWARD,
            Self::StreamlocalForward { .. } => STREAMLOCAL_FORWARD,
            Self::CancelStreamlocalForward { .. } => CANCEL_STREAMLOCAL_FORWARD,
            Self::Keepalive => KEEPALIVE,
            Self::HostKeys { .. } => HOSTKEYS,
            Self::NoMoreSessions => NO_MORE_SESSIONS,
            Self::Other { .. } => return None,
        })
    }

    fn decode(name: &str, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match name {
            TCPIP_FORWARD => Self::TcpipForward { address: reader.text()?, port: reader.u32()? },
            CANCEL_TCPIP_FORWARD => Self::CancelTcpipForward { address: reader.text()?, port: reader.u32()? },
            STREAMLOCAL_FORWARD => Self::StreamlocalForward { path: reader.string()? },
            CANCEL_STREAMLOCAL_FORWARD => Self::CancelStreamlocalForward { path: reader.string()? },
            KEEPALIVE => Self::Keepalive,
            HOSTKEYS => Self::HostKeys { keys: reader.rest() },
            NO_MORE_SESSIONS => Self::NoMoreSessions,
            _ => Self::Other { data: reader.rest() },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::TcpipForward { address, port } | Self::CancelTcpipForward { address, port } => {
                out.put_text(address);
                out.put_u32(port);
            }
            Self::StreamlocalForward { path } | Self::CancelStreamlocalForward { path } => {
                out.put_string(path);
            }
            Self::Keepalive | Self::NoMoreSessions => {}
            Self::HostKeys { keys: data } | Self::Other { data } => out.put_bytes(data),
        }
    }
}

/// A side asks for a channel (RFC 4254 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelOpen<'a> {
    /// The channel's number at the sender of this message.
    pub sender: u32,
    /// Initial window for the receiver's data, in bytes.
    pub window: u32,
    /// Most bytes of data in one message to the sender.
    pub max_packet: u32,
    /// The channel type and its fields.
    pub kind: ChannelKind<'a>,
}

/// The type of a channel, with its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind<'a> {
    /// `direct-tcpip`: the server shall connect (RFC 4254 section 7.2).
    DirectTcpip {
        /// Name or address to connect to.
        host: &'a str,
        /// Port to connect to.
        port: u32,
        /// Address from which the client was asked.
        originator: &'a str,
        /// Port from which the client was asked.
        originator_port: u32,
    },
    /// `forwarded-tcpip`: someone has connected to the server (RFC 4254 section 7.2).
    ForwardedTcpip {
        /// The address that was connected to, as in `tcpip-forward`.
        address: &'a str,
        /// The port that was connected to.
        port: u32,
        /// Who connected.
        originator: &'a str,
        /// From which port.
        originator_port: u32,
    },
    /// `direct-streamlocal@openssh.com`: the server shall connect to a Unix-domain socket.
    DirectStreamlocal {
        /// Path of the socket.
        path: &'a [u8],
    },
    /// `forwarded-streamlocal@openssh.com`: someone has connected to a Unix-domain socket of the server.
    ForwardedStreamlocal {
        /// Path of the socket.
        path: &'a [u8],
    },
    /// `session` (RFC 4254 section 6.1).
    Session,
    /// Any other type.
    Other {
        /// The type.
        name: &'a str,
        /// Its fields.
        data: &'a [u8],
    },
}

const DIRECT_TCPIP: &str = "direct-tcpip";
const FORWARDED_TCPIP: &str = "forwarded-tcpip";
const DIRECT_STREAMLOCAL: &str = "direct-streamlocal@openssh.com";
const FORWARDED_STREAMLOCAL: &str = "forwarded-streamlocal@openssh.com";
const SESSION: &str = "session";

impl<'a> ChannelOpen<'a> {
    /// Decodes what follows the message number.
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let name = reader.text()?;
        Ok(Self {
            sender: reader.u32()?,
            window: reader.u32()?,
            max_packet: reader.u32()?,
            kind: ChannelKind::decode(name, reader)?,
        })
    }
}

impl Encode for ChannelOpen<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(Number::CHANNEL_OPEN.0);
        out.put_text(self.kind.name());
        out.put_u32(self.sender);
        out.put_u32(self.window);
        out.put_u32(self.max_packet);
        self.kind.encode(out);
    }
}

impl<'a> ChannelKind<'a> {
    /// The channel type's name.
    pub fn name(&self) -> &'a str {
        match self {
            Self::DirectTcpip { .. } => DIRECT_TCPIP,
            Self::ForwardedTcpip { .. } => FORWARDED_TCPIP,
            Self::DirectStreamlocal { .. } => DIRECT_STREAMLOCAL,
            Self::ForwardedStreamlocal { .. } => FORWARDED_STREAMLOCAL,
            Self::Session => SESSION,
            Self::Other { name, .. } => name,
        }
    }

    fn decode(name: &'a str, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match name {
            DIRECT_TCPIP => Self::DirectTcpip {
                host: reader.text()?,
                port: reader.u32()?,
                originator: reader.text()?,
                originator_port: reader.u32()?,
            },
            FORWARDED_TCPIP => Self::ForwardedTcpip {
                address: reader.text()?,
                port: reader.u32()?,
                originator: reader.text()?,
                originator_port: reader.u32()?,
            },
            // OpenSSH's PROTOCOL: a reserved string and a reserved uint32, of any value, follow the path.
            DIRECT_STREAMLOCAL => {
                let path = reader.string()?;
                reader.string()?;
                reader.u32()?;
                Self::DirectStreamlocal { path }
            }
            FORWARDED_STREAMLOCAL => {
                let path = reader.string()?;
                reader.string()?;
                Self::ForwardedStreamlocal { path }
            }
            SESSION => Self::Session,
            _ => Self::Other { name, data: reader.rest() },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::DirectTcpip { host: address, port, originator, originator_port }
            | Self::ForwardedTcpip { address, port, originator, originator_port } => {
                out.put_text(address);
                out.put_u32(port);
                out.put_text(originator);
                out.put_u32(originator_port);
            }
            Self::DirectStreamlocal { path } => {
                out.put_string(path);
                out.put_string(b"");
                out.put_u32(0);
            }
            Self::ForwardedStreamlocal { path } => {
                out.put_string(path);
                out.put_string(b"");
            }
            Self::Session => {}
            Self::Other { data, .. } => out.put_bytes(data),
        }
    }
}

/// The channel requests that a tunnel may meet, read from a [`ChannelRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelRequestKind<'a> {
    /// `exit-status` (RFC 4254 section 6.10).
    ExitStatus {
        /// Of the command.
        status: u32,
    },
    /// `exit-signal` (RFC 4254 section 6.10).
    ExitSignal {
        /// Without `SIG`.
        signal: &'a str,
        /// Whether there is a core file.
        core_dumped: bool,
        /// For people; not to be shown raw.
        message: &'a [u8],
        /// Language tag.
        language: &'a [u8],
    },
    /// `keepalive@openssh.com`: any reply shows that the peer is alive.
    Keepalive,
    /// `eow@openssh.com`: the sender reads no more; it may still write.
    EndOfWrite,
    /// Any other request.
    Other,
}

const EXIT_STATUS: &str = "exit-status";
const EXIT_SIGNAL: &str = "exit-signal";
const END_OF_WRITE: &str = "eow@openssh.com";

impl<'a> ChannelRequest<'a> {
    /// Reads the data as the name demands.
    pub fn kind(&self) -> Result<ChannelRequestKind<'a>, DecodeError> {
        let mut reader = Reader::new(self.data);
        let kind = match self.name {
            EXIT_STATUS => ChannelRequestKind::ExitStatus { status: reader.u32()? },
            EXIT_SIGNAL => ChannelRequestKind::ExitSignal {
                signal: reader.text()?,
                core_dumped: reader.bool()?,
                message: reader.string()?,
                language: reader.string()?,
            },
            KEEPALIVE => ChannelRequestKind::Keepalive,
            END_OF_WRITE => ChannelRequestKind::EndOfWrite,
            _ => return Ok(ChannelRequestKind::Other),
        };
        reader.finish()?;
        Ok(kind)
    }
}
