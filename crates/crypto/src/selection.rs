//! Choosing algorithms by name, in the list syntax of `ssh_config`.

use std::fmt;

use crate::Named;

/// Applies `spec` to a default list, in the syntax that OpenSSH gives to `Ciphers` and its like: names separated by
/// commas replace the defaults; a leading `+` appends them, `^` puts them in front, and `-` takes away. Names may hold
/// the wildcards `*` and `?`, which stand for what they match in `all`.
///
/// What `-` names need not exist: not having it is what was asked for.
///
/// # Errors
/// A name or pattern matches nothing in `all`, or nothing is left.
pub fn select<T: Named>(
    default: &[&'static T],
    all: &[&'static T],
    spec: &str,
) -> Result<Vec<&'static T>, SelectError> {
    let (mode, names) = match spec.split_at_checked(1) {
        Some((mode @ ("+" | "-" | "^"), names)) => (mode, names),
        _ => ("", spec),
    };
    let selected = match mode {
        "-" => {
            let removed = |name: &str| names.split(',').any(|pattern| matches(pattern.trim(), name));
            default.iter().copied().filter(|algorithm| !removed(algorithm.name())).collect()
        }
        "+" => join(default.to_vec(), expand(all, names)?),
        "^" => join(expand(all, names)?, default.to_vec()),
        _ => expand(all, names)?,
    };
    if selected.is_empty() { Err(SelectError::Nothing) } else { Ok(selected) }
}

/// Why a list of names selects nothing useful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectError {
    /// A name or pattern matches no algorithm.
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// No algorithm is left.
    Nothing,
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, known } => {
                write!(f, "unknown algorithm {name:?}; known are {}", known.join(", "))
            }
            Self::Nothing => f.write_str("the list of algorithms is empty"),
        }
    }
}

impl std::error::Error for SelectError {}

/// What `names` stand for, each once.
fn expand<T: Named>(all: &[&'static T], names: &str) -> Result<Vec<&'static T>, SelectError> {
    let mut expanded = Vec::new();
    for pattern in names.split(',').map(str::trim) {
        let found: Vec<_> =
            all.iter().copied().filter(|algorithm| matches(pattern, algorithm.name())).collect();
        if found.is_empty() && !names.is_empty() {
            let known = all.iter().map(|algorithm| algorithm.name()).collect();
            return Err(SelectError::Unknown { name: pattern.to_owned(), known });
        }
        expanded = join(expanded, found);
    }
    Ok(expanded)
}

/// `first`, then what of `second` is not in it.
fn join<T: Named>(mut first: Vec<&'static T>, second: Vec<&'static T>) -> Vec<&'static T> {
    for algorithm in second {
        if !first.iter().any(|present| present.name() == algorithm.name()) {
            first.push(algorithm);
        }
    }
    first
}

/// Whether `pattern`, in which `*` stands for any text and `?` for one character, matches `name`. Linear in memory and
/// at worst quadratic in time: on a mismatch only the last star grows.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut in_name, mut star) = (0, 0, None);
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match &mut star {
                Some((star_at, covered)) => {
                    *covered += 1;
                    (at, in_name) = (*star_at + 1, *covered);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cipher, Provider};

    fn names(default: &[&'static Cipher], spec: &str) -> Vec<&'static str> {
        let selected = select(default, Provider::MODERN.ciphers, spec).unwrap();
        selected.iter().map(|cipher| cipher.name).collect()
    }

    fn defaults() -> Vec<&'static Cipher> {
        select(&[], Provider::MODERN.ciphers, "aes256-ctr,aes128-ctr").unwrap()
    }

    #[test]
    fn plain_names_replace_the_defaults_in_the_order_given() {
        assert_eq!(names(&defaults(), "aes192-ctr,aes128-ctr"), ["aes192-ctr", "aes128-ctr"]);
        assert_eq!(names(&defaults(), "aes192-ctr, aes192-ctr"), ["aes192-ctr"]);
    }

    #[test]
    fn plus_appends_what_is_missing() {
        assert_eq!(names(&defaults(), "+aes192-ctr,aes256-ctr"), ["aes256-ctr", "aes128-ctr", "aes192-ctr"]);
    }

    #[test]
    fn caret_moves_to_the_front() {
        assert_eq!(names(&defaults(), "^aes192-ctr,aes128-ctr"), ["aes192-ctr", "aes128-ctr", "aes256-ctr"]);
    }

    #[test]
    fn minus_takes_away_by_name_or_pattern() {
        assert_eq!(names(&defaults(), "-aes256-ctr,3des-cbc"), ["aes128-ctr"]);
        assert_eq!(names(&defaults(), "-*256*"), ["aes128-ctr"]);
    }

    #[test]
    fn patterns_expand_over_everything_known() {
        assert_eq!(names(&[], "aes*-ctr"), ["aes128-ctr", "aes192-ctr", "aes256-ctr"]);
        assert_eq!(names(&[], "aes???-gcm*"), ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]);
    }

    #[test]
    fn unknown_names_are_told_together_with_the_known_ones() {
        for spec in ["aes128-ctr,rot13", "+rot13", "^rot13", "rot*3,rot13"] {
            let error = select(&defaults(), Provider::MODERN.ciphers, spec).unwrap_err().to_string();
            assert!(error.contains("rot") && error.contains("aes128-gcm@openssh.com"), "{error}");
        }
        assert!(select(&defaults(), Provider::MODERN.ciphers, "aes128-ctr,,aes192-ctr").is_err());
    }

    #[test]
    fn an_empty_choice_is_an_error() {
        for spec in ["", "-*", "-aes*"] {
            let selected = select(&defaults(), Provider::MODERN.ciphers, spec);
            assert_eq!(selected.unwrap_err(), SelectError::Nothing, "{spec:?}");
        }
    }

    #[test]
    fn wildcards_match_as_in_ssh_config() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("ab?", "abc", true),
            ("abc*", "abc", true),
            ("", "a", false),
            ("*a", "aaab", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
