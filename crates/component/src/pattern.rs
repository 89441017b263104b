//! Patterns of `PasswordPrompt` and `SSHVersionPattern`.
//!
//! `?` is any character, `*` any number of them, `[0-9,a-d,f]` one of those listed, and `\` takes what follows as it is.
//! In brackets nothing but `,`, `-` and `]` means anything: `[?]`, `[*]`, `[[]` and `[\]` are these characters. What no
//! partner closes stands for itself, and so do `]` and `-` outside. Letters count in their case, as they are written.

use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::str::Chars;

/// What a text is compared with, as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    One,
    Any,
    Literal(char),
    Set(Vec<RangeInclusive<char>>),
}

impl Pattern {
    /// Every text is a pattern.
    pub(crate) fn new(text: &str) -> Self {
        let mut chars = text.chars().peekable();
        Self(std::iter::from_fn(|| token(&mut chars)).collect())
    }

    /// Several, with commas between them, outside brackets. A comma behind `\` is none of these.
    pub(crate) fn list(text: &str) -> Vec<Self> {
        let mut patterns = vec![Self::default()];
        let mut chars = text.chars().peekable();
        loop {
            if chars.next_if_eq(&',').is_some() {
                patterns.push(Self::default());
            } else if let Some(token) = token(&mut chars)
                && let Some(last) = patterns.last_mut()
            {
                last.0.push(token);
            } else {
                return patterns;
            }
        }
    }

    /// Whether all of the text is as the pattern has it. The work is the product of the lengths at most: of several `*`
    /// only the last one may have to give up what it took.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut tokens = self.0.as_slice();
        let mut rest = text.chars();
        let mut last_any: Option<(&[Token], Chars<'_>)> = None;
        loop {
            match tokens {
                [Token::Any, after @ ..] => {
                    tokens = after;
                    last_any = Some((after, rest.clone()));
                    continue;
                }
                [token, after @ ..] => {
                    let mut ahead = rest.clone();
                    if ahead.next().is_some_and(|char| token.is(char)) {
                        (tokens, rest) = (after, ahead);
                        continue;
                    }
                }
                [] if rest.as_str().is_empty() => return true,
                [] => {}
            }
            let Some((after, from)) = &mut last_any else { return false };
            if from.next().is_none() {
                return false;
            }
            (tokens, rest) = (after, from.clone());
        }
    }
}

impl Token {
    fn is(&self, char: char) -> bool {
        match self {
            Self::One | Self::Any => true,
            Self::Literal(literal) => *literal == char,
            Self::Set(ranges) => ranges.iter().any(|range| range.contains(&char)),
        }
    }
}

fn token(chars: &mut Peekable<Chars<'_>>) -> Option<Token> {
    Some(match chars.next()? {
        '?' => Token::One,
        '*' => Token::Any,
        '\\' => Token::Literal(chars.next().unwrap_or('\\')),
        '[' => set(chars).map_or(Token::Literal('['), Token::Set),
        char => Token::Literal(char),
    })
}

/// What is in brackets, which takes at least one character, so that `[]]` is a bracket. Takes nothing if they are not
/// closed.
fn set(chars: &mut Peekable<Chars<'_>>) -> Option<Vec<RangeInclusive<char>>> {
    let mut ahead = chars.clone();
    let mut inside = vec![ahead.next()?];
    loop {
        match ahead.next()? {
            ']' => break,
            char => inside.push(char),
        }
    }
    *chars = ahead;
    let mut ranges = Vec::new();
    let mut rest = inside.as_slice();
    while let [first, after @ ..] = rest {
        (ranges, rest) = match (first, after) {
            (from, ['-', to, after @ ..]) if *to != ',' => {
                (with(ranges, *from.min(to), *from.max(to)), after)
            }
            // A separator, unless it is all there is.
            (',', after) if inside.len() > 1 => (ranges, after),
            (one, after) => (with(ranges, *one, *one), after),
        };
    }
    Some(ranges)
}

fn with(mut ranges: Vec<RangeInclusive<char>>, from: char, to: char) -> Vec<RangeInclusive<char>> {
    ranges.push(from..=to);
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).matches(text)
    }

    #[test]
    fn the_examples_of_the_description_match() {
        for text in ["Cat", "Cot", "Coast", "Ct"] {
            assert!(matches("C*t", text), "{text}");
        }
        assert!(matches("[[]Something].txt", "[Something].txt"));
        for (pattern, good, bad) in [
            ("[a-z]", "abmyz", "A0`{"),
            ("[a]", "a", "b"),
            ("[0-9,a-d,f,r-z]", "0189adfrz", "egq,-"),
            ("?", "a?*é", ""),
        ] {
            for (text, expected) in good.chars().map(|c| (c, true)).chain(bad.chars().map(|c| (c, false))) {
                assert_eq!(matches(pattern, &text.to_string()), expected, "{pattern} {text}");
            }
        }
    }

    #[test]
    fn special_characters_can_be_escaped_in_two_ways() {
        for (pattern, text) in [
            ("[?]", "?"),
            ("[*]", "*"),
            ("[[]", "["),
            ("[\\]", "\\"),
            ("\\?\\*\\[\\\\", "?*[\\"),
            ("\\a", "a"),
            ("]-", "]-"),
        ] {
            assert!(matches(pattern, text), "{pattern}");
            assert!(!matches(pattern, &text.replace(['?', '*', '[', '\\', 'a', ']'], "x")), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_closed_stands_for_itself() {
        for text in ["[", "[]", "[abc", "\\", "a[", "a\\"] {
            assert!(matches(text, text), "{text}");
        }
        assert!(matches("[]]", "]"));
        assert!(matches("[,]", ","));
        assert!(matches("[a-]", "-") && matches("[a-]", "a"));
        assert!(matches("[-,a]", "-") && !matches("[-,a]", "`"));
    }

    #[test]
    fn all_of_the_text_counts() {
        assert!(!matches("Password:", "Password: "));
        assert!(!matches("Password:", "Your Password:"));
        assert!(!matches("Password:", "password:"));
        assert!(matches("*[P,p]assword:*", "Your password: "));
        assert!(matches("", "") && !matches("", "a") && matches("*", ""));
    }

    #[test]
    fn lists_are_split_outside_brackets() {
        let list = Pattern::list("*-2.0-*,*-1.99-*,[0-9,a]\\,");
        assert_eq!(list, [Pattern::new("*-2.0-*"), Pattern::new("*-1.99-*"), Pattern::new("[0-9,a]\\,")]);
        assert!(list[0].matches("SSH-2.0-OpenSSH_9.2") && !list[1].matches("SSH-2.0-OpenSSH_9.2"));
        assert!(list[2].matches("a,"));
        assert_eq!(Pattern::list(""), [Pattern::default()]);
    }

    #[test]
    fn many_stars_do_not_take_exponential_time() {
        let text = "a".repeat(2_000);
        assert!(!matches(&("*a".repeat(100) + "b"), &text));
        assert!(matches(&"*a".repeat(100), &text));
    }

    /// The plain definition, exponential.
    fn defined(pattern: &[Token], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([Token::Any, rest @ ..], _) => {
                defined(rest, text) || text.split_first().is_some_and(|(_, after)| defined(pattern, after))
            }
            ([token, rest @ ..], [char, after @ ..]) => token.is(*char) && defined(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(pattern in "[ab*?\\\\\\[\\],-]{0,8}", text in "[ab*,\\[]{0,8}") {
            let pattern = Pattern::new(&pattern);
            prop_assert_eq!(pattern.matches(&text), defined(&pattern.0, &text.chars().collect::<Vec<_>>()));
        }
    }
}
