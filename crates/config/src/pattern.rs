//! Patterns of host names, user names and keywords: `*`, `?`, lists and `!`.

/// What a list of patterns says about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A pattern matches, and none that is negated does.
    Accepted,
    /// No pattern matches.
    Unmentioned,
    /// A pattern behind a `!` matches, which outweighs all others.
    Refused,
}

/// Whether `pattern` describes the whole of `name`: `*` stands for any characters, `?` for exactly one byte, as in
/// ssh. Upper and lower case differ.
///
/// Only the latest `*` is ever tried again with more characters, which suffices and keeps the time within the product
/// of the lengths.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<Piece> = pattern.bytes().map(Piece::of).collect();
    matches_pieces(&pattern, name.as_bytes())
}

/// What a comma-separated list of patterns says about `name`.
pub fn list(patterns: &str, name: &str) -> Verdict {
    let mut verdict = Verdict::Unmentioned;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, name) => return Verdict::Refused,
            Some(_) => {}
            None if matches(pattern, name) => verdict = Verdict::Accepted,
            None => {}
        }
    }
    verdict
}

/// Whether a list accepts `name`.
pub fn list_accepts(patterns: &str, name: &str) -> bool {
    list(patterns, name) == Verdict::Accepted
}

/// Whether a list accepts `name`, in whatever case either is written: for host names and keywords.
pub fn list_accepts_any_case(patterns: &str, name: &str) -> bool {
    list_accepts(&patterns.to_ascii_lowercase(), &name.to_ascii_lowercase())
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Any bytes, or none.
    Any,
    /// One byte.
    One,
    /// This byte.
    Byte(u8),
    /// A byte that is, or is not, in one of these ranges, both ends included.
    Range { ranges: Vec<(u8, u8)>, negated: bool },
}

impl Piece {
    fn of(byte: u8) -> Self {
        match byte {
            b'*' => Self::Any,
            b'?' => Self::One,
            byte => Self::Byte(byte),
        }
    }

    fn accepts(&self, byte: u8) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Byte(expected) => *expected == byte,
            Self::Range { ranges, negated } => {
                ranges.iter().any(|&(first, last)| (first..=last).contains(&byte)) != *negated
            }
        }
    }
}

pub(crate) fn matches_pieces(pattern: &[Piece], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(Piece::Any) => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(piece) if piece.accepts(name[n]) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, start)) = star else { return false };
                star = Some((after, start + 1));
                (p, n) = (after, start + 1);
            }
        }
    }
    pattern[p..].iter().all(|piece| *piece == Piece::Any)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "ab", false),
            ("a*b", "axxb", true),
            ("a*b", "axxc", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*a*a*b", "aaaaaab", true),
            ("192.168.?.1", "192.168.5.1", true),
            ("192.168.?.1", "192.168.55.1", false),
            ("Web", "web", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn one_negated_match_outweighs_all_others() {
        assert_eq!(list("*.a,!bad.a", "good.a"), Verdict::Accepted);
        assert_eq!(list("*.a,!bad.a", "bad.a"), Verdict::Refused);
        assert_eq!(list("!bad.a,bad.a", "bad.a"), Verdict::Refused);
        assert_eq!(list("!bad.a", "good.a"), Verdict::Unmentioned, "negation alone accepts nobody");
    }

    #[test]
    fn host_names_match_in_any_case() {
        assert!(list_accepts_any_case("*.EXAMPLE.com", "Web.Example.COM"));
    }

    /// What a pattern means, written down plainly and slowly.
    fn matches_slowly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|skip| matches_slowly(rest, &name[skip..])),
            ([b'?', pattern @ ..], [_, name @ ..]) => matches_slowly(pattern, name),
            ([a, pattern @ ..], [b, name @ ..]) => a == b && matches_slowly(pattern, name),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_definition(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &name), matches_slowly(pattern.as_bytes(), name.as_bytes()));
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        assert!(!matches(&"*a".repeat(5_000), &"a".repeat(1_000)));
    }
}
