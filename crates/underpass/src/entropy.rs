//! The operating system's random generator: the only place where it is read.

use underpass_crypto::Entropy;

/// Random bytes of the operating system, fetched in blocks.
///
/// Packets take a few bytes of padding each, which is not worth a system call. What was handed out is wiped.
pub(crate) struct OsEntropy {
    block: [u8; BLOCK],
    left: usize,
}

const BLOCK: usize = 1024;

/// A random number, for spreading things in time.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    OsEntropy::fetch(&mut bytes);
    u64::from_ne_bytes(bytes)
}

impl OsEntropy {
    pub(crate) fn new() -> Self {
        Self { block: [0; BLOCK], left: 0 }
    }

    fn fetch(out: &mut [u8]) {
        // Without randomness there are no keys: nothing sensible can go on.
        getrandom::fill(out).expect("the operating system gives random bytes");
    }
}

impl Entropy for OsEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        if out.len() > BLOCK / 4 {
            return Self::fetch(out);
        }
        if self.left < out.len() {
            Self::fetch(&mut self.block);
            self.left = BLOCK;
        }
        let taken = &mut self.block[self.left - out.len()..self.left];
        out.copy_from_slice(taken);
        taken.fill(0);
        self.left -= out.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_are_handed_out_twice() {
        let mut entropy = OsEntropy::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..500 {
            let mut bytes = [0; 16];
            entropy.fill(&mut bytes);
            assert!(seen.insert(bytes));
        }
        let mut large = [0; BLOCK];
        entropy.fill(&mut large);
        assert_ne!(large, [0; BLOCK]);
    }
}
