//! Words and quotes. ssh has two ways to split a line, and both are here.

use std::fmt;

/// A quote is opened and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnclosedQuote(
    /// Which one, `"` or `'`.
    pub char,
);

impl fmt::Display for UnclosedQuote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a closing `{}` is missing", self.0)
    }
}

impl std::error::Error for UnclosedQuote {}

/// Splits the value of a keyword.
///
/// Blanks separate, unless they are between `"` or `'`, or follow a `\`. A `\` also takes the meaning from a quote or
/// another `\`, and is itself before anything else. A word that begins with `#` begins a comment.
///
/// ```
/// # use underpass_config::words;
/// assert_eq!(words(r#"a "b c" d\ e # rest"#).unwrap(), ["a", "b c", "d e"]);
/// ```
///
/// # Errors
/// A quote is not closed.
pub fn words(text: &str) -> Result<Vec<String>, UnclosedQuote> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| BLANKS.contains(c)).is_some() {}
        match rest.peek() {
            None | Some('#') => return Ok(words),
            Some(_) => words.push(word(&mut rest)?),
        }
    }
}

fn word(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, UnclosedQuote> {
    let mut word = String::new();
    let mut open = None;
    while let Some(&c) = rest.peek() {
        if open.is_none() && BLANKS.contains(&c) {
            break;
        }
        rest.next();
        match (c, open) {
            ('\\', _) => {
                let escapes = |next: &char| QUOTES.contains(next) || (open.is_none() && *next == ' ');
                word.push(rest.next_if(|next| *next == '\\' || escapes(next)).unwrap_or('\\'));
            }
            (c, None) if QUOTES.contains(&c) => open = Some(c),
            (c, Some(quote)) if c == quote => open = None,
            (c, _) => word.push(c),
        }
    }
    open.map_or(Ok(word), |quote| Err(UnclosedQuote(quote)))
}

/// Writes a word so that [`words`] reads it as one again.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| !BLANKS.contains(&c) && !QUOTES.contains(&c) && c != '\\';
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""))
}

/// Writes words so that [`words`] reads the same ones again.
pub fn joined(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Splits a line into keyword and value, and the criteria of `Match`: at white space and single `=`. Only `"` quotes,
/// without any escapes, and a closing one ends the word.
pub(crate) struct Delimited<'a> {
    /// What is not split yet; `None` at the end.
    rest: Option<&'a str>,
}

impl<'a> Delimited<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: Some(text) }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest.unwrap_or_default()
    }

    /// Takes what is left.
    pub(crate) fn finish(&mut self) {
        self.rest = None;
    }

    /// The next word, which may be empty; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<String>, UnclosedQuote> {
        let Some(text) = self.rest else { return Ok(None) };
        let Some(at) = text.find(|c| c == '"' || c == '=' || WHITE_SPACE.contains(&c)) else {
            self.rest = None;
            return Ok(Some(text.to_owned()));
        };
        let (word, delimiter, after) = (&text[..at], text.as_bytes()[at], &text[at + 1..]);
        if delimiter == b'"' {
            let (quoted, after) = after.split_once('"').ok_or(UnclosedQuote('"'))?;
            self.rest = Some(after.trim_start_matches(WHITE_SPACE));
            return Ok(Some(format!("{word}{quoted}")));
        }
        let mut after = after.trim_start_matches(WHITE_SPACE);
        if delimiter != b'=' {
            after = after.strip_prefix('=').map_or(after, |after| after.trim_start_matches(WHITE_SPACE));
        }
        self.rest = Some(after);
        Ok(Some(word.to_owned()))
    }
}

/// What separates a keyword from its value, and may stand at the end of a line.
pub(crate) const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// What separates the words of a value.
const BLANKS: [char; 2] = [' ', '\t'];

const QUOTES: [char; 2] = ['"', '\''];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_split_as_ssh_splits_them() {
        let understood: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("  a\tb ", &["a", "b"]),
            ("\"a b\" 'c d'", &["a b", "c d"]),
            ("a\"b c\"d", &["ab cd"]),
            ("\"\" ''", &["", ""]),
            (r"a\ b", &["a b"]),
            (r#""a\ b""#, &[r"a\ b"]),
            (r#"\"a\' \\"#, &["\"a'", r"\"]),
            (r#""a\"b" 'c\'d'"#, &["a\"b", "c'd"]),
            (r"a\n\", &[r"a\n\"]),
            ("\"it's\"", &["it's"]),
            ("a # b", &["a"]),
            ("a#b \"#c\"", &["a#b", "#c"]),
            ("# a", &[]),
        ];
        for (text, expected) in understood {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_quote_that_stays_open_is_refused() {
        assert_eq!(words("a \"b"), Err(UnclosedQuote('"')));
        assert_eq!(words("don't"), Err(UnclosedQuote('\'')));
        assert_eq!(words("\"a\\\""), Err(UnclosedQuote('"')));
    }

    #[test]
    fn keywords_and_criteria_are_split_at_one_equals_sign() {
        let split = |text| {
            let mut words = Delimited::new(text);
            let mut all = Vec::new();
            while let Some(word) = words.next().unwrap() {
                all.push(word);
            }
            all
        };
        assert_eq!(split("Port 22"), ["Port", "22"]);
        assert_eq!(split("Port=22"), ["Port", "22"]);
        assert_eq!(split("Port = 22"), ["Port", "22"]);
        assert_eq!(split("Port==22"), ["Port", "", "22"]);
        assert_eq!(split(" Port 22"), ["", "Port", "22"]);
        assert_eq!(split("exec=\"a b\" user c"), ["exec", "a b", "user", "c"]);
        assert_eq!(split("a\"b c\"d"), ["ab c", "d"]);
        assert!(Delimited::new("a\"b").next().is_err());
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_into_the_same_words(
            list in proptest::collection::vec("[ab \t\"'\\\\#é]{0,6}", 0..5)
        ) {
            prop_assert_eq!(words(&joined(&list)).unwrap(), list);
        }
    }
}
