//! What a channel has received and its consumer has not taken yet.

use std::collections::VecDeque;
use std::ops::Range;

/// The older part has been copied out of the receive buffer, because room was needed there; the newer part still
/// stands in it.
#[derive(Debug, Default)]
pub(crate) struct ReceiveQueue {
    stash: VecDeque<u8>,
    lent: VecDeque<Range<u32>>,
}

impl ReceiveQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.stash.is_empty() && self.lent.is_empty()
    }

    pub(crate) fn has_lent(&self) -> bool {
        !self.lent.is_empty()
    }

    /// Data stands at `range` of the receive buffer, whose size fits 32 bits.
    pub(crate) fn push(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.lent.push_back(range.start as u32..range.end as u32);
        }
    }

    /// All data, in order.
    pub(crate) fn chunks<'a>(&'a self, buffer: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let (front, back) = self.stash.as_slices();
        let lent = self.lent.iter().map(|range| &buffer[range.start as usize..range.end as usize]);
        [front, back].into_iter().filter(|part| !part.is_empty()).chain(lent)
    }

    /// Drops the first `count` bytes and gives how many of them stood in the receive buffer.
    pub(crate) fn consume(&mut self, count: usize) -> usize {
        let stashed = count.min(self.stash.len());
        self.stash.drain(..stashed);
        if self.stash.is_empty() && self.stash.capacity() > 0 {
            self.stash = VecDeque::new();
        }
        let mut left = count - stashed;
        while left > 0 {
            let Some(range) = self.lent.front_mut() else {
                unreachable!("no more is consumed than was lent")
            };
            let taken = left.min(range.len());
            range.start += taken as u32;
            left -= taken;
            if range.start == range.end {
                self.lent.pop_front();
            }
        }
        count - stashed
    }

    /// Copies everything out of the receive buffer.
    pub(crate) fn stash(&mut self, buffer: &[u8]) {
        let total = self.lent.iter().map(|range| range.len()).sum();
        self.stash.reserve(total);
        for range in self.lent.drain(..) {
            self.stash.extend(&buffer[range.start as usize..range.end as usize]);
        }
    }

    /// Drops everything and gives how much of it stood in the receive buffer.
    pub(crate) fn clear(&mut self) -> (usize, usize) {
        let lent: usize = self.lent.iter().map(|range| range.len()).sum();
        let total = lent + self.stash.len();
        *self = Self::default();
        (total, lent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(queue: &ReceiveQueue, buffer: &[u8]) -> Vec<u8> {
        queue.chunks(buffer).flatten().copied().collect()
    }

    #[test]
    fn order_survives_stashing() {
        let buffer = b"..abc.defg.";
        let mut queue = ReceiveQueue::default();
        queue.push(2..5);
        queue.stash(buffer);
        queue.push(6..10);
        assert_eq!(content(&queue, buffer), b"abcdefg");
        assert_eq!(queue.consume(4), 1);
        assert_eq!(content(&queue, buffer), b"efg");
        assert_eq!(queue.clear(), (3, 3));
        assert!(queue.is_empty());
    }
}
