use std::fmt;

use crate::certificate::Span;

/// Why a certificate proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum X509Error {
    /// It, or a certificate of its chain, is not what its format asks for.
    Malformed,
    /// More certificates than are read.
    TooMany {
        /// How many are read.
        most: usize,
    },
    /// It certifies a key of a kind that SSH does not have, or another key than it is to be used with.
    Key,
    /// Its time is over, for so many seconds.
    Expired(u64),
    /// Its time begins in so many seconds.
    NotYet(u64),
    /// The time of an authority in its chain is over, for so many seconds.
    AuthorityExpired(u64),
    /// The time of an authority in its chain begins in so many seconds.
    AuthorityNotYet(u64),
    /// Its chain leads to no root that is trusted.
    Issuer,
    /// It does not name this host.
    Name,
    /// It, or an authority in its chain, is not for SSH servers, or not for signing.
    Purpose,
    /// It was made by somebody who may not make certificates.
    Authority,
    /// Its chain has more authorities than one of them permits, or than are followed.
    Depth,
    /// An authority in its chain may not certify such a name.
    Constraint,
    /// It, or its chain, makes a condition that is not known here.
    Critical,
    /// A signature in its chain is wrong.
    Signature,
    /// It, or a certificate of its chain, is signed with an algorithm that is weak or unknown.
    Algorithm,
}

impl X509Error {
    /// What to do about it, one sentence without a full stop.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Expired(_) | Self::AuthorityExpired(_) => {
                "have the certificate renewed by the server's administrator, and check this machine's clock"
            }
            Self::NotYet(_) | Self::AuthorityNotYet(_) => {
                "check the clock of this machine, and that of the one that makes the certificates"
            }
            Self::Issuer => {
                "name the root of its chain in CACertificateFile, if that is to be trusted, and have the server send \
                 all certificates between"
            }
            Self::Name => {
                "connect by a name or address that is among the certificate's alternative names, or name it in \
                 HostKeyAlias"
            }
            Self::Purpose => {
                "have a certificate made whose extended key usage is secureShellServer, or that has none, and whose \
                 key usage includes digitalSignature"
            }
            Self::Algorithm => {
                "have it signed anew: authorities need RSA keys of 2048 bits or more, ECDSA or Ed25519, with SHA-2"
            }
            _ => {
                "ask the server's administrator for a new certificate; until then the key itself can be put on record"
            }
        }
    }
}

impl fmt::Display for X509Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired(seconds) => return write!(f, "it expired {} ago", Span(*seconds)),
            Self::NotYet(seconds) => return write!(f, "it is valid only in {}", Span(*seconds)),
            Self::AuthorityExpired(seconds) => {
                return write!(f, "an authority in its chain expired {} ago", Span(*seconds));
            }
            Self::AuthorityNotYet(seconds) => {
                return write!(f, "an authority in its chain is valid only in {}", Span(*seconds));
            }
            Self::TooMany { most } => return write!(f, "there are more than {most} certificates"),
            Self::Malformed => "it, or its chain, is malformed",
            Self::Key => "it certifies another key, or one of a kind that SSH does not have",
            Self::Issuer => "its chain leads to no root that is trusted",
            Self::Name => "it does not name this host",
            Self::Purpose => "it, or an authority in its chain, is not for SSH servers",
            Self::Authority => "it was made by one who may not make certificates",
            Self::Depth => "its chain has more authorities than are permitted",
            Self::Constraint => "an authority in its chain may not certify this name",
            Self::Critical => "it, or its chain, makes a condition that is not known",
            Self::Signature => "a signature in its chain is wrong",
            Self::Algorithm => "it, or its chain, is signed with a weak or unknown algorithm",
        })
    }
}

impl std::error::Error for X509Error {}
