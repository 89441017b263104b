//! The universal hash (RFC 4418 section 5): three layers, run once for each word of the result, each time under other
//! keys. The first compresses 1024 bytes to 8, the second those of all blocks to 8, and the third 8 bytes to 4.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The longest message. Beyond it the second layer has another form, which packets never come to.
pub(super) const MAX_MESSAGE: usize = (1 << 17) / 8 * BLOCK_LEN;

/// The keys of a hash with a result of `WORDS` words.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Uhash<const WORDS: usize> {
    /// Of the first layer. Each run begins [`STEP`] words further on.
    first: [u32; FIRST_WORDS],
    /// Of the second layer.
    second: [u64; WORDS],
    /// Of the third layer: factors, and what is added at the end. It hashes 16 bytes of which, short of
    /// [`MAX_MESSAGE`], the first 8 are zero, so that half of the factors has nothing to do.
    third: [[u64; 4]; WORDS],
    last: [u32; WORDS],
}

impl<const WORDS: usize> Uhash<WORDS> {
    /// Derives the keys by `derive`, which fills a slice with the key of an index (sections 3.2 and 5.1).
    pub(super) fn new(derive: impl Fn(u8, &mut [u8])) -> Self {
        let mut bytes = Zeroizing::new([0; 4 * FIRST_WORDS]);
        derive(1, bytes.as_mut_slice());
        let mut first = [0; FIRST_WORDS];
        for (word, bytes) in first.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }

        let mut bytes = Zeroizing::new([[0; 3 * 8]; WORDS]);
        derive(2, bytes.as_flattened_mut());
        let second = bytes.map(|bytes| be64(&bytes[..8]) & SECOND_MASK);

        let mut bytes = Zeroizing::new([[[0; 8]; 8]; WORDS]);
        derive(3, bytes.as_flattened_mut().as_flattened_mut());
        let third =
            bytes.map(|factors| [4, 5, 6, 7].map(|at: usize| u64::from_be_bytes(factors[at]) % THIRD_PRIME));

        let mut bytes = Zeroizing::new([[0; 4]; WORDS]);
        derive(4, bytes.as_flattened_mut());
        Self { first, second, third, last: bytes.map(u32::from_be_bytes) }
    }

    /// The hash of `message`, which has at most [`MAX_MESSAGE`] bytes.
    pub(super) fn of(&self, message: &[u8]) -> [u32; WORDS] {
        debug_assert!(message.len() <= MAX_MESSAGE);
        let key = |run: usize| &self.first[STEP * run..];
        let mut results = [1; WORDS];
        if message.len() <= BLOCK_LEN {
            // A single block needs no second layer (section 5.1).
            results = std::array::from_fn(|run| compress(key(run), message));
        } else {
            for block in message.chunks(BLOCK_LEN) {
                for (run, result) in results.iter_mut().enumerate() {
                    *result = chain(self.second[run], *result, compress(key(run), block));
                }
            }
        }
        std::array::from_fn(|run| shorten(&self.third[run], results[run]) ^ self.last[run])
    }
}

/// The first layer, NH (section 5.2): up to [`BLOCK_LEN`] bytes, filled up with zeros to whole groups, and their number
/// in bits.
fn compress(key: &[u32], block: &[u8]) -> u64 {
    let (groups, rest) = block.as_chunks();
    let (keys, _) = key.as_chunks();
    let mut sum = 8 * block.len() as u64;
    for (group, key) in groups.iter().zip(keys) {
        sum = sum.wrapping_add(multiply(key, group));
    }
    if !rest.is_empty() || block.is_empty() {
        let mut group = [0; GROUP_LEN];
        group[..rest.len()].copy_from_slice(rest);
        sum = sum.wrapping_add(multiply(&keys[groups.len()], &group));
    }
    sum
}

/// Words are added to the key's, then multiplied with those four further on.
fn multiply(key: &[u32; GROUP_LEN / 4], group: &[u8; GROUP_LEN]) -> u64 {
    let (words, _) = group.as_chunks();
    let word = |at: usize| u64::from(u32::from_le_bytes(words[at]).wrapping_add(key[at]));
    (0..4).fold(0, |sum, at| u64::wrapping_add(sum, word(at) * word(at + 4)))
}

/// A step of the second layer, a polynomial modulo [`SECOND_PRIME`] (section 5.3). A value that is too large is taken in
/// two steps, behind a marker.
fn chain(key: u64, so_far: u64, value: u64) -> u64 {
    let step = |so_far: u64, value: u64| modulo(u128::from(key) * u128::from(so_far) + u128::from(value));
    if value >= SECOND_TOO_LARGE {
        step(step(so_far, SECOND_PRIME - 1), value - SECOND_OFFSET)
    } else {
        step(so_far, value)
    }
}

/// `value` modulo [`SECOND_PRIME`], for values below 2^122: 2^64 is congruent to the offset.
fn modulo(value: u128) -> u64 {
    let fold = |value: u128| (value >> 64) * u128::from(SECOND_OFFSET) + u128::from(value as u64);
    let value = fold(fold(value));
    value.checked_sub(u128::from(SECOND_PRIME)).unwrap_or(value) as u64
}

/// The third layer, an inner product modulo [`THIRD_PRIME`] (section 5.4).
fn shorten(factors: &[u64; 4], value: u64) -> u32 {
    let parts = [48, 32, 16, 0].map(|shift| u64::from((value >> shift) as u16));
    let sum: u64 = parts.iter().zip(factors).map(|(part, factor)| part * factor).sum();
    (sum % THIRD_PRIME) as u32
}

fn be64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Bytes that the first layer compresses to 8.
const BLOCK_LEN: usize = 1024;

/// Bytes that the first layer takes at once.
const GROUP_LEN: usize = 32;

/// Words by which the key of the first layer moves on from one run to the next (section 5.1).
const STEP: usize = 4;

/// For four runs; a hash with fewer uses the beginning.
const FIRST_WORDS: usize = BLOCK_LEN / 4 + 3 * STEP;

/// 2^64 - 59.
const SECOND_PRIME: u64 = SECOND_OFFSET.wrapping_neg();
const SECOND_OFFSET: u64 = 59;

/// Values from here on are taken in two steps (section 5.3).
const SECOND_TOO_LARGE: u64 = u64::MAX << 32;

/// Keeps keys so small that products do not carry (section 5.3).
const SECOND_MASK: u64 = 0x01ff_ffff_01ff_ffff;

/// 2^36 - 5.
const THIRD_PRIME: u64 = (1 << 36) - 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_range_of_the_second_layer_are_taken_in_two_steps() {
        // Random messages never come to it. Computed from the definition in section 5.3 with Python's integers.
        let key = 0x0123_4567_0089_abcd;
        assert_eq!(chain(key, 1, u64::MAX), 0x389c_264c_cc3a_78c3);
        assert_eq!(chain(key, SECOND_PRIME - 1, SECOND_TOO_LARGE), 0xc51d_4ee4_32b2_2f67);
        assert_eq!(chain(key, SECOND_PRIME - 1, SECOND_TOO_LARGE - 1), 0xfedc_ba97_ff76_5432);
    }

    #[test]
    fn reduction_leaves_nothing_at_or_above_the_prime() {
        let prime = u128::from(SECOND_PRIME);
        for value in
            [0, 1, prime - 1, prime, prime + 1, 2 * prime - 1, (1 << 64) - 1, 1 << 64, (1 << 122) - 1]
        {
            assert_eq!(u128::from(modulo(value)), value % prime, "{value}");
        }
    }
}
