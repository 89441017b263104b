//! Where a connection shall go.

use core::net::{IpAddr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;

use crate::escape::Escaped;
use crate::limits::MAX_NAME;

/// A host, as it was named. Nothing here resolves a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, or whatever its resolver takes for one.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

impl Host {
    /// Whether every protocol could carry it: a name has 1 to [`MAX_NAME`] bytes and none of the characters
    /// that would end it early.
    pub fn check(&self) -> Result<(), TargetError> {
        match self {
            Self::Ip(_) => Ok(()),
            Self::Name(name) if name.is_empty() => Err(TargetError::NoHost),
            Self::Name(name) if name.len() > MAX_NAME => Err(TargetError::NameTooLong),
            Self::Name(name) if name.contains(ends_a_name) => Err(TargetError::NameCharacter),
            Self::Name(_) => Ok(()),
        }
    }

    /// Reads a name or an address that stands alone. An address written as a name is an address.
    pub(crate) fn from_bytes(text: &[u8]) -> Result<Self, TargetError> {
        std::str::from_utf8(text).map_err(|_| TargetError::NameCharacter)?.parse()
    }
}

fn ends_a_name(character: char) -> bool {
    character.is_control() || character.is_whitespace() || r"/\?#@[]:".contains(character)
}

/// Reads a name, an IPv4 address, or an IPv6 address with or without brackets.
impl FromStr for Host {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return match inside.parse::<Ipv6Addr>() {
                Ok(address) => Ok(Self::Ip(address.into())),
                Err(_) => Err(TargetError::Ipv6),
            };
        }
        let host = match text.parse() {
            Ok(address) => Self::Ip(address),
            Err(_) => Self::Name(text.to_owned()),
        };
        host.check().map(|()| host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => Escaped(name.as_bytes()).fmt(f),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port, never 0 where it was read from somebody.
    pub port: u16,
}

impl Target {
    /// Puts the two together.
    pub fn new(host: Host, port: u16) -> Self {
        Self { host, port }
    }

    /// Whether every protocol could carry it, see [`Host::check`]. Nobody listens at port 0.
    pub fn check(&self) -> Result<(), TargetError> {
        self.host.check()?;
        if self.port == 0 { Err(TargetError::Port) } else { Ok(()) }
    }
}

/// Reads `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (host, port) = split_port(text)?;
        let port = port.ok_or(TargetError::NoPort)?;
        Ok(Self { host: host.parse()?, port })
    }
}

/// Takes the port off, if there is one. IPv6 needs brackets, or its last group would pass for a port.
pub(crate) fn split_port(text: &str) -> Result<(&str, Option<u16>), TargetError> {
    let after_host = text.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = text[after_host..].find(':').map(|at| after_host + at) else {
        return Ok((text, None));
    };
    let (host, port) = (&text[..colon], &text[colon + 1..]);
    match port.contains(':') {
        true => Err(TargetError::Brackets),
        false => Ok((host, Some(parse_port(port)?))),
    }
}

/// 1 to 65535, in digits: `parse` alone would accept a sign.
pub(crate) fn parse_port(text: &str) -> Result<u16, TargetError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&port| digits && port != 0).ok_or(TargetError::Port)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What is wrong with a host or a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetError {
    /// There is no host.
    NoHost,
    /// The name is longer than [`MAX_NAME`] bytes.
    NameTooLong,
    /// The name holds a character that cannot be part of one.
    NameCharacter,
    /// Between brackets is no IPv6 address.
    Ipv6,
    /// An IPv6 address without brackets: its port cannot be told from its last group.
    Brackets,
    /// There is no port.
    NoPort,
    /// The port is no number from 1 to 65535.
    Port,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the host is missing"),
            Self::NameTooLong => write!(f, "the host name has more than {MAX_NAME} bytes"),
            Self::NameCharacter => f.write_str("the host name holds a character that no name has"),
            Self::Ipv6 => f.write_str("there is no IPv6 address between the brackets"),
            Self::Brackets => f.write_str("an IPv6 address needs brackets around it"),
            Self::NoPort => f.write_str("the port is missing"),
            Self::Port => f.write_str("the port is no number from 1 to 65535"),
        }
    }
}

impl std::error::Error for TargetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them() {
        for text in ["db.example:5432", "192.0.2.1:22", "[2001:db8::1]:65535", "bücher.example:1"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("[::1]:22".parse::<Target>().unwrap().host, Host::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!("::1".parse(), Ok(Host::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST))));
    }

    #[test]
    fn what_is_no_target_is_refused_with_its_reason() {
        let long = format!("{}:22", "a".repeat(256));
        for (text, reason) in [
            ("host", TargetError::NoPort),
            (":22", TargetError::NoHost),
            ("host:", TargetError::Port),
            ("host:0", TargetError::Port),
            ("host:+22", TargetError::Port),
            ("host:65536", TargetError::Port),
            ("::1:22", TargetError::Brackets),
            ("[::1", TargetError::Brackets),
            ("[host]:22", TargetError::Ipv6),
            ("a b:22", TargetError::NameCharacter),
            ("a\r\nb:22", TargetError::NameCharacter),
            ("user@host:22", TargetError::NameCharacter),
            (&long, TargetError::NameTooLong),
        ] {
            assert_eq!(text.parse::<Target>(), Err(reason), "{text}");
        }
    }
}
