//! From a name, as a program writes it, to a row.

use std::fmt;

use crate::model::{Code, Event, Index, Method, Property, Setting};
use crate::table;

/// A setting as it is addressed: `Name` or `Name[index]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The name, as written.
    pub name: &'a str,
    /// The number in brackets.
    pub index: Option<i32>,
}

/// The setting that an address means.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its rows, at least one. Six names stand in two groups: one for the connection to the server, one for clients.
    pub rows: Vec<&'static Setting>,
    /// The number in brackets, where the setting takes one.
    pub index: Option<i32>,
}

/// Why something is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    /// There is no name.
    Empty,
    /// A bracket has no partner, or something stands behind the last one.
    Brackets,
    /// What is in brackets is no whole number of 32 bits.
    Index,
}

/// Why an address leads to no setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingError {
    /// It is no address.
    Address(AddressError),
    /// No setting has the name.
    Unknown,
    /// The setting is one of each channel or connection, and none is named.
    IndexMissing(Index),
    /// The setting takes no number.
    IndexUnexpected,
}

impl<'a> Address<'a> {
    /// Takes `Name` or `Name[index]` apart. White space around the parts does not count.
    pub fn parse(text: &'a str) -> Result<Self, AddressError> {
        let (name, index) = match text.trim().split_once('[') {
            None => (text.trim(), None),
            Some((name, rest)) => {
                let index = rest.strip_suffix(']').ok_or(AddressError::Brackets)?;
                if index.contains(['[', ']']) {
                    return Err(AddressError::Brackets);
                }
                (name.trim_end(), Some(index.trim().parse().map_err(|_| AddressError::Index)?))
            }
        };
        match name {
            "" => Err(AddressError::Empty),
            name if name.contains(']') => Err(AddressError::Brackets),
            name => Ok(Self { name, index }),
        }
    }
}

/// The property of this name, in any case.
pub fn property(name: &str) -> Option<&'static Property> {
    table::PROPERTIES.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// The method of this name, in any case.
pub fn method(name: &str) -> Option<&'static Method> {
    table::METHODS.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// The event of this name, in any case.
pub fn event(name: &str) -> Option<&'static Event> {
    table::EVENTS.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// The setting of this name, in any case, with its number where it takes one: `ConnectionUID[5]`.
pub fn setting(address: &str) -> Result<Found, SettingError> {
    let Address { name, index } = Address::parse(address).map_err(SettingError::Address)?;
    let rows: Vec<_> = table::settings().filter(|row| row.name.eq_ignore_ascii_case(name)).collect();
    let first = rows.first().ok_or(SettingError::Unknown)?;
    match (first.index, index) {
        (Some(kind), None) => Err(SettingError::IndexMissing(kind)),
        (None, Some(_)) => Err(SettingError::IndexUnexpected),
        _ => Ok(Found { rows, index }),
    }
}

/// The text of an error. Where a code has several, it is that of the tunnel, or else of the SSH connection.
pub fn error_text(code: Code) -> Option<&'static str> {
    table::ERRORS.iter().find(|row| row.code == code).map(|row| row.text)
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is missing",
            Self::Brackets => "brackets must enclose one number, behind the name: `Name[5]`",
            Self::Index => "what is in brackets must be a whole number: `Name[5]`",
        })
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Unknown => f.write_str("there is no setting of this name"),
            Self::IndexMissing(Index::ChannelId) => f.write_str("name the channel in brackets: `Name[5]`"),
            Self::IndexMissing(Index::ConnectionId) => {
                f.write_str("name the connection in brackets: `Name[5]`")
            }
            Self::IndexUnexpected => f.write_str("this setting takes no number in brackets"),
        }
    }
}

impl std::error::Error for AddressError {}

impl std::error::Error for SettingError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Group;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, name, index) in [
            ("Name", "Name", None),
            (" Name ", "Name", None),
            ("Name[5]", "Name", Some(5)),
            (" Name [ 5 ] ", "Name", Some(5)),
            ("Name[-1]", "Name", Some(-1)),
        ] {
            assert_eq!(Address::parse(text), Ok(Address { name, index }), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, error) in [
            ("", AddressError::Empty),
            ("[5]", AddressError::Empty),
            ("Name[5", AddressError::Brackets),
            ("Name5]", AddressError::Brackets),
            ("Name[5]x", AddressError::Brackets),
            ("Name[5][6]", AddressError::Brackets),
            ("Name[]", AddressError::Index),
            ("Name[x]", AddressError::Index),
            ("Name[4294967296]", AddressError::Index),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(setting("autoreconnect").unwrap().rows[0].name, "AutoReconnect");
        assert_eq!(property("SSH_HOST").unwrap().name, "ssh_host");
        assert_eq!(method("Do_Events").unwrap().name, "do_events");
        assert_eq!(event("ON_LOG").unwrap().name, "on_log");
    }

    #[test]
    fn a_name_in_two_groups_has_both_rows() {
        let groups: Vec<_> = setting("TcpNoDelay").unwrap().rows.iter().map(|row| row.group).collect();
        assert_eq!(groups, [Group::TcpClient, Group::TcpServer]);
    }

    #[test]
    fn a_number_is_given_where_it_is_taken_and_only_there() {
        assert_eq!(setting("ChannelDataEOL[3]").unwrap().index, Some(3));
        assert_eq!(setting("ConnectionUID").unwrap_err(), SettingError::IndexMissing(Index::ConnectionId));
        assert_eq!(setting("LogLevel[1]").unwrap_err(), SettingError::IndexUnexpected);
        assert_eq!(setting("Nothing").unwrap_err(), SettingError::Unknown);
    }

    #[test]
    fn of_several_texts_the_tunnels_comes_first() {
        assert_eq!(error_text(104), Some("TCPServer is already listening."));
        assert_eq!(error_text(99), None);
    }
}
