//! A program's say in whether a tunnel connects again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;

/// An attempt to connect again that is due, see [`Builder::before_reconnect`](crate::Builder::before_reconnect).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReconnectAttempt {
    /// Which it is in a row, from 1.
    pub attempt: u32,
    /// How many there may be in a row; `None`: any number.
    pub max_attempts: Option<u32>,
    /// When it begins, counted from when the program is asked.
    pub after: Duration,
    /// Why the connection broke, or why the last attempt failed.
    pub error: Error,
}

/// Says whether a tunnel connects again, see [`Builder::before_reconnect`](crate::Builder::before_reconnect).
#[derive(Clone)]
pub struct BeforeReconnect(Arc<Consent>);

type Consent = dyn Fn(&ReconnectAttempt) -> bool + Send + Sync;

impl BeforeReconnect {
    /// `wanted` says whether the attempt is to be made. It is called on a thread of its own and may block.
    pub fn new(wanted: impl Fn(&ReconnectAttempt) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(wanted))
    }

    pub(crate) fn is_wanted(&self, attempt: &ReconnectAttempt) -> bool {
        (self.0)(attempt)
    }
}

impl fmt::Debug for BeforeReconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeReconnect")
    }
}
