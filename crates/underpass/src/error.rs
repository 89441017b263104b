mod advice;
mod construct;
mod holder;
mod kind;
mod refusal;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

pub(crate) use construct::in_words;
pub(crate) use kind::Seconds;
pub use kind::{DialAttempt, ErrorKind, HostKeyLocation};
use underpass_proxy::Outcome;
pub use underpass_wire::{DisconnectReason, OpenFailureReason};

/// What went wrong with a tunnel: at which step, with which host, why, and what to do about it.
///
/// Shown, it is one sentence without a full stop; text from peers is escaped in it. To decide what to do next, match
/// its [`kind`](Self::kind):
///
/// ```
/// use underpass::{Error, ErrorKind};
///
/// /// Whether the same settings may work later.
/// fn is_worth_another_try(error: &Error) -> bool {
///     matches!(
///         error.kind(),
///         ErrorKind::Resolve { .. }
///             | ErrorKind::Dial { .. }
///             | ErrorKind::Timeout { .. }
///             | ErrorKind::Disconnected { .. }
///             | ErrorKind::Lost { .. }
///             | ErrorKind::PeerDead { .. }
///     )
/// }
/// # let error = "a b".parse::<underpass::Destination>().unwrap_err();
/// # assert!(!is_worth_another_try(&error));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

impl Error {
    /// What went wrong, with its particulars.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What was being done.
    pub fn step(&self) -> Step {
        self.0.step
    }

    /// The host, as it was named in the settings, with which it was being done.
    pub fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }

    /// What to do about it: one sentence without a full stop.
    pub fn advice(&self) -> Option<Cow<'_, str>> {
        match &self.0.advice {
            Some(advice) => Some(Cow::Borrowed(advice)),
            None => advice::advice(self),
        }
    }

    /// What a refusal probably means, for those who need it in a code.
    pub(crate) fn inferred_outcome(&self) -> Option<Outcome> {
        match self.kind() {
            ErrorKind::TargetRefused { reason, description, .. } => {
                refusal::infer(*reason, description).map(|inference| inference.outcome)
            }
            _ => None,
        }
    }

    /// Replaces the advice, where more is known than the kind of error tells.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Says what caused it, for [`source`](StdError::source).
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Says which host it is about.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.0.host = Some(host.into());
        self
    }

    fn new(step: Step, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, step, host: None, advice: None, source: None }))
    }
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    step: Step,
    host: Option<String>,
    advice: Option<Cow<'static, str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What a tunnel is doing, from its settings to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Checking the settings, reading the files they name.
    Configure,
    /// Looking the server's name up.
    Resolve,
    /// Connecting to the server.
    Dial,
    /// Exchanging identification strings (RFC 4253 section 4.2).
    Identify,
    /// Agreeing on algorithms (RFC 4253 section 7.1).
    Negotiate,
    /// Agreeing on keys (RFC 4253 sections 7.2 to 9).
    KeyExchange,
    /// Deciding whether the server's key is to be trusted.
    HostKey,
    /// Logging in (RFC 4252).
    Authenticate,
    /// Listening on a local port.
    Listen,
    /// Asking the server for a connection to a target (RFC 4254 section 7.2).
    OpenChannel,
    /// Connecting to the target of a remote forward, from this machine.
    OpenTarget,
    /// Waiting until the tunnel is of use.
    Ready,
    /// Carrying data.
    Carry,
    /// Ending the tunnel.
    Stop,
}

impl Step {
    /// A short name, for machines.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The name, and the failure in words: before the host, joining the host, after the host.
    fn row(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Configure => ("configure", "cannot use the settings", "for", ""),
            Self::Resolve => ("resolve", "cannot look up", "the name", ""),
            Self::Dial => ("dial", "cannot connect", "to", ""),
            Self::Identify => ("identify", "cannot start SSH", "with", ""),
            Self::Negotiate => ("negotiate", "cannot agree on algorithms", "with", ""),
            Self::KeyExchange => ("key-exchange", "cannot agree on keys", "with", ""),
            Self::HostKey => ("host-key", "cannot trust", "the key of", ""),
            Self::Authenticate => ("authenticate", "cannot log in", "to", ""),
            Self::Listen => ("listen", "cannot listen", "for the tunnel through", ""),
            Self::OpenChannel => ("open-channel", "cannot reach a target", "through", ""),
            Self::OpenTarget => ("open-target", "cannot reach a target", "for", ""),
            Self::Ready => ("ready", "the tunnel", "through", " is not ready"),
            Self::Carry => ("carry", "the tunnel", "through", " broke"),
            Self::Stop => ("stop", "the tunnel", "through", " ended"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, before, join, after) = self.step().row();
        f.write_str(before)?;
        if let Some(host) = self.host() {
            write!(f, " {join} {host}")?;
        }
        write!(f, "{after}: {}", self.kind())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("step", &self.step())
            .field("host", &self.host())
            .field("kind", self.kind())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_is_one_sentence_with_step_host_and_cause() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = Error::dial("bastion", vec![("192.0.2.1:22".parse().unwrap(), refused)]);
        assert_eq!(error.to_string(), "cannot connect to bastion: 192.0.2.1:22: connection refused");
        assert_eq!((error.step(), error.host()), (Step::Dial, Some("bastion")));
        assert!(error.advice().is_some());
    }

    #[test]
    fn the_cause_stays_reachable() {
        let error = Error::lost(Step::Carry, "bastion", Some(io::ErrorKind::ConnectionReset.into()));
        let source = error.source().expect("the cause was given");
        assert_eq!(
            source.downcast_ref::<io::Error>().map(io::Error::kind),
            Some(io::ErrorKind::ConnectionReset)
        );
    }

    #[test]
    fn better_advice_replaces_the_usual_one() {
        let error = Error::configuration("x").with_advice("do y");
        assert_eq!(error.advice().as_deref(), Some("do y"));
    }
}
