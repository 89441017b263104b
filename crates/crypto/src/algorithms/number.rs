//! Numbers as they stand in messages: big-endian, without leading zeros.

/// Bits of a number without leading zeros.
pub(crate) fn bit_len(number: &[u8]) -> usize {
    number.first().map_or(0, |first| 8 * number.len() - first.leading_zeros() as usize)
}
