//! Values as `ssh_config` writes them. Each function says what it expected instead.

use std::{net::IpAddr, time::Duration};

use underpass::{AccessList, Destination, Destinations, Endpoint, Error, Forward};
use underpass_wire::Untrusted;

use crate::args::Sockets;

/// `yes` or `no`.
pub(crate) fn yes_no(text: &str) -> Result<bool, String> {
    choice(text, &[("yes", true), ("no", false), ("true", true), ("false", false)])
}

/// One of several words, in any case.
pub(crate) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let chosen = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    chosen.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        expected(&format!("one of {}", words.join(", ")), text)
    })
}

/// A port that can be connected to.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    number(text)
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0)
        .ok_or_else(|| expected("a port from 1 to 65535", text))
}

/// A number of times.
pub(crate) fn count(text: &str) -> Result<u32, String> {
    number(text)
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| expected("a number from 0 to 4294967295", text))
}

/// A time as `ssh_config` writes it: seconds, or numbers with the units `s`, `m`, `h`, `d`, `w`, added up.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || expected("a time such as 30, 90s, 5m or 1h30m", text);
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = split_digits(rest);
        let (unit, after) = match after.chars().next() {
            Some(unit) => (unit.to_ascii_lowercase(), &after[unit.len_utf8()..]),
            None => ('s', after),
        };
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            'w' => 7 * 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let part = number(digits).and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)?;
        seconds = seconds.checked_add(part).filter(|sum| *sum <= MAX_SECONDS).ok_or_else(wrong)?;
        rest = after;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_secs(seconds)) }
}

/// A time that is not zero, and may be in milliseconds: `250ms`.
pub(crate) fn fine_time(text: &str) -> Result<Duration, String> {
    let milliseconds = text.strip_suffix("ms").map(|digits| {
        let most = MAX_SECONDS.saturating_mul(1000);
        number(digits).filter(|number| (1..=most).contains(number)).map(Duration::from_millis)
    });
    match milliseconds {
        Some(time) => time.ok_or_else(|| expected("a time such as 250ms, 30 or 5m", text)),
        None => some_time(text),
    }
}

/// A time that is not zero.
pub(crate) fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err(expected("a time of at least one second", text)),
        time => Ok(time),
    }
}

/// An amount of data: bytes, or a number with `K`, `M` or `G`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = split_digits(text);
    let shift = match unit {
        "" => Some(0),
        "K" | "k" => Some(10),
        "M" | "m" => Some(20),
        "G" | "g" => Some(30),
        _ => None,
    };
    number(digits)
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes != 0)
        .ok_or_else(|| expected("an amount of data such as 65536, 512K, 1M or 1G", text))
}

/// An address.
pub(crate) fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| expected("an IPv4 or IPv6 address", text))
}

/// `HOST:PORT`, or the path of a Unix-domain socket.
pub(crate) fn endpoint(text: &str) -> Result<Endpoint, String> {
    // What may be the target of a forward, whose other half does not matter.
    let forward = Forward::parse_local(&format!("0:{text}")).ok();
    forward
        .and_then(|forward| forward.target().cloned())
        .ok_or_else(|| expected("HOST:PORT, or the path of a socket", text))
}

/// Destinations between commas; `none` is an empty list.
pub(crate) fn jumps(text: &str) -> Result<Vec<Destination>, String> {
    match text {
        "" => Err(expected("hosts between commas, or `none`", text)),
        "none" => Ok(Vec::new()),
        hops => {
            hops.split(',').map(|hop| hop.parse().map_err(|error: Error| error.kind().to_string())).collect()
        }
    }
}

/// Text as it is, as long as there is any.
pub(crate) fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("a value is missing".to_owned()) } else { Ok(text.to_owned()) }
}

/// `Name: value`. It may be a credential, and is not repeated.
pub(crate) fn header(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once(':').ok_or("expected a header as in `Name: value`")?;
    Ok((name.trim(), value.trim()))
}

/// Addresses and networks.
pub(crate) fn access_list(text: &str) -> Result<AccessList, String> {
    if text.trim().is_empty() {
        return Err("a value is missing".to_owned());
    }
    text.parse().map_err(|error: Error| error.kind().to_string())
}

/// Where clients of dynamic forwards may go.
pub(crate) fn destinations(text: &str) -> Result<Destinations, String> {
    if text.trim().is_empty() {
        return Err("a value is missing".to_owned());
    }
    text.parse().map_err(|error: Error| error.kind().to_string())
}

/// `[client-]NAME=VALUE`.
pub(crate) fn socket_option(text: &str, sockets: &mut Sockets) -> Result<(), String> {
    let wrong = || expected("NAME=VALUE, as in `send-buffer=1M`", text);
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let (options, name) = match name.strip_prefix("client-") {
        Some(name) => (&mut sockets.client, name),
        None => (&mut sockets.server, name),
    };
    let size = |value| bytes(value).and_then(|size| usize::try_from(size).map_err(|_| wrong()));
    match name {
        "nodelay" => options.nodelay = yes_no(value)?,
        "send-buffer" => options.send_buffer = Some(size(value)?),
        "receive-buffer" => options.receive_buffer = Some(size(value)?),
        "keepalive-time" => options.keepalive_time = Some(some_time(value)?),
        "keepalive-interval" => options.keepalive_interval = Some(some_time(value)?),
        "keepalive-count" => options.keepalive_count = Some(count(value)?),
        "linger" => options.linger = Some(time(value)?),
        _ => return Err(wrong()),
    }
    Ok(())
}

/// Words between blanks, quoted as in `ssh_config`.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    let words = underpass_config::words(text).map_err(|error| error.to_string())?;
    if words.is_empty() { Err("a value is missing".to_owned()) } else { Ok(words) }
}

/// The only word.
pub(crate) fn word(text: &str) -> Result<String, String> {
    match <[String; 1]>::try_from(words(text)?) {
        Ok([word]) if !word.is_empty() => Ok(word),
        _ => Err(expected("one word, in double quotes if it has white space", text)),
    }
}

/// What was wanted, and what was found.
pub(crate) fn expected(what: &str, found: &str) -> String {
    format!("expected {what}, not `{}`", Untrusted(found.as_bytes()))
}

/// Digits only: `u64::from_str` accepts a sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The longest time that is understood, far beyond the life of a tunnel: sums with the present stay in range.
const MAX_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_ssh_config() {
        let understood = [("0", 0), ("30", 30), ("90s", 90), ("5m", 300), ("1H30M", 5400), ("1w2d", 777_600)];
        for (text, seconds) in understood {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "-1", "+1", "1.5", "5x", "1h 30m", "99999999999999999999", "9999999999w", "5µ"]
        {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(some_time("0s").is_err());
    }

    #[test]
    fn fine_times_can_be_below_a_second() {
        assert_eq!(fine_time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(fine_time("2m"), Ok(Duration::from_secs(120)));
        for text in ["0ms", "ms", "-1ms", "1.5ms", "0", "1hms", "99999999999999999999ms"] {
            assert!(fine_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_have_binary_units() {
        let understood = [("1", 1), ("512K", 512 << 10), ("1m", 1 << 20), ("4G", 4 << 30)];
        for (text, amount) in understood {
            assert_eq!(bytes(text), Ok(amount), "{text}");
        }
        for text in ["", "K", "0", "0G", "1T", "1 M", "-1", "99999999999G"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quotes_keep_white_space_together() {
        assert_eq!(words("a  \"b c\" d").unwrap(), ["a", "b c", "d"]);
        assert_eq!(word("\"b c\"").unwrap(), "b c");
        for text in ["", "  ", "\"a"] {
            assert!(words(text).is_err(), "{text}");
        }
        assert!(word("a b").is_err());
        assert!(word("\"\"").is_err());
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        assert_eq!(yes_no("maybe").unwrap_err(), "expected one of yes, no, true, false, not `maybe`");
        assert_eq!(port("0").unwrap_err(), "expected a port from 1 to 65535, not `0`");
        assert_eq!(count("+3").unwrap_err(), "expected a number from 0 to 4294967295, not `+3`");
    }

    #[test]
    fn words_are_matched_in_any_case() {
        assert_eq!(yes_no("YES"), Ok(true));
    }
}
