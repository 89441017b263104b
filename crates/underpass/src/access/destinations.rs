//! Where the clients of a dynamic forward may go.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::list::{folded, words};
use super::network::Network;
use crate::Error;
use crate::destination::{check_host, parse_port, quoted};
use underpass_config::pattern;

/// Where the clients of a dynamic forward may go. By default anywhere.
///
/// Read from text, it is a list of patterns `host:port`, separated by white space or commas. What `PermitRemoteOpen`
/// of ssh_config(5) accepts means the same here.
///
/// | part | forms |
/// |---|---|
/// | host | a name, `*.corp`, an address, `10.0.*.*`, `10.0.0.0/8`, IPv6 in brackets (`[2001:db8::]/32`), `*` |
/// | port | a number, `1000-2000`, `*`; left out, any |
/// | alone | `any`: no limit; `none`: nowhere |
///
/// Names are compared as text and never looked up: a name is no way around a rule about addresses, nor the other way
/// round. In a name `*` stands for any characters, dots included, and `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destinations(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    host: HostPattern,
    ports: RangeInclusive<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    Network(Network),
    Name(String),
}

impl Destinations {
    /// Anywhere.
    pub fn any() -> Self {
        Self(vec![Pattern { host: HostPattern::Any, ports: ANY_PORT }])
    }

    /// Nowhere.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether a client may go to `host`, a name or an address without brackets, and `port`.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        match host.parse::<IpAddr>() {
            Ok(address) => self.allows_address(address, port),
            Err(_) => {
                let name = folded(host);
                self.0.iter().any(|pattern| pattern.ports.contains(&port) && pattern.host.matches_name(&name))
            }
        }
    }

    /// Whether a client may go to `address` and `port`.
    pub fn allows_address(&self, address: IpAddr, port: u16) -> bool {
        self.0.iter().any(|pattern| pattern.ports.contains(&port) && pattern.host.matches_address(address))
    }
}

impl Default for Destinations {
    fn default() -> Self {
        Self::any()
    }
}

impl FromStr for Destinations {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the pattern that is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        let patterns: Vec<_> = words(text).collect();
        match patterns.as_slice() {
            // Nothing could be meant as anywhere and as nowhere.
            [] => return Err(Error::configuration("the list of destinations is empty; say `any` or `none`")),
            ["any"] => return Ok(Self::any()),
            ["none"] => return Ok(Self::none()),
            _ => {}
        }
        let patterns = patterns.into_iter().map(|text| {
            parse_pattern(text).map_err(|problem| {
                Error::configuration(format!("in the destination {}, {problem}", quoted(text)))
            })
        });
        patterns.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (at, pattern) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{pattern}")?;
        }
        Ok(())
    }
}

impl HostPattern {
    fn matches_name(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Network(_) => false,
            Self::Name(pattern) => is_name(name) && pattern::matches(pattern, name),
        }
    }

    fn matches_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Network(network) => network.contains(address),
            Self::Name(_) => false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Any => f.write_str("*"),
            HostPattern::Network(network @ Network::V4 { .. }) => network.fmt(f),
            HostPattern::Network(network @ Network::V6 { .. }) => write!(f, "[{network}]"),
            HostPattern::Name(name) => f.write_str(name),
        }?;
        match (self.ports.start(), self.ports.end()) {
            _ if self.ports == ANY_PORT => f.write_str(":*"),
            (first, last) if first == last => write!(f, ":{first}"),
            (first, last) => write!(f, ":{first}-{last}"),
        }
    }
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    if text == "any" || text == "none" {
        return Err("it stands alone or not at all".to_owned());
    }
    let (host, port) = split(text)?;
    Ok(Pattern { host: parse_host(&host)?, ports: port.map_or(Ok(ANY_PORT), parse_ports)? })
}

/// Takes host and port apart. `[address]/length` and `[address/length]` are the same.
fn split(text: &str) -> Result<(String, Option<&str>), String> {
    let Some(inner) = text.strip_prefix('[') else {
        return match text.split_once(':') {
            None => Ok((text.to_owned(), None)),
            Some((_, port)) if port.contains(':') => Err("an IPv6 address goes into brackets".to_owned()),
            Some((host, port)) => Ok((host.to_owned(), Some(port))),
        };
    };
    let (address, after) = inner.split_once(']').ok_or("there is no `]`")?;
    if !address.contains(':') {
        return Err(format!("{} is not an IPv6 address", quoted(address)));
    }
    let (length, port) = match after.split_once(':') {
        Some((length, port)) => (length, Some(port)),
        None => (after, None),
    };
    if !length.is_empty() && !length.starts_with('/') {
        return Err(format!("{} follows the `]`", quoted(length)));
    }
    Ok((format!("{address}{length}"), port))
}

fn parse_host(host: &str) -> Result<HostPattern, String> {
    if host == "*" {
        return Ok(HostPattern::Any);
    }
    if let Some(network) = Network::parse(host)? {
        return Ok(HostPattern::Network(network));
    }
    // The rest must be able to stand in a name.
    check_host(&host.replace(['*', '?'], "x"))?;
    Ok(HostPattern::Name(folded(host)))
}

/// Whether it can be the name of a host. What cannot might be read in another way by whoever looks it up.
fn is_name(text: &str) -> bool {
    check_host(text).is_ok() && !text.contains([':', '%'])
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    if text == "*" {
        return Ok(ANY_PORT);
    }
    match text.split_once('-') {
        None => parse_port(text).map(|port| port..=port),
        Some((first, last)) => match (parse_port(first)?, parse_port(last)?) {
            (first, last) if first <= last => Ok(first..=last),
            _ => Err(format!("the ports {} run backwards", quoted(text))),
        },
    }
}

const ANY_PORT: RangeInclusive<u16> = 0..=u16::MAX;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_understood_is_shown_as_text_that_means_the_same(text in r"[a1.*?:,/\[\] -]{0,16}") {
            if let Ok(list) = text.parse::<Destinations>() {
                prop_assert_eq!(list.to_string().parse::<Destinations>().unwrap(), list);
            }
        }
    }

    fn allows(list: &str, host: &str, port: u16) -> bool {
        list.parse::<Destinations>().unwrap_or_else(|error| panic!("{error}")).allows(host, port)
    }

    #[test]
    fn each_form_allows_what_it_says() {
        for (list, inside, outside) in [
            ("db:5432", ("db", 5432), ("db", 5433)),
            ("db:5432", ("DB.", 5432), ("db2", 5432)),
            ("DB:5432", ("db", 5432), ("xdb", 5432)),
            ("db", ("db", 1), ("web", 1)),
            ("*.corp:443", ("a.b.corp", 443), ("corp", 443)),
            ("*.corp:443", ("a.CORP", 443), ("a.corp", 80)),
            ("db-?.corp:*", ("db-1.corp", 9), ("db-10.corp", 9)),
            ("*:443", ("10.0.0.1", 443), ("10.0.0.1", 80)),
            ("*:443", ("any.where", 443), ("any.where", 80)),
            ("10.0.0.0/8:*", ("10.9.9.9", 22), ("11.0.0.1", 22)),
            ("10.0.*.*:22", ("10.0.7.7", 22), ("10.1.7.7", 22)),
            ("10.0.0.1", ("::ffff:10.0.0.1", 22), ("10.0.0.2", 22)),
            ("[::1]:22", ("::1", 22), ("::2", 22)),
            ("[2001:db8::]/32:22", ("2001:db8::9", 22), ("2001:db9::9", 22)),
            ("[2001:db8::/32]:22", ("2001:db8::9", 22), ("2001:db8::9", 23)),
            ("db:1000-2000", ("db", 1000), ("db", 999)),
            ("db:1000-2000", ("db", 2000), ("db", 2001)),
            ("web:80 db:5432", ("db", 5432), ("web", 5432)),
            ("web:80,db:5432", ("web", 80), ("db", 80)),
        ] {
            assert!(allows(list, inside.0, inside.1), "{list} {inside:?}");
            assert!(!allows(list, outside.0, outside.1), "{list} {outside:?}");
        }
    }

    #[test]
    fn any_and_none_stand_alone() {
        assert!(allows("any", "db", 1) && allows("any", "::1", 65535));
        assert!(!allows("none", "db", 1));
        assert_eq!(Destinations::default(), Destinations::any());
        for list in ["any db:1", "db:1 none"] {
            let error = list.parse::<Destinations>().unwrap_err().to_string();
            assert!(error.contains("stands alone"), "{error}");
        }
    }

    #[test]
    fn names_and_addresses_are_no_way_around_each_other() {
        assert!(!allows("10.0.0.0/8:*", "ten.corp", 22));
        assert!(!allows("*.corp:*", "10.0.0.1", 22));
        assert!(!allows("*d*:*", "2001:db8::1", 22), "a name pattern matches no address");
        // A resolver may see only the part before the odd character.
        for odd in ["evil\0.corp", "evil .corp", "2001:db8::1%.corp", "10.0.0.1%.corp", "evil/.corp"] {
            assert!(!allows("*.corp:*", odd, 22), "{odd:?}");
        }
        // Spellings that some resolvers take for 10.0.0.1.
        for spelling in ["10.1", "0x0a000001", "167772161", "012.0.0.1", "10.0.0.1.", "[10.0.0.1]"] {
            assert!(!allows("10.0.0.0/8:*", spelling, 22), "{spelling}");
        }
    }

    #[test]
    fn a_list_is_shown_as_text_that_means_the_same() {
        for (text, shown) in [
            ("any", "*:*"),
            ("none", "none"),
            ("DB,*.corp:443", "db:* *.corp:443"),
            ("10.0.*.*:1-2 [2001:db8::]/32:22 [::1]", "10.0.0.0/16:1-2 [2001:db8::/32]:22 [::1]:*"),
        ] {
            let list: Destinations = text.parse().unwrap();
            assert_eq!(list.to_string(), shown);
            assert_eq!(shown.parse::<Destinations>().unwrap(), list, "{shown}");
        }
    }

    #[test]
    fn the_pattern_that_is_wrong_is_quoted() {
        for (list, expected) in [
            ("", "the list of destinations is empty; say `any` or `none`"),
            ("web:80 db:x", "in the destination `db:x`, the port `x` is not a number"),
            ("db:0", "the port `0`"),
            ("db:", "the port ``"),
            ("db:2-1", "the ports `2-1` run backwards"),
            ("db:1-", "the port ``"),
            (":80", "the host is empty"),
            ("::1:22", "an IPv6 address goes into brackets"),
            ("[::1", "there is no `]`"),
            ("[::1]22", "`22` follows the `]`"),
            ("[db]:22", "`db` is not an IPv6 address"),
            ("10.*:22", "`10.*` is not four parts"),
            ("10.0.0.1/8:22", "the network is `10.0.0.0/8`"),
            ("a@b:22", "has a `@` in it"),
            ("-x:22", "starts with a dash"),
        ] {
            let error = list.parse::<Destinations>().expect_err(list).to_string();
            assert!(error.contains(expected), "{list:?}: {error}");
        }
    }
}
