/// Whether a comma-separated list of patterns accepts `name`: one must match, and none that `!` negates.
pub(super) fn list_matches(patterns: &str, name: &str) -> bool {
    let mut accepted = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, name) => return false,
            Some(_) => {}
            None => accepted = accepted || matches(pattern, name),
        }
    }
    accepted
}

/// Whether `pattern` describes the whole of `name`: `*` stands for any characters, `?` for exactly one.
///
/// Only the latest `*` is ever tried again with more characters, which suffices and keeps the time within the product
/// of the lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => {
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
    pattern[p..].iter().all(|byte| *byte == b'*')
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
            ("*", "anything", true),
            ("?", "", false),
            ("?", "a", true),
            ("?", "ab", false),
            ("a*b", "ab", true),
            ("a*b", "axxb", true),
            ("a*b", "axxc", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*a*a*b", "aaaaaab", true),
            ("192.168.?.1", "192.168.5.1", true),
            ("192.168.?.1", "192.168.55.1", false),
            ("[*]:2222", "[bastion]:2222", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn one_negated_match_outweighs_all_others() {
        assert!(list_matches("*.example.com,!bad.example.com", "good.example.com"));
        assert!(!list_matches("*.example.com,!bad.example.com", "bad.example.com"));
        assert!(!list_matches("!bad.example.com,bad.example.com", "bad.example.com"));
        assert!(!list_matches("!bad.example.com", "good.example.com"), "negation alone accepts nobody");
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
