//! Bytes that both ends can make, so that each can check what the other one sent.

/// An endless stream of bytes that look random. It repeats after a prime number of bytes, so that what is missing,
/// doubled or displaced in units of buffers and packets does not fit; checking costs little beside the tunnel.
#[derive(Debug, Clone)]
pub(super) struct Payload {
    period: Vec<u8>,
    /// Bytes that have gone by.
    position: u64,
}

impl Payload {
    /// A stream of its own for each seed.
    pub(super) fn new(seed: u64) -> Self {
        let words = (0..PERIOD.div_ceil(8)).map(|index| split_mix(seed, index as u64));
        let mut period: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        period.truncate(PERIOD);
        Self { period, position: 0 }
    }

    /// Bytes that have been made or checked.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Some of the next bytes, at most `most`. They count as made.
    pub(super) fn next(&mut self, most: u64) -> &[u8] {
        let start = self.start();
        let left = &self.period[start..];
        let taken = usize::try_from(most).map_or(left.len(), |most| most.min(left.len()));
        self.position += taken as u64;
        &left[..taken]
    }

    /// Checks the next bytes.
    ///
    /// # Errors
    /// The position of the first byte that differs.
    pub(super) fn check(&mut self, mut bytes: &[u8]) -> Result<(), u64> {
        while !bytes.is_empty() {
            let before = self.position;
            let expected = self.next(bytes.len() as u64);
            let (found, rest) = bytes.split_at(expected.len());
            if found != expected {
                let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected);
                return Err(before + same.count() as u64);
            }
            bytes = rest;
        }
        Ok(())
    }

    fn start(&self) -> usize {
        usize::try_from(self.position % PERIOD as u64).expect("less than the period, which is a usize")
    }
}

/// The word at `index` of the generator SplitMix64.
fn split_mix(seed: u64, index: u64) -> u64 {
    let mut word = seed.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The largest prime below 1 MiB.
const PERIOD: usize = 1_048_573;

#[cfg(test)]
mod tests {
    use super::*;

    fn made(payload: &mut Payload, mut length: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while length > 0 {
            let piece = payload.next(length);
            length -= piece.len() as u64;
            bytes.extend_from_slice(piece);
        }
        bytes
    }

    #[test]
    fn what_one_end_makes_the_other_end_accepts_in_any_pieces() {
        let bytes = made(&mut Payload::new(7), 2_500_000);
        let mut checker = Payload::new(7);
        for piece in bytes.chunks(65_537) {
            checker.check(piece).unwrap();
        }
        assert_eq!(checker.position(), 2_500_000);
    }

    #[test]
    fn changed_missing_doubled_and_foreign_bytes_are_found() {
        let bytes = made(&mut Payload::new(7), 1_200_000);
        let mut changed = bytes.clone();
        changed[1_100_000] ^= 1;
        assert_eq!(Payload::new(7).check(&changed), Err(1_100_000));
        let missing = [&bytes[..32_768], &bytes[65_536..]].concat();
        assert!(Payload::new(7).check(&missing).is_err());
        let doubled = [&bytes[..32_768], &bytes].concat();
        assert!(Payload::new(7).check(&doubled).is_err());
        assert!(Payload::new(8).check(&bytes).is_err());
    }

    #[test]
    fn the_generator_is_the_published_one() {
        assert_eq!(split_mix(1_234_567, 0), 6_457_827_717_110_365_317);
    }
}
