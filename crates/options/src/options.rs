//! Everything a person can set: one row each. Parser, `--help` and reference page are made from these rows.

mod host_based;
mod kerberos;
mod protocol;
mod table;
mod tunnel;

use crate::args::Args;

/// All rows, in the order of the help within each group.
pub fn all() -> impl Iterator<Item = &'static Row> {
    table::TABLE
        .iter()
        .chain(kerberos::KERBEROS)
        .chain(host_based::HOST_BASED)
        .chain(protocol::PROTOCOL)
        .chain(tunnel::TUNNEL)
}

/// Something a person can set.
pub struct Row {
    /// Its chapter.
    pub group: Group,
    /// Its flags.
    pub flags: &'static [Flag],
    /// Its name after `-o`, that of `ssh_config`.
    pub keyword: Option<&'static str>,
    /// What its value is called in the help; empty where it has none.
    pub metavar: &'static str,
    /// Without a full stop at the end.
    pub doc: &'static str,
    /// What holds when it is not set; empty where the question makes no sense.
    pub default: &'static str,
    /// A value that is accepted.
    pub example: &'static str,
    /// Whether each occurrence counts. Otherwise the first does, as in ssh.
    pub repeats: bool,
    pub(crate) action: Action,
}

/// A way to write a row on the command line.
pub struct Flag {
    /// Its name.
    pub name: Name,
    /// The value that a flag without one of its own stands for.
    pub means: Option<&'static str>,
}

/// The name of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// `-x`.
    Short(char),
    /// `--name`.
    Long(&'static str),
}

/// What a row does.
pub(crate) enum Action {
    /// Reads a value into the arguments, or says what was expected.
    Set(fn(&mut Args, &str) -> Result<(), String>),
    /// Takes `Keyword=value`, for the row of that keyword.
    Keyword,
}

/// A chapter of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What is forwarded.
    Forwards,
    /// Where the server is, and the way to it.
    Server,
    /// Who logs in, and how.
    Login,
    /// What is made of the server's key.
    HostKeys,
    /// What the connection is protected with.
    Algorithms,
    /// What keeps it up.
    Liveness,
    /// Who may use it, and how much.
    Limits,
    /// What is told, and the rest.
    Output,
}

impl Group {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Forwards,
        Self::Server,
        Self::Login,
        Self::HostKeys,
        Self::Algorithms,
        Self::Liveness,
        Self::Limits,
        Self::Output,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Forwards => "Forwards",
            Self::Server => "Server",
            Self::Login => "Logging in",
            Self::HostKeys => "The server's key",
            Self::Algorithms => "Algorithms",
            Self::Liveness => "Keeping the connection good",
            Self::Limits => "Who may use it, and how much",
            Self::Output => "Output",
        }
    }
}

impl Row {
    /// All spellings, e.g. `-p PORT` and `-o Port=PORT`.
    pub fn spellings(&self) -> Vec<String> {
        let flags = self.flags.iter().map(|flag| match (flag.means, flag.name) {
            (None, name) => format!("{name} {}", self.metavar),
            (Some(_), name) => name.to_string(),
        });
        flags.chain(self.keyword.map(|keyword| format!("-o {keyword}={}", self.metavar))).collect()
    }

    /// The row and flag of a name.
    pub(crate) fn with_flag(name: impl PartialEq<Name>) -> Option<(&'static Self, &'static Flag)> {
        all().find_map(|row| row.flags.iter().find(|flag| name == flag.name).map(|flag| (row, flag)))
    }

    /// The row of a keyword, in any case and under older names, too, as in `ssh_config`.
    pub(crate) fn with_keyword(keyword: &str) -> Option<&'static Self> {
        let keyword = underpass_config::proper_name(keyword).unwrap_or(keyword);
        all().find(|row| row.keyword.is_some_and(|known| known.eq_ignore_ascii_case(keyword)))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short(letter) => write!(f, "-{letter}"),
            Self::Long(name) => write!(f, "--{name}"),
        }
    }
}

/// What in `known` is most like `name`.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    // Names come from the command line, so their length is the caller's own business.
    known.min_by_key(|known| strsim::osa_distance(&name, &known.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_share_a_name() {
        let names: Vec<String> = all()
            .flat_map(|row| {
                let flags = row.flags.iter().map(|flag| flag.name.to_string());
                flags.chain(row.keyword.map(str::to_lowercase))
            })
            .collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} is in two rows");
        }
    }

    #[test]
    fn every_row_is_documented_and_can_be_written() {
        for row in all() {
            let spellings = row.spellings();
            assert!(!spellings.is_empty(), "{}", row.doc);
            assert!(!row.doc.is_empty() && !row.doc.ends_with('.'), "{spellings:?}");
            let takes_value = row.keyword.is_some() || row.flags.iter().any(|flag| flag.means.is_none());
            assert_eq!(takes_value, !row.metavar.is_empty(), "{spellings:?}");
            assert_eq!(takes_value, !row.example.is_empty(), "{spellings:?}");
        }
    }

    #[test]
    fn the_closest_name_is_the_one_that_was_meant() {
        let keywords = || all().filter_map(|row| row.keyword);
        assert_eq!(closest("StrictHostkeyCheking", keywords()), Some("StrictHostKeyChecking"));
        assert_eq!(closest("cipher", keywords()), Some("Ciphers"));
    }
}
