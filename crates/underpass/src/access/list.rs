//! A list of clients.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::network::Network;
use crate::Error;
use crate::destination::{check_host, quoted};

/// A list of clients: addresses, networks and host names.
///
/// Read from text, its entries are separated by commas or white space:
///
/// | entry | means |
/// |---|---|
/// | `10.0.0.1`, `2001:db8::1`, `[2001:db8::1]` | an address |
/// | `10.0.0.0/8`, `2001:db8::/32` | a network |
/// | `10.0.*.*`, `192.168.1.*` | any number in place of each `*` |
/// | `laptop.corp` | a name, see [`names`](Self::names) |
/// | `*`, `any` | everybody |
///
/// An IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is an IPv4 address
/// everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Any,
    Network(Network),
    Name(String),
}

impl AccessList {
    /// Whether the list includes `client`. Names that `names` does not know include nobody.
    pub fn includes(&self, client: IpAddr, names: &ResolvedNames) -> bool {
        self.0.iter().any(|entry| entry.includes(client, names))
    }

    /// The host names in the list. Looking them up is left to the caller, who knows how, and how often.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Name(name) => Some(name.as_str()),
            Entry::Any | Entry::Network(_) => None,
        })
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first entry that includes `client`, as text.
    pub(super) fn find(&self, client: IpAddr, names: &ResolvedNames) -> Option<String> {
        self.0.iter().find(|entry| entry.includes(client, names)).map(ToString::to_string)
    }
}

impl FromStr for AccessList {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the entry that is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        let entries = words(text).map(|word| {
            parse_entry(word).map_err(|problem| {
                Error::configuration(format!("in the access list's entry {}, {problem}", quoted(word)))
            })
        });
        entries.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for AccessList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{entry}")?;
        }
        Ok(())
    }
}

impl Entry {
    fn includes(&self, client: IpAddr, names: &ResolvedNames) -> bool {
        match self {
            Self::Any => true,
            Self::Network(network) => network.contains(client),
            Self::Name(name) => names.get(name).is_some_and(|found| found.contains(&client.to_canonical())),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The addresses of host names, as far as they were looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedNames(BTreeMap<String, Vec<IpAddr>>);

impl ResolvedNames {
    /// Replaces what is known about `name`. Without addresses, it is known to have none.
    pub fn insert(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let addresses = addresses.into_iter().map(|address| address.to_canonical()).collect();
        self.0.insert(folded(name), addresses);
    }

    /// The addresses of `name`; `None` when nothing is known.
    pub fn get(&self, name: &str) -> Option<&[IpAddr]> {
        self.0.get(&folded(name)).map(Vec::as_slice)
    }
}

/// The entries of a list in text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// A name in the one spelling in which names are compared (RFC 4343 section 3).
pub(super) fn folded(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn parse_entry(word: &str) -> Result<Entry, String> {
    if word == "*" || word.eq_ignore_ascii_case("any") {
        return Ok(Entry::Any);
    }
    if let Some(network) = Network::parse(word)? {
        return Ok(Entry::Network(network));
    }
    if word.contains(['*', '?', '!']) {
        return Err("there are `*` for parts of IPv4 addresses only, and no other patterns".to_owned());
    }
    check_host(word)?;
    Ok(Entry::Name(folded(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(list: &str, client: &str) -> bool {
        let list: AccessList = list.parse().unwrap();
        list.includes(client.parse().unwrap(), &ResolvedNames::default())
    }

    #[test]
    fn entries_are_separated_by_commas_or_white_space() {
        for list in ["10.0.0.1,::1", "10.0.0.1 ::1", " 10.0.0.1 ,\t[::1]\n,"] {
            assert!(includes(list, "10.0.0.1") && includes(list, "::1"), "{list:?}");
            assert!(!includes(list, "10.0.0.2"), "{list:?}");
        }
        assert!(" , ".parse::<AccessList>().unwrap().is_empty());
    }

    #[test]
    fn everybody_is_a_star_or_any() {
        for list in ["*", "any", "ANY", "10.0.0.1, *"] {
            assert!(includes(list, "192.0.2.1") && includes(list, "2001:db8::1"), "{list}");
        }
    }

    #[test]
    fn names_are_matched_by_the_addresses_that_the_caller_found() {
        let list: AccessList = "Laptop.corp. 10.0.0.1".parse().unwrap();
        assert_eq!(list.names().collect::<Vec<_>>(), ["laptop.corp"]);
        let mut names = ResolvedNames::default();
        let client = "192.0.2.1".parse().unwrap();
        assert!(!list.includes(client, &names));
        names.insert("LAPTOP.corp", ["::ffff:192.0.2.1".parse().unwrap()]);
        assert!(list.includes(client, &names));
        assert!(list.includes("::ffff:192.0.2.1".parse().unwrap(), &names));
        names.insert("laptop.corp", ["192.0.2.2".parse().unwrap()]);
        assert!(!list.includes(client, &names), "it has moved");
    }

    #[test]
    fn a_list_is_shown_as_text_that_means_the_same() {
        let list: AccessList = "10.0.*.* [::1],Laptop *".parse().unwrap();
        assert_eq!(list.to_string(), "10.0.0.0/16, ::1, laptop, any");
        assert_eq!(list.to_string().parse::<AccessList>().unwrap(), list);
    }

    #[test]
    fn the_entry_that_is_wrong_is_quoted() {
        for (list, expected) in [
            ("::1, 10.0.0", "in the access list's entry `10.0.0`, `10.0.0` is not four parts"),
            ("*.corp", "entry `*.corp`, there are `*` for parts of IPv4 addresses only"),
            ("!10.0.0.1", "entry `!10.0.0.1`"),
            ("-x", "`-x` starts with a dash"),
            ("a@b", "has a `@` in it"),
            ("x\u{1b}[2J", "`x\\u{1b}[2J`"),
        ] {
            let error = list.parse::<AccessList>().expect_err(list).to_string();
            assert!(error.contains(expected), "{list:?}: {error}");
        }
    }
}
