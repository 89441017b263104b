//! Sets of addresses: one address, a prefix, or IPv4 parts left open.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::destination::quoted;

/// The addresses that agree with one in the bits of a mask. The bits of an IPv4 mask need not be neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

impl Network {
    /// Reads an address, a prefix or an IPv4 pattern such as `10.0.*.*`; IPv6 with or without brackets. `None`: it
    /// looks like none of these.
    ///
    /// # Errors
    /// What is wrong with what does look like one.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        match (read_address(address)?, prefix) {
            (Some(network), None) => Ok(Some(network)),
            (Some(network), Some(prefix)) => network.with_prefix(prefix, text).map(Some),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(format!("{} is not an address before a `/`", quoted(address))),
        }
    }

    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self, address.to_canonical()) {
            (Self::V4 { address, mask }, IpAddr::V4(other)) => other.to_bits() & mask == address,
            (Self::V6 { address, mask }, IpAddr::V6(other)) => other.to_bits() & mask == address,
            _ => false,
        }
    }

    fn with_prefix(self, prefix: &str, text: &str) -> Result<Self, String> {
        let longest = match self {
            Self::V4 { mask: u32::MAX, .. } if text.contains(':') => 128,
            Self::V4 { mask: u32::MAX, .. } => 32,
            Self::V6 { .. } => 128,
            Self::V4 { .. } => return Err(format!("{} has both `*` and `/`", quoted(text))),
        };
        let length = read_number(prefix).filter(|length| *length <= longest).ok_or_else(|| {
            format!("the prefix length {} is not a number from 0 to {longest}", quoted(prefix))
        })?;
        let network = match self {
            // An IPv4 address in the clothes of IPv6, `::ffff:10.0.0.0/104`.
            Self::V4 { address, .. } if longest == 128 => {
                let length = length.checked_sub(96).ok_or_else(|| {
                    format!("{} holds IPv4 and IPv6 addresses; name them separately", quoted(text))
                })?;
                Self::V4 { address, mask: u32::MAX.checked_shl(32 - length).unwrap_or(0) }
            }
            Self::V4 { address, .. } => {
                Self::V4 { address, mask: u32::MAX.checked_shl(32 - length).unwrap_or(0) }
            }
            Self::V6 { address, .. } => {
                Self::V6 { address, mask: u128::MAX.checked_shl(128 - length).unwrap_or(0) }
            }
        };
        match network.masked() {
            masked if masked == network => Ok(network),
            // It could be meant as this address, or as the whole network: they differ by a lot of machines.
            masked => Err(format!("{} is longer than its prefix: the network is `{masked}`", quoted(text))),
        }
    }

    fn masked(self) -> Self {
        match self {
            Self::V4 { address, mask } => Self::V4 { address: address & mask, mask },
            Self::V6 { address, mask } => Self::V6 { address: address & mask, mask },
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4 { address: address.to_bits(), mask: u32::MAX },
            IpAddr::V6(address) => Self::V6 { address: address.to_bits(), mask: u128::MAX },
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4 { address, mask: u32::MAX } => Ipv4Addr::from_bits(address).fmt(f),
            Self::V4 { address, mask } if mask.leading_ones() == mask.count_ones() => {
                write!(f, "{}/{}", Ipv4Addr::from_bits(address), mask.count_ones())
            }
            Self::V4 { address, mask } => {
                for (at, (part, mask)) in
                    address.to_be_bytes().into_iter().zip(mask.to_be_bytes()).enumerate()
                {
                    let dot = if at == 0 { "" } else { "." };
                    match mask {
                        0 => write!(f, "{dot}*")?,
                        _ => write!(f, "{dot}{part}")?,
                    }
                }
                Ok(())
            }
            Self::V6 { address, mask: u128::MAX } => Ipv6Addr::from_bits(address).fmt(f),
            Self::V6 { address, mask } => write!(f, "{}/{}", Ipv6Addr::from_bits(address), mask.count_ones()),
        }
    }
}

fn read_address(text: &str) -> Result<Option<Network>, String> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner =
            inner.strip_suffix(']').ok_or_else(|| format!("{} has no `]` at its end", quoted(text)))?;
        return read_ipv6(inner).map(Some);
    }
    if text.contains(':') {
        return read_ipv6(text).map(Some);
    }
    match is_numeric(text) {
        true => read_ipv4(text).map(Some),
        false => Ok(None),
    }
}

fn read_ipv6(text: &str) -> Result<Network, String> {
    if text.contains('%') {
        return Err(format!("{} names a zone; zones are not looked at", quoted(text)));
    }
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Ok(IpAddr::V6(address).into()),
        Err(_) => Err(format!("{} is not an IPv6 address", quoted(text))),
    }
}

fn read_ipv4(text: &str) -> Result<Network, String> {
    let wrong = || format!("{} is not four parts from 0 to 255, or `*`, with dots between", quoted(text));
    let (mut address, mut mask, mut count) = (0, 0, 0);
    for part in text.split('.') {
        let (value, bits) = match part {
            "*" => (0, 0),
            // Some programs read a leading zero as octal: what it means is not certain.
            _ if part.len() > 1 && part.starts_with('0') => return Err(wrong()),
            _ => (read_number(part).filter(|value| *value <= 255).ok_or_else(wrong)?, 255),
        };
        count += 1;
        if count > 4 {
            return Err(wrong());
        }
        (address, mask) = (address << 8 | value, mask << 8 | bits);
    }
    match count {
        4 => Ok(Network::V4 { address, mask }),
        _ => Err(wrong()),
    }
}

/// Whether it can only be meant as an IPv4 address or pattern: no name ends in a number (RFC 1123 section 2.1), and
/// a name pattern without any letter would match addresses as text.
fn is_numeric(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    let ends_in_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let has_letters = !text.bytes().all(|byte| byte.is_ascii_digit() || b".*?".contains(&byte));
    let has_parts = text.contains(|c: char| c.is_ascii_digit() || c == '.');
    ends_in_number || (has_parts && !has_letters)
}

fn read_number(text: &str) -> Option<u32> {
    // `u32::from_str` accepts a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text that looks like a network more often than not.
    const LOOKALIKE: &str =
        r"(\[?[0-9a-f:.]{0,12}\]?(/[0-9]{0,3})?)|([0-9*.]{1,4}\.){3}[0-9*]{1,3}(/[0-9]{1,2})?";

    proptest! {
        #[test]
        fn whatever_is_understood_is_shown_as_text_that_means_the_same(text in LOOKALIKE) {
            if let Ok(Some(network)) = Network::parse(&text) {
                prop_assert_eq!(Network::parse(&network.to_string()), Ok(Some(network)));
            }
        }

        #[test]
        fn a_prefix_contains_what_agrees_in_its_bits(a: u32, flipped in 0..32_u32, length in 0..=32_u32) {
            let base = if length == 0 { 0 } else { a >> (32 - length) << (32 - length) };
            let network = network(&format!("{}/{length}", Ipv4Addr::from_bits(base)));
            prop_assert!(network.contains(Ipv4Addr::from_bits(a).into()));
            let other = Ipv4Addr::from_bits(a ^ (1 << (31 - flipped)));
            prop_assert_eq!(network.contains(other.into()), flipped >= length);
        }
    }

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap().unwrap_or_else(|| panic!("{text} is taken for a name"))
    }

    fn contains(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().unwrap())
    }

    #[test]
    fn each_form_contains_what_it_says() {
        for (text, inside, outside) in [
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("10.0.*.*", "10.0.255.1", "10.1.0.1"),
            ("192.168.1.*", "192.168.1.77", "192.168.2.77"),
            ("10.*.5.*", "10.200.5.1", "10.200.6.1"),
            ("*.*.*.*", "203.0.113.9", "2001:db8::1"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.100"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.2"),
            ("::1", "::1", "::2"),
            ("[::1]", "::1", "127.0.0.1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("[2001:db8::]/32", "2001:db8:1::1", "2001:db9::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
        ] {
            assert!(contains(text, inside), "{text} {inside}");
            assert!(!contains(text, outside), "{text} {outside}");
        }
    }

    #[test]
    fn an_ipv4_address_in_the_clothes_of_ipv6_is_an_ipv4_address() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
    }

    #[test]
    fn what_is_shown_is_understood_again() {
        for (text, shown) in [
            ("10.0.*.*", "10.0.0.0/16"),
            ("10.*.5.*", "10.*.5.*"),
            ("*.0.0.1", "*.0.0.1"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("10.0.0.1", "10.0.0.1"),
            ("[2001:db8::]/32", "2001:db8::/32"),
            ("::1", "::1"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(text).to_string(), shown);
            assert_eq!(network(shown), network(text));
        }
    }

    #[test]
    fn names_are_left_to_others() {
        for name in ["localhost", "db-1.corp", "1.corp", "3com", "*.corp", "*", "db.*"] {
            assert_eq!(Network::parse(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_quoted() {
        for (text, expected) in [
            ("10.0.0", "`10.0.0` is not four parts"),
            ("10.0.0.0.0", "is not four parts"),
            ("10.0.0.256", "is not four parts"),
            ("10.0.0.010", "is not four parts"),
            ("10.0.0.", "is not four parts"),
            ("10.*", "is not four parts"),
            ("10.0.0.1*", "is not four parts"),
            ("10.0.0.?", "is not four parts"),
            ("x.0.0.1", "is not four parts"),
            ("10.0.0.99999999999", "is not four parts"),
            ("10.0.0.0/33", "the prefix length `33` is not a number from 0 to 32"),
            ("10.0.0.0/", "the prefix length ``"),
            ("10.0.0.0/+8", "the prefix length `+8`"),
            ("10.0.*.*/16", "has both `*` and `/`"),
            ("10.1.2.3/8", "`10.1.2.3/8` is longer than its prefix: the network is `10.0.0.0/8`"),
            ("2001:db8::1/32", "the network is `2001:db8::/32`"),
            ("::/129", "from 0 to 128"),
            ("::ffff:0.0.0.0/95", "holds IPv4 and IPv6"),
            ("corp/8", "`corp` is not an address before a `/`"),
            ("[::1", "`[::1` has no `]`"),
            ("[::1]x", "has no `]` at its end"),
            ("[10.0.0.1]", "`10.0.0.1` is not an IPv6 address"),
            ("fe80::1%eth0", "names a zone"),
            ("1:2", "`1:2` is not an IPv6 address"),
        ] {
            let error = Network::parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
