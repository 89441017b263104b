use core::net::IpAddr;

use crate::target::{Host, split_port};

/// One exception.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pattern: Pattern,
    /// Every port, if `None`.
    port: Option<u16>,
}

#[derive(Debug, Clone)]
enum Pattern {
    Everything,
    /// A name without a dot at either end: this host, and those below it.
    Domain(String),
    /// The addresses that begin with the same bits.
    Network {
        address: IpAddr,
        bits: u32,
    },
}

/// What is looked up.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Name(&'a str),
    Ip(IpAddr),
}

impl Entry {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        // A network is all that has a slash, and has no port.
        if let Some((address, bits)) = text.split_once('/') {
            return Ok(Self { pattern: network(address, bits)?, port: None });
        }
        // An address without brackets is all colons, so it comes before looking for a port.
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { pattern: host(address), port: None });
        }
        let (name, port) = split_port(text).map_err(|_| "the part after the colon is no port")?;
        Ok(Self { pattern: pattern(name)?, port })
    }

    pub(super) fn matches(&self, subject: Subject<'_>, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        match (&self.pattern, subject) {
            (Pattern::Everything, _) => true,
            (Pattern::Domain(domain), Subject::Name(name)) => is_below(name, domain),
            (Pattern::Network { address, bits }, Subject::Ip(ip)) => begins_alike(*address, ip, *bits),
            (Pattern::Domain(_), Subject::Ip(_)) | (Pattern::Network { .. }, Subject::Name(_)) => false,
        }
    }
}

fn pattern(name: &str) -> Result<Pattern, &'static str> {
    if name == "*" {
        return Ok(Pattern::Everything);
    }
    let domain = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    match domain.parse().map_err(|_| "it is neither a host nor a network")? {
        Host::Ip(address) => Ok(host(address)),
        Host::Name(_) if domain.contains('*') => Err("a `*` can only stand alone or as the first label"),
        Host::Name(name) if name.split('.').any(str::is_empty) => Err("a part of the name is empty"),
        Host::Name(name) => Ok(Pattern::Domain(name)),
    }
}

fn network(address: &str, bits: &str) -> Result<Pattern, &'static str> {
    let Ok(Host::Ip(address)) = address.parse() else {
        return Err("there is no address before the slash");
    };
    let digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits = bits.parse().ok().filter(|&bits| digits && bits <= width(address));
    bits.map(|bits| Pattern::Network { address, bits })
        .ok_or("the number after the slash is no prefix length")
}

fn host(address: IpAddr) -> Pattern {
    let address = address.to_canonical();
    Pattern::Network { address, bits: width(address) }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_below(name: &str, domain: &str) -> bool {
    let Some(start) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (above, end) = name.as_bytes().split_at(start);
    end.eq_ignore_ascii_case(domain.as_bytes()) && (above.is_empty() || above.ends_with(b"."))
}

fn begins_alike(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    let differing = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= bits
}
