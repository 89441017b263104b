//! Public keys as blobs (RFC 4253 section 6.6) and as lines of `.pub` files.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use underpass_crypto::{key_bits, key_description, key_type, sha256_fingerprint};
use underpass_wire::untrusted;

use crate::{Entry, KeyFileError, MAX_ENTRIES, armour, store::Opened};

/// The longest public key blob that is accepted, in bytes. A 16,384-bit RSA key has 2 KiB; certificates add lists of
/// principals and options.
pub const MAX_BLOB_LEN: usize = 64 * 1024;

/// A public key or certificate. Only its type has been looked at.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    blob: Vec<u8>,
    key_type: String,
    comment: String,
}

impl PublicKey {
    /// Takes a blob as it is on the wire.
    ///
    /// # Errors
    /// It does not begin with the name of a key type, or is longer than [`MAX_BLOB_LEN`].
    pub fn from_blob(blob: &[u8]) -> Result<Self, KeyFileError> {
        if blob.len() > MAX_BLOB_LEN {
            return Err(KeyFileError::Malformed("the public key is too long"));
        }
        let Some(key_type) = key_type(blob) else {
            return Err(KeyFileError::Malformed("the public key does not name its type"));
        };
        Ok(Self { key_type: key_type.to_owned(), blob: blob.to_owned(), comment: String::new() })
    }

    /// The key as it is on the wire.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The name of its type, e.g. `ssh-ed25519`: printable ASCII.
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// The comment after the key; empty when there was none. Escape it before showing it.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Its kind and size, e.g. `RSA 3072`.
    pub fn description(&self) -> String {
        key_description(&self.blob)
    }

    /// Its size in bits, if it is of a kind that has one.
    pub fn bits(&self) -> Option<usize> {
        key_bits(&self.blob)
    }

    /// `SHA256:` and the hash of the blob, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        sha256_fingerprint(&self.blob)
    }
}

/// The line of a `.pub` file, without its comment.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key_type, STANDARD.encode(&self.blob))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey({} {} {})",
            self.key_type,
            self.fingerprint(),
            untrusted(self.comment.as_bytes())
        )
    }
}

impl PublicKey {
    pub(crate) fn with_comment(self, comment: &str) -> Self {
        Self { comment: comment.trim_end().to_owned(), ..self }
    }
}

/// Reads `type base64 comment`, as in `.pub` files and after the host names of `known_hosts`.
///
/// # Errors
/// The key is missing or not base64, is of another type than the line says, or is longer than [`MAX_BLOB_LEN`].
pub fn parse_line(line: &str) -> Result<PublicKey, KeyFileError> {
    let (key_type, rest) = word(line);
    let (base64, comment) = word(rest);
    if base64.is_empty() {
        return Err(KeyFileError::Malformed("the line holds no public key"));
    }
    if base64.len() > MAX_BLOB_LEN / 3 * 4 {
        return Err(KeyFileError::Malformed("the public key is too long"));
    }
    let blob =
        STANDARD.decode(base64).map_err(|_| KeyFileError::Malformed("the public key is not base64"))?;
    let key = PublicKey::from_blob(&blob)?;
    if key.key_type != key_type {
        return Err(KeyFileError::Malformed("the public key is of another type than the line says"));
    }
    Ok(key.with_comment(comment))
}

/// The lines of a `.pub` file, which has one, or of a list of keys.
pub(crate) fn open(bytes: &[u8]) -> Result<Opened, KeyFileError> {
    let mut entries = Vec::new();
    for line in armour::lines(bytes).filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        if entries.len() == MAX_ENTRIES {
            return Err(KeyFileError::TooManyEntries);
        }
        entries.push(Entry::of_public(parse_line(&String::from_utf8_lossy(line))?));
    }
    Ok(Opened::plain(entries))
}

/// The first word of `text`, and what follows the white space after it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_ascii_start();
    let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8032 section 7.1, test 1.
    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

    #[test]
    fn a_line_gives_its_key_and_comment() {
        let key = parse_line(&format!("  {LINE}\tme at  home \n")).unwrap();
        assert_eq!((key.key_type(), key.comment()), ("ssh-ed25519", "me at  home"));
        assert_eq!(key.to_string(), LINE);
        assert_eq!(PublicKey::from_blob(key.blob()).unwrap().to_string(), LINE);
    }

    #[test]
    fn lines_that_lie_are_refused() {
        let other = LINE.replace("ssh-ed25519 ", "ssh-rsa ");
        for line in ["", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA", "x AAAAAA==", &other] {
            assert!(matches!(parse_line(line), Err(KeyFileError::Malformed(_))), "{line:?}");
        }
        let endless = format!("ssh-ed25519 {}", "A".repeat(MAX_BLOB_LEN * 2));
        assert_eq!(parse_line(&endless), Err(KeyFileError::Malformed("the public key is too long")));
    }
}
