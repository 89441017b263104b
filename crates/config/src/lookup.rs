//! Reads the files, and keeps what applies.

#[cfg(test)]
pub(crate) mod fake;
mod subject;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Care, ConfigError, Expansion, Keywords, MAX_DEPTH, MAX_FILE_LEN, MAX_FILES, MAX_TOTAL_LEN, Problem,
    Reason, Surroundings, UnclosedQuote, condition, expand_path, glob, joined,
    keywords::{Found, Structure},
    line::{self, Line},
    pattern, words,
};
pub use subject::host_name;
use subject::{Facts, Subject};

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// One that somebody named: it must be there, and anybody may have written it.
    Named(PathBuf),
    /// The user's own, if it is there. Nobody else may be able to write to it.
    User(PathBuf),
    /// The system's, if it is there. Relative paths after `Include` start at `/etc/ssh`, in the others at `~/.ssh`.
    System(PathBuf),
}

impl Source {
    fn path(&self) -> &Path {
        let (Self::Named(path) | Self::User(path) | Self::System(path)) = self;
        path
    }

    fn care(&self) -> Care {
        if let Self::User(_) = self { Care::OwnerOnly } else { Care::Any }
    }
}

/// For which host, and what was said of it before any file is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    host: String,
    given: Vec<(String, String)>,
}

impl Query {
    /// Asks for a host, as the user typed it.
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), given: Vec::new() }
    }

    /// Adds what the command line says already: the keyword, and its value as a file would have it. Files cannot
    /// change it, and criteria see it. Only some keywords matter here, and all may be told.
    #[must_use]
    pub fn given(mut self, keyword: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.push((keyword.into(), value.into()));
        self
    }
}

/// What the files say of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The lines that apply, in the order in which they count: of most keywords the first one does, and after what
    /// the command line says. No line is there twice.
    pub settings: Vec<Setting>,
    /// Keywords that are no settings here, each once and where it was seen first. One that is
    /// [`Unknown`](Why::Unknown) is told wherever it stands, others only where they apply.
    pub passed_over: Vec<PassedOver>,
    /// The host to connect to: `HostName` with its tokens replaced, in lower case as ssh has it.
    pub host_name: String,
}

/// A line that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keyword's proper name, whatever case or former name the file uses.
    pub keyword: &'static str,
    /// What follows the keyword, with quotes and comments, so that it can still be split.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
}

impl Setting {
    /// The words of the value.
    ///
    /// # Errors
    /// A quote is not closed. The lookup has seen to it that this is not so.
    pub fn words(&self) -> Result<Vec<String>, UnclosedQuote> {
        words(&self.value)
    }

    /// The value without a comment, and with no more quotes than are needed to split it into its words. Values that
    /// ssh does not split, which are commands, are as they are written.
    pub fn argument(&self) -> String {
        match self.words() {
            Ok(words) if !COMMANDS.contains(&self.keyword) => joined(&words),
            _ => self.value.clone(),
        }
    }
}

/// A keyword that is no setting here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// As the file writes it. Escape it before showing it.
    pub keyword: String,
    /// Why.
    pub why: Why,
    /// Where it stands.
    pub origin: Origin,
}

/// Why a keyword is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// OpenSSH does not know it.
    Unknown,
    /// The caller does not implement it, and it asks for something that a tunnel would notice.
    Unsupported,
    /// It does not concern a tunnel.
    Irrelevant(Reason),
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file.
    pub file: Arc<Path>,
    /// The line, counted from 1.
    pub line: usize,
}

/// What the files say of a host. They are read in order, and a second time if a `Match final` or
/// `CanonicalizeHostname` asks for it.
///
/// # Errors
/// [`ConfigError`]: a file cannot be read, or has a line that makes no sense whatever the host.
pub fn lookup(
    files: &[Source],
    query: &Query,
    surroundings: &dyn Surroundings,
    keywords: &Keywords<'_>,
) -> Result<Lookup, ConfigError> {
    let mut facts = Facts::new(query.host.clone(), surroundings.local().clone());
    for (keyword, value) in &query.given {
        facts.note(keyword, value);
    }
    let ignored = query.given.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case("IgnoreUnknown"));
    let mut reader = Reader {
        surroundings,
        keywords,
        ignored: ignored.map(|(_, patterns)| patterns.clone()),
        facts,
        wants_second_pass: false,
        files: 0,
        len: 0,
        settings: Settings::default(),
        passed_over: BTreeMap::new(),
    };
    let first = files.first().map_or(Path::new(""), Source::path);
    reader.pass(files)?;
    let in_host_name = |problem| ConfigError { file: first.to_owned(), line: None, problem };
    reader.facts.settle_host().map_err(in_host_name)?;
    if reader.wants_second_pass || reader.facts.canonicalizes() {
        reader.pass(files)?;
    }
    let mut passed_over: Vec<PassedOver> = reader.passed_over.into_values().collect();
    passed_over.sort_by(|a, b| a.origin.cmp(&b.origin));
    Ok(Lookup { settings: reader.settings.list, passed_over, host_name: reader.facts.into_host_name() })
}

struct Reader<'a> {
    surroundings: &'a dyn Surroundings,
    keywords: &'a Keywords<'a>,
    /// The patterns of `IgnoreUnknown`.
    ignored: Option<String>,
    facts: Facts,
    wants_second_pass: bool,
    /// Files that were read in this pass, and their length.
    files: usize,
    len: usize,
    settings: Settings,
    /// By lower-case keyword.
    passed_over: BTreeMap<String, PassedOver>,
}

/// Settings, no line twice: a second pass sees most lines again.
#[derive(Default)]
struct Settings {
    list: Vec<Setting>,
    origins: BTreeSet<Origin>,
}

/// The circumstances of a file.
#[derive(Clone, Copy)]
struct Place<'a> {
    source: &'a Source,
    depth: usize,
    /// Included from a block that does not apply: it is read, but nothing in it applies.
    inert: bool,
}

impl Reader<'_> {
    fn pass(&mut self, files: &[Source]) -> Result<(), ConfigError> {
        (self.files, self.len) = (0, 0);
        for source in files {
            let place = Place { source, depth: 0, inert: false };
            let found = self.file(source.path(), source.care(), place, true)?;
            if !found && matches!(source, Source::Named(_)) {
                let file = source.path().to_owned();
                return Err(ConfigError { file, line: None, problem: Problem::Missing });
            }
        }
        Ok(())
    }

    /// Reads a file; false if it is not there. `applies` is whether its lines before the first block do.
    fn file(
        &mut self,
        path: &Path,
        care: Care,
        place: Place<'_>,
        applies: bool,
    ) -> Result<bool, ConfigError> {
        let wrong = |problem| ConfigError { file: path.to_owned(), line: None, problem };
        let content = self.surroundings.read(path, care);
        let Some(content) = content.map_err(|error| wrong(Problem::Unreadable(error.to_string())))? else {
            return Ok(false);
        };
        self.files += 1;
        self.len = self.len.saturating_add(content.len());
        if content.len() > MAX_FILE_LEN {
            return Err(wrong(Problem::FileTooLong));
        }
        if self.files > MAX_FILES || self.len > MAX_TOTAL_LEN {
            return Err(wrong(Problem::TooMany));
        }
        let (file, mut applies): (Arc<Path>, bool) = (path.into(), applies && !place.inert);
        for (line, number) in content.split(|byte| *byte == b'\n').zip(1..) {
            let origin = Origin { file: Arc::clone(&file), line: number };
            let in_line = |problem| ConfigError::in_line(&origin, problem);
            let Some(line) = line::parse(line).map_err(in_line)? else { continue };
            match self.keywords.find(&line.keyword) {
                Found::Structure(keyword, Structure::Host) => {
                    applies = self.host(keyword, line.value).map_err(in_line)? && !place.inert;
                }
                Found::Structure(_, Structure::Match) => {
                    applies = self.condition(line.value, place).map_err(in_line)?;
                }
                Found::Structure(keyword, Structure::Include) => {
                    for path in self.included(keyword, line.value, place).map_err(in_line)? {
                        let inner = Place { depth: place.depth + 1, inert: !applies, ..place };
                        if inner.depth > MAX_DEPTH {
                            return Err(in_line(Problem::TooDeep));
                        }
                        self.file(&path, Care::OwnerOnly, inner, applies)?;
                    }
                }
                found => self.plain(found, &line, &origin, applies).map_err(in_line)?,
            }
        }
        Ok(true)
    }

    /// Whether a `Host` line is about the host.
    fn host(&self, keyword: &'static str, value: &str) -> Result<bool, Problem> {
        let mut applies = false;
        for word in nonempty_words(keyword, value)? {
            match word.strip_prefix('!') {
                Some(negated) if pattern::matches(negated, self.facts.host()) => return Ok(false),
                Some(_) => {}
                None => applies = applies || pattern::matches(&word, self.facts.host()),
            }
        }
        Ok(applies)
    }

    /// Whether the criteria of a `Match` line hold.
    fn condition(&mut self, value: &str, place: Place<'_>) -> Result<bool, Problem> {
        // As in ssh, where this line is split in two ways, and both must work.
        words(value)?;
        let subject = Subject { facts: &self.facts, surroundings: self.surroundings, inert: place.inert };
        let outcome = condition::evaluate(value, &subject)?;
        self.wants_second_pass |= outcome.wants_second_pass;
        Ok(outcome.matched && !place.inert)
    }

    /// The files that an `Include` line names, if they are there.
    fn included(
        &self,
        keyword: &'static str,
        value: &str,
        place: Place<'_>,
    ) -> Result<Vec<PathBuf>, Problem> {
        let tokens = self.facts.tokens()?;
        let mut paths = Vec::new();
        for word in nonempty_words(keyword, value)? {
            let system = matches!(place.source, Source::System(_));
            if system && word.starts_with('~') {
                return Err(Problem::TildeInSystemFile(word));
            }
            let anchored = match word.starts_with(['/', '~']) || Path::new(&word).is_absolute() {
                true => word,
                false if system => format!("{SYSTEM_DIRECTORY}/{word}"),
                false => format!("{USER_DIRECTORY}/{word}"),
            };
            let path = expand_path(&anchored, Expansion::of(keyword), &tokens, self.surroundings)?;
            paths.extend(glob::expand(&path, self.surroundings));
        }
        Ok(paths)
    }

    /// A line that is nothing but a keyword and its value.
    fn plain(
        &mut self,
        found: Found,
        line: &Line<'_>,
        origin: &Origin,
        applies: bool,
    ) -> Result<(), Problem> {
        let known = match found {
            Found::Structure(name, _)
            | Found::Implemented(name)
            | Found::Matters(name, _)
            | Found::Irrelevant(name, _) => name,
            Found::Unknown => {
                let ignored = self.ignored.as_ref();
                if !ignored.is_some_and(|ignored| pattern::list_accepts_any_case(ignored, &line.keyword)) {
                    self.pass_over(line, Why::Unknown, origin);
                }
                return Ok(());
            }
        };
        let words = words(line.value)?;
        if !applies {
            return Ok(());
        }
        match found {
            Found::Structure(..) => self.ignored = self.ignored.take().or_else(|| words.first().cloned()),
            Found::Irrelevant(_, reason) => self.pass_over(line, Why::Irrelevant(reason), origin),
            // Something of the first pass counts, if nothing but the host itself.
            Found::Implemented("HostName") if self.facts.second_pass() => {}
            Found::Implemented(keyword) => self.settings.add(keyword, line.value, origin),
            Found::Matters(_, unless) => {
                let nothing = |value: &&str| words.len() == 1 && value.eq_ignore_ascii_case(&words[0]);
                if !unless.iter().any(nothing) {
                    self.pass_over(line, Why::Unsupported, origin);
                }
            }
            Found::Unknown => {}
        }
        self.facts.note(known, line.value);
        // A host that makes no sense is told with the line that says so.
        if known == "HostName" { Ok(self.facts.tokens().map(drop)?) } else { Ok(()) }
    }

    fn pass_over(&mut self, line: &Line<'_>, why: Why, origin: &Origin) {
        let passed_over = || PassedOver { keyword: line.keyword.clone(), why, origin: origin.clone() };
        self.passed_over.entry(line.keyword.to_ascii_lowercase()).or_insert_with(passed_over);
    }
}

impl Settings {
    fn add(&mut self, keyword: &'static str, value: &str, origin: &Origin) {
        if self.origins.insert(origin.clone()) {
            self.list.push(Setting { keyword, value: value.to_owned(), origin: origin.clone() });
        }
    }
}

fn nonempty_words(keyword: &'static str, value: &str) -> Result<Vec<String>, Problem> {
    let words = words(value)?;
    if words.iter().any(String::is_empty) { Err(Problem::EmptyWord { keyword }) } else { Ok(words) }
}

/// Keywords whose value is the rest of the line.
const COMMANDS: [&str; 4] = ["KnownHostsCommand", "LocalCommand", "ProxyCommand", "RemoteCommand"];

/// Where relative paths after `Include` start.
const USER_DIRECTORY: &str = "~/.ssh";
const SYSTEM_DIRECTORY: &str = "/etc/ssh";
