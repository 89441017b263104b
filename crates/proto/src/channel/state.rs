//! One channel: two halves that end independently (RFC 4254 section 5.3).
//!
//! ```text
//!  sending:    Opening ──▶ Open ──EOF sent──▶ Finished ──CLOSE sent──▶ Closed
//!                 └────────────────CLOSE sent────────────────────────────▲
//!  receiving:  Opening ──▶ Open ──EOF came──▶ Finished ──CLOSE came──▶ Closed
//!                 └────────────────CLOSE came────────────────────────────▲
//! ```
//!
//! A channel is over when both halves are closed. What has come before the end stays until the application releases
//! the channel.

use std::time::Instant;

use super::queue::ReceiveQueue;
use super::window::ReceiveWindow;

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) sending: Sending,
    pub(crate) receiving: Receiving,
    pub(crate) queue: ReceiveQueue,
    pub(crate) window: ReceiveWindow,
    /// The peer's number for the channel.
    pub(crate) remote: u32,
    /// Bytes that the peer lets us send.
    pub(crate) remote_window: u32,
    /// Bytes of data that the peer takes in one packet.
    pub(crate) remote_max_packet: u32,
    /// There was no room to send: tell when there is.
    pub(crate) wants_room: bool,
    /// A readable event is out and not yet followed by a look.
    pub(crate) told_readable: bool,
    /// The consumer wants no more: data is dropped, with credit, until the peer's end comes.
    pub(crate) discard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// We asked for the channel at this time, or the application decides whether the peer gets it.
    Opening { since: Instant },
    /// Data may be sent.
    Open,
    /// EOF is sent.
    Finished,
    /// CLOSE is sent.
    Closed,
}

/// How far the data of a channel has come, for its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiving {
    /// More may come.
    Open,
    /// The peer has sent all its data (SSH_MSG_CHANNEL_EOF).
    Finished,
    /// The peer has closed the channel. Without a [`Receiving::Finished`] before, data may be missing.
    Closed {
        /// Whether the end of the data was announced before.
        finished: bool,
    },
}

impl Channel {
    pub(crate) fn new(window: u32, now: Instant) -> Self {
        Self {
            sending: Sending::Opening { since: now },
            receiving: Receiving::Open,
            queue: ReceiveQueue::default(),
            window: ReceiveWindow::new(window),
            remote: 0,
            remote_window: 0,
            remote_max_packet: 0,
            wants_room: false,
            told_readable: false,
            discard: false,
        }
    }

    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.sending, Sending::Opening { .. })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.sending == Sending::Closed && matches!(self.receiving, Receiving::Closed { .. })
    }
}
