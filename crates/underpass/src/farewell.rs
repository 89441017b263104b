//! How a server is left.

use std::time::Duration;

/// How a tunnel takes leave of the server when this side ends it: when it is stopped, or its last handle is dropped.
///
/// ```
/// use std::time::Duration;
///
/// let mut farewell = underpass::Farewell::default();
/// farewell.channel_close = Some(Duration::from_secs(5));
/// let builder = underpass::Tunnel::builder("me@bastion").farewell(farewell);
/// # drop(builder);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub struct Farewell {
    /// Connections that are cut are closed as channels (RFC 4254 section 5.3) before the SSH connection is, and the server
    /// has this long to answer; zero: it is told, and not waited for. A second stop does not wait. `None`: they end with
    /// the SSH connection. Default: `None`.
    pub channel_close: Option<Duration>,
    /// Once the server is told that the SSH connection is over (`SSH_MSG_DISCONNECT`), it has this long to close the
    /// connection below, so that the port does not stay behind on this machine (`TIME_WAIT`). `None`: it is closed here, at
    /// once. Default: `None`.
    pub server_close: Option<Duration>,
}
