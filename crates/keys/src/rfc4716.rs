//! Public keys as RFC 4716 has them, and the frame that SSH.com's private keys share with them: headers that may go on
//! in the next line, then base64.

use zeroize::Zeroizing;

use crate::{Entry, KeyFileError, PublicKey, armour, store::Opened};

/// Reads a public key.
pub(crate) fn open(bytes: &[u8]) -> Result<Opened, KeyFileError> {
    let frame = Frame::parse(bytes)?;
    let public = PublicKey::from_blob(&frame.content)?.with_comment(&frame.comment);
    Ok(Opened::plain(vec![Entry::of_public(public)]))
}

/// What is between the first line and the last.
pub(crate) struct Frame {
    pub(crate) comment: String,
    pub(crate) content: Zeroizing<Vec<u8>>,
}

impl Frame {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let mut lines = armour::lines(bytes).skip(1).filter(|line| !line.is_empty());
        let mut comment = String::new();
        let mut base64 = Zeroizing::new(Vec::with_capacity(bytes.len()));
        loop {
            let line = lines.next().ok_or(CUT_OFF)?;
            if line.starts_with(END) {
                break;
            }
            if base64.is_empty() && line.contains(&b':') {
                let header = continued(line, &mut lines)?;
                if let Some((name, value)) = header.split_once(':')
                    && name.eq_ignore_ascii_case("Comment")
                {
                    comment = unquoted(value.trim()).to_owned();
                }
                continue;
            }
            base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        Ok(Self { comment, content: armour::decode_base64(&base64).ok_or(CUT_OFF)? })
    }
}

/// A header with the lines that a backslash at the end adds (RFC 4716 section 3.3).
fn continued<'a>(first: &[u8], lines: &mut impl Iterator<Item = &'a [u8]>) -> Result<String, KeyFileError> {
    let mut header = first.to_vec();
    while header.last() == Some(&b'\\') {
        header.pop();
        header.extend_from_slice(lines.next().ok_or(CUT_OFF)?);
    }
    Ok(String::from_utf8_lossy(&header).into_owned())
}

/// The quotes around a comment are no part of it (RFC 4716 section 3.3.2).
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

const END: &[u8] = b"---- END ";

const CUT_OFF: KeyFileError =
    KeyFileError::Malformed("it is cut off, or what is between BEGIN and END is not base64");

#[cfg(test)]
mod tests {
    use super::*;

    /// The third example of RFC 4716 section 3.6, abridged: a comment over two lines.
    #[test]
    fn headers_may_go_on_in_the_next_line() {
        let text = "---- BEGIN SSH2 PUBLIC KEY ----\nSubject: me\nComment: \"1024-bit RSA, \\\nconverted\"\n\
                    AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\n\
                    ---- END SSH2 PUBLIC KEY ----\n";
        let opened = open(text.as_bytes()).unwrap();
        let public = opened.entries[0].public.as_ref().unwrap();
        assert_eq!((public.key_type(), public.comment()), ("ssh-ed25519", "1024-bit RSA, converted"));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for text in
            ["---- BEGIN SSH2 PUBLIC KEY ----", "---- BEGIN\nComment: a\\", "---- BEGIN\nAA*\n---- END "]
        {
            assert!(open(text.as_bytes()).is_err(), "{text}");
        }
    }
}
