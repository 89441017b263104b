use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use crate::{
    Endpoint, Error,
    destination::{Bracketed, check_host, parse_port, parse_port_or_zero, quoted},
};

/// One thing that a tunnel carries.
///
/// Shown, it reads as the command line's flag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forward {
    /// Connections to this machine go through the server to a target (RFC 4254 section 7.2).
    Local {
        /// Where this machine listens.
        bind: Bind,
        /// Where the server connects to.
        target: Endpoint,
    },
    /// Connections to this machine say by themselves where they want to go: SOCKS 4, 4a and 5, and HTTP CONNECT, all
    /// on one port. Names are looked up by the server.
    Dynamic {
        /// Where this machine listens.
        bind: BindAddress,
    },
    /// Connections to the server go to a target that this machine reaches (RFC 4254 section 7.1).
    Remote {
        /// Where the server listens.
        bind: Bind,
        /// Where this machine connects to.
        target: Endpoint,
    },
    /// Connections to the server say where they want to go, as with [`Dynamic`](Self::Dynamic), and this machine
    /// connects them.
    RemoteDynamic {
        /// Where the server listens.
        bind: BindAddress,
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
    pub fn local(bind: impl Into<Bind>, target: impl Into<Endpoint>) -> Self {
        Self::Local { bind: bind.into(), target: target.into() }
    }

    /// A SOCKS and HTTP proxy at `bind` whose connections leave from the server.
    pub fn dynamic(bind: impl Into<BindAddress>) -> Self {
        Self::Dynamic { bind: bind.into() }
    }

    /// From `bind` on the server to a `target` of this machine's.
    pub fn remote(bind: impl Into<Bind>, target: impl Into<Endpoint>) -> Self {
        Self::Remote { bind: bind.into(), target: target.into() }
    }

    /// A SOCKS and HTTP proxy at `bind` on the server whose connections leave from this machine.
    pub fn remote_dynamic(bind: impl Into<BindAddress>) -> Self {
        Self::RemoteDynamic { bind: bind.into() }
    }

    /// Reads `[bind:]port:host:hostport`, IPv6 addresses in brackets. What contains a `/` is the path of a
    /// Unix-domain socket and takes the place of `[bind:]port`, `host:hostport`, or both.
    ///
    /// Without `bind` the forward listens on the loopback addresses; with an empty one, or `*`, on all addresses.
    /// Port 0 lets the system pick one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the part that is wrong.
    pub fn parse_local(text: &str) -> Result<Self, Error> {
        in_context("local", text, || {
            let (bind, target) = parse_both(&fields(text)?)?;
            Ok(Self::Local { bind, target })
        })
    }

    /// Reads `[bind:]port`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the part that is wrong.
    pub fn parse_dynamic(text: &str) -> Result<Self, Error> {
        in_context("dynamic", text, || Ok(Self::Dynamic { bind: parse_address(&fields(text)?)? }))
    }

    /// Reads what [`parse_local`](Self::parse_local) reads, `bind` and `port` being the server's; or `[bind:]port`
    /// alone for a [`RemoteDynamic`](Self::RemoteDynamic).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), quoting the part that is wrong.
    pub fn parse_remote(text: &str) -> Result<Self, Error> {
        in_context("remote", text, || {
            let fields = fields(text)?;
            let paths = fields.iter().filter(|field| field.is_path).count();
            if fields.len() < 3 && paths == 0 {
                return Ok(Self::RemoteDynamic { bind: parse_address(&fields)? });
            }
            let (bind, target) = parse_both(&fields)?;
            Ok(Self::Remote { bind, target })
        })
    }

    /// Where the connections go, unless they say so by themselves.
    pub fn target(&self) -> Option<&Endpoint> {
        match self {
            Self::Local { target, .. } | Self::Remote { target, .. } => Some(target),
            Self::Dynamic { .. } | Self::RemoteDynamic { .. } => None,
        }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { bind, target } => write!(f, "-L {bind}:{target}"),
            Self::Dynamic { bind } => write!(f, "-D {bind}"),
            Self::Remote { bind, target } => write!(f, "-R {bind}:{target}"),
            Self::RemoteDynamic { bind } => write!(f, "-R {bind}"),
        }
    }
}

/// Where a forward takes connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Bind {
    /// A port.
    Tcp(BindAddress),
    /// A Unix-domain socket. It is made accessible to its owner alone.
    Unix(PathBuf),
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

impl From<u16> for Bind {
    /// A port on the loopback addresses.
    fn from(port: u16) -> Self {
        Self::Tcp(port.into())
    }
}

impl From<SocketAddr> for Bind {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address.into())
    }
}

impl From<BindAddress> for Bind {
    fn from(address: BindAddress) -> Self {
        Self::Tcp(address)
    }
}

impl From<PathBuf> for Bind {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

/// Where a port is listened on.
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
            Interface::Default | Interface::Loopback => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Interface::All => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            Interface::Host(host) => vec![host.parse().ok()?],
        };
        Some(addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect())
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Interface::Default => write!(f, "{}", self.port),
            Interface::Loopback => write!(f, "localhost:{}", self.port),
            Interface::All => write!(f, "*:{}", self.port),
            Interface::Host(host) => write!(f, "{}:{}", Bracketed(host), self.port),
        }
    }
}

impl From<u16> for BindAddress {
    /// A port on the loopback addresses, unless the settings say otherwise.
    fn from(port: u16) -> Self {
        Self { interface: Interface::Default, port }
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
    /// As the settings say: [`Loopback`](Self::Loopback), or [`All`](Self::All) with
    /// [`Settings::gateway_ports`](crate::Settings::gateway_ports).
    Default,
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

fn in_context(
    what: &str,
    text: &str,
    parse: impl FnOnce() -> Result<Forward, String>,
) -> Result<Forward, Error> {
    parse()
        .map_err(|problem| Error::configuration(format!("in the {what} forward {}, {problem}", quoted(text))))
}

/// Where to listen, and where to go.
fn parse_both(fields: &[Field<'_>]) -> Result<(Bind, Endpoint), String> {
    let is_path = |at: usize| fields.get(at).is_some_and(|field| field.is_path);
    let listen = match fields.len() {
        2 | 3 if is_path(0) => 1,
        2 | 3 if is_path(fields.len() - 1) => fields.len() - 1,
        3 => 1,
        4 => 2,
        found => {
            return Err(format!(
                "{found} parts are found instead of `[bind:]port:host:hostport` (IPv6 in brackets)"
            ));
        }
    };
    let (listen, target) = fields.split_at(listen);
    let bind = match listen {
        [path] if path.is_path => Bind::Unix(path.text.into()),
        address => Bind::Tcp(parse_address(address)?),
    };
    let target = match target {
        [path] if path.is_path => Endpoint::Unix(path.text.into()),
        [host, port] => {
            check_host(host.text)?;
            Endpoint::from((host.text, parse_port(port.text)?))
        }
        _ => return Err("the target is not `host:hostport` and not the path of a socket".to_owned()),
    };
    Ok((bind, target))
}

/// Reads `[bind:]port`.
fn parse_address(fields: &[Field<'_>]) -> Result<BindAddress, String> {
    let (bind, port) = match fields {
        [port] => (None, port),
        [bind, port] => (Some(bind), port),
        _ => return Err(format!("{} parts are found instead of `[bind:]port`", fields.len())),
    };
    let interface = bind.map_or(Ok(Interface::Default), |bind| parse_interface(bind.text))?;
    let port = parse_port_or_zero(port.text).ok_or_else(|| {
        format!("the port to listen on, {}, is not a number from 0 to 65535", quoted(port.text))
    })?;
    Ok(BindAddress { interface, port })
}

fn parse_interface(bind: &str) -> Result<Interface, String> {
    match bind {
        "" | "*" => Ok(Interface::All),
        // As for ssh, both loopback addresses, whatever /etc/hosts says.
        "localhost" => Ok(Interface::Loopback),
        host => check_host(host).map(|()| Interface::Host(host.to_owned())),
    }
}

struct Field<'a> {
    text: &'a str,
    /// Whether it names a Unix-domain socket: neither ports nor hosts have a `/`.
    is_path: bool,
}

/// Splits at colons outside brackets, and takes the brackets off.
fn fields(text: &str) -> Result<Vec<Field<'_>>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let bracketed = rest.strip_prefix('[');
        let (text, after) = match bracketed {
            Some(inner) => inner.split_once(']').ok_or_else(|| format!("{} has no `]`", quoted(rest)))?,
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        fields.push(Field { text, is_path: bracketed.is_none() && text.contains('/') });
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
            ("5432:db:5432", Interface::Default, 5432, ("db", 5432), "-L 5432:db:5432"),
            ("localhost:0:db:1", Interface::Loopback, 0, ("db", 1), "-L localhost:0:db:1"),
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
            assert_eq!(forward, Forward::local(bind, target), "{text}");
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
            ("http:db:80", "the port to listen on, `http`, is not a number from 0 to 65535"),
            ("65536:db:80", "the port to listen on, `65536`"),
            ("80:db:0", "the port `0` is not a number from 1 to 65535"),
            ("80:db:", "the port `` is not"),
            ("80::80", "the host is empty"),
            ("80:[db:80", "`[db:80` has no `]`"),
            ("80:[::1]x:80", "`x:80` follows the `]`"),
            ("80:[a:b]:80", "the host `a:b` is not an IPv6 address"),
            ("80:/run/db.sock:80", "has a `/` in it"),
            ("/run/a:/run/b:80", "has a `/` in it"),
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
            let Ok(Forward::Local { bind: Bind::Tcp(bind), .. }) = Forward::parse_local(text) else {
                panic!("{text}")
            };
            bind.addresses().map(|addresses| addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(addresses("80:db:1").unwrap(), ["127.0.0.1:80", "[::1]:80"]);
        assert_eq!(addresses("*:80:db:1").unwrap(), ["0.0.0.0:80", "[::]:80"]);
        assert_eq!(addresses("10.0.0.1:80:db:1").unwrap(), ["10.0.0.1:80"]);
        assert_eq!(addresses("intranet:80:db:1"), None);
    }

    #[test]
    fn sockets_stand_for_either_side() {
        let forms = [
            "/run/a.sock:db:5432",
            "/run/a.sock:/run/b.sock",
            "5432:/run/b.sock",
            "[::1]:5432:/run/b.sock",
            "./a:[::1]:5432",
        ];
        for text in forms {
            assert_eq!(Forward::parse_local(text).unwrap().to_string(), format!("-L {text}"));
            assert_eq!(Forward::parse_remote(text).unwrap().to_string(), format!("-R {text}"));
        }
    }

    #[test]
    fn a_port_alone_is_a_proxy() {
        let forms =
            [("1080", "1080"), ("localhost:0", "localhost:0"), ("*:1080", "*:1080"), ("[::1]:1", "[::1]:1")];
        for (text, shown) in forms {
            assert_eq!(Forward::parse_dynamic(text).unwrap().to_string(), format!("-D {shown}"));
            assert_eq!(Forward::parse_remote(text).unwrap().to_string(), format!("-R {shown}"));
        }
        for text in ["", "x", "a:b:c", "/run/a.sock"] {
            Forward::parse_dynamic(text).expect_err(text);
        }
    }
}
