//! The receive window of one channel (RFC 4254 section 5.2): credit is given on consumption, and its size follows
//! what the link carries.

use std::time::{Duration, Instant};

use crate::limits::MAX_WINDOW;

/// Rounds shorter than this measure the scheduler rather than the link.
const MIN_ROUND: Duration = Duration::from_millis(5);

/// All counts are bytes since the channel was opened.
#[derive(Debug)]
pub(crate) struct ReceiveWindow {
    /// The size aimed at.
    size: u32,
    /// The peer may send up to here.
    granted: u64,
    received: u64,
    consumed: u64,
    /// A round measures what is consumed in one round trip.
    round_start: Option<Instant>,
    round_consumed: u64,
}

impl ReceiveWindow {
    pub(crate) fn new(size: u32) -> Self {
        Self { size, granted: size.into(), received: 0, consumed: 0, round_start: None, round_consumed: 0 }
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Takes note of data; false if the peer may not send that much.
    #[must_use]
    pub(crate) fn receive(&mut self, count: usize, now: Instant) -> bool {
        self.received += count as u64;
        self.round_start.get_or_insert(now);
        self.received <= self.granted
    }

    /// Takes note of consumption and gives the credit that is due to the peer: zero until a good part of the window
    /// is used, so that adjustments stay rare. `room` is what the connection's memory still allows beyond the
    /// present size.
    pub(crate) fn consume(&mut self, count: usize, now: Instant, rtt: Duration, room: usize) -> u32 {
        self.consumed += count as u64;
        debug_assert!(self.consumed <= self.received);
        self.grow(now, rtt, room);
        let due = self.consumed + u64::from(self.size) - self.granted;
        if due < u64::from(self.size) / 4 {
            return 0;
        }
        self.granted += due;
        // At most the size, which is a `u32`, plus growth below the same bound.
        due as u32
    }

    /// Doubles the window when a round trip consumes more than half of it: then the window, not the link, may be
    /// what limits. A channel whose consumer stalls never gets here.
    fn grow(&mut self, now: Instant, rtt: Duration, room: usize) {
        let Some(start) = self.round_start else { return };
        if now.saturating_duration_since(start) < rtt.max(MIN_ROUND) {
            // A fast link fills rounds early; growth need not wait for their end.
            if self.consumed - self.round_consumed <= u64::from(self.size) / 2 {
                return;
            }
        }
        let round = self.consumed - self.round_consumed;
        self.round_start = Some(now);
        self.round_consumed = self.consumed;
        if round > u64::from(self.size) / 2 {
            let more = self.size.min(MAX_WINDOW - self.size);
            self.size += u32::try_from(room).map_or(more, |room| more.min(room));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(100);

    #[test]
    fn credit_comes_back_on_consumption_only() {
        let now = Instant::now();
        let mut window = ReceiveWindow::new(1000);
        assert!(window.receive(1000, now));
        assert_eq!(window.consume(100, now, RTT, 0), 0);
        assert_eq!(window.consume(200, now, RTT, 0), 300);
        assert!(!window.receive(301, now));
    }

    #[test]
    fn more_than_the_window_is_noticed() {
        let mut window = ReceiveWindow::new(1000);
        assert!(!window.receive(1001, Instant::now()));
    }

    #[test]
    fn a_window_that_limits_a_long_link_grows_to_the_bound() {
        let mut now = Instant::now();
        let mut window = ReceiveWindow::new(1 << 20);
        let mut credit = 1 << 20;
        for _ in 0..64 {
            now += RTT;
            assert!(window.receive(credit as usize, now));
            credit = window.consume(credit as usize, now, RTT, usize::MAX);
        }
        assert_eq!(window.size(), MAX_WINDOW);
    }

    #[test]
    fn a_slow_channel_keeps_a_small_window() {
        let mut now = Instant::now();
        let mut window = ReceiveWindow::new(1 << 20);
        for _ in 0..100 {
            now += RTT;
            assert!(window.receive(1000, now));
            window.consume(1000, now, RTT, usize::MAX);
        }
        assert_eq!(window.size(), 1 << 20);
    }

    #[test]
    fn growth_stops_where_memory_ends() {
        let mut now = Instant::now();
        let mut window = ReceiveWindow::new(1 << 20);
        now += RTT;
        assert!(window.receive(1 << 20, now));
        window.consume(1 << 20, now, RTT, 4096);
        assert_eq!(window.size(), (1 << 20) + 4096);
    }
}
