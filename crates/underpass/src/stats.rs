//! What a tunnel has carried.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the tunnel was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Connections open now.
    pub open: u64,
    /// Connections that were opened, those still open included.
    pub total: u64,
    /// Connections that did not reach their target.
    pub failed: u64,
    /// Bytes from here to the server; but for remote forwards, that is to the targets.
    pub sent: u64,
    /// Bytes from the server to here; but for remote forwards, that is from the targets.
    pub received: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    open: AtomicU64,
    total: AtomicU64,
    failed: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    pub(crate) fn open(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn close(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self, sent: u64, received: u64) {
        if sent > 0 {
            self.sent.fetch_add(sent, Ordering::Relaxed);
        }
        if received > 0 {
            self.received.fetch_add(received, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            open: self.open.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }
}
