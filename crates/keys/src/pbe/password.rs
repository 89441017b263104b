use underpass_crypto::Secret;
use zeroize::Zeroizing;

/// A password in the two forms that key derivations want.
pub(crate) struct Password {
    bytes: Zeroizing<Vec<u8>>,
    utf16: Zeroizing<Vec<u8>>,
}

impl Password {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self::from_bytes(secret.expose())
    }

    /// For constructions that put passwords together.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut utf16 = utf16(bytes);
        utf16.extend_from_slice(&[0, 0]);
        Self { bytes: Zeroizing::new(bytes.to_vec()), utf16 }
    }

    /// No password at all, which in PKCS#12 is not the same as an empty one.
    pub(crate) fn none() -> Self {
        Self { bytes: Zeroizing::default(), utf16: Zeroizing::default() }
    }

    /// As it is, in UTF-8.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// In UTF-16 and network order, with a zero at the end (RFC 7292 appendix B.1).
    pub(crate) fn utf16_with_zero(&self) -> &[u8] {
        &self.utf16
    }
}

/// In UTF-16 and network order. What is not UTF-8 is taken for Latin-1.
pub(crate) fn utf16(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    // Room for a zero behind it, so that no copy is left.
    let mut out = Zeroizing::new(Vec::with_capacity(2 * bytes.len() + 2));
    match std::str::from_utf8(bytes) {
        Ok(text) => text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes())),
        Err(_) => bytes.iter().for_each(|byte| out.extend_from_slice(&[0, *byte])),
    }
    out
}
