//! The engine under arbitrary input: what fuzzers run, and what tests run with seeded input in their place.
//!
//! Each function takes its decisions from the bytes it is given and panics if something does not hold that must hold
//! whatever they are.

mod honest;
mod hostile;

use underpass_proto::Connection;
use underpass_proto::limits::{MAX_BUFFER, MAX_PENDING_CHANNEL_CONTROL, MAX_PENDING_CONTROL};

pub use self::honest::actions;
pub use self::hostile::{bytes, messages};

/// Decisions, taken from the front of the input; zero when it is used up.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let number = u16::from_be_bytes([self.byte(), self.byte()]);
        usize::from(number) % bound.max(1)
    }

    /// A size: small ones and those of a packet or a window are as likely.
    fn size(&mut self) -> usize {
        let magnitude = self.byte() % 20;
        self.below(1 << magnitude.min(15)) << magnitude.saturating_sub(15)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// What holds for a connection at any moment.
fn check(connection: &mut Connection) {
    let channels = connection.channel_count();
    let waiting = connection.transmit().len();
    let bound = MAX_BUFFER + MAX_PENDING_CONTROL + channels.max(64) * MAX_PENDING_CHANNEL_CONTROL;
    assert!(waiting <= bound, "{waiting} bytes wait to be written");
    let space = connection.receive_space().len();
    assert!(space <= 2 * MAX_BUFFER, "{space} bytes are kept for reading");
    if connection.is_closed() {
        assert_eq!((connection.poll_timeout(), channels), (None, 0));
    }
}
