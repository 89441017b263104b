//! GSS-API in key exchange and in authentication: RFC 4462, RFC 8732.

use std::fmt;

use crate::{
    codec::{DecodeError, Mpint, Put, Reader},
    field::{Field, messages},
    list::{List, ListItem},
};

messages! {
    /// The client's first token and public value (RFC 4462 section 2.1).
    KexGssInit<'a> = KEXGSS_INIT {
        /// From GSS_Init_sec_context.
        token: &'a [u8],
        /// The contents of an mpint or of a string, as the method has it (RFC 8732 section 5.1).
        client_public: &'a [u8],
    }

    /// A further token (RFC 4462 section 2.1).
    KexGssContinue<'a> = KEXGSS_CONTINUE {
        /// From GSS_Init_sec_context or GSS_Accept_sec_context.
        token: &'a [u8],
    }

    /// The server's public value and proof (RFC 4462 section 2.1).
    KexGssComplete<'a> = KEXGSS_COMPLETE {
        /// The contents of an mpint or of a string, as the method has it (RFC 8732 section 5.1).
        server_public: &'a [u8],
        /// Per-message token of the exchange hash.
        mic: &'a [u8],
        /// The last token, if the client needs one.
        token: Option<&'a [u8]>,
    }

    /// The server's host key, if it has one (RFC 4462 section 2.1).
    KexGssHostKey<'a> = KEXGSS_HOSTKEY {
        /// K_S.
        host_key: &'a [u8],
    }

    /// Why the server's GSS-API gave up (RFC 4462 section 2.1).
    KexGssError<'a> = KEXGSS_ERROR {
        /// GSS-API major status.
        major: u32,
        /// Mechanism's minor status.
        minor: u32,
        /// For people; not to be shown raw.
        message: &'a [u8],
        /// Language tag.
        language: &'a [u8],
    }

    /// Asks for a group in a range of sizes (RFC 4462 section 2.2).
    KexGssGroupReq = KEXGSS_GROUPREQ {
        /// Smallest acceptable size in bits.
        min: u32,
        /// Preferred size in bits.
        n: u32,
        /// Largest acceptable size in bits.
        max: u32,
    }

    /// The group that the server chose (RFC 4462 section 2.2).
    KexGssGroup<'a> = KEXGSS_GROUP {
        /// Safe prime.
        p: Mpint<'a>,
        /// Generator.
        g: Mpint<'a>,
    }

    /// The mechanism that the server chose (RFC 4462 section 3.3).
    UserauthGssapiResponse<'a> = USERAUTH_GSSAPI_RESPONSE {
        /// One of those in the request.
        mechanism: Oid<'a>,
    }

    /// A token of the context's establishment (RFC 4462 section 3.4).
    UserauthGssapiToken<'a> = USERAUTH_GSSAPI_TOKEN {
        /// From GSS_Init_sec_context or GSS_Accept_sec_context.
        token: &'a [u8],
    }

    /// The client's context is complete, without integrity (RFC 4462 section 3.5).
    UserauthGssapiExchangeComplete = USERAUTH_GSSAPI_EXCHANGE_COMPLETE

    /// Why the server's GSS-API gave up (RFC 4462 section 3.8).
    UserauthGssapiError<'a> = USERAUTH_GSSAPI_ERROR {
        /// GSS-API major status.
        major: u32,
        /// Mechanism's minor status.
        minor: u32,
        /// For people; not to be shown raw.
        message: &'a [u8],
        /// Language tag.
        language: &'a [u8],
    }

    /// A token that tells the peer of an error (RFC 4462 section 3.9).
    UserauthGssapiErrtok<'a> = USERAUTH_GSSAPI_ERRTOK {
        /// From GSS_Init_sec_context or GSS_Accept_sec_context.
        token: &'a [u8],
    }

    /// The client's context is complete, with integrity (RFC 4462 section 3.5).
    UserauthGssapiMic<'a> = USERAUTH_GSSAPI_MIC {
        /// GSS_GetMIC of session identifier and request.
        mic: &'a [u8],
    }
}

/// The mechanisms of a `gssapi-with-mic` request, in order of preference.
pub type Mechanisms<'a> = List<'a, Oid<'a>>;

/// An object identifier in ASN.1 DER, tag and length included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Oid<'a>(pub &'a [u8]);

impl<'a> Field<'a> for Oid<'a> {
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.string().map(Self)
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.put_string(self.0);
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<'a> ListItem<'a> for Oid<'a> {
    const WHAT: &'static str = "GSS-API mechanisms";
    /// Installations have a handful.
    const LIMIT: usize = 64;
}

/// A boolean, and what follows if it is true.
impl<'a> Field<'a> for Option<&'a [u8]> {
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.bool()?.then(|| reader.string()).transpose()
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.put_bool(self.is_some());
        if let Some(bytes) = self {
            out.put_string(bytes);
        }
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(bytes) => bytes.show(f),
            None => f.write_str("None"),
        }
    }
}
