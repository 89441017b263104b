//! From bytes to lines that say something.

use crate::{
    MAX_LINE_LEN, Problem,
    words::{Delimited, WHITE_SPACE},
};

/// A line that says something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// As it is written.
    pub(crate) keyword: String,
    /// What follows, never empty, with quotes and comments.
    pub(crate) value: &'a str,
}

/// Reads a line without its end; `None` if it is blank or a comment.
pub(crate) fn parse(line: &[u8]) -> Result<Option<Line<'_>>, Problem> {
    if line.len() > MAX_LINE_LEN {
        return Err(Problem::LineTooLong);
    }
    if line.contains(&0) {
        return Err(Problem::Nul);
    }
    // Nobody minds the encoding of a comment.
    if line.trim_ascii_start().first().is_none_or(|first| *first == b'#') {
        return Ok(None);
    }
    let line = std::str::from_utf8(line).map_err(|_| Problem::NotUnicode)?;
    let line = line.trim_end_matches(|c| WHITE_SPACE.contains(&c) || c == FORM_FEED);
    let mut words = Delimited::new(line);
    let mut keyword = words.next()?;
    // White space before the keyword.
    if keyword.as_deref() == Some("") {
        keyword = words.next()?;
    }
    let Some(keyword) = keyword.filter(|keyword| !keyword.is_empty() && !keyword.starts_with('#')) else {
        return Ok(None);
    };
    match words.rest().trim_start_matches(WHITE_SPACE) {
        "" => Err(Problem::NoValue { keyword }),
        value => Ok(Some(Line { keyword, value })),
    }
}

/// Only tolerated at the end of a line.
const FORM_FEED: char = '\u{c}';

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: &str) -> Option<(String, String)> {
        parse(line.as_bytes()).unwrap().map(|line| (line.keyword, line.value.to_owned()))
    }

    #[test]
    fn blanks_or_an_equals_sign_separate_keyword_and_value() {
        for line in
            ["Port 22", "\tPort\t22", "Port=22", "Port = 22", "Port 22\r", "\"Port\" 22 \u{c}", "Port  =22  "]
        {
            assert_eq!(pair(line), Some(("Port".to_owned(), "22".to_owned())), "{line:?}");
        }
        assert_eq!(pair("A \"b c\" # d").unwrap().1, "\"b c\" # d");
    }

    #[test]
    fn blank_lines_and_comments_say_nothing_in_any_encoding() {
        for line in ["", " ", "\r", "# Port 22", "  #x", "#"] {
            assert_eq!(pair(line), None, "{line:?}");
        }
        assert_eq!(parse(b" # caf\xe9"), Ok(None));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert_eq!(parse(b"Port"), Err(Problem::NoValue { keyword: "Port".to_owned() }));
        assert_eq!(parse(b"Port \r"), Err(Problem::NoValue { keyword: "Port".to_owned() }));
        assert_eq!(parse(b"Port 2\x002"), Err(Problem::Nul));
        assert_eq!(parse(b"User caf\xe9"), Err(Problem::NotUnicode));
        assert!(matches!(parse(b"Port\"22"), Err(Problem::Quote(_))));
        assert_eq!(parse(&b"a".repeat(MAX_LINE_LEN + 1)), Err(Problem::LineTooLong));
    }
}
