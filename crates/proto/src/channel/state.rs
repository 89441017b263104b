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
use crate::event::QuestionId;

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
    /// What the application waits for to send more.
    pub(crate) wants: Want,
    /// A readable event is out and not yet followed by a look.
    pub(crate) told_readable: bool,
    /// The consumer wants no more: data is dropped, with credit, until the peer's end comes.
    pub(crate) discard: bool,
    /// The application was told that the channel is not to be had, and hears no more of it.
    pub(crate) void: bool,
}

/// What the application waits for on a channel, having found no room to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Nothing,
    /// The peer's next window adjustment.
    Window,
    /// Room in the transmit buffer, or the end of a key exchange.
    Room,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// We asked for the channel at this time.
    Opening { since: Instant },
    /// The peer asked for the channel at this time, and the application decides.
    Asked { since: Instant, question: QuestionId },
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
    pub(crate) fn new(sending: Sending, window: ReceiveWindow) -> Self {
        Self {
            sending,
            receiving: Receiving::Open,
            queue: ReceiveQueue::default(),
            window,
            remote: 0,
            remote_window: 0,
            remote_max_packet: 0,
            wants: Want::Nothing,
            told_readable: false,
            discard: false,
            void: false,
        }
    }

    /// Whether we have asked for it and the peer has not answered.
    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.sending, Sending::Opening { .. })
    }

    /// Since when it is asked for, from either side, and not settled; the peer has no business with it yet.
    pub(crate) fn asked_at(&self) -> Option<Instant> {
        match self.sending {
            Sending::Opening { since } | Sending::Asked { since, .. } => Some(since),
            Sending::Open | Sending::Finished | Sending::Closed => None,
        }
    }

    pub(crate) fn is_unopened(&self) -> bool {
        self.asked_at().is_some()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.sending == Sending::Closed && matches!(self.receiving, Receiving::Closed { .. })
    }
}
