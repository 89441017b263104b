use std::{fmt, net::Ipv6Addr, str::FromStr};

use crate::Error;

/// The SSH server to go through, as it is written on a command line.
///
/// Accepted are `[user@]host`, `[user@]host:port`, `[user@][IPv6]:port` and `ssh://[user@]host[:port]`. The user may
/// contain `@`, since the host begins after the last one.
///
/// ```
/// # use underpass::Destination;
/// let bastion: Destination = "me@bastion.example:2222".parse()?;
/// assert_eq!((bastion.host.as_str(), bastion.port), ("bastion.example", Some(2222)));
/// # Ok::<(), underpass::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The user to log in as. `None`: whoever runs the program.
    pub user: Option<String>,
    /// A host name, or an address without brackets.
    pub host: String,
    /// The port. `None`: 22.
    pub port: Option<u16>,
}

impl FromStr for Destination {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the part that is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        // Not the whole text: it may hold a password.
        parse(text).map_err(|problem| Error::configuration(format!("in the destination, {problem}")))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", Bracketed(&self.host))?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// A host as it stands before `:port`: IPv6 addresses in brackets.
pub(crate) struct Bracketed<'a>(pub(crate) &'a str);

impl fmt::Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

/// Reads a port of a destination or a target: 1 to 65535.
pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    match parse_port_or_zero(text) {
        Some(port) if port != 0 => Ok(port),
        _ => Err(format!("the port {} is not a number from 1 to 65535", quoted(text))),
    }
}

/// Reads a port that may be 0, for one that the system picks.
pub(crate) fn parse_port_or_zero(text: &str) -> Option<u16> {
    // `u16::from_str` accepts a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Refuses what is not a host name, an IPv4 address or an IPv6 address without brackets.
pub(crate) fn check_host(host: &str) -> Result<(), String> {
    check_name("host", host)?;
    if host.contains(':') && !is_ipv6(host) {
        return Err(format!("the host {} is not an IPv6 address", quoted(host)));
    }
    match host.find(['/', '[', ']', '@', '\\', '*', '?', ',']) {
        Some(at) => Err(format!("the host {} has a `{}` in it", quoted(host), &host[at..=at])),
        None => Ok(()),
    }
}

/// Refuses what cannot be a user's name.
pub(crate) fn check_user(user: &str) -> Result<(), String> {
    check_name("user", user)?;
    if user.contains(':') {
        return Err("a password does not belong into a destination".to_owned());
    }
    Ok(())
}

/// Whether `host` is an IPv6 address, perhaps with a zone (RFC 4007 section 11).
pub(crate) fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "zone"));
    !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok()
}

/// Text from outside, safe to show, in quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", underpass_wire::Untrusted(text.as_bytes()))
}

fn parse(text: &str) -> Result<Destination, String> {
    let (rest, uri) = match text.strip_prefix("ssh://") {
        Some(rest) => (rest.strip_suffix('/').unwrap_or(rest), true),
        None => (text, false),
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    if let Some(user) = user {
        check_user(user)?;
        if uri && user.contains('%') {
            return Err(format!("the user {} is percent-encoded; name it with `-l` instead", quoted(user)));
        }
    }
    let (host, port) = split_host(rest)?;
    check_host(host)?;
    let port = port.map(parse_port).transpose()?;
    Ok(Destination { user: user.map(str::to_owned), host: host.to_owned(), port })
}

/// Takes `host`, `host:port`, `[IPv6]`, `[IPv6]:port` or a bare IPv6 address apart.
fn split_host(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(|| format!("{} has no `]`", quoted(text)))?;
        if !is_ipv6(host) {
            return Err(format!("{} is not an IPv6 address", quoted(host)));
        }
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(format!("{} follows the `]`", quoted(rest))),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        Some(_) if is_ipv6(text) => Ok((text, None)),
        Some(_) => Err(format!("{} has too many colons; an IPv6 address goes into brackets", quoted(text))),
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("the {what} is empty"));
    }
    if name.len() > MAX_NAME_LEN {
        return Err(format!("the {what} is longer than {MAX_NAME_LEN} bytes"));
    }
    // It could be taken for an option by whatever the name is handed to.
    if name.starts_with('-') {
        return Err(format!("the {what} {} starts with a dash", quoted(name)));
    }
    match name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        true => Err(format!("the {what} {} has white space or control characters in it", quoted(name))),
        false => Ok(()),
    }
}

/// The longest host or user: a DNS name has at most 253 characters (RFC 1035 section 2.3.4), and no system has
/// longer user names.
const MAX_NAME_LEN: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(user: Option<&str>, host: &str, port: Option<u16>) -> Destination {
        Destination { user: user.map(str::to_owned), host: host.to_owned(), port }
    }

    #[test]
    fn every_form_is_understood_and_shown_again() {
        let forms = [
            ("bastion", destination(None, "bastion", None), "bastion"),
            ("me@bastion", destination(Some("me"), "bastion", None), "me@bastion"),
            ("me@bastion:2222", destination(Some("me"), "bastion", Some(2222)), "me@bastion:2222"),
            ("a@b@bastion", destination(Some("a@b"), "bastion", None), "a@b@bastion"),
            ("10.0.0.1:22", destination(None, "10.0.0.1", Some(22)), "10.0.0.1:22"),
            ("me@[::1]:22", destination(Some("me"), "::1", Some(22)), "me@[::1]:22"),
            ("[fe80::1%eth0]", destination(None, "fe80::1%eth0", None), "[fe80::1%eth0]"),
            ("2001:db8::1", destination(None, "2001:db8::1", None), "[2001:db8::1]"),
            ("ssh://bastion", destination(None, "bastion", None), "bastion"),
            ("ssh://me@bastion:2222/", destination(Some("me"), "bastion", Some(2222)), "me@bastion:2222"),
            ("ssh://[::1]:2222", destination(None, "::1", Some(2222)), "[::1]:2222"),
        ];
        for (text, expected, shown) in forms {
            let parsed: Destination = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(parsed, expected, "{text}");
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(shown.parse::<Destination>().unwrap(), expected, "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_quoted() {
        let long = "x".repeat(256);
        let wrong = [
            ("", "the host is empty"),
            ("me@", "the host is empty"),
            ("@bastion", "the user is empty"),
            ("-oProxyCommand=x", "`-oProxyCommand=x` starts with a dash"),
            ("-me@bastion", "the user `-me` starts with a dash"),
            ("bas tion", "`bas tion` has white space"),
            ("bas\u{1b}tion", "`bas\\u{1b}tion` has white space or control"),
            ("bastion:", "the port `` is not"),
            ("bastion:0", "the port `0` is not"),
            ("bastion:+22", "the port `+22` is not"),
            ("bastion:65536", "the port `65536` is not"),
            ("a:b:c", "`a:b:c` has too many colons"),
            ("[::1", "`[::1` has no `]`"),
            ("[bastion]:22", "`bastion` is not an IPv6 address"),
            ("[::1]22", "`22` follows the `]`"),
            ("[fe80::1%]", "`fe80::1%` is not an IPv6 address"),
            ("me:secret@bastion", "a password does not belong into a destination"),
            ("ssh://m%65@bastion", "the user `m%65` is percent-encoded"),
            ("ssh://bastion/path", "the host `bastion/path` has a `/` in it"),
            (&long, "the host is longer than 255 bytes"),
        ];
        for (text, expected) in wrong {
            let error = text.parse::<Destination>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_password_in_a_destination_is_not_repeated() {
        let error = "me:secret@bastion".parse::<Destination>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
