//! The cipher sets that an SSH client is measured with.

/// One cipher, and its MAC where the cipher does not authenticate by itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CipherSet {
    /// For `--ciphers`.
    pub(crate) name: &'static str,
    /// Value of `Ciphers`.
    pub(crate) ciphers: &'static str,
    /// Value of `MACs`.
    pub(crate) macs: Option<&'static str>,
}

pub(crate) const CIPHER_SETS: &[CipherSet] = &[
    CipherSet { name: "aes-gcm", ciphers: "aes128-gcm@openssh.com", macs: None },
    CipherSet { name: "aes-ctr", ciphers: "aes256-ctr", macs: Some("hmac-sha2-256") },
    CipherSet { name: "chacha", ciphers: "chacha20-poly1305@openssh.com", macs: None },
];

impl CipherSet {
    /// Heading of its table.
    pub(crate) fn title(&self) -> String {
        match self.macs {
            Some(macs) => format!("{} + {macs}", self.ciphers),
            None => self.ciphers.to_owned(),
        }
    }
}
