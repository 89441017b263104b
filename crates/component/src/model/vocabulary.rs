//! The words that rows are made of.

use std::fmt;

/// How a member can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and set.
    ReadWrite,
    /// Read only.
    ReadOnly,
    /// Set only.
    WriteOnly,
    /// Reading it does something.
    Action,
}

/// The heading a setting stands under. It tells apart settings of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The tunnel.
    SshTunnel,
    /// The SSH connection.
    SshClient,
    /// The socket of the SSH connection.
    TcpClient,
    /// Any socket.
    Socket,
    /// The listening socket and those accepted from it.
    TcpServer,
    /// The component as such.
    Base,
}

/// What stands in brackets behind a setting's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// The number of an SSH channel.
    ChannelId,
    /// The number of a client's connection.
    ConnectionId,
}

/// The heading an error stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ErrorGroup {
    SshTunnel,
    SshClient,
    TcpClient,
    TcpIp,
}

/// An error code.
pub type Code = u16;

/// Why an assignment, a call or a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is a connection to the server.
    WhileConnected,
    /// It is being done.
    Doing,
    /// It is done.
    Done,
    /// The component listens.
    WhileListening,
    /// No client has the number.
    NoSuchClient,
    /// The value is no good.
    BadValue,
    /// The server is not what the value allows.
    Server,
    /// What the value allows is used up.
    Exhausted,
    /// Text has characters that the code page has not.
    Unencodable,
    /// Nothing more fits into the queue.
    WouldBlock,
}

/// A platform, as far as the interface tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Platform {
    FreeBsd,
    Java,
    Linux,
    MacOs,
    Unix,
    Windows,
}

/// Where a setting has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platforms {
    /// Everywhere.
    All,
    /// There only.
    Only(Platform),
    /// Everywhere else.
    Except(&'static [Platform]),
    /// On the first, but for the others.
    OnlyExcept(Platform, &'static [Platform]),
}

/// A code page that text can be encoded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    /// The number it is asked for by.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// The platform whose list it is in, `None` for that of all platforms.
    pub platform: Option<Platform>,
}

/// What the store of a store type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The name of a store of the system.
    SystemStore,
    /// The name of a file.
    File,
    /// The content, in an encoding.
    Blob(Encoding),
    /// Whatever it turns out to be.
    Anything,
}

/// How the content of a store is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The interface does not say.
    NotStated,
    /// As it is.
    Binary,
    /// As it is, or in base64.
    BinaryOrBase64,
}

/// A value of `ssh_cert_store_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreType {
    /// The number.
    pub number: i64,
    /// Its name.
    pub token: &'static str,
    /// What the store is.
    pub holds: Holds,
    /// Where there is such a store.
    pub platforms: Platforms,
    /// What is in it.
    pub doc: &'static str,
}

/// A field of a certificate's subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SubjectField {
    pub name: &'static str,
    pub doc: &'static str,
}

/// How a field is written in a packet (RFC 4251 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireType {
    /// A string, given as text.
    Text,
    /// A string, given in hexadecimal.
    Hex,
    /// An integer of any size.
    Mpint,
    /// 32 bits.
    Uint32,
    /// 64 bits.
    Uint64,
    /// 8 bits.
    Byte,
    /// True or false.
    Boolean,
}

/// A field that `get_ssh_param` knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketField {
    /// The type of the channel request it belongs to; empty for fields of every request.
    pub request: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub wire: WireType,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FreeBsd => "FreeBSD",
            Self::Java => "Java",
            Self::Linux => "Linux",
            Self::MacOs => "macOS",
            Self::Unix => "Unix",
            Self::Windows => "Windows",
        })
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SshTunnel => "SSHTunnel",
            Self::SshClient => "SSHClient",
            Self::TcpClient => "TCPClient",
            Self::Socket => "Socket",
            Self::TcpServer => "TCPServer",
            Self::Base => "Base",
        })
    }
}

impl fmt::Display for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SshTunnel => "SSHTunnel",
            Self::SshClient => "SSHClient",
            Self::TcpClient => "TCPClient",
            Self::TcpIp => "TCP/IP",
        })
    }
}
