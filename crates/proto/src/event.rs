//! What the engine tells and asks.

use underpass_crypto::Secret;
use underpass_wire::{DisconnectReason, OpenFailureReason};

use crate::error::Error;
use crate::global::{ForwardVerdict, RemoteBind, RequestId, RequestOutcome};
use crate::negotiate::Negotiated;
use crate::transport::identification::PeerIdentification;

/// Names one question. Never reused within a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionId(pub(crate) u64);

/// Names one channel: our number for it, never reused within a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// What happened. Texts that come from the peer are as they came: show them through [`underpass_wire::Untrusted`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer's identification came.
    Identified(PeerIdentification),
    /// New keys are in use, both ways.
    KeysExchanged {
        /// What was agreed on.
        negotiated: Box<Negotiated>,
        /// Whether this was a later key exchange.
        rekey: bool,
        /// Client role: how the server showed that it has its host key, if this was the first key exchange and its method
        /// is one with host keys.
        proof: Option<Box<HostProof>>,
    },
    /// Text to show before authentication (RFC 4252 section 5.4).
    Banner(Vec<u8>),
    /// The user is logged on; channels can be opened.
    Authenticated,
    /// The application must decide. Everything that does not depend on the answer goes on.
    Question(QuestionId, Question),
    /// A channel that we asked for is open.
    ChannelOpened(ChannelId),
    /// A channel that we asked for is not to be had; the identifier is void.
    ChannelRefused {
        /// The channel.
        channel: ChannelId,
        /// Why.
        refusal: Refusal,
    },
    /// There is data to consume, or its end has come. Told again only after [`consume`](crate::Connection::consume), so
    /// whoever has consumed everything looks at [`receiving`](crate::Connection::receiving) as well.
    Readable(ChannelId),
    /// There may be room to send again after there was none.
    Writable(ChannelId),
    /// The channel is closed on both sides. What has come stays until [`close`](crate::Connection::close) releases it.
    ChannelClosed(ChannelId),
    /// What became of a request of ours about a remote forward.
    RequestAnswered {
        /// The request.
        request: RequestId,
        /// Its outcome.
        outcome: RequestOutcome,
    },
    /// Client role: why the server's GSS-API gave up during a logon, in its words, as they came; empty where it has only
    /// told the mechanism (RFC 4462 sections 3.8 and 3.9). A refusal follows.
    GssLogonFailed(Vec<u8>),
    /// The connection is over. Nothing follows.
    Closed(Error),
}

/// A host key that signed the first exchange hash, which is the session identifier (RFC 4253 section 7.2). With it an agent
/// can tell which server its signatures are for (OpenSSH's PROTOCOL.agent section 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostProof {
    /// The host key blob.
    pub host_key: Vec<u8>,
    /// What is signed.
    pub session_id: Vec<u8>,
    /// The signature blob, verified.
    pub signature: Vec<u8>,
}

/// Why a channel was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The peer said so.
    Peer {
        /// Its reason.
        reason: OpenFailureReason,
        /// Its words, as they came.
        description: Vec<u8>,
    },
    /// It did not answer in time.
    Timeout,
    /// It opened the channel with a maximum packet size of zero, through which nothing can be sent.
    Unusable,
}

/// What the application is asked. Each has a safe default, taken when the connection's deadline passes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Question {
    /// Is this the server's key? Answer with [`Answer::HostKey`]. Default: no.
    HostKey {
        /// The key blob (RFC 4253 section 6.6).
        key: Vec<u8>,
        /// The signature algorithm the server proved its possession with.
        algorithm: &'static str,
    },
    /// What shall be tried next? Answer with [`Answer::Credential`].
    Credential {
        /// What became of the last try; `None` at the beginning.
        last: Option<Refused>,
    },
    /// Sign this with the key offered last. Answer with [`Answer::Signature`].
    Signature {
        /// The public key blob.
        key: Vec<u8>,
        /// With which algorithm.
        algorithm: String,
        /// What to sign (RFC 4252 section 7).
        data: Vec<u8>,
    },
    /// The server's prompts (RFC 4256 section 3.2). Answer with [`Answer::Responses`].
    Prompts(Prompts),
    /// The password must be changed (RFC 4252 section 8). Answer with [`Answer::NewPassword`].
    NewPassword {
        /// The server's words.
        prompt: Vec<u8>,
    },
    /// Client role: what goes to the server next, after [`Credential::Custom`]? Answer with [`Answer::Packet`].
    Packet {
        /// The payload of what the server has sent last.
        last: Vec<u8>,
        /// The session identifier (RFC 4253 section 7.2), which proofs are tied to.
        session_id: Vec<u8>,
    },
    /// Client role: do this with GSS-API, in this context. Answer with [`Answer::Gss`].
    Gss(GssUse, GssCall),
    /// Server role: may this user log on so? Answer with [`Answer::Verdict`]. Default: no.
    Authenticate {
        /// The user name.
        user: String,
        /// What the client offers.
        attempt: Attempt,
    },
    /// The peer wants a channel. Answer with [`Answer::Open`]. Default: no.
    OpenChannel {
        /// What the channel will be called if it is accepted.
        channel: ChannelId,
        /// What for.
        kind: ChannelKind,
    },
    /// Server role: the client wants this to be listened on, and a channel for each connection to it (RFC 4254
    /// section 7.1). Answer with [`Answer::Forward`]. Default: no. Whoever finds that the answer comes too late stops
    /// listening again.
    Forward(RemoteBind),
    /// Server role: the client wants this to be listened on no longer. Answer with [`Answer::Forward`]. Default: no.
    CancelForward(RemoteBind),
}

/// What a GSS-API context is for. There is at most one for each at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GssUse {
    /// A key exchange (RFC 4462 section 2). The context of the first one is kept for `gssapi-keyex`.
    KeyExchange,
    /// `gssapi-with-mic` (RFC 4462 section 3).
    Logon,
}

/// What the application is to call, in a context with mutual authentication and integrity (RFC 2743).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GssCall {
    /// `GSS_Init_sec_context`, in a new context if there is no token. Answer with [`GssReply::Token`].
    Initiate {
        /// What the server has sent.
        token: Option<Vec<u8>>,
    },
    /// `GSS_GetMIC`. Answer with [`GssReply::Mic`]. In [`GssUse::KeyExchange`] the context is that of the first exchange.
    Sign {
        /// The message.
        data: Vec<u8>,
    },
    /// `GSS_VerifyMIC`. Answer with [`GssReply::Verified`].
    Verify {
        /// The message.
        data: Vec<u8>,
        /// The server's token for it.
        mic: Vec<u8>,
    },
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GssReply {
    /// Of [`GssCall::Initiate`].
    Token {
        /// What the server is to get.
        token: Option<Vec<u8>>,
        /// What the context is good for, if it is complete on this side.
        established: Option<GssServices>,
    },
    /// Of [`GssCall::Sign`].
    Mic(Vec<u8>),
    /// Of [`GssCall::Verify`]: whether it is valid.
    Verified(bool),
}

/// What an established context is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GssServices {
    /// `mutual_state`: the server has proven who it is.
    pub mutual: bool,
    /// `integ_avail`: messages can be protected.
    pub integrity: bool,
}

/// A refused credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The methods that can continue (RFC 4252 section 5.1).
    pub remaining: Vec<String>,
    /// Whether the credential was right but more is required.
    pub partial: bool,
    /// Why it was not even sent, when no signature algorithm suits the key and the server.
    pub no_algorithm: bool,
}

/// A round of prompts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompts {
    /// What the prompts are about.
    pub name: Vec<u8>,
    /// How to answer them.
    pub instruction: Vec<u8>,
    /// The prompts; there may be none, and an empty response is due all the same.
    pub prompts: Vec<Prompt>,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text.
    pub text: Vec<u8>,
    /// Whether what is typed may be seen.
    pub echo: bool,
}

/// What a client offers to log on with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Attempt {
    /// Nothing.
    None,
    /// A password.
    Password(Secret),
    /// The old and a new password.
    PasswordChange {
        /// The old one.
        old: Secret,
        /// The new one.
        new: Secret,
    },
    /// Would this key do? Accepting only says so.
    KeyQuery {
        /// The public key blob.
        key: Vec<u8>,
        /// The signature algorithm.
        algorithm: String,
    },
    /// A key whose signature was verified.
    Key {
        /// The public key blob.
        key: Vec<u8>,
        /// The signature algorithm.
        algorithm: String,
    },
    /// A user of another host, which vouches for them with its key, whose signature was verified.
    HostBased {
        /// Who is vouched for, and by whom. What the host says of itself is its word: whether the key is that host's, and
        /// the client at its address, is the application's decision.
        claim: HostClaim,
        /// The signature algorithm.
        algorithm: String,
    },
    /// A method or key that we cannot use, or a wrong signature. Cannot be accepted.
    Unusable,
    /// Please prompt.
    KeyboardInteractive,
    /// Answers to the prompts of this attempt.
    Responses(Vec<Secret>),
}

/// What a channel that the peer opens is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelKind {
    /// A connection from the server on (RFC 4254 section 7.2).
    DirectTcpip {
        /// The target.
        host: String,
        /// The target's port.
        port: u32,
        /// Where the connection came from.
        originator: String,
        /// Its port.
        originator_port: u32,
    },
    /// A connection from the server on to a Unix-domain socket (`direct-streamlocal@openssh.com`).
    DirectStreamlocal {
        /// The socket's path.
        path: Vec<u8>,
    },
    /// Client role: someone has connected to what the server listens on for us (RFC 4254 section 7.2). It can come
    /// before the answer to the request.
    ForwardedTcpip {
        /// The forward that it belongs to.
        forward: RequestId,
        /// The address that was connected to, as the server puts it; not always as it was asked for.
        address: String,
        /// The port that was connected to.
        port: u16,
        /// Where the connection came from.
        originator: String,
        /// Its port.
        originator_port: u32,
    },
    /// Client role: as [`ForwardedTcpip`](Self::ForwardedTcpip), for a Unix-domain socket of the server
    /// (`forwarded-streamlocal@openssh.com`).
    ForwardedStreamlocal {
        /// The forward that it belongs to.
        forward: RequestId,
        /// The socket's path.
        path: Vec<u8>,
    },
}

/// The application's answer to a question.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Whether the host key is accepted.
    HostKey(bool),
    /// What to try.
    Credential(Credential),
    /// The signature blob; `None` if the key cannot sign after all.
    Signature(Option<Vec<u8>>),
    /// One response for each prompt; `None` gives the method up.
    Responses(Option<Vec<Secret>>),
    /// The new password; `None` gives the method up.
    NewPassword(Option<Secret>),
    /// The payload of a message of authentication, `SSH_MSG_USERAUTH_REQUEST` or one of the numbers from 60 to 79;
    /// `None` gives the method up.
    Packet(Option<Secret>),
    /// What came of a GSS-API call; `None` gives the method up, and a key exchange fails.
    Gss(Option<GssReply>),
    /// Server role: what is to happen to the client's attempt.
    Verdict(Verdict),
    /// Whether the channel is opened.
    Open(Result<(), OpenFailureReason>),
    /// Server role: the fate of a request about a remote forward. Replies are sent in the order of the requests,
    /// whatever the order of the answers.
    Forward(ForwardVerdict),
}

/// Something to log on with.
#[derive(Debug)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing: logs on where nothing is needed, and else tells which methods there are (RFC 4252 section 5.2).
    None,
    /// A password (RFC 4252 section 8).
    Password(Secret),
    /// A key (RFC 4252 section 7). The signature is asked for by question.
    Key {
        /// The public key blob.
        key: Vec<u8>,
        /// The algorithms it can sign with, best first.
        algorithms: Vec<String>,
        /// Ask the server first, which spares a signature that would be refused but costs a round trip.
        query: bool,
    },
    /// The word of this host that its user is who they say (RFC 4252 section 9). The signature is asked for by question.
    HostBased {
        /// What it says.
        claim: HostClaim,
        /// The algorithms that its key can sign with, best first.
        algorithms: Vec<String>,
    },
    /// The server's prompts (RFC 4256).
    KeyboardInteractive,
    /// A GSS-API mechanism (RFC 4462 section 3). The rest is asked for by question.
    GssapiWithMic {
        /// Its object identifier in DER, with tag and length.
        mechanism: &'static [u8],
    },
    /// The context of the first key exchange, which was one with GSS-API (RFC 4462 section 4).
    GssapiKeyex,
    /// The application writes the messages itself, and sees what the server answers. They are asked for by question.
    Custom,
    /// Nothing is left: ends the connection.
    GiveUp,
}

/// Whom a client's host vouches for (RFC 4252 section 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostClaim {
    /// The public key blob of the client's host.
    pub key: Vec<u8>,
    /// The host's name, fully qualified.
    pub host: String,
    /// The user there.
    pub local_user: String,
}

/// Server role: the fate of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Logged on; for a query: the key would do.
    Accept,
    /// Not so.
    Refuse {
        /// The methods that can continue.
        methods: Vec<String>,
        /// Whether this part was right.
        partial: bool,
    },
    /// Ask the user (keyboard-interactive only).
    Prompt(Prompts),
    /// The password must be changed (password only).
    ChangePassword {
        /// What to tell the user.
        prompt: String,
    },
}

/// Why the application ends a connection, as told to the peer.
#[derive(Debug, Clone)]
pub struct Goodbye {
    /// The reason.
    pub reason: DisconnectReason,
    /// In words.
    pub description: &'static str,
}
