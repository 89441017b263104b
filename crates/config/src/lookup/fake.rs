//! A machine for tests.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use crate::{Care, Local, Surroundings};

/// Files and a user that exist only here.
pub(crate) struct Fake {
    local: Local,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Files that others can write to.
    pub(crate) shared: BTreeSet<PathBuf>,
    /// The commands that were run. Those that begin with `true` succeed.
    pub(crate) run: RefCell<Vec<String>>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let local = Local {
            home: Some("/home/me".into()),
            user: Some("me".to_owned()),
            uid: Some(1000),
            host: "desk.example.org".to_owned(),
        };
        Self { local, files: BTreeMap::new(), shared: BTreeSet::new(), run: RefCell::default() }
    }

    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), content.as_ref().to_owned());
        self
    }
}

impl Surroundings for Fake {
    fn local(&self) -> &Local {
        &self.local
    }

    fn read(&self, path: &Path, care: Care) -> io::Result<Option<Vec<u8>>> {
        if care == Care::OwnerOnly && self.shared.contains(path) {
            return Err(io::Error::other("others may write to it"));
        }
        Ok(self.files.get(path).cloned())
    }

    fn entries(&self, directory: &Path) -> Vec<OsString> {
        let below = self.files.keys().filter_map(|path| path.strip_prefix(directory).ok());
        let names: BTreeSet<_> = below.filter_map(|path| path.iter().next()).collect();
        // In an order that nobody would call sorted.
        names.into_iter().rev().map(OsString::from).collect()
    }

    fn run(&self, command: &str) -> bool {
        self.run.borrow_mut().push(command.to_owned());
        command.starts_with("true")
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "COLOR").then(|| "green".to_owned())
    }

    fn home_of(&self, user: &str) -> Option<PathBuf> {
        (user == "you").then(|| PathBuf::from("/home/you"))
    }
}
