//! One constructor for each kind of error, so that step and particulars always fit together.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use underpass_gssapi::Cause;
use underpass_wire::{DisconnectReason, OpenFailureReason};

use super::{DialAttempt, Error, ErrorKind, HostKeyLocation, Step, holder, refusal};
use crate::{Endpoint, Forward};

impl Error {
    /// A setting is wrong: `problem` says which one and why.
    pub fn configuration(problem: impl Into<String>) -> Self {
        Self::new(Step::Configure, ErrorKind::Configuration { problem: problem.into() })
    }

    /// `host` could not be turned into an address.
    pub fn resolve(host: &str, cause: io::Error) -> Self {
        Self::new(Step::Resolve, ErrorKind::Resolve { problem: in_words(&cause) })
            .with_host(host)
            .with_source(cause)
    }

    /// None of the addresses of `host` accepted a connection.
    pub fn dial(host: &str, attempts: Vec<(SocketAddr, io::Error)>) -> Self {
        let described = attempts.iter().map(|(address, cause)| DialAttempt {
            address: *address,
            problem: in_words(cause),
            refused: cause.kind() == io::ErrorKind::ConnectionRefused,
        });
        let error = Self::new(Step::Dial, ErrorKind::Dial { attempts: described.collect() }).with_host(host);
        match attempts.into_iter().next_back() {
            Some((_, cause)) => error.with_source(cause),
            None => error,
        }
    }

    /// `step` took longer than it may.
    pub fn timeout(step: Step, host: &str, after: Duration) -> Self {
        Self::new(step, ErrorKind::Timeout { after }).with_host(host)
    }

    /// The peer broke the protocol.
    pub fn peer_misbehaved(step: Step, host: &str, what: impl Into<String>) -> Self {
        Self::new(step, ErrorKind::PeerMisbehaved { what: what.into() }).with_host(host)
    }

    /// The two sides share nothing in `list`, named in the plural (`ciphers`).
    pub fn peer_incompatible(
        step: Step,
        host: &str,
        list: impl Into<String>,
        ours: Vec<String>,
        theirs: Vec<String>,
    ) -> Self {
        Self::new(step, ErrorKind::PeerIncompatible { list: list.into(), ours, theirs }).with_host(host)
    }

    /// The settings forbid what the peer is or lacks. `why` is safe to show.
    pub fn peer_rejected(step: Step, host: &str, why: impl Into<String>) -> Self {
        Self::new(step, ErrorKind::PeerRejected { why: why.into() }).with_host(host)
    }

    /// None of `files` knows a key of `host`.
    pub fn host_key_unknown(host: &str, key_type: &str, fingerprint: &str, files: Vec<PathBuf>) -> Self {
        let kind = ErrorKind::HostKeyUnknown {
            key_type: key_type.to_owned(),
            fingerprint: fingerprint.to_owned(),
            files,
        };
        Self::new(Step::HostKey, kind).with_host(host)
    }

    /// `recorded` knows another key of `host`.
    pub fn host_key_changed(
        host: &str,
        key_type: &str,
        fingerprint: &str,
        recorded: Option<HostKeyLocation>,
    ) -> Self {
        let kind = ErrorKind::HostKeyChanged {
            key_type: key_type.to_owned(),
            fingerprint: fingerprint.to_owned(),
            recorded,
        };
        Self::new(Step::HostKey, kind).with_host(host)
    }

    /// `recorded` marks the key of `host` as revoked.
    pub fn host_key_revoked(
        host: &str,
        key_type: &str,
        fingerprint: &str,
        recorded: Option<HostKeyLocation>,
    ) -> Self {
        let kind = ErrorKind::HostKeyRevoked {
            key_type: key_type.to_owned(),
            fingerprint: fingerprint.to_owned(),
            recorded,
        };
        Self::new(Step::HostKey, kind).with_host(host)
    }

    /// The program does not accept the key of `host`.
    pub fn host_key_rejected(host: &str, key_type: &str, fingerprint: &str) -> Self {
        let kind =
            ErrorKind::HostKeyRejected { key_type: key_type.to_owned(), fingerprint: fingerprint.to_owned() };
        Self::new(Step::HostKey, kind).with_host(host)
    }

    /// The certificate of the key of `host` is of no use, though its authority is on record.
    pub fn host_certificate(host: &str, problem: impl Into<String>) -> Self {
        Self::new(Step::HostKey, ErrorKind::HostCertificate { problem: problem.into() }).with_host(host)
    }

    /// The server did not let `user` in, whatever was `tried`; with `accepted` it is willing to go on.
    pub fn authentication(host: &str, user: &str, tried: Vec<String>, accepted: Vec<String>) -> Self {
        let kind = ErrorKind::Authentication { user: user.to_owned(), tried, accepted };
        Self::new(Step::Authenticate, kind).with_host(host)
    }

    /// Kerberos is of no use for the connection to `host`.
    pub(crate) fn kerberos(step: Step, host: &str, problem: &underpass_gssapi::Error) -> Self {
        // Parts of the library's words can come from the network.
        let words = underpass_wire::untrusted(problem.to_string().as_bytes());
        let may_pass = matches!(
            problem.cause(),
            Cause::KdcUnreachable | Cause::NoCredentials | Cause::Expired | Cause::ClockSkew | Cause::Other
        );
        Self::new(step, ErrorKind::Kerberos { problem: words, may_pass })
            .with_host(host)
            .with_advice(problem.advice())
    }

    /// The private key at `path` cannot be used.
    pub fn identity(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        let kind = ErrorKind::Identity { path: path.into(), problem: problem.into() };
        Self::new(Step::Configure, kind)
    }

    /// The SSH agent at `socket` cannot be used.
    pub fn agent(socket: Option<&Path>, problem: impl Into<String>) -> Self {
        let kind = ErrorKind::Agent { socket: socket.map(Path::to_owned), problem: problem.into() };
        Self::new(Step::Authenticate, kind)
    }

    /// `address` cannot be listened on. Where the port is in use, the system is asked by whom: this reads files.
    pub fn bind(address: SocketAddr, cause: io::Error) -> Self {
        let in_use = cause.kind() == io::ErrorKind::AddrInUse;
        let holder = if in_use { holder::of(address) } else { None };
        Self::new(Step::Listen, ErrorKind::Bind { address, problem: in_words(&cause), holder })
            .with_source(cause)
    }

    /// The server opened no connection to `target` (RFC 4254 section 5.1).
    pub fn target_refused(
        host: &str,
        target: &Endpoint,
        reason: OpenFailureReason,
        description: &[u8],
    ) -> Self {
        let description = String::from_utf8_lossy(description).into_owned();
        let inferred = refusal::infer(reason, &description).map(|inference| inference.meaning);
        let kind = ErrorKind::TargetRefused { target: target.clone(), reason, description, inferred };
        Self::new(Step::OpenChannel, kind).with_host(host)
    }

    /// The server said goodbye (RFC 4253 section 11.1).
    pub fn disconnected(step: Step, host: &str, reason: DisconnectReason, description: &[u8]) -> Self {
        let description = String::from_utf8_lossy(description).into_owned();
        Self::new(step, ErrorKind::Disconnected { reason, description }).with_host(host)
    }

    /// The connection to the server broke, or was closed without a goodbye.
    pub fn lost(step: Step, host: &str, cause: Option<io::Error>) -> Self {
        let problem = cause.as_ref().map(in_words);
        let error = Self::new(step, ErrorKind::Lost { problem }).with_host(host);
        match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }

    /// The server answered no keepalive for as long as `silence`.
    pub fn peer_dead(host: &str, silence: Duration) -> Self {
        Self::new(Step::Carry, ErrorKind::PeerDead { silence }).with_host(host)
    }

    /// A Unix-domain socket at `path` cannot be listened at.
    pub fn bind_unix(path: &Path, cause: io::Error) -> Self {
        let problem = match cause.kind() {
            io::ErrorKind::AddrInUse => "there is a file already".to_owned(),
            _ => in_words(&cause),
        };
        Self::new(Step::Listen, ErrorKind::BindUnix { path: path.to_owned(), problem }).with_source(cause)
    }

    /// `proxy`, shown without credentials, does not connect to `host`.
    pub fn proxy(host: &str, proxy: impl Into<String>, problem: impl Into<String>) -> Self {
        let kind = ErrorKind::Proxy { proxy: proxy.into(), problem: problem.into() };
        Self::new(Step::Dial, kind).with_host(host)
    }

    /// The server `hop` on the way does not connect to the server `host`: `cause` is what it said of it as a target.
    pub fn hop(host: &str, hop: &str, cause: &Self) -> Self {
        let kind = ErrorKind::Hop { hop: hop.to_owned(), problem: cause.kind().to_string() };
        Self::new(Step::Dial, kind).with_host(host)
    }

    /// The program that was to pass bytes on to `host` does not.
    pub fn proxy_command(host: &str, problem: impl Into<String>) -> Self {
        Self::proxy(host, "command", problem)
            .with_advice("run the command by itself: it has to connect, and to pass on what the server says")
    }

    /// This machine does not reach the `target` of a remote forward.
    pub fn target_unreachable(target: &Endpoint, cause: io::Error) -> Self {
        let (problem, kind) = (in_words(&cause), cause.kind());
        let kind = ErrorKind::TargetUnreachable { target: target.clone(), problem, cause: kind };
        Self::new(Step::OpenTarget, kind).with_source(cause)
    }

    /// The server `host` does not listen for `forward`.
    pub fn remote_refused(host: &str, forward: &Forward) -> Self {
        Self::new(Step::Listen, ErrorKind::ForwardRefused { forward: forward.clone() }).with_host(host)
    }

    /// The settings do not allow `what`.
    pub fn not_allowed(what: impl Into<String>) -> Self {
        Self::new(Step::OpenChannel, ErrorKind::NotAllowed { what: what.into() })
    }

    /// The client of a proxy did not say where it wants to go: `problem` says what it did.
    pub fn client_misbehaved(problem: impl Into<String>) -> Self {
        Self::new(Step::OpenChannel, ErrorKind::ClientMisbehaved { problem: problem.into() })
    }

    /// There are `most` already.
    pub fn too_many(most: usize) -> Self {
        Self::new(Step::OpenChannel, ErrorKind::TooMany { most })
    }

    /// The tunnel through `host` was not of use within `patience`.
    pub fn not_ready(host: &str, patience: Duration) -> Self {
        Self::timeout(Step::Ready, host, patience)
    }

    /// There was no connection to `host`, and was not after `waited`.
    pub fn not_connected(host: &str, waited: Duration) -> Self {
        Self::new(Step::OpenChannel, ErrorKind::NotConnected { waited }).with_host(host)
    }

    /// The program did not want the attempt to connect again that `error` made due.
    pub fn not_reconnected(attempt: u32, error: &Error) -> Self {
        let kind = ErrorKind::NotReconnected { attempt, problem: error.kind().to_string() };
        let mut declined = Self::new(error.step(), kind).with_source(error.clone());
        declined.0.host.clone_from(&error.0.host);
        declined
    }

    /// The tunnel was told to stop.
    pub fn stopped() -> Self {
        Self::new(Step::Stop, ErrorKind::Stopped)
    }

    /// The connection was closed by its program before it reached its target.
    pub fn withdrawn() -> Self {
        Self::new(Step::OpenChannel, ErrorKind::Stopped)
    }

    /// A fault of this library.
    pub fn internal(step: Step, what: impl Into<String>) -> Self {
        Self::new(step, ErrorKind::Internal { what: what.into() })
    }
}

/// What the system says, without the error number.
pub(crate) fn in_words(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by the peer".to_owned(),
        io::ErrorKind::ConnectionAborted => "connection aborted".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "no route to the network".to_owned(),
        io::ErrorKind::TimedOut => "no answer".to_owned(),
        io::ErrorKind::BrokenPipe => "broken pipe".to_owned(),
        io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let words = cause.to_string();
            words.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}
