//! The hosts that are reached without a proxy.

mod entry;
#[cfg(test)]
mod tests;

use core::net::IpAddr;
use std::fmt;

use entry::Entry;

use crate::escape::Escaped;
use crate::limits::MAX_NAME;

/// A list of exceptions, as in the variable `NO_PROXY`.
///
/// Entries are separated by commas, semicolons or white space:
///
/// | entry | means |
/// |---|---|
/// | `*` | every host |
/// | `example.com`, `.example.com`, `*.example.com` | this host and those below it, in any case |
/// | `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` | this address |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of this network |
/// | `host:8080`, `[::1]:8080` | only this port |
///
/// That is what curl does; Go and others read a leading dot as "only those below". Names are compared as they
/// are written and not resolved, so an address does not match a name that stands for it.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    entries: Vec<Entry>,
    warnings: Vec<Warning>,
}

impl Exceptions {
    /// Reads a list. What cannot be understood is left out and listed by [`warnings`](Self::warnings).
    pub fn parse(list: &str) -> Self {
        let mut exceptions = Self::default();
        let separator = |character: char| matches!(character, ',' | ';') || character.is_whitespace();
        let mut texts = list.split(separator).filter(|text| !text.is_empty());
        for text in texts.by_ref().take(MAX_ENTRIES) {
            match Entry::parse(text) {
                Ok(entry) => exceptions.entries.push(entry),
                Err(problem) => exceptions.warnings.push(Warning::new(text, problem)),
            }
        }
        if let Some(text) = texts.next() {
            exceptions.warnings.push(Warning::new(text, "the list is too long, and ends before this entry"));
        }
        exceptions
    }

    /// Whether `host` is reached without a proxy at `port`. An IPv6 address may stand in brackets.
    pub fn contains(&self, host: &str, port: u16) -> bool {
        let unbracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let host = match unbracketed.parse::<IpAddr>() {
            // A name in IPv4's notation for IPv6 sockets means the IPv4 host.
            Ok(address) => entry::Subject::Ip(address.to_canonical()),
            Err(_) => entry::Subject::Name(host.strip_suffix('.').unwrap_or(host)),
        };
        self.entries.iter().any(|entry| entry.matches(host, port))
    }

    /// The entries that were left out.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Most entries of a list: more than anybody maintains by hand, few enough to go through for each connection.
const MAX_ENTRIES: usize = 1024;

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The entry, or the beginning of one that is too long; escaped when the warning is displayed.
    pub entry: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Warning {
    fn new(entry: &str, problem: &'static str) -> Self {
        Self { entry: entry.chars().take(MAX_NAME).collect(), problem }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", Escaped(self.entry.as_bytes()), self.problem)
    }
}
