//! Logons whose messages the program writes itself.

use std::fmt;
use std::sync::Arc;

use underpass_crypto::Secret;

/// What the server has sent, for a program that logs in by itself.
#[derive(Debug, Clone, Copy)]
pub struct ServerPacket<'a> {
    /// The payload: the number of the message and its fields (RFC 4253 section 6). At first `SSH_MSG_SERVICE_ACCEPT`.
    pub payload: &'a [u8],
    /// The session identifier (RFC 4253 section 7.2). A proof that covers it is of no use on another connection.
    pub session_id: &'a [u8],
}

/// Logs in by messages of the program's own, see
/// [`Builder::custom_authentication`](crate::Builder::custom_authentication).
#[derive(Clone)]
pub struct CustomAuthentication(Arc<Next>);

type Next = dyn Fn(ServerPacket<'_>) -> Option<Secret> + Send + Sync;

impl CustomAuthentication {
    /// `next` sees each message of the server and gives the payload to send next: a `SSH_MSG_USERAUTH_REQUEST` (RFC 4252
    /// section 5), or a message of its method, whose number is from 60 to 79. `None` gives up. It is called on a thread of
    /// its own and may block; the deadline for logging in goes on meanwhile.
    pub fn new(next: impl Fn(ServerPacket<'_>) -> Option<Secret> + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) fn next(&self, payload: &[u8], session_id: &[u8]) -> Option<Secret> {
        (self.0)(ServerPacket { payload, session_id })
    }
}

impl fmt::Debug for CustomAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomAuthentication")
    }
}
