//! Sets of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that have their first bits in common, or some of their four parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Any,
    V4 { bits: u32, mask: u32 },
    V6 { bits: u128, mask: u128 },
}

impl Network {
    /// Reads `*`, an address, an address in brackets, `address/bits`, or an IPv4 address with `*` for parts.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if matches!(text, "*" | "any") {
            return Some(Self::Any);
        }
        if let Some((address, length)) = text.split_once('/') {
            return Self::with_prefix(unbracketed(address).parse().ok()?, prefix(length)?);
        }
        match unbracketed(text).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Self::with_prefix(address.into(), 32),
            Ok(IpAddr::V6(address)) => Self::with_prefix(address.into(), 128),
            Err(_) => Self::with_wildcards(text),
        }
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        // A socket of both families shows IPv4 addresses as IPv6.
        match (self, address.to_canonical()) {
            (Self::Any, _) => true,
            (Self::V4 { bits, mask }, IpAddr::V4(address)) => address.to_bits() & mask == *bits,
            (Self::V6 { bits, mask }, IpAddr::V6(address)) => address.to_bits() & mask == *bits,
            _ => false,
        }
    }

    fn with_prefix(address: IpAddr, length: u32) -> Option<Self> {
        match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32u32.checked_sub(length)?).unwrap_or(0);
                Some(Self::V4 { bits: address.to_bits() & mask, mask })
            }
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(mapped) => Self::with_prefix(mapped.into(), length.saturating_sub(96)),
                None => {
                    let mask = u128::MAX.checked_shl(128u32.checked_sub(length)?).unwrap_or(0);
                    Some(Self::V6 { bits: Ipv6Addr::to_bits(address) & mask, mask })
                }
            },
        }
    }

    fn with_wildcards(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let parts = <[&str; 4]>::try_from(parts).ok()?;
        let (mut bits, mut mask) = ([0; 4], [0; 4]);
        for (at, part) in parts.into_iter().enumerate() {
            if part != "*" {
                (bits[at], mask[at]) = (part.parse().ok()?, u8::MAX);
            }
        }
        Some(Self::V4 { bits: Ipv4Addr::from(bits).to_bits(), mask: Ipv4Addr::from(mask).to_bits() })
    }
}

fn prefix(text: &str) -> Option<u32> {
    // `u32::from_str` accepts a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_holds_what_it_says() {
        let cases = [
            ("*", "1.2.3.4", "", ""),
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.1", "::1"),
            ("10.1.2.3/8", "10.0.0.1", "11.0.0.1", "::a00:1"),
            ("0.0.0.0/0", "203.0.113.9", "::1", ""),
            ("192.168.1.7", "192.168.1.7", "192.168.1.8", ""),
            ("192.168.*.*", "192.168.77.1", "192.169.0.1", ""),
            ("10.*.0.1", "10.9.0.1", "10.9.0.2", ""),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1", "10.0.0.1"),
            ("[::1]", "::1", "::2", "127.0.0.1"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1", ""),
            ("::ffff:10.0.0.0/104", "10.3.0.1", "11.0.0.1", ""),
        ];
        for (text, inside, outside, other) in cases {
            let network = Network::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert!(network.contains(inside.parse().unwrap()), "{text} has {inside}");
            for address in [outside, other].iter().filter(|address| !address.is_empty()) {
                assert!(!network.contains(address.parse().unwrap()), "{text} has not {address}");
            }
        }
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "::/129",
            "1.2.3.4.5",
            "1.2.3.x",
            "[::1",
            "a/8",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
