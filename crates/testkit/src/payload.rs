//! Pseudo-random byte streams addressed by position.

use std::fmt;

/// A pseudo-random stream without end: any stretch of it can be made, or checked, without the rest.
///
/// Two streams with different seeds differ nearly everywhere, so bytes that strayed from one stream into another,
/// or to another offset of the same one, are found.
///
/// ```
/// use underpass_testkit::Payload;
///
/// let payload = Payload::new(7);
/// let mut bytes = [0; 100];
/// payload.fill(1_000_003, &mut bytes);
/// assert!(payload.check(1_000_003, &bytes).is_ok());
/// assert!(payload.check(1_000_004, &bytes).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    seed: u64,
}

impl Payload {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed: mix(seed) }
    }

    /// Writes the bytes from `offset` on into `out`.
    pub fn fill(&self, offset: u64, out: &mut [u8]) {
        let skip = (offset % WORD as u64) as usize;
        let mut index = offset / WORD as u64;
        let (head, body) = out.split_at_mut(((WORD - skip) % WORD).min(out.len()));
        if !head.is_empty() {
            head.copy_from_slice(&self.word(index)[skip..skip + head.len()]);
            index += 1;
        }
        let mut words = body.chunks_exact_mut(WORD);
        for word in &mut words {
            word.copy_from_slice(&self.word(index));
            index += 1;
        }
        let tail = words.into_remainder();
        tail.copy_from_slice(&self.word(index)[..tail.len()]);
    }

    /// Compares `bytes` with the stream from `offset` on.
    ///
    /// # Errors
    /// The first byte that differs.
    pub fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        let mut expected = [0; CHECK_CHUNK];
        let mut offset = offset;
        for found in bytes.chunks(CHECK_CHUNK) {
            let expected = &mut expected[..found.len()];
            self.fill(offset, expected);
            if expected != found {
                return Err(first_difference(offset, expected, found));
            }
            offset += found.len() as u64;
        }
        Ok(())
    }

    fn word(&self, index: u64) -> [u8; WORD] {
        mix(self.seed.wrapping_add(index.wrapping_mul(STEP))).to_le_bytes()
    }
}

/// Where a checked stream left its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Offset of the first wrong byte, from the start of the stream.
    pub offset: u64,
    /// The byte that belongs there.
    pub expected: u8,
    /// The byte that came.
    pub found: u8,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, expected, found } = self;
        write!(f, "byte {offset} is {found:#04x} instead of {expected:#04x}")
    }
}

impl std::error::Error for Mismatch {}

fn first_difference(offset: u64, expected: &[u8], found: &[u8]) -> Mismatch {
    let at = expected.iter().zip(found).position(|(e, f)| e != f).expect("the slices were found to differ");
    Mismatch { offset: offset + at as u64, expected: expected[at], found: found[at] }
}

/// The output function of `SplitMix64` (Steele, Lea, Flood 2014): a bijection, so no two positions of one stream
/// hold the same word.
const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const WORD: usize = size_of::<u64>();

/// The increment of `SplitMix64`: 2⁶⁴ divided by the golden ratio, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Small enough to stay in the first-level cache together with what it is compared to.
const CHECK_CHUNK: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_equals_the_same_stretch_of_the_whole() {
        let payload = Payload::new(42);
        let mut whole = vec![0; 200];
        payload.fill(0, &mut whole);
        for start in 0..40 {
            for length in 0..40 {
                let mut part = vec![0; length];
                payload.fill(start as u64, &mut part);
                assert_eq!(part, whole[start..start + length], "{length} bytes from {start}");
            }
        }
    }

    #[test]
    fn a_wrong_byte_is_named_with_its_offset() {
        let payload = Payload::new(1);
        let mut bytes = vec![0; 3 * CHECK_CHUNK];
        payload.fill(5, &mut bytes);
        assert_eq!(payload.check(5, &bytes), Ok(()));
        let at = 2 * CHECK_CHUNK + 17;
        let expected = bytes[at];
        bytes[at] ^= 0x10;
        let mismatch = Mismatch { offset: 5 + at as u64, expected, found: expected ^ 0x10 };
        assert_eq!(payload.check(5, &bytes), Err(mismatch));
    }

    #[test]
    fn streams_of_neighbouring_seeds_differ() {
        let mut bytes = [0; 64];
        Payload::new(1).fill(0, &mut bytes);
        assert!(Payload::new(2).check(0, &bytes).is_err());
        assert!(Payload::new(1).check(8, &bytes).is_err());
    }
}
