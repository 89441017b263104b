//! A machine for tests.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use underpass_config::{Care, Local, Surroundings};

/// One user, and files that exist only here.
pub(crate) struct Fake {
    local: Local,
    files: BTreeMap<PathBuf, String>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let local = Local {
            home: Some("/home/me".into()),
            user: Some("me".to_owned()),
            uid: Some(1000),
            host: "desk".to_owned(),
        };
        Self { local, files: BTreeMap::new() }
    }

    pub(crate) fn file(mut self, path: &str, content: &str) -> Self {
        self.files.insert(path.into(), content.to_owned());
        self
    }
}

impl Surroundings for Fake {
    fn local(&self) -> &Local {
        &self.local
    }

    fn read(&self, path: &Path, _: Care) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).map(|content| content.clone().into_bytes()))
    }

    fn entries(&self, _: &Path) -> Vec<OsString> {
        Vec::new()
    }

    fn run(&self, _: &str) -> bool {
        false
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn home_of(&self, _: &str) -> Option<PathBuf> {
        None
    }
}
