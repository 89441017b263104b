//! The transport layer: RFC 4253, RFC 8308 and OpenSSH's ping.

use std::fmt;

use crate::{
    codec::{DecodeError, NameList, Put, Reader},
    field::{Field, codes, messages},
    list::{List, ListItem},
};

messages! {
    /// The sender ends the connection (RFC 4253 section 11.1).
    Disconnect<'a> = DISCONNECT {
        /// Why, for programs.
        reason: DisconnectReason,
        /// Why, for people; not to be shown raw.
        description: &'a [u8],
        /// Language tag; old implementations leave it out.
        language: &'a [u8] as optional,
    }

    /// Data to be ignored (RFC 4253 section 11.2).
    Ignore<'a> = IGNORE {
        /// Arbitrary.
        data: &'a [u8],
    }

    /// The receiver did not know a message (RFC 4253 section 11.4).
    Unimplemented = UNIMPLEMENTED {
        /// Sequence number of the packet that was rejected.
        sequence: u32,
    }

    /// A remark for whoever debugs (RFC 4253 section 11.3).
    Debug<'a> = DEBUG {
        /// Whether to show it without being asked.
        always_display: bool,
        /// The remark; not to be shown raw.
        message: &'a [u8],
        /// Language tag.
        language: &'a [u8],
    }

    /// The client asks for a service (RFC 4253 section 10).
    ServiceRequest<'a> = SERVICE_REQUEST {
        /// Such as `ssh-userauth`.
        name: &'a str,
    }

    /// The server grants a service (RFC 4253 section 10).
    ServiceAccept<'a> = SERVICE_ACCEPT {
        /// The service.
        name: &'a str,
    }

    /// Extensions that the sender supports (RFC 8308 section 2.3).
    ExtInfo<'a> = EXT_INFO {
        /// In any order; unknown ones are to be ignored.
        extensions: Extensions<'a>,
    }

    /// From here on, the compression of the `delay-compression` extension (RFC 8308 section 3.2).
    NewCompress = NEWCOMPRESS

    /// The sender's algorithms, in order of preference (RFC 4253 section 7.1).
    KexInit<'a> = KEXINIT {
        /// Random.
        cookie: [u8; 16],
        /// Key exchange methods; also markers such as `ext-info-c`, which are no methods.
        kex_algorithms: NameList<'a>,
        /// Host key algorithms.
        server_host_key_algorithms: NameList<'a>,
        /// Ciphers, client to server.
        encryption_c2s: NameList<'a>,
        /// Ciphers, server to client.
        encryption_s2c: NameList<'a>,
        /// MACs, client to server.
        mac_c2s: NameList<'a>,
        /// MACs, server to client.
        mac_s2c: NameList<'a>,
        /// Compression methods, client to server.
        compression_c2s: NameList<'a>,
        /// Compression methods, server to client.
        compression_s2c: NameList<'a>,
        /// Language tags, client to server; usually none.
        languages_c2s: NameList<'a>,
        /// Language tags, server to client; usually none.
        languages_s2c: NameList<'a>,
        /// Whether a guessed kex packet follows.
        first_kex_packet_follows: bool,
        /// Zero, "reserved for future extension"; any value is accepted.
        reserved: u32,
    }

    /// From here on, the new keys (RFC 4253 section 7.3).
    NewKeys = NEWKEYS

    /// Asks for a PONG (OpenSSH).
    Ping<'a> = PING {
        /// To be sent back.
        data: &'a [u8],
    }

    /// Answers a PING (OpenSSH).
    Pong<'a> = PONG {
        /// The PING's data.
        data: &'a [u8],
    }
}

/// The extensions of [`ExtInfo`].
pub type Extensions<'a> = List<'a, Extension<'a>>;

/// A name and a value in EXT_INFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Such as `server-sig-algs`.
    pub name: &'a [u8],
    /// Its meaning depends on the name.
    pub value: &'a [u8],
}

impl<'a> Field<'a> for Extension<'a> {
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { name: reader.string()?, value: reader.string()? })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.put_string(self.name);
        out.put_string(self.value);
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<'a> ListItem<'a> for Extension<'a> {
    const WHAT: &'static str = "extensions";
    /// Fewer than ten are defined.
    const LIMIT: usize = 128;
}

impl<'a> ExtInfo<'a> {
    /// The value of an extension; of the first, should a peer repeat it.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.extensions
            .iter()
            .find(|extension| extension.name == name.as_bytes())
            .map(|extension| extension.value)
    }

    /// The signature algorithms that the server accepts for user keys (RFC 8308 section 3.1). A list that
    /// is malformed counts as not sent.
    pub fn server_sig_algs(&self) -> Option<NameList<'a>> {
        NameList::from_bytes(self.get(SERVER_SIG_ALGS)?).ok()
    }

    /// Whether the sender offers to do without flow control (RFC 8308 section 3.3); `Some(true)` if it
    /// prefers to.
    pub fn no_flow_control(&self) -> Option<bool> {
        match self.get(NO_FLOW_CONTROL)? {
            b"p" => Some(true),
            b"s" => Some(false),
            _ => None,
        }
    }

    /// The compression methods offered for after authentication, client to server and server to client
    /// (RFC 8308 section 3.2).
    pub fn delay_compression(&self) -> Option<(NameList<'a>, NameList<'a>)> {
        let mut reader = Reader::new(self.get(DELAY_COMPRESSION)?);
        let lists = (reader.name_list().ok()?, reader.name_list().ok()?);
        reader.finish().ok()?;
        Some(lists)
    }

    /// Whether the sender answers [`Ping`]. Version 0 is the only one defined.
    pub fn ping(&self) -> bool {
        self.get(PING_OPENSSH) == Some(b"0")
    }
}

/// Extension name: signature algorithms accepted for user keys, a name-list.
pub const SERVER_SIG_ALGS: &str = "server-sig-algs";
/// Extension name: compression after authentication, two name-lists.
pub const DELAY_COMPRESSION: &str = "delay-compression";
/// Extension name: no channel windows, `p` (preferred) or `s` (supported).
pub const NO_FLOW_CONTROL: &str = "no-flow-control";
/// Extension name: [`Ping`] is answered, version `0`.
pub const PING_OPENSSH: &str = "ping@openssh.com";

codes! {
    /// Why a connection was ended (RFC 4253 section 11.1). Unknown values stay representable.
    DisconnectReason {
        1 HOST_NOT_ALLOWED_TO_CONNECT = "host not allowed to connect";
        2 PROTOCOL_ERROR = "protocol error";
        3 KEY_EXCHANGE_FAILED = "key exchange failed";
        4 RESERVED = "reserved";
        5 MAC_ERROR = "MAC error";
        6 COMPRESSION_ERROR = "compression error";
        7 SERVICE_NOT_AVAILABLE = "service not available";
        8 PROTOCOL_VERSION_NOT_SUPPORTED = "protocol version not supported";
        9 HOST_KEY_NOT_VERIFIABLE = "host key not verifiable";
        10 CONNECTION_LOST = "connection lost";
        11 BY_APPLICATION = "by application";
        12 TOO_MANY_CONNECTIONS = "too many connections";
        13 AUTH_CANCELLED_BY_USER = "authentication cancelled by user";
        14 NO_MORE_AUTH_METHODS_AVAILABLE = "no more authentication methods available";
        15 ILLEGAL_USER_NAME = "illegal user name";
    }
}
