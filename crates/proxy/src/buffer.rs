//! Bytes on their way, which may hold passwords.

use zeroize::Zeroizing;

/// A queue of bytes that is wiped when it moves and when it is dropped.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    /// What lies before was used already.
    at: usize,
}

impl Buffer {
    /// Appends `more`.
    pub(crate) fn push(&mut self, more: &[u8]) {
        if self.bytes.capacity() - self.bytes.len() < more.len() {
            let rest = self.rest();
            // Doubling keeps the copying proportional to what arrives. A `Vec` that grows by itself would
            // leave its old memory as it was.
            let mut roomier =
                Zeroizing::new(Vec::with_capacity((rest.len() + more.len()).max(2 * rest.len())));
            roomier.extend_from_slice(rest);
            self.bytes = roomier;
            self.at = 0;
        }
        self.bytes.extend_from_slice(more);
    }

    /// What was not used yet.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Marks the first `n` bytes of the rest as used.
    pub(crate) fn advance(&mut self, n: usize) {
        self.at = (self.at + n).min(self.bytes.len());
        if self.at == self.bytes.len() {
            self.clear();
        }
    }

    /// Hands the rest over.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.rest().to_vec();
        self.clear();
        rest
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_gone_and_the_rest_keeps_its_order() {
        let mut buffer = Buffer::default();
        buffer.push(b"abc");
        buffer.advance(2);
        buffer.push(b"defgh");
        assert_eq!(buffer.rest(), b"cdefgh");
        buffer.advance(100);
        assert!(buffer.rest().is_empty());
        buffer.push(b"i");
        assert_eq!(buffer.take_rest(), b"i");
        assert!(buffer.rest().is_empty());
    }
}
