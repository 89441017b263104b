use std::{fmt, path::PathBuf};

use crate::{
    MAX_DEPTH, MAX_FILE_LEN, MAX_FILES, MAX_LINE_LEN, MAX_TOTAL_LEN, Origin, TokenError, UnclosedQuote,
};

/// A mistake in a file, or a file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; `None` if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

impl ConfigError {
    pub(crate) fn in_line(origin: &Origin, problem: Problem) -> Self {
        Self { file: origin.file.to_path_buf(), line: Some(origin.line), problem }
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        match &self.problem {
            Problem::Missing => "name a file that exists, or `none`".to_owned(),
            Problem::Unreadable(_) => {
                "see to it that you can read it and only you can write to it".to_owned()
            }
            Problem::TooDeep | Problem::TooMany => "look for files that include each other".to_owned(),
            Problem::UnsupportedCriterion(criterion) => {
                format!("use other criteria than `{criterion}`, or another file with `-F`")
            }
            Problem::TildeInSystemFile(_) => "write the directory out".to_owned(),
            _ => "correct the line; ssh_config(5) says what may be there".to_owned(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown(&self.file.to_string_lossy()))?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// What can be wrong with a file or a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The file that was asked for is not there.
    Missing,
    /// The file cannot be read, or not be trusted.
    Unreadable(String),
    /// The file is longer than [`MAX_FILE_LEN`].
    FileTooLong,
    /// The line is longer than [`MAX_LINE_LEN`].
    LineTooLong,
    /// All files together are more than [`MAX_FILES`], or longer than [`MAX_TOTAL_LEN`].
    TooMany,
    /// Files include each other more than [`MAX_DEPTH`] deep.
    TooDeep,
    /// There is a NUL in the line.
    Nul,
    /// The line is not UTF-8.
    NotUnicode,
    /// A keyword has no value.
    NoValue {
        /// The keyword.
        keyword: String,
    },
    /// One of the words of the value is empty.
    EmptyWord {
        /// The keyword.
        keyword: &'static str,
    },
    /// A quote is not closed.
    Quote(UnclosedQuote),
    /// `Match` without a criterion.
    NoCriterion,
    /// A criterion of `Match` lacks its value.
    NoCriterionValue(String),
    /// A criterion of `Match` that does not exist.
    UnknownCriterion(String),
    /// A criterion of `Match` that only later versions of OpenSSH have, and that is not supported here.
    UnsupportedCriterion(&'static str),
    /// `all` with other criteria.
    AllNotAlone,
    /// Something follows the last criterion of `Match`.
    AfterCriteria,
    /// `~` in an `Include` of the system's file, where nobody's home is meant.
    TildeInSystemFile(String),
    /// Tokens or variables that cannot be replaced.
    Token(TokenError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Unreadable(why) => write!(f, "cannot be read: {}", Shown(why)),
            Self::FileTooLong => write!(f, "the file is longer than {MAX_FILE_LEN} bytes"),
            Self::LineTooLong => write!(f, "the line is longer than {MAX_LINE_LEN} bytes"),
            Self::TooMany => {
                write!(f, "more than {MAX_FILES} files, or {MAX_TOTAL_LEN} bytes, are to be read")
            }
            Self::TooDeep => write!(f, "files include each other more than {MAX_DEPTH} deep"),
            Self::Nul => f.write_str("expected text, found a NUL"),
            Self::NotUnicode => f.write_str("expected UTF-8, found something else"),
            Self::NoValue { keyword } => write!(f, "expected a value after `{}`", Shown(keyword)),
            Self::EmptyWord { keyword } => write!(f, "expected words after {keyword}, found an empty one"),
            Self::Quote(quote) => write!(f, "{quote}"),
            Self::NoCriterion => f.write_str("expected a criterion after Match, or `all`"),
            Self::NoCriterionValue(criterion) => {
                write!(f, "expected a value after the criterion `{}`", Shown(criterion))
            }
            Self::UnknownCriterion(criterion) => write!(
                f,
                "expected one of {} after Match, not `{}`",
                crate::condition::NAMES.join(", "),
                Shown(criterion)
            ),
            Self::UnsupportedCriterion(criterion) => {
                write!(f, "the criterion `{criterion}` of later versions of OpenSSH is not supported")
            }
            Self::AllNotAlone => f.write_str("`all` stands alone after Match"),
            Self::AfterCriteria => f.write_str("expected nothing more after the criteria"),
            Self::TildeInSystemFile(path) => {
                write!(f, "expected a path without `~` in the system's file, not `{}`", Shown(path))
            }
            Self::Token(error) => write!(f, "{error}"),
        }
    }
}

impl From<UnclosedQuote> for Problem {
    fn from(quote: UnclosedQuote) -> Self {
        Self::Quote(quote)
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

/// Text of a file, as it may be shown: no control characters, and not too much of it.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().take(MAX_SHOWN) {
            match c.is_control() {
                true => write!(f, "{}", c.escape_unicode())?,
                false => write!(f, "{c}")?,
            }
        }
        if self.0.chars().nth(MAX_SHOWN).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// How many characters of a text are shown: a path in full, and a line of rubbish not.
const MAX_SHOWN: usize = 200;
