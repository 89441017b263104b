/// A source of cryptographically strong random bytes.
///
/// Handed in by the caller, so that the operating system's generator is read in one place and tests can replay a
/// connection byte for byte.
pub trait Entropy: Send {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);
}

impl<T: Entropy + ?Sized> Entropy for Box<T> {
    fn fill(&mut self, out: &mut [u8]) {
        (**self).fill(out);
    }
}
