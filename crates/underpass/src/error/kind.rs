use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use underpass_wire::{DisconnectReason, OpenFailureReason, Untrusted};

use crate::{Endpoint, Forward};

/// The kinds of failure, with their particulars. Text from a peer is here as it came; it is escaped when shown.
///
/// | kind | whose matter it is | comes from |
/// |---|---|---|
/// | [`Configuration`](Self::Configuration), [`Identity`](Self::Identity), [`Agent`](Self::Agent), [`Bind`](Self::Bind), [`BindUnix`](Self::BindUnix) | this machine's: settings, key files, ports | `open` |
/// | [`Resolve`](Self::Resolve), [`Dial`](Self::Dial) | the network's, or the address is wrong | `open` |
/// | [`Proxy`](Self::Proxy), [`Hop`](Self::Hop) | the proxy's or hop's, or its settings are wrong | `open` |
/// | [`ForwardRefused`](Self::ForwardRefused) | the server's: policy, or its port is taken | `open`, `add_forward` |
/// | [`HostKeyUnknown`](Self::HostKeyUnknown), [`HostKeyChanged`](Self::HostKeyChanged), [`HostKeyRevoked`](Self::HostKeyRevoked), [`HostKeyRejected`](Self::HostKeyRejected), [`HostCertificate`](Self::HostCertificate) | a person's: never to be tried again unseen | `open` |
/// | [`Kerberos`](Self::Kerberos) | this machine's or the KDC's | `open` |
/// | [`Authentication`](Self::Authentication) | the credentials': trying again gets an address banned | `open` |
/// | [`PeerIncompatible`](Self::PeerIncompatible), [`PeerRejected`](Self::PeerRejected), [`PeerMisbehaved`](Self::PeerMisbehaved) | the server's software's | `open`, `closed` |
/// | [`Timeout`](Self::Timeout), [`Disconnected`](Self::Disconnected), [`Lost`](Self::Lost), [`PeerDead`](Self::PeerDead) | the server's or the network's: may pass | `open`, `closed` |
/// | [`TargetRefused`](Self::TargetRefused), and [`Timeout`](Self::Timeout) at [`Step::OpenChannel`](crate::Step::OpenChannel) | the target's: the tunnel goes on | [`Event::ConnectionFailed`](crate::Event::ConnectionFailed) |
/// | [`TargetUnreachable`](Self::TargetUnreachable) | the target's, on this machine's side: the tunnel goes on | [`Event::ConnectionFailed`](crate::Event::ConnectionFailed) |
/// | [`NotAllowed`](Self::NotAllowed), [`TooMany`](Self::TooMany) | the settings' | [`Event::ConnectionFailed`](crate::Event::ConnectionFailed) |
/// | [`ClientMisbehaved`](Self::ClientMisbehaved) | the client's of a dynamic forward, or of an adopted connection | [`Adopted::reached`](crate::Adopted::reached) |
/// | [`NotConnected`](Self::NotConnected) | the server's or the network's: the tunnel keeps trying | [`Event::ConnectionFailed`](crate::Event::ConnectionFailed) |
/// | [`NotReconnected`](Self::NotReconnected) | the program's decision | `open`, `closed` |
/// | [`Stopped`](Self::Stopped) | nobody's: it was asked for | connections that were opening |
/// | [`Internal`](Self::Internal) | ours: report it | anywhere |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is wrong.
    Configuration {
        /// Which one, and why.
        problem: String,
    },
    /// The server's name could not be turned into an address.
    Resolve {
        /// What the system says.
        problem: String,
    },
    /// No address of the server accepted a connection.
    Dial {
        /// Each address that was tried, in order.
        attempts: Vec<DialAttempt>,
    },
    /// A step took longer than it may. The step is [`Error::step`](super::Error::step).
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The peer broke the protocol.
    PeerMisbehaved {
        /// What it did.
        what: String,
    },
    /// The peer and this side have nothing in common.
    PeerIncompatible {
        /// In which list, e.g. `key exchange methods`.
        list: String,
        /// What this side offers.
        ours: Vec<String>,
        /// What the peer offers.
        theirs: Vec<String>,
    },
    /// The peer could be served, and the settings forbid it.
    PeerRejected {
        /// What it is or lacks.
        why: String,
    },
    /// Nothing says whether the server's key is the right one.
    HostKeyUnknown {
        /// The type of the key, e.g. `ssh-ed25519`.
        key_type: String,
        /// Its fingerprint.
        fingerprint: String,
        /// The files without an entry for the host.
        files: Vec<PathBuf>,
    },
    /// The server's key is another one than the one on record.
    HostKeyChanged {
        /// The type of the key, e.g. `ssh-ed25519`.
        key_type: String,
        /// The fingerprint of the key that the server showed.
        fingerprint: String,
        /// Where the other key is on record.
        recorded: Option<HostKeyLocation>,
    },
    /// The server's key is on record as revoked.
    HostKeyRevoked {
        /// The type of the key, e.g. `ssh-ed25519`.
        key_type: String,
        /// The fingerprint of the key.
        fingerprint: String,
        /// Where it is on record.
        recorded: Option<HostKeyLocation>,
    },
    /// The program has judged that the server's key is not the right one.
    HostKeyRejected {
        /// The type of the key, e.g. `ssh-ed25519`.
        key_type: String,
        /// Its fingerprint.
        fingerprint: String,
    },
    /// An authority on record has certified the server's key, but not so that it counts; and the key itself is not on
    /// record.
    HostCertificate {
        /// What is wrong with the certificate.
        problem: String,
    },
    /// The server let nobody in.
    Authentication {
        /// The user it was tried as.
        user: String,
        /// What was tried, in order.
        tried: Vec<String>,
        /// The methods with which the server is still willing to go on.
        accepted: Vec<String>,
    },
    /// Kerberos could not be used where nothing else was allowed, or failed half-way.
    Kerberos {
        /// What the library says, in words that are safe to show.
        problem: String,
        /// Whether it can be otherwise in a while without anybody changing a setting: a KDC that is away, a ticket that was
        /// not renewed.
        may_pass: bool,
    },
    /// A private key could not be used.
    Identity {
        /// The file it is in.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The SSH agent could not be used.
    Agent {
        /// Where it listens, if that is known.
        socket: Option<PathBuf>,
        /// Why not.
        problem: String,
    },
    /// A local port could not be listened on.
    Bind {
        /// The address and port.
        address: SocketAddr,
        /// What the system says.
        problem: String,
        /// Who has the port, where the system tells.
        holder: Option<String>,
    },
    /// A Unix-domain socket could not be listened at.
    BindUnix {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// A proxy on the way to the server did not connect to it.
    Proxy {
        /// The proxy, without credentials.
        proxy: String,
        /// What it says or does.
        problem: String,
    },
    /// A hop on the way did not connect to the next server.
    Hop {
        /// The hop.
        hop: String,
        /// Why not, in words that are safe to show.
        problem: String,
    },
    /// The server opened no connection to a target.
    TargetRefused {
        /// The target that was asked for.
        target: Endpoint,
        /// The server's reason code.
        reason: OpenFailureReason,
        /// The server's words.
        description: String,
        /// What reason and words together probably mean. This is a guess, and shown as one.
        inferred: Option<&'static str>,
    },
    /// This machine could not connect to the target of a remote forward.
    TargetUnreachable {
        /// The target.
        target: Endpoint,
        /// What the system says.
        problem: String,
        /// The same, as the kind of its error.
        cause: io::ErrorKind,
    },
    /// The server does not listen for a remote forward.
    ForwardRefused {
        /// The forward.
        forward: Forward,
    },
    /// The settings do not allow it.
    NotAllowed {
        /// Whom or what.
        what: String,
    },
    /// A client that is to say where it wants to go did not.
    ClientMisbehaved {
        /// What it did.
        problem: String,
    },
    /// As much is going on as the settings, or this library's limits, allow.
    TooMany {
        /// How much that is.
        most: usize,
    },
    /// The server said goodbye (RFC 4253 section 11.1).
    Disconnected {
        /// The reason code.
        reason: DisconnectReason,
        /// The server's words.
        description: String,
    },
    /// The connection to the server broke.
    Lost {
        /// What the system says; `None` where the connection was simply closed.
        problem: Option<String>,
    },
    /// The server has stopped answering.
    PeerDead {
        /// How long nothing came.
        silence: Duration,
    },
    /// There is no connection to the server at the moment.
    NotConnected {
        /// How long it was waited for. Zero: too many others wait already.
        waited: Duration,
    },
    /// An attempt to connect again was due, and the program did not want it. Why it was due is the
    /// [`source`](std::error::Error::source), an [`Error`](crate::Error).
    NotReconnected {
        /// Which attempt it was in a row, from 1.
        attempt: u32,
        /// Why it was due, in words that are safe to show.
        problem: String,
    },
    /// The tunnel was told to stop, or the program closed the connection.
    Stopped,
    /// A fault of this library.
    Internal {
        /// What was found.
        what: String,
    },
}

/// An address of the server that accepted no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialAttempt {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub problem: String,
    /// Whether a machine answered at this address, and refused.
    pub refused: bool,
}

/// A line of a known_hosts file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKeyLocation {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl ErrorKind {
    /// A short name, for machines.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Configuration { .. } => "configuration",
            Self::Resolve { .. } => "resolve",
            Self::Dial { .. } => "dial",
            Self::Timeout { .. } => "timeout",
            Self::PeerMisbehaved { .. } => "peer-misbehaved",
            Self::PeerIncompatible { .. } => "peer-incompatible",
            Self::PeerRejected { .. } => "peer-rejected",
            Self::HostKeyUnknown { .. } => "host-key-unknown",
            Self::HostKeyChanged { .. } => "host-key-changed",
            Self::HostKeyRevoked { .. } => "host-key-revoked",
            Self::HostKeyRejected { .. } => "host-key-rejected",
            Self::HostCertificate { .. } => "host-certificate",
            Self::Kerberos { .. } => "kerberos",
            Self::Authentication { .. } => "authentication",
            Self::Identity { .. } => "identity",
            Self::Agent { .. } => "agent",
            Self::Bind { .. } => "bind",
            Self::TargetRefused { .. } => "target-refused",
            Self::TargetUnreachable { .. } => "target-unreachable",
            Self::ForwardRefused { .. } => "forward-refused",
            Self::NotAllowed { .. } => "not-allowed",
            Self::ClientMisbehaved { .. } => "client-misbehaved",
            Self::TooMany { .. } => "too-many",
            Self::BindUnix { .. } => "bind",
            Self::Proxy { .. } => "proxy",
            Self::Hop { .. } => "hop",
            Self::Disconnected { .. } => "disconnected",
            Self::Lost { .. } => "lost",
            Self::PeerDead { .. } => "peer-dead",
            Self::NotConnected { .. } => "not-connected",
            Self::NotReconnected { .. } => "not-reconnected",
            Self::Stopped => "stopped",
            Self::Internal { .. } => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration { problem } | Self::Resolve { problem } => f.write_str(problem),
            Self::Dial { attempts } => dial(f, attempts),
            Self::Timeout { after } => write!(f, "not done after {}", Seconds(*after)),
            Self::PeerMisbehaved { what } => {
                write!(f, "the peer broke the protocol: {}", Untrusted(what.as_bytes()))
            }
            Self::PeerIncompatible { list, ours, theirs } => {
                write!(f, "no {list} in common: the server has {}, this side {}", List(theirs), List(ours))
            }
            Self::PeerRejected { why } => f.write_str(why),
            Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::HostKeyRejected { .. } => self.fmt_host_key(f),
            Self::HostCertificate { problem } => {
                write!(f, "the certificate of its key proves nothing: {problem}")
            }
            Self::Authentication { user, tried, accepted } => {
                write!(f, "the server did not let `{user}` in; tried: {}; it accepts: ", List(tried))?;
                List(accepted).fmt(f)
            }
            Self::Kerberos { problem, .. } => f.write_str(problem),
            Self::Identity { path, problem } => write!(f, "the key {}: {problem}", path.display()),
            Self::Agent { socket, problem } => agent(f, socket.as_deref(), problem),
            Self::Bind { address, problem, holder } => {
                write!(f, "{address}: {problem}")?;
                holder.as_ref().map_or(Ok(()), |holder| write!(f, " (it belongs to {holder})"))
            }
            Self::TargetRefused { target, reason, description, inferred } => {
                write!(f, "{target}: {reason}")?;
                if !description.is_empty() {
                    write!(f, " (in the server's words: {})", Untrusted(description.as_bytes()))?;
                }
                inferred.map_or(Ok(()), |inferred| write!(f, "; probably {inferred}"))
            }
            Self::TargetUnreachable { target, problem, .. } => write!(f, "{target}: {problem}"),
            Self::ForwardRefused { forward } => write!(f, "the server does not grant {forward}"),
            Self::NotAllowed { what } => write!(f, "{what} is not allowed"),
            Self::ClientMisbehaved { problem } => {
                write!(f, "the client asked for no connection: {}", Untrusted(problem.as_bytes()))
            }
            Self::TooMany { most } => write!(f, "there are {most} already, and no more are allowed"),
            Self::BindUnix { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::Hop { hop, problem } => write!(f, "through the hop {hop}: {problem}"),
            Self::Proxy { proxy, problem } => write!(f, "through the proxy {proxy}: {problem}"),
            Self::Disconnected { reason, description } => {
                write!(f, "the server ended the connection: {reason}")?;
                match description.is_empty() {
                    true => Ok(()),
                    false => write!(f, " (in its words: {})", Untrusted(description.as_bytes())),
                }
            }
            Self::Lost { problem: None } => f.write_str("the server closed the connection"),
            Self::Lost { problem: Some(problem) } => write!(f, "the connection was lost: {problem}"),
            Self::PeerDead { silence } => write!(f, "the server has been silent for {}", Seconds(*silence)),
            Self::NotConnected { waited: Duration::ZERO } => {
                f.write_str("the connection to the server is down, and too many wait for it already")
            }
            Self::NotConnected { waited } => {
                write!(f, "the connection to the server was down and not back after {}", Seconds(*waited))
            }
            Self::NotReconnected { attempt, problem } => {
                write!(f, "{problem}; the program did not want attempt {attempt} to reconnect")
            }
            Self::Stopped => f.write_str("it was told to stop"),
            Self::Internal { what } => write!(f, "internal fault: {what}"),
        }
    }
}

impl ErrorKind {
    /// What is wrong with a server's key.
    fn fmt_host_key(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostKeyUnknown { key_type, fingerprint, .. } => {
                write!(f, "its {key_type} key {fingerprint} is not on record")
            }
            Self::HostKeyChanged { key_type, fingerprint, recorded } => {
                write!(f, "its {key_type} key {fingerprint} is not the one on record{}", In(recorded))
            }
            Self::HostKeyRevoked { key_type, fingerprint, recorded } => {
                write!(f, "its {key_type} key {fingerprint} is marked as revoked{}", In(recorded))
            }
            Self::HostKeyRejected { key_type, fingerprint } => {
                write!(f, "the program does not accept its {key_type} key {fingerprint}")
            }
            _ => Ok(()),
        }
    }
}

fn agent(f: &mut fmt::Formatter<'_>, socket: Option<&Path>, problem: &str) -> fmt::Result {
    match socket {
        Some(socket) => write!(f, "the SSH agent at {}: {problem}", socket.display()),
        None => write!(f, "the SSH agent: {problem}"),
    }
}

fn dial(f: &mut fmt::Formatter<'_>, attempts: &[DialAttempt]) -> fmt::Result {
    if attempts.is_empty() {
        return f.write_str("it has no address of the wanted family");
    }
    for (at, DialAttempt { address, problem, .. }) in attempts.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{address}: {problem}")?;
    }
    Ok(())
}

/// Names from both sides, safe to show.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        Untrusted(self.0.join(", ").as_bytes()).fmt(f)
    }
}

struct In<'a>(&'a Option<HostKeyLocation>);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(HostKeyLocation { file, line }) => write!(f, " in {} line {line}", file.display()),
            None => Ok(()),
        }
    }
}

/// A time as it is shown.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_disagreement_are_listed() {
        let kind = ErrorKind::PeerIncompatible {
            list: "ciphers".to_owned(),
            ours: vec!["aes128-ctr".to_owned()],
            theirs: vec!["3des-cbc".to_owned(), "arcfour\u{1b}[2J".to_owned()],
        };
        assert_eq!(
            kind.to_string(),
            "no ciphers in common: the server has 3des-cbc, arcfour\\u{1b}[2J, this side aes128-ctr"
        );
    }

    #[test]
    fn words_of_the_server_cannot_move_the_cursor() {
        let description = "gone\u{1b}[1A\r\n".to_owned();
        let kind = ErrorKind::Disconnected { reason: DisconnectReason::PROTOCOL_ERROR, description };
        assert!(!kind.to_string().contains(char::is_control), "{kind}");
    }

    #[test]
    fn a_dial_without_addresses_says_so() {
        let kind = ErrorKind::Dial { attempts: Vec::new() };
        assert_eq!(kind.to_string(), "it has no address of the wanted family");
    }
}
