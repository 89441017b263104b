//! Who may use a listener, and where to.

mod destinations;
mod list;
mod network;

use std::fmt;
use std::net::IpAddr;

pub use destinations::Destinations;
pub use list::{AccessList, ResolvedNames};

/// Which clients may use a listener. By default all that can reach it.
///
/// ```
/// use underpass::{ClientAccess, ResolvedNames};
///
/// let access = ClientAccess { allowed: Some("10.0.*.*, ::1".parse()?), blocked: "10.0.0.66".parse()? };
/// let names = ResolvedNames::default();
/// assert!(access.judge("10.0.0.1".parse()?, &names).is_ok());
/// assert!(access.judge("10.0.0.66".parse()?, &names).is_err());
/// assert!(access.judge("192.0.2.1".parse()?, &names).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientAccess {
    /// Only these; `None`: everybody. An empty list allows nobody.
    pub allowed: Option<AccessList>,
    /// Never these, even if they are allowed.
    pub blocked: AccessList,
}

impl ClientAccess {
    /// Decides about a client. A blocked name that `names` does not know denies everybody: the client may be it.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, client: IpAddr, names: &ResolvedNames) -> Result<(), Denied> {
        if let Some(entry) = self.blocked.find(client, names) {
            return Err(Denied::Blocked { entry });
        }
        if let Some(name) = self.blocked.names().find(|name| names.get(name).is_none()) {
            return Err(Denied::Undecided { name: name.to_owned() });
        }
        match &self.allowed {
            Some(allowed) if !allowed.includes(client, names) => Err(Denied::NotAllowed),
            _ => Ok(()),
        }
    }

    /// The host names in both lists, for the caller to look up from time to time.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().chain([&self.blocked]).flat_map(AccessList::names)
    }
}

/// Why a client may not use a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// It is blocked.
    Blocked {
        /// By this entry of the list.
        entry: String,
    },
    /// It is not on the list of those who are allowed.
    NotAllowed,
    /// Whether it is blocked is not known.
    Undecided {
        /// The blocked name whose addresses are not known.
        name: String,
    },
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { entry } => write!(f, "it is blocked by `{entry}`"),
            Self::NotAllowed => f.write_str("it is not on the list of allowed clients"),
            Self::Undecided { name } => {
                write!(f, "it may be `{name}`, which is blocked and whose addresses are not known")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allowed: Option<&str>, blocked: &str) -> ClientAccess {
        ClientAccess { allowed: allowed.map(|list| list.parse().unwrap()), blocked: blocked.parse().unwrap() }
    }

    fn judge(access: &ClientAccess, client: &str, names: &ResolvedNames) -> Result<(), Denied> {
        access.judge(client.parse().unwrap(), names)
    }

    #[test]
    fn without_lists_everybody_is_let_in_and_with_an_empty_one_nobody() {
        let names = ResolvedNames::default();
        assert_eq!(judge(&ClientAccess::default(), "192.0.2.1", &names), Ok(()));
        assert_eq!(judge(&access(Some(""), ""), "192.0.2.1", &names), Err(Denied::NotAllowed));
    }

    #[test]
    fn a_block_outweighs_whatever_is_allowed() {
        let (access, names) = (access(Some("any"), "10.0.0.0/8 2001:db8::/32"), ResolvedNames::default());
        assert_eq!(judge(&access, "192.0.2.1", &names), Ok(()));
        assert_eq!(
            judge(&access, "10.1.2.3", &names),
            Err(Denied::Blocked { entry: "10.0.0.0/8".to_owned() })
        );
        assert!(judge(&access, "::ffff:10.1.2.3", &names).is_err());
        assert!(judge(&access, "2001:db8::1", &names).is_err());
    }

    #[test]
    fn a_name_that_is_not_known_allows_nobody_and_lets_nobody_pass_a_block() {
        let mut names = ResolvedNames::default();
        assert_eq!(judge(&access(Some("laptop"), ""), "192.0.2.1", &names), Err(Denied::NotAllowed));

        let blocking = access(None, "evil");
        let undecided = Denied::Undecided { name: "evil".to_owned() };
        assert_eq!(judge(&blocking, "192.0.2.1", &names), Err(undecided));
        names.insert("evil", []);
        assert_eq!(judge(&blocking, "192.0.2.1", &names), Ok(()), "it has no address");
        names.insert("evil", ["192.0.2.1".parse().unwrap()]);
        assert_eq!(judge(&blocking, "192.0.2.1", &names), Err(Denied::Blocked { entry: "evil".to_owned() }));
    }

    #[test]
    fn the_names_of_both_lists_are_to_be_looked_up() {
        let access = access(Some("10.0.0.1 laptop"), "evil, ::1");
        assert_eq!(access.names().collect::<Vec<_>>(), ["laptop", "evil"]);
    }
}
