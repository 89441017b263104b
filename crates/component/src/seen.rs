//! What was learned of the server, for members that only tell.

use underpass::{FingerprintHash, hex_fingerprint};

use crate::store::Store;

/// What the latest connection has shown.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// The server's key, without a certificate.
    pub(crate) key: Vec<u8>,
    /// What the server calls itself.
    pub(crate) server_version: String,
    /// Whether the key exchange was strict.
    pub(crate) strict: Option<bool>,
    /// Within `on_data_in`: of which channel, and whether its end of line was found.
    pub(crate) channel_eol_found: Option<(i32, bool)>,
}

impl Seen {
    /// The fingerprint of the server's key; empty before one was seen.
    pub(crate) fn fingerprint(&self, hash: FingerprintHash) -> String {
        if self.key.is_empty() { String::new() } else { hex_fingerprint(&self.key, hash) }
    }
}

/// The hash of the fingerprint that `on_ssh_server_authentication` tells.
pub(crate) fn hash_of(store: &Store) -> FingerprintHash {
    match store.text("SSHFingerprintHashAlgorithm").to_ascii_uppercase().as_str() {
        "MD5" => FingerprintHash::Md5,
        "SHA1" => FingerprintHash::Sha1,
        _ => FingerprintHash::Sha256,
    }
}
