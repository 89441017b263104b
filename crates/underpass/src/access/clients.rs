use std::net::IpAddr;
use std::str::FromStr;

use super::entries;
use super::network::Network;
use crate::Error;
use crate::destination::{check_host, quoted};

/// A list of clients: addresses, IPv4 addresses with `*` for parts, networks such as `10.0.0.0/8`, and names, between
/// commas or white space. A name stands for the addresses that it has when somebody connects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessList {
    networks: Vec<Network>,
    names: Vec<String>,
}

impl FromStr for AccessList {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the entry that is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut list = Self::default();
        for entry in entries(text)? {
            match Network::parse(entry) {
                Some(network) => list.networks.push(network),
                None if looks_like_an_address(entry) || check_host(entry).is_err() => {
                    return Err(Error::configuration(format!(
                        "{} is no address, network or name of a client",
                        quoted(entry)
                    )));
                }
                None => list.names.push(entry.to_owned()),
            }
        }
        Ok(list)
    }
}

/// A mistyped address would otherwise be a name that nobody has.
fn looks_like_an_address(entry: &str) -> bool {
    entry.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ':' | '/' | '*'))
}

impl AccessList {
    fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// Who may use the ports that a tunnel listens on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientAccess {
    /// Only these may. `None`: everybody who is not blocked.
    pub allowed: Option<AccessList>,
    /// These may not, whatever else is said.
    pub blocked: AccessList,
}

/// What the lists say of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Welcome,
    Denied,
    /// It depends on the addresses of [`names`](ClientAccess::names).
    Unsettled,
}

impl ClientAccess {
    pub(crate) fn judge(&self, address: IpAddr) -> Judgement {
        if self.blocked.contains(address) {
            return Judgement::Denied;
        }
        if !self.blocked.names.is_empty() {
            return Judgement::Unsettled;
        }
        match &self.allowed {
            None => Judgement::Welcome,
            Some(allowed) if allowed.contains(address) => Judgement::Welcome,
            Some(allowed) if allowed.names.is_empty() => Judgement::Denied,
            Some(_) => Judgement::Unsettled,
        }
    }

    /// The names in the lists.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let allowed = self.allowed.iter().flat_map(|list| &list.names);
        self.blocked.names.iter().chain(allowed).map(String::as_str)
    }

    /// The judgement once the names' addresses are known: those of `name` are what `resolved` gives. A name that has none
    /// blocks nobody and allows nobody.
    pub(crate) fn settle(&self, address: IpAddr, resolved: impl Fn(&str) -> Vec<IpAddr>) -> bool {
        let is_named = |list: &AccessList| {
            let address = address.to_canonical();
            list.names.iter().any(|name| resolved(name).iter().any(|known| known.to_canonical() == address))
        };
        if self.blocked.contains(address) || is_named(&self.blocked) {
            return false;
        }
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(address) || is_named(allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allowed: Option<&str>, blocked: &str) -> ClientAccess {
        ClientAccess { allowed: allowed.map(|list| list.parse().unwrap()), blocked: blocked.parse().unwrap() }
    }

    fn judged(access: &ClientAccess, address: &str) -> Judgement {
        access.judge(address.parse().unwrap())
    }

    #[test]
    fn without_lists_everybody_is_welcome() {
        assert_eq!(judged(&ClientAccess::default(), "203.0.113.1"), Judgement::Welcome);
    }

    #[test]
    fn blocked_counts_before_allowed() {
        let access = access(Some("10.0.0.0/8, ::1"), "10.0.0.13");
        assert_eq!(judged(&access, "10.0.0.12"), Judgement::Welcome);
        assert_eq!(judged(&access, "::1"), Judgement::Welcome);
        assert_eq!(judged(&access, "10.0.0.13"), Judgement::Denied);
        assert_eq!(judged(&access, "11.0.0.1"), Judgement::Denied);
    }

    #[test]
    fn names_are_settled_by_their_addresses() {
        let resolved = |name: &str| match name {
            "friend" => vec!["192.0.2.1".parse().unwrap()],
            "foe" => vec!["192.0.2.2".parse().unwrap()],
            _ => Vec::new(),
        };
        let access = access(Some("friend 192.0.2.0/30 nobody"), "foe");
        assert_eq!(access.names().collect::<Vec<_>>(), ["foe", "friend", "nobody"]);
        assert_eq!(judged(&access, "192.0.2.1"), Judgement::Unsettled);
        for (address, welcome) in
            [("192.0.2.1", true), ("192.0.2.2", false), ("192.0.2.3", true), ("192.0.2.9", false)]
        {
            assert_eq!(access.settle(address.parse().unwrap(), resolved), welcome, "{address}");
        }
    }

    #[test]
    fn an_entry_that_makes_no_sense_is_quoted() {
        for wrong in ["10.0.0.256", "10.0.0.0/40", "a b/c", "1.2.3", "-x"] {
            let error = wrong.parse::<AccessList>().expect_err(wrong).to_string();
            assert!(error.contains('`'), "{error}");
        }
    }
}
