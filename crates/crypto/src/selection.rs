//! Choosing algorithms by name, in the list syntax of `ssh_config`.

use std::fmt;

use crate::{Named, Strength};

/// Applies `spec` to a default list, in the syntax that OpenSSH gives to `Ciphers` and its like: names separated by
/// commas replace the defaults; a leading `+` appends them, `^` puts them in front, and `-` takes away. Names may hold
/// the wildcards `*` and `?`.
///
/// A name stands for that algorithm of `all`, be it weak or not. A pattern stands for what it matches in `all` and is
/// not weak, so that `*` switches no weak one on; after `+`, where everything stands behind the defaults, it stands for
/// weak ones too: `+*-cbc`. What `-` names need not exist: not having it is what was asked for.
///
/// # Errors
/// A name or pattern matches nothing in `all`, a pattern matches weak algorithms only, or nothing is left.
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
        "+" => join(default.to_vec(), expand(all, names, Patterns::MatchAll)?),
        "^" => join(expand(all, names, Patterns::PassOverWeak)?, default.to_vec()),
        _ => expand(all, names, Patterns::PassOverWeak)?,
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
    /// A pattern matches weak algorithms only, where those must be named.
    Weak {
        /// The pattern.
        pattern: String,
        /// What it matches.
        weak: Vec<&'static str>,
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
            Self::Weak { pattern, weak } => {
                let weak = weak.join(", ");
                write!(
                    f,
                    "{pattern:?} matches weak algorithms only; name what is needed, or append it with +: {weak}"
                )
            }
            Self::Nothing => f.write_str("the list of algorithms is empty"),
        }
    }
}

impl std::error::Error for SelectError {}

/// What a pattern makes of weak algorithms.
#[derive(Clone, Copy, PartialEq)]
enum Patterns {
    MatchAll,
    PassOverWeak,
}

/// What `names` stand for, each once.
fn expand<T: Named>(
    all: &[&'static T],
    names: &str,
    patterns: Patterns,
) -> Result<Vec<&'static T>, SelectError> {
    let mut expanded = Vec::new();
    for pattern in names.split(',').map(str::trim) {
        let mut found: Vec<_> =
            all.iter().copied().filter(|algorithm| matches(pattern, algorithm.name())).collect();
        if found.is_empty() && !names.is_empty() {
            let known = all.iter().map(|algorithm| algorithm.name()).collect();
            return Err(SelectError::Unknown { name: pattern.to_owned(), known });
        }
        if pattern.contains(['*', '?']) && patterns == Patterns::PassOverWeak {
            let weak: Vec<_> = found.iter().map(|algorithm| algorithm.name()).collect();
            found.retain(|algorithm| algorithm.strength() == Strength::Modern);
            if found.is_empty() {
                return Err(SelectError::Weak { pattern: pattern.to_owned(), weak });
            }
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
pub fn matches(pattern: &str, name: &str) -> bool {
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
        let selected = select(default, Provider::ALL.ciphers, spec).unwrap();
        selected.iter().map(|cipher| cipher.name).collect()
    }

    fn defaults() -> Vec<&'static Cipher> {
        select(&[], Provider::ALL.ciphers, "aes256-ctr,aes128-ctr").unwrap()
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
    fn weak_ones_are_chosen_by_name_everywhere_and_by_pattern_after_a_plus_only() {
        assert_eq!(names(&defaults(), "aes128-cbc,3des-cbc"), ["aes128-cbc", "3des-cbc"]);
        assert_eq!(names(&defaults(), "^3des-cbc"), ["3des-cbc", "aes256-ctr", "aes128-ctr"]);
        assert_eq!(
            names(&defaults(), "+aes*-cbc"),
            ["aes256-ctr", "aes128-ctr", "aes128-cbc", "aes192-cbc", "aes256-cbc"]
        );
        for spec in ["*", "^*", "*,aes*"] {
            let weak = select(&defaults(), Provider::ALL.ciphers, spec).unwrap();
            assert!(weak.iter().all(|cipher| cipher.strength == Strength::Modern), "{spec}: {weak:?}");
        }
        for spec in ["*-cbc", "aes128-ctr,*-cbc", "^aes???-cbc"] {
            let error = select(&defaults(), Provider::ALL.ciphers, spec).unwrap_err().to_string();
            assert!(error.contains("weak") && error.contains("aes128-cbc"), "{spec}: {error}");
        }
    }

    #[test]
    fn unknown_names_are_told_together_with_the_known_ones() {
        for spec in ["aes128-ctr,rot13", "+rot13", "^rot13", "rot*3,rot13"] {
            let error = select(&defaults(), Provider::ALL.ciphers, spec).unwrap_err().to_string();
            assert!(error.contains("rot") && error.contains("aes128-gcm@openssh.com"), "{error}");
        }
        assert!(select(&defaults(), Provider::ALL.ciphers, "aes128-ctr,,aes192-ctr").is_err());
    }

    #[test]
    fn an_empty_choice_is_an_error() {
        for spec in ["", "-*", "-aes*"] {
            let selected = select(&defaults(), Provider::ALL.ciphers, spec);
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
