//! What a channel has received and its consumer has not taken yet.

use std::collections::VecDeque;
use std::ops::Range;

/// The older part has been copied out of the receive buffer, because room was needed there; the newer part still
/// stands in it.
#[derive(Debug, Default)]
pub(crate) struct ReceiveQueue {
    stash: VecDeque<Block>,
    lent: VecDeque<Range<u32>>,
}

/// Copied data. Blocks are never enlarged, so that what is copied costs its own size and little more, and are freed
/// one by one as they are consumed.
#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    consumed: usize,
}

/// The smallest block, so that a peer that sends single bytes costs no allocation for each.
const MIN_BLOCK: usize = 4096;

/// Ranges that a queue keeps room for when it is empty.
const KEPT_RANGES: usize = 64;

impl ReceiveQueue {
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
        let stash = self.stash.iter().map(|block| &block.bytes[block.consumed..]);
        let lent = self.lent.iter().map(|range| &buffer[range.start as usize..range.end as usize]);
        stash.chain(lent)
    }

    /// Drops the first `count` bytes and gives how many of them stood in the receive buffer.
    ///
    /// # Panics
    /// There are not that many.
    pub(crate) fn consume(&mut self, count: usize) -> usize {
        let mut left = count;
        while left > 0
            && let Some(block) = self.stash.front_mut()
        {
            let taken = left.min(block.bytes.len() - block.consumed);
            block.consumed += taken;
            left -= taken;
            if block.consumed == block.bytes.len() {
                self.stash.pop_front();
            }
        }
        if self.stash.is_empty() && self.stash.capacity() > 0 {
            self.stash = VecDeque::new();
        }
        let lent = left;
        while left > 0 {
            let range = self.lent.front_mut().expect("no more is consumed than has come");
            let taken = left.min(range.len());
            range.start += taken as u32;
            left -= taken;
            if range.start == range.end {
                self.lent.pop_front();
            }
        }
        self.tidy();
        lent
    }

    /// Copies everything out of the receive buffer.
    pub(crate) fn stash(&mut self, buffer: &[u8]) {
        let mut left: usize = self.lent.iter().map(|range| range.len()).sum();
        for range in self.lent.drain(..) {
            let mut bytes = &buffer[range.start as usize..range.end as usize];
            while !bytes.is_empty() {
                let block = match self.stash.back_mut() {
                    Some(block) if block.bytes.len() < block.bytes.capacity() => block,
                    _ => {
                        let bytes = Vec::with_capacity(left.max(MIN_BLOCK));
                        self.stash.push_back(Block { bytes, consumed: 0 });
                        continue;
                    }
                };
                let (now, later) =
                    bytes.split_at(bytes.len().min(block.bytes.capacity() - block.bytes.len()));
                block.bytes.extend_from_slice(now);
                left -= now.len();
                bytes = later;
            }
        }
        self.tidy();
    }

    /// Drops everything and gives how much of it stood in the receive buffer.
    pub(crate) fn clear(&mut self) -> (usize, usize) {
        let lent: usize = self.lent.iter().map(|range| range.len()).sum();
        let stashed: usize = self.stash.iter().map(|block| block.bytes.len() - block.consumed).sum();
        *self = Self::default();
        (stashed + lent, lent)
    }

    /// Gives back what a burst of small packets has made of an empty list.
    fn tidy(&mut self) {
        if self.lent.is_empty() && self.lent.capacity() > KEPT_RANGES {
            self.lent = VecDeque::new();
        }
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
        assert_eq!(content(&queue, buffer), b"");
    }

    #[test]
    fn what_is_stashed_again_and_again_costs_little_more_than_itself() {
        let buffer = [7; 3000];
        let mut queue = ReceiveQueue::default();
        for round in 0..1000 {
            let size = 1 + round % 3000;
            queue.push(0..size);
            queue.stash(&buffer);
        }
        let held: usize = queue.stash.iter().map(|block| block.bytes.capacity()).sum();
        let total = content(&queue, &buffer).len();
        assert!(held <= total + MIN_BLOCK, "{held} bytes held for {total}");
        // Consumed blocks are freed, whatever comes behind them.
        queue.consume(total - 1);
        assert_eq!(queue.stash.len(), 1);
        queue.consume(1);
        assert_eq!(queue.stash.capacity(), 0);
    }

    #[test]
    fn a_burst_of_small_packets_leaves_nothing_behind() {
        let buffer = [7; 10_000];
        for stash in [false, true] {
            let mut queue = ReceiveQueue::default();
            (0..10_000).for_each(|at| queue.push(at..at + 1));
            if stash {
                queue.stash(&buffer);
            } else {
                queue.consume(10_000);
            }
            assert!(queue.lent.capacity() <= KEPT_RANGES);
        }
    }
}
