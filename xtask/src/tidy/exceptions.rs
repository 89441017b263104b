//! The visible list of exceptions.

use std::cell::Cell;

use anyhow::{Result, bail};

use super::Finding;

/// Where the list is.
pub(crate) const PATH: &str = "xtask/tidy-exceptions.txt";

/// The parsed list; it notes which of its rows were needed.
pub(crate) struct Exceptions(Vec<Exception>);

struct Exception {
    line: usize,
    check: String,
    path: String,
    /// Empty for the whole file.
    item: String,
    used: Cell<bool>,
}

impl Exceptions {
    /// Rows of `CHECK PATH[:ITEM] REASON…`; `#` starts a comment line.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut exceptions = Vec::new();
        for (index, row) in text.lines().enumerate() {
            if row.trim().is_empty() || row.starts_with('#') {
                continue;
            }
            let mut words = row.split_whitespace();
            let (Some(check), Some(place), Some(_reason)) = (words.next(), words.next(), words.next()) else {
                bail!("{PATH}:{}: expected CHECK PATH[:ITEM] REASON", index + 1);
            };
            let (path, item) = place.split_once(':').unwrap_or((place, ""));
            exceptions.push(Exception {
                line: index + 1,
                check: check.to_owned(),
                path: path.to_owned(),
                item: item.to_owned(),
                used: Cell::new(false),
            });
        }
        Ok(Self(exceptions))
    }

    /// Whether a row excuses the finding.
    pub(crate) fn cover(&self, check: &str, finding: &Finding) -> bool {
        let covers = |row: &&Exception| {
            row.check == check
                && row.path == finding.path
                && (row.item.is_empty() || row.item == finding.item)
        };
        self.0.iter().find(covers).inspect(|row| row.used.set(true)).is_some()
    }

    /// Complaints about rows that excuse nothing any more.
    pub(crate) fn unused(&self) -> impl Iterator<Item = String> {
        let unused = self.0.iter().filter(|row| !row.used.get());
        unused.map(|row| format!("{PATH}:{}: nothing needs this exception [exceptions]", row.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(item: &str) -> Finding {
        Finding { path: "src/a.rs".to_owned(), line: 1, item: item.to_owned(), text: String::new() }
    }

    #[test]
    fn an_exception_covers_only_what_it_names() {
        let list = Exceptions::parse("# list\nsize src/a.rs:long one table\n").unwrap();
        assert!(list.cover("size", &finding("long")));
        assert!(!list.cover("size", &finding("other")));
        assert!(!list.cover("unsafe", &finding("long")));
        assert_eq!(list.unused().count(), 0);
    }

    #[test]
    fn an_exception_without_a_reason_is_refused() {
        assert!(Exceptions::parse("size src/a.rs\n").is_err());
    }

    #[test]
    fn an_exception_that_nothing_needs_is_a_complaint() {
        let list = Exceptions::parse("size src/gone.rs it was long\n").unwrap();
        assert_eq!(list.unused().count(), 1);
    }
}
