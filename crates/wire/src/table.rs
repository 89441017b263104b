//! The one message table: number, type, direction and legal phases of every message.

use crate::{
    codec::{DecodeError, Reader},
    messages::*,
    number::{AuthMethod, Context, Direction, KexFamily, Number, Phases},
};

/// One row of [`TABLE`].
#[derive(Debug)]
#[non_exhaustive]
pub struct MessageInfo {
    /// The number on the wire.
    pub number: Number,
    /// The RFC's name, such as `SSH_MSG_KEXINIT`.
    pub name: &'static str,
    /// Who may send it.
    pub direction: Direction,
    /// When its sender may send it.
    pub phases: Phases,
    /// The kex family that gives the number this meaning; `None` if no kex is needed to read it.
    pub kex: Option<KexFamily>,
    /// The authentication method that gives the number this meaning; `None` if none is needed to read it.
    pub auth: Option<AuthMethod>,
    decode: for<'a> fn(&mut Reader<'a>) -> Result<Message<'a>, DecodeError>,
}

impl MessageInfo {
    /// Whether the row's number has this row's meaning in `context`.
    pub fn applies_in(&self, context: Context) -> bool {
        let kex = self.kex.is_none_or(|row| context.kex.is_some_and(|family| family.includes(row)));
        kex && self.auth.is_none_or(|row| context.auth == Some(row))
    }
}

/// The row of `number` as `context` reads it.
pub fn lookup(number: u8, context: Context) -> Option<&'static MessageInfo> {
    let first = usize::from(FIRST_ROW[usize::from(number)]);
    let rows = TABLE.get(first..)?.iter();
    rows.take_while(|row| row.number.0 == number).find(|row| row.applies_in(context))
}

/// Where each number's rows begin in [`TABLE`], which is ordered by number; its length if there are none.
static FIRST_ROW: [u8; 256] = {
    assert!(TABLE.len() < 256);
    let mut first = [TABLE.len() as u8; 256];
    let mut row = TABLE.len();
    while row > 0 {
        row -= 1;
        let number = TABLE[row].number.0;
        assert!(row == 0 || TABLE[row - 1].number.0 <= number, "rows are ordered by number");
        first[number as usize] = row as u8;
    }
    first
};

impl<'a> Message<'a> {
    /// Decodes a packet's payload, message number included. Bytes after the last field are an error.
    pub fn decode(payload: &'a [u8], context: Context) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let number = reader.u8()?;
        let row = lookup(number, context).ok_or(DecodeError::UnknownMessage { number })?;
        let message = (row.decode)(&mut reader)?;
        reader.finish()?;
        Ok(message)
    }
}

macro_rules! table {
    ($($number:literal $constant:ident $variant:ident $(<$lifetime:lifetime>)?
        $direction:ident $phases:ident $(kex $kex:ident)? $(auth $auth:ident)?;)*) => {
        impl Number {
            $(
                #[doc = concat!("`SSH_MSG_", stringify!($constant), "`:")]
                #[doc = concat!("[`", stringify!($variant), "`](crate::", stringify!($variant), ").")]
                pub const $constant: Self = Self($number);
            )*
        }

        /// Every message known, ordered by number.
        pub static TABLE: &[MessageInfo] = &[$(MessageInfo {
            number: Number::$constant,
            name: concat!("SSH_MSG_", stringify!($constant)),
            direction: Direction::$direction,
            phases: $phases,
            kex: given!($(KexFamily::$kex)?),
            auth: given!($(AuthMethod::$auth)?),
            decode: |reader| $variant::decode(reader).map(Message::$variant),
        }),*];

        /// Any message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Message<'a> {
            $(
                #[doc = concat!("`SSH_MSG_", stringify!($constant), "`.")]
                $variant($variant $(<$lifetime>)?),
            )*
        }

        impl Message<'_> {
            /// The number on the wire.
            pub fn number(&self) -> Number {
                match self {
                    $(Self::$variant(_) => Number::$constant,)*
                }
            }
        }

        impl Encode for Message<'_> {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant(message) => message.encode(out),)*
                }
            }
        }

        $(impl<'a> From<$variant $(<$lifetime>)?> for Message<'a> {
            fn from(message: $variant $(<$lifetime>)?) -> Self {
                Self::$variant(message)
            }
        })*
    };
}

macro_rules! given {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// Transport messages that RFC 4253 section 7.1 allows even during key exchange.
const ALWAYS: Phases = KEX.union(Phases::SERVICE).union(Phases::AUTH).union(Phases::OPEN);
/// Steps of a key exchange.
const KEX: Phases = Phases::FIRST_KEX.union(Phases::REKEY);
/// The start of a key exchange; during one, "further SSH_MSG_KEXINIT messages MUST NOT be sent" (RFC 4253
/// section 7.1).
const KEX_START: Phases = Phases::FIRST_KEX.union(AFTER_KEX);
/// Whenever no key exchange is under way.
const AFTER_KEX: Phases = Phases::SERVICE.union(Phases::AUTH).union(Phases::OPEN);
const SERVICE: Phases = Phases::SERVICE;
/// Right after the first NEWKEYS, or before USERAUTH_SUCCESS (RFC 8308 section 2.4).
const EXT_INFO: Phases = Phases::SERVICE.union(Phases::AUTH);
const AUTH: Phases = Phases::AUTH;
/// Requests that cross USERAUTH_SUCCESS "SHOULD be silently ignored" (RFC 4252 section 5.1), so they are legal.
const AUTH_REQUEST: Phases = Phases::AUTH.union(Phases::OPEN);
const OPEN: Phases = Phases::OPEN;

table! {
    // RFC 4253 section 12; RFC 8308 sections 2.3 and 3.2.
      1 DISCONNECT                        Disconnect<'a>                    Both           ALWAYS;
      2 IGNORE                            Ignore<'a>                        Both           ALWAYS;
      3 UNIMPLEMENTED                     Unimplemented                     Both           ALWAYS;
      4 DEBUG                             Debug<'a>                         Both           ALWAYS;
      5 SERVICE_REQUEST                   ServiceRequest<'a>                ClientToServer SERVICE;
      6 SERVICE_ACCEPT                    ServiceAccept<'a>                 ServerToClient SERVICE;
      7 EXT_INFO                          ExtInfo<'a>                       Both           EXT_INFO;
      8 NEWCOMPRESS                       NewCompress                       Both           OPEN;
     20 KEXINIT                           KexInit<'a>                       Both           KEX_START;
     21 NEWKEYS                           NewKeys                           Both           KEX;

    // RFC 5656 section 7.1, RFC 8731; RFC 4253 section 8; RFC 4419 section 5; RFC 4462 section 2.
     30 KEX_ECDH_INIT                     KexEcdhInit<'a>                   ClientToServer KEX kex Ecdh;
     30 KEXDH_INIT                        KexDhInit<'a>                     ClientToServer KEX kex Dh;
     30 KEX_DH_GEX_REQUEST_OLD            KexDhGexRequestOld                ClientToServer KEX kex GroupExchange;
     30 KEXGSS_INIT                       KexGssInit<'a>                    ClientToServer KEX kex Gss;
     31 KEX_ECDH_REPLY                    KexEcdhReply<'a>                  ServerToClient KEX kex Ecdh;
     31 KEXDH_REPLY                       KexDhReply<'a>                    ServerToClient KEX kex Dh;
     31 KEX_DH_GEX_GROUP                  KexDhGexGroup<'a>                 ServerToClient KEX kex GroupExchange;
     31 KEXGSS_CONTINUE                   KexGssContinue<'a>                Both           KEX kex Gss;
     32 KEX_DH_GEX_INIT                   KexDhGexInit<'a>                  ClientToServer KEX kex GroupExchange;
     32 KEXGSS_COMPLETE                   KexGssComplete<'a>                ServerToClient KEX kex Gss;
     33 KEX_DH_GEX_REPLY                  KexDhGexReply<'a>                 ServerToClient KEX kex GroupExchange;
     33 KEXGSS_HOSTKEY                    KexGssHostKey<'a>                 ServerToClient KEX kex Gss;
     34 KEX_DH_GEX_REQUEST                KexDhGexRequest                   ClientToServer KEX kex GroupExchange;
     34 KEXGSS_ERROR                      KexGssError<'a>                   ServerToClient KEX kex Gss;
     40 KEXGSS_GROUPREQ                   KexGssGroupReq                    ClientToServer KEX kex GssGroupExchange;
     41 KEXGSS_GROUP                      KexGssGroup<'a>                   ServerToClient KEX kex GssGroupExchange;

    // RFC 4252 section 6; RFC 4256 section 5; RFC 4462 section 3.
     50 USERAUTH_REQUEST                  UserauthRequest<'a>               ClientToServer AUTH_REQUEST;
     51 USERAUTH_FAILURE                  UserauthFailure<'a>               ServerToClient AUTH;
     52 USERAUTH_SUCCESS                  UserauthSuccess                   ServerToClient AUTH;
     53 USERAUTH_BANNER                   UserauthBanner<'a>                ServerToClient AUTH;
     60 USERAUTH_PK_OK                    UserauthPkOk<'a>                  ServerToClient AUTH auth PublicKey;
     60 USERAUTH_PASSWD_CHANGEREQ         UserauthPasswdChangereq<'a>       ServerToClient AUTH auth Password;
     60 USERAUTH_INFO_REQUEST             UserauthInfoRequest<'a>           ServerToClient AUTH auth KeyboardInteractive;
     60 USERAUTH_GSSAPI_RESPONSE          UserauthGssapiResponse<'a>        ServerToClient AUTH auth GssapiWithMic;
     61 USERAUTH_INFO_RESPONSE            UserauthInfoResponse<'a>          ClientToServer AUTH auth KeyboardInteractive;
     61 USERAUTH_GSSAPI_TOKEN             UserauthGssapiToken<'a>           Both           AUTH auth GssapiWithMic;
     63 USERAUTH_GSSAPI_EXCHANGE_COMPLETE UserauthGssapiExchangeComplete    ClientToServer AUTH auth GssapiWithMic;
     64 USERAUTH_GSSAPI_ERROR             UserauthGssapiError<'a>           ServerToClient AUTH auth GssapiWithMic;
     65 USERAUTH_GSSAPI_ERRTOK            UserauthGssapiErrtok<'a>          Both           AUTH auth GssapiWithMic;
     66 USERAUTH_GSSAPI_MIC               UserauthGssapiMic<'a>             ClientToServer AUTH auth GssapiWithMic;

    // RFC 4254 section 9.
     80 GLOBAL_REQUEST                    GlobalRequest<'a>                 Both           OPEN;
     81 REQUEST_SUCCESS                   RequestSuccess<'a>                Both           OPEN;
     82 REQUEST_FAILURE                   RequestFailure                    Both           OPEN;
     90 CHANNEL_OPEN                      ChannelOpen<'a>                   Both           OPEN;
     91 CHANNEL_OPEN_CONFIRMATION         ChannelOpenConfirmation<'a>       Both           OPEN;
     92 CHANNEL_OPEN_FAILURE              ChannelOpenFailure<'a>            Both           OPEN;
     93 CHANNEL_WINDOW_ADJUST             ChannelWindowAdjust               Both           OPEN;
     94 CHANNEL_DATA                      ChannelData<'a>                   Both           OPEN;
     95 CHANNEL_EXTENDED_DATA             ChannelExtendedData<'a>           Both           OPEN;
     96 CHANNEL_EOF                       ChannelEof                        Both           OPEN;
     97 CHANNEL_CLOSE                     ChannelClose                      Both           OPEN;
     98 CHANNEL_REQUEST                   ChannelRequest<'a>                Both           OPEN;
     99 CHANNEL_SUCCESS                   ChannelSuccess                    Both           OPEN;
    100 CHANNEL_FAILURE                   ChannelFailure                    Both           OPEN;

    // Transport messages of OpenSSH (its PROTOCOL), announced by `ping@openssh.com` in EXT_INFO.
    192 PING                              Ping<'a>                          Both           AFTER_KEX;
    193 PONG                              Pong<'a>                          Both           AFTER_KEX;
}
