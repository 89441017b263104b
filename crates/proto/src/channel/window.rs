//! The receive window of one channel (RFC 4254 section 5.2): credit is given on consumption, and its size follows
//! what a round trip carries.
//!
//! Too small a window caps throughput at window ÷ round trip. Too large a one is harmful too: the most common server
//! buffers up to a whole window of its target's data and moves all of it for each packet it takes from the front, so
//! that credit beyond what is in flight costs it more time than the network takes. So the size is doubled while each
//! round trip uses it up, and brought back to what a round trip really carried when one does not.

use std::time::{Duration, Instant};

/// Rounds shorter than this measure the scheduler rather than the link.
const MIN_ROUND: Duration = Duration::from_millis(2);

/// Credit is worth a message from this on.
const MIN_CREDIT: u32 = 256 * 1024;

/// Credit is not held back beyond this: the sender would use it in a burst.
const MAX_CREDIT: u32 = 512 * 1024;

/// All counts are bytes since the channel was opened.
#[derive(Debug)]
pub(crate) struct ReceiveWindow {
    /// The size aimed at.
    size: u32,
    /// The size at first, below which it never falls.
    floor: u32,
    /// The size beyond which it never grows.
    ceiling: u32,
    /// The peer may send up to here.
    granted: u64,
    received: u64,
    consumed: u64,
    /// What was consumed when credit was given last.
    credited: u64,
    round: Option<Round>,
    /// Below this the window is doubled, above it grows in small steps: half of the size that was too large last.
    threshold: u32,
    /// The window has just grown: the next round still carries what was granted before.
    grown: bool,
}

/// What is consumed in about one round trip.
#[derive(Debug, Clone, Copy)]
struct Round {
    start: Instant,
    consumed: u64,
    /// What could come in it: the credit that was out at its start.
    limit: u64,
}

impl ReceiveWindow {
    pub(crate) fn new(size: u32, ceiling: u32) -> Self {
        let granted = size.into();
        Self {
            size,
            floor: size,
            ceiling,
            granted,
            received: 0,
            consumed: 0,
            credited: 0,
            round: None,
            threshold: u32::MAX,
            grown: false,
        }
    }

    /// Lets it grow further than it could.
    pub(crate) fn raise_ceiling(&mut self, ceiling: u32) {
        self.ceiling = self.ceiling.max(ceiling);
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// The most that can have to be held: the size, or more while credit given earlier is still out.
    pub(crate) fn committed(&self) -> usize {
        u64::from(self.size).max(self.granted - self.consumed) as usize
    }

    /// Takes note of data; false if the peer may not send that much.
    #[must_use]
    pub(crate) fn receive(&mut self, count: usize, now: Instant) -> bool {
        self.received += count as u64;
        if self.round.is_none() {
            self.round = Some(self.new_round(now));
        }
        self.received <= self.granted
    }

    /// Takes note of consumption and gives the credit that is due to the peer: zero until a good part of the window
    /// is used, so that adjustments stay rare. `room` is what the connection's memory still allows beyond the
    /// present size.
    pub(crate) fn consume(&mut self, count: usize, now: Instant, rtt: Duration, room: usize) -> u32 {
        self.consumed += count as u64;
        debug_assert!(self.consumed <= self.received);
        self.measure(now, rtt.max(MIN_ROUND), room);
        self.credit()
    }

    /// The credit to give now. A window that has grown is filled at twice the pace of consumption, not at once: the
    /// sender keeps to the pace of the link, and its buffers stay short.
    fn credit(&mut self) -> u32 {
        let due = (self.consumed + u64::from(self.size)).saturating_sub(self.granted);
        let step = (self.size / 16).clamp(MIN_CREDIT, MAX_CREDIT).min(self.size / 4);
        let step = u64::from(step);
        let pace = 2 * (self.consumed - self.credited);
        // Less than a step is worth a message to nobody, and a sender that has less than that left gets a whole one.
        if due < step || (pace < step && self.granted - self.consumed >= step) {
            return 0;
        }
        let credit = due.min(pace.max(step));
        self.credited = self.consumed;
        self.granted += credit;
        // At most the size, which is a `u32`.
        credit as u32
    }

    /// Ends a round when a round trip has passed, and learns from it.
    fn measure(&mut self, now: Instant, rtt: Duration, room: usize) {
        let Some(round) = self.round else { return };
        let elapsed = now.saturating_duration_since(round.start);
        if elapsed < rtt {
            return;
        }
        self.round = Some(self.new_round(now));
        if elapsed > rtt * 2 {
            // The sender paused; that says nothing about the link.
            return;
        }
        if std::mem::take(&mut self.grown) {
            return;
        }
        let carried = self.consumed - round.consumed;
        if carried >= round.limit / 8 * 7 {
            self.grow(room);
        } else if carried < round.limit / 4 * 3 {
            self.threshold = self.size / 2;
            let fitting = u32::try_from(carried + carried / 8).unwrap_or(self.size);
            self.size = fitting.clamp(self.floor, self.size);
        }
    }

    fn new_round(&self, now: Instant) -> Round {
        Round { start: now, consumed: self.consumed, limit: self.granted - self.consumed }
    }

    fn grow(&mut self, room: usize) {
        let step = if self.size < self.threshold { self.size } else { self.size / 4 };
        let step = step.min(self.ceiling.saturating_sub(self.size));
        self.size += u32::try_from(room).map_or(step, |room| step.min(room));
        self.grown = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_WINDOW;

    const RTT: Duration = Duration::from_millis(100);

    /// A sender far away that uses all its credit, on a link that carries at most `per_round` in a round trip.
    fn run(window: &mut ReceiveWindow, mut now: Instant, rounds: u32, per_round: u64) -> Instant {
        for _ in 0..rounds {
            let mut left = (window.granted - window.received).min(per_round);
            // A round trip brings what was granted in the one before, in packets spread over it.
            let pieces = left.div_ceil(32 * 1024).max(1) as u32;
            while left > 0 {
                now += RTT / pieces;
                let piece = left.min(32 * 1024) as usize;
                assert!(window.receive(piece, now));
                window.consume(piece, now, RTT, usize::MAX);
                left -= piece as u64;
            }
        }
        now
    }

    #[test]
    fn credit_comes_back_on_consumption_only() {
        let now = Instant::now();
        let mut window = ReceiveWindow::new(1000, MAX_WINDOW);
        assert!(window.receive(1000, now));
        assert_eq!(window.consume(100, now, RTT, 0), 0);
        assert_eq!(window.consume(200, now, RTT, 0), 300);
        assert!(!window.receive(301, now));
    }

    #[test]
    fn a_consumer_of_single_bytes_causes_few_messages() {
        let mut now = Instant::now();
        let mut window = ReceiveWindow::new(1 << 20, MAX_WINDOW);
        let (mut messages, mut total) = (0, 0);
        for _ in 0..40 {
            now += RTT;
            let size = (window.granted - window.received).min(1 << 20) as usize;
            assert!(window.receive(size, now), "the sender is never left without credit");
            assert!(size > 0);
            total += size;
            for _ in 0..size {
                messages += u32::from(window.consume(1, now, RTT, usize::MAX) > 0);
            }
        }
        assert!(messages as usize <= total / (128 * 1024) + 1, "{messages} messages for {total} bytes");
    }

    #[test]
    fn a_sender_always_gets_credit_again() {
        // Sizes of consumption and pauses that follow no pattern, in small and large windows.
        let mut random = 1_u64;
        for first in [1 << 16, 100_000, 1 << 20] {
            let mut now = Instant::now();
            let mut window = ReceiveWindow::new(first, MAX_WINDOW);
            for _ in 0..20_000 {
                // Small numbers are as likely as large ones.
                let mut draw = |bits: u64| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (random >> 33) % (1 << ((random >> 20) % bits))
                };
                let credit = (window.granted - window.received) as usize;
                let held = (window.received - window.consumed) as usize;
                assert!(credit + held > 0, "the sender would wait for ever");
                assert!(window.receive(credit.min(draw(21) as usize), now));
                now += RTT * draw(6) as u32 / 20;
                let held = (window.received - window.consumed) as usize;
                window.consume(held.min(1 + draw(21) as usize), now, RTT, usize::MAX);
            }
        }
    }

    #[test]
    fn counts_go_on_beyond_32_bits() {
        let mut window = ReceiveWindow::new(1 << 20, MAX_WINDOW);
        run(&mut window, Instant::now(), 1000, u64::MAX);
        assert!(window.consumed > 1 << 34);
    }

    #[test]
    fn more_than_the_window_is_noticed() {
        let mut window = ReceiveWindow::new(1000, MAX_WINDOW);
        assert!(!window.receive(1001, Instant::now()));
    }

    #[test]
    fn a_window_that_limits_a_long_link_grows_to_the_bound() {
        let mut window = ReceiveWindow::new(1 << 20, MAX_WINDOW);
        run(&mut window, Instant::now(), 24, u64::MAX);
        assert_eq!(window.size(), MAX_WINDOW);
    }

    #[test]
    fn a_window_does_not_grow_beyond_its_own_bound_which_may_be_raised() {
        let mut window = ReceiveWindow::new(1 << 20, 3 << 20);
        let now = run(&mut window, Instant::now(), 24, u64::MAX);
        assert_eq!(window.size(), 3 << 20);
        window.raise_ceiling(2 << 20);
        let now = run(&mut window, now, 24, u64::MAX);
        assert_eq!(window.size(), 3 << 20);
        window.raise_ceiling(5 << 20);
        run(&mut window, now, 24, u64::MAX);
        assert_eq!(window.size(), 5 << 20);
    }

    #[test]
    fn a_window_beyond_what_the_link_carries_shrinks_to_it() {
        let mut window = ReceiveWindow::new(1 << 20, MAX_WINDOW);
        let now = run(&mut window, Instant::now(), 24, u64::MAX);
        run(&mut window, now, 24, 8 << 20);
        assert!((8 << 20..=12 << 20).contains(&window.size()), "{}", window.size());
    }

    #[test]
    fn a_slow_channel_keeps_its_first_window() {
        let mut window = ReceiveWindow::new(1 << 20, MAX_WINDOW);
        run(&mut window, Instant::now(), 100, 1000);
        assert_eq!(window.size(), 1 << 20);
    }

    #[test]
    fn growth_stops_where_memory_ends() {
        let start = Instant::now();
        let mut window = ReceiveWindow::new(1 << 20, MAX_WINDOW);
        assert!(window.receive(1 << 20, start));
        window.consume(1 << 20, start + RTT, RTT, 4096);
        assert_eq!(window.size(), (1 << 20) + 4096);
        assert_eq!(window.committed(), (1 << 20) + 4096);
    }
}
