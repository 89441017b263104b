use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::entries;
use super::network::Network;
use crate::Error;
use crate::destination::quoted;

/// Where clients of dynamic forwards may go: `HOST:PORT` entries between commas or white space, as `PermitRemoteOpen` of
/// ssh_config has them. The host may be a name with `*` in it, an address or a network, IPv6 in brackets; the port a
/// number, a range or `*`, which is also what holds without one. `any` is everywhere, `none` is nowhere.
///
/// Names are compared as clients write them; they are not looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destinations(Option<Vec<Entry>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: Host,
    ports: RangeInclusive<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Network(Network),
    /// In lower case.
    Name(String),
}

impl Default for Destinations {
    /// Everywhere.
    fn default() -> Self {
        Self(None)
    }
}

impl Destinations {
    pub(crate) fn allows(&self, host: &str, port: u16) -> bool {
        self.0.as_ref().is_none_or(|entries| {
            entries.iter().any(|entry| entry.ports.contains(&port) && entry.host.is(host))
        })
    }
}

impl FromStr for Destinations {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the entry that is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        let entries = entries(text)?;
        match entries.as_slice() {
            ["any"] => Ok(Self(None)),
            ["none"] => Ok(Self(Some(Vec::new()))),
            entries => entries
                .iter()
                .map(|entry| Entry::parse(entry).ok_or_else(|| wrong(entry)))
                .collect::<Result<_, _>>()
                .map(|entries| Self(Some(entries))),
        }
    }
}

fn wrong(entry: &str) -> Error {
    Error::configuration(format!("{} is no destination as in `host:port`", quoted(entry)))
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (host, ports) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']')? {
                (host, "") => (host, "*"),
                (host, ports) => (host, ports.strip_prefix(':')?),
            },
            None => text.split_once(':').unwrap_or((text, "*")),
        };
        Some(Self { host: Host::parse(host)?, ports: ports_of(ports)? })
    }
}

fn ports_of(text: &str) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    match text.split_once('-') {
        _ if text == "*" => Some(0..=u16::MAX),
        None => port(text).map(|port| port..=port),
        Some((first, last)) => {
            let (first, last) = (port(first)?, port(last)?);
            (first <= last).then_some(first..=last)
        }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(network) = Network::parse(text) {
            return Some(Self::Network(network));
        }
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '*');
        let is_mistyped = text.contains('/') || text.is_empty() || !text.chars().all(is_name);
        (!is_mistyped).then(|| Self::Name(text.to_lowercase()))
    }

    fn is(&self, host: &str) -> bool {
        match (self, host.parse::<IpAddr>()) {
            (Self::Network(Network::Any), _) => true,
            (Self::Network(network), Ok(address)) => network.contains(address),
            (Self::Network(_), Err(_)) => false,
            // A trailing dot only says that the name is complete.
            (Self::Name(pattern), _) => matches(pattern, host.to_lowercase().trim_end_matches('.')),
        }
    }
}

/// Whether `*` in the pattern can stand for what the text has there. Takes time in proportion to both.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut here) = (0, 0);
    // Where to go on if it does not fit: behind the last star, with one more character for it.
    let mut again: Option<(usize, usize)> = None;
    while here < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, here));
                at += 1;
            }
            Some(byte) if *byte == text[here] => (at, here) = (at + 1, here + 1),
            _ => match &mut again {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, here) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &str, host: &str, port: u16) -> bool {
        list.parse::<Destinations>().unwrap_or_else(|error| panic!("{list}: {error}")).allows(host, port)
    }

    #[test]
    fn any_is_everywhere_and_none_is_nowhere() {
        assert!(Destinations::default().allows("db", 1));
        assert!(allowed("any", "db", 1));
        assert!(!allowed("none", "db", 1));
    }

    #[test]
    fn hosts_and_ports_have_to_fit_together() {
        let list = "db:5432 *.corp:443,10.0.0.0/8:1000-2000 [2001:db8::1]:22 [::1] plain";
        let inside = [
            ("db", 5432),
            ("DB.", 5432),
            ("a.b.corp", 443),
            ("10.1.2.3", 1000),
            ("10.1.2.3", 2000),
            ("2001:db8::1", 22),
            ("::1", 9),
            ("plain", 9),
        ];
        for (host, port) in inside {
            assert!(allowed(list, host, port), "{host}:{port}");
        }
        let outside = [
            ("db", 5433),
            ("corp", 443),
            ("a.corp.evil", 443),
            ("10.1.2.3", 2001),
            ("11.0.0.1", 1500),
            ("10.evil.example", 1500),
            ("2001:db8::2", 22),
        ];
        for (host, port) in outside {
            assert!(!allowed(list, host, port), "{host}:{port}");
        }
        assert!(allowed("*:443", "anything", 443) && !allowed("*:443", "anything", 80));
    }

    #[test]
    fn a_pattern_full_of_stars_takes_no_time() {
        let pattern = format!("{}:*", "*a".repeat(120));
        assert!(!allowed(&pattern, &"a".repeat(250).replace("aaa", "aab"), 1) || pattern.len() < 999);
    }

    #[test]
    fn an_entry_that_makes_no_sense_is_quoted() {
        for wrong in ["db:x", "db:2-1", "[::1", "[::1]x", "a/b:1", "db:70000", ":80", "10.0.0.0/99:1"] {
            let error = wrong.parse::<Destinations>().expect_err(wrong).to_string();
            assert!(error.contains('`'), "{error}");
        }
    }
}
