//! The identification exchange (RFC 4253 section 4.2).

use underpass_crypto::matches;

use crate::error::{Error, PeerIncompatible, PeerMisbehaved};
use crate::limits::{MAX_IDENTIFICATION, MAX_PREAMBLE_LINE, MAX_PREAMBLE_LINES};

/// Reads the lines that come before packets.
#[derive(Debug, Default)]
pub(crate) struct Identification {
    lines: usize,
}

/// The peer's identification, without its line end, as it enters the exchange hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentification(String);

impl PeerIdentification {
    /// The whole line, e.g. `SSH-2.0-OpenSSH_9.2p1 Debian-2`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The software version and comments after the protocol version.
    pub fn software(&self) -> &str {
        self.0.splitn(3, '-').nth(2).unwrap_or_default()
    }
}

impl Identification {
    /// Looks for the identification in `bytes`. Gives the number of bytes that are done with, and the identification
    /// once it has come, which must match one of the patterns. Lines before it are allowed from servers only.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        patterns: &str,
        preamble_allowed: bool,
    ) -> Result<(usize, Option<PeerIdentification>), Error> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let Some(end) = rest.iter().take(MAX_PREAMBLE_LINE).position(|byte| *byte == b'\n') else {
                return match rest.len() {
                    len if len >= MAX_PREAMBLE_LINE => {
                        Err(PeerMisbehaved::Preamble("a line has no end").into())
                    }
                    _ => Ok((used, None)),
                };
            };
            let line = &rest[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            used += end + 1;
            if line.starts_with(b"SSH-") {
                return Ok((used, Some(identify(line, patterns)?)));
            }
            self.lines += 1;
            if !preamble_allowed || self.lines > MAX_PREAMBLE_LINES {
                return Err(PeerIncompatible::NotSsh(first_line(line)).into());
            }
            if line.starts_with(b"HTTP/") || line.starts_with(b"Exceeded MaxStartups") {
                return Err(PeerIncompatible::NotSsh(first_line(line)).into());
            }
        }
    }
}

fn identify(line: &[u8], patterns: &str) -> Result<PeerIdentification, Error> {
    if line.len() + 2 > MAX_IDENTIFICATION {
        return Err(PeerMisbehaved::Preamble("the identification is too long").into());
    }
    if line.contains(&0) {
        return Err(PeerMisbehaved::Preamble("the identification contains a NUL").into());
    }
    // The line enters the exchange hash byte for byte, so only what survives as text is accepted.
    let text = std::str::from_utf8(line)
        .map_err(|_| PeerMisbehaved::Preamble("the identification is not text"))?
        .to_owned();
    let mut parts = text.splitn(3, '-').skip(1);
    let (version, software) = (parts.next().unwrap_or_default(), parts.next());
    if software.is_some() && patterns.split(',').any(|pattern| matches(pattern.trim(), &text)) {
        return Ok(PeerIdentification(text));
    }
    let line = underpass_wire::untrusted(line);
    Err(match version {
        "2.0" | "1.99" if software.is_some() => PeerIncompatible::Identification(line),
        _ => PeerIncompatible::Version(line),
    }
    .into())
}

/// Whether `text` can be sent as an identification of ours (RFC 4253 section 4.2), without its line end: `SSH-2.0-` and
/// printable ASCII, at most 253 bytes.
pub fn is_identification(text: &str) -> bool {
    text.starts_with("SSH-2.0-")
        && text.len() + 2 <= MAX_IDENTIFICATION
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn first_line(line: &[u8]) -> String {
    underpass_wire::untrusted(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::IDENTIFICATIONS;

    fn read(bytes: &[u8]) -> Result<(usize, Option<PeerIdentification>), Error> {
        Identification::default().read(bytes, IDENTIFICATIONS, true)
    }

    #[test]
    fn lines_before_the_identification_are_skipped() {
        let (used, found) = read(b"welcome\r\nhello\nSSH-2.0-Test_1 comment\r\nrest").unwrap();
        assert_eq!(used, b"welcome\r\nhello\nSSH-2.0-Test_1 comment\r\n".len());
        let found = found.unwrap();
        assert_eq!(found.as_str(), "SSH-2.0-Test_1 comment");
        assert_eq!(found.software(), "Test_1 comment");
    }

    #[test]
    fn an_unfinished_line_waits() {
        assert_eq!(read(b"hi\nSSH-2.0-Te").unwrap(), (3, None));
    }

    #[test]
    fn version_1_99_is_version_2() {
        assert!(read(b"SSH-1.99-Old\r\n").unwrap().1.is_some());
    }

    #[test]
    fn version_1_is_named_in_the_error() {
        assert!(matches!(
            read(b"SSH-1.5-Old\r\n"),
            Err(Error::Incompatible(PeerIncompatible::Version(text))) if text.contains("1.5")
        ));
    }

    #[test]
    fn a_pattern_decides_which_identifications_are_accepted() {
        let read = |patterns, line| {
            Identification::default().read(line, patterns, true).map(|(_, found)| found.is_some())
        };
        let wanted = "*SSH-1.99-*, *SSH-2.99-*,SSH-2.0-Good_?";
        for line in [&b"SSH-1.99-a\n"[..], b"SSH-2.99-b\n", b"SSH-2.0-Good_1\n"] {
            assert_eq!(read(wanted, line), Ok(true));
        }
        let refused = read(wanted, b"SSH-2.0-Bad\x1b\n").unwrap_err();
        assert!(
            matches!(&refused, Error::Incompatible(PeerIncompatible::Identification(line)) if !line.contains('\x1b')),
            "{refused:?}"
        );
        let old = read(wanted, b"SSH-1.5-a\n").unwrap_err();
        assert!(matches!(old, Error::Incompatible(PeerIncompatible::Version(_))), "{old:?}");
        // What is no identification at all cannot be made one.
        assert!(read("*", b"SSH-2.0\n").is_err());
    }

    #[test]
    fn a_web_server_is_recognised_at_once() {
        assert!(matches!(
            read(b"HTTP/1.1 400 Bad Request\r\n"),
            Err(Error::Incompatible(PeerIncompatible::NotSsh(_)))
        ));
    }

    #[test]
    fn endless_lines_end() {
        let flood = b"x\r\n".repeat(MAX_PREAMBLE_LINES + 1);
        assert!(read(&flood).is_err());
        assert!(read(&vec![b'x'; MAX_PREAMBLE_LINE]).is_err());
    }

    #[test]
    fn a_nul_and_an_overlong_identification_are_refused() {
        assert!(read(b"SSH-2.0-a\0b\r\n").is_err());
        let long = [b"SSH-2.0-".to_vec(), vec![b'a'; 250], b"\r\n".to_vec()].concat();
        assert!(read(&long).is_err());
    }

    #[test]
    fn only_a_sound_identification_is_sent() {
        assert!(is_identification("SSH-2.0-Underpass_1 comment"));
        let long = format!("SSH-2.0-{}", "a".repeat(246));
        for unsound in ["", "SSH-1.99-a", "SSH-2.0-a\r\nSSH-2.0-b", "SSH-2.0-\0", "SSH-2.0-ä", &long] {
            assert!(!is_identification(unsound), "{unsound:?}");
        }
    }

    #[test]
    fn a_client_may_not_talk_before_its_identification() {
        assert!(Identification::default().read(b"hello\r\n", IDENTIFICATIONS, false).is_err());
    }
}
