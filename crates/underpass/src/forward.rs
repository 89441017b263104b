use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use crate::{
    Error,
    destination::{Bracketed, check_host, parse_port, parse_port_or_zero, quoted},
};

/// One thing that a tunnel carries.
///
/// Shown, it reads as the command line's flag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forward {
    /// Connections to an address of this machine go through the server to a target (RFC 4254 section 7.2).
    Local {
        /// Where this machine listens.
        bind: BindAddress,
        /// Where the server connects to.
        target: Target,
    },
}

impl Forward {
    /// From `bind`, through the server, to `target`.
    ///
    /// ```
    /// # use underpass::Forward;
    /// let database = Forward::local(5432, ("db", 5432));
    /// assert_eq!(database.to_string(), "-L 5432:db:5432");
    /// ```
    pub fn local(bind: impl Into<BindAddress>, target: impl Into<Target>) -> Self {
        Self::Local { bind: bind.into(), target: target.into() }
    }

    /// Reads `[bind:]port:host:hostport`, IPv6 addresses in brackets.
    ///
    /// Without `bind` the forward listens on the loopback addresses; with an empty one, or `*`, on all addresses.
    /// Port 0 lets the system pick one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the part that is wrong.
    pub fn parse_local(text: &str) -> Result<Self, Error> {
        parse_local(text).map_err(|problem| {
            Error::configuration(format!("in the local forward {}, {problem}", quoted(text)))
        })
    }

    /// Where the connections go.
    pub fn target(&self) -> &Target {
        let Self::Local { target, .. } = self;
        target
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Local { bind, target } = self;
        write!(f, "-L {bind}:{target}")
    }
}

/// Where a forward listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BindAddress {
    /// Which of the machine's addresses.
    pub interface: Interface,
    /// The port, the same on every address. 0: the system picks one.
    pub port: u16,
}

impl BindAddress {
    /// The socket addresses, if they are known without asking a name service. Those after the first may be
    /// unavailable: a machine need not have IPv6.
    pub fn addresses(&self) -> Option<Vec<SocketAddr>> {
        let addresses: Vec<IpAddr> = match &self.interface {
            Interface::Loopback => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Interface::All => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            Interface::Host(host) => vec![host.parse().ok()?],
        };
        Some(addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect())
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Interface::Loopback => write!(f, "{}", self.port),
            Interface::All => write!(f, "*:{}", self.port),
            Interface::Host(host) => write!(f, "{}:{}", Bracketed(host), self.port),
        }
    }
}

impl From<u16> for BindAddress {
    /// A port on the loopback addresses.
    fn from(port: u16) -> Self {
        Self { interface: Interface::Loopback, port }
    }
}

impl From<SocketAddr> for BindAddress {
    fn from(address: SocketAddr) -> Self {
        Self { interface: Interface::Host(address.ip().to_string()), port: address.port() }
    }
}

/// Which addresses of the machine a forward listens on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Interface {
    /// 127.0.0.1 and ::1: this machine only.
    Loopback,
    /// 0.0.0.0 and ::, so that other machines can use the tunnel.
    All,
    /// An address without brackets, or a name to look up.
    Host(String),
}

/// Where the server connects to. The server looks names up, in its own network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Bracketed(&self.host), self.port)
    }
}

impl From<(&str, u16)> for Target {
    fn from((host, port): (&str, u16)) -> Self {
        Self { host: host.to_owned(), port }
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

fn parse_local(text: &str) -> Result<Forward, String> {
    let (bind, port, host, host_port) = match fields(text)?.as_slice() {
        &[port, host, host_port] => (None, port, host, host_port),
        &[bind, port, host, host_port] => (Some(bind), port, host, host_port),
        fields => {
            let found = fields.len();
            return Err(format!(
                "{found} parts are found instead of `[bind:]port:host:hostport` (IPv6 in brackets)"
            ));
        }
    };
    let interface = bind.map_or(Ok(Interface::Loopback), parse_interface)?;
    let port = parse_port_or_zero(port)
        .ok_or_else(|| format!("the local port {} is not a number from 0 to 65535", quoted(port)))?;
    check_host(host)?;
    let target = Target { host: host.to_owned(), port: parse_port(host_port)? };
    Ok(Forward::Local { bind: BindAddress { interface, port }, target })
}

fn parse_interface(bind: &str) -> Result<Interface, String> {
    match bind {
        "" | "*" => Ok(Interface::All),
        // As for ssh, both loopback addresses, whatever /etc/hosts says.
        "localhost" => Ok(Interface::Loopback),
        host => check_host(host).map(|()| Interface::Host(host.to_owned())),
    }
}

/// Splits at colons outside brackets, and takes the brackets off.
fn fields(text: &str) -> Result<Vec<&str>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']').ok_or_else(|| format!("{} has no `]`", quoted(rest)))?,
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        fields.push(field);
        match after.strip_prefix(':') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(format!("{} follows the `]`", quoted(after))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_and_shown_as_the_flag() {
        let host = |host: &str| Interface::Host(host.to_owned());
        let forms = [
            ("5432:db:5432", Interface::Loopback, 5432, ("db", 5432), "-L 5432:db:5432"),
            ("localhost:0:db:1", Interface::Loopback, 0, ("db", 1), "-L 0:db:1"),
            (":80:web:8080", Interface::All, 80, ("web", 8080), "-L *:80:web:8080"),
            ("*:80:web:8080", Interface::All, 80, ("web", 8080), "-L *:80:web:8080"),
            (
                "127.0.0.1:80:10.0.0.1:81",
                host("127.0.0.1"),
                80,
                ("10.0.0.1", 81),
                "-L 127.0.0.1:80:10.0.0.1:81",
            ),
            (
                "[::1]:80:[fe80::1%eth0]:81",
                host("::1"),
                80,
                ("fe80::1%eth0", 81),
                "-L [::1]:80:[fe80::1%eth0]:81",
            ),
        ];
        for (text, interface, port, target, shown) in forms {
            let forward = Forward::parse_local(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let bind = BindAddress { interface, port };
            assert_eq!(forward, Forward::Local { bind, target: target.into() }, "{text}");
            assert_eq!(forward.to_string(), shown);
            assert_eq!(Forward::parse_local(&shown[3..]).unwrap(), forward, "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_quoted() {
        let wrong = [
            ("", "1 parts are found instead of `[bind:]port:host:hostport`"),
            ("80", "1 parts"),
            ("80:db", "2 parts"),
            ("1:2:3:4:5", "5 parts"),
            ("http:db:80", "the local port `http` is not a number from 0 to 65535"),
            ("65536:db:80", "the local port `65536`"),
            ("80:db:0", "the port `0` is not a number from 1 to 65535"),
            ("80:db:", "the port `` is not"),
            ("80::80", "the host is empty"),
            ("80:[db:80", "`[db:80` has no `]`"),
            ("80:[::1]x:80", "`x:80` follows the `]`"),
            ("80:[a:b]:80", "the host `a:b` is not an IPv6 address"),
            ("80:/run/db.sock:80", "has a `/` in it"),
            ("a b:80:db:80", "`a b` has white space"),
        ];
        for (text, expected) in wrong {
            let error = Forward::parse_local(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn loopback_and_all_mean_both_families_and_a_name_must_be_looked_up() {
        let addresses = |text: &str| {
            let Forward::Local { bind, .. } = Forward::parse_local(text).unwrap();
            bind.addresses().map(|addresses| addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(addresses("80:db:1").unwrap(), ["127.0.0.1:80", "[::1]:80"]);
        assert_eq!(addresses("*:80:db:1").unwrap(), ["0.0.0.0:80", "[::]:80"]);
        assert_eq!(addresses("10.0.0.1:80:db:1").unwrap(), ["10.0.0.1:80"]);
        assert_eq!(addresses("intranet:80:db:1"), None);
    }
}
