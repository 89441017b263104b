use std::fmt;

use underpass_config::pattern;
use underpass_keys::{KeyFileError, PublicKey, public};

use super::{MAX_LINE_LEN, hashed::HashedName};

/// A line with a key: marker, hosts, key type, key, comment.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) marker: Marker,
    pub(super) hosts: Hosts,
    pub(super) key: PublicKey,
}

/// What a key is recorded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is the host's key.
    None,
    /// It certifies keys of the host.
    CertAuthority,
    /// It must not be used.
    Revoked,
}

/// Which hosts a line is about.
#[derive(Debug, Clone)]
pub(super) enum Hosts {
    /// One name that the file does not tell.
    Hashed(HashedName),
    /// A list of patterns, in lower case.
    Patterns(String),
}

impl Line {
    /// Reads a line; `None` if it is empty or a comment.
    pub(super) fn parse(line: &[u8]) -> Result<Option<Self>, LineError> {
        if line.len() > MAX_LINE_LEN {
            return Err(LineError::TooLong);
        }
        // Only a comment can lawfully hold more than ASCII.
        let line = String::from_utf8_lossy(line);
        let (first, rest) = word(&line);
        if first.is_empty() || first.starts_with('#') {
            return Ok(None);
        }
        let (marker, hosts, rest) = match first.strip_prefix('@') {
            None => (Marker::None, first, rest),
            Some(name) => {
                let row = MARKERS.iter().find(|(known, _)| *known == name);
                let (_, marker) = row.ok_or(LineError::UnknownMarker)?;
                let (hosts, rest) = word(rest);
                (*marker, hosts, rest)
            }
        };
        if hosts.starts_with('@') {
            return Err(LineError::SeveralMarkers);
        }
        let hosts = Hosts::parse(hosts)?;
        let (key_type, _) = word(rest);
        if !key_type.is_empty() && key_type.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(LineError::Version1);
        }
        let key = public::parse_line(rest).map_err(LineError::Key)?;
        Ok(Some(Self { marker, hosts, key }))
    }
}

impl Hosts {
    fn parse(hosts: &str) -> Result<Self, LineError> {
        if hosts.starts_with('|') {
            return HashedName::parse(hosts).map(Self::Hashed).ok_or(LineError::HashedName);
        }
        Ok(Self::Patterns(hosts.to_ascii_lowercase()))
    }

    /// Whether the line is about `name`, which is in lower case and carries its port as the file would have it.
    pub(super) fn include(&self, name: &str) -> bool {
        match self {
            Self::Hashed(hashed) => hashed.is(name),
            Self::Patterns(patterns) => pattern::list_accepts(patterns, name),
        }
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// It is longer than [`MAX_LINE_LEN`].
    TooLong,
    /// It begins with `@` and neither `cert-authority` nor `revoked`.
    UnknownMarker,
    /// It has more than one marker.
    SeveralMarkers,
    /// The hashed host name is damaged or of an unknown kind.
    HashedName,
    /// It is for version 1 of the protocol.
    Version1,
    /// The key is missing or damaged.
    Key(KeyFileError),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line is longer than {MAX_LINE_LEN} bytes"),
            Self::UnknownMarker => f.write_str("the line begins with an unknown marker"),
            Self::SeveralMarkers => f.write_str("the line has more than one marker"),
            Self::HashedName => f.write_str("the hashed host name is damaged"),
            Self::Version1 => f.write_str("the key is for version 1 of the protocol"),
            Self::Key(KeyFileError::Malformed(what)) => f.write_str(what),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LineError {}

const MARKERS: [(&str, Marker); 2] =
    [("cert-authority", Marker::CertAuthority), ("revoked", Marker::Revoked)];

/// The first word of `text`, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_ascii_start();
    text.split_at(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len()))
}
