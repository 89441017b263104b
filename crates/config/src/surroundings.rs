//! What lies outside the text: files, commands, variables, and who asks.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// What a lookup may ask of the machine.
pub trait Surroundings {
    /// Who asks, and where.
    fn local(&self) -> &Local;

    /// The content of a file; `None` if there is none, or it is a directory. At most one byte more than
    /// [`MAX_FILE_LEN`](crate::MAX_FILE_LEN) need be read.
    ///
    /// # Errors
    /// It cannot be read, or others have a hand in it and [`Care`] forbids that. The error is shown to people.
    fn read(&self, path: &Path, care: Care) -> io::Result<Option<Vec<u8>>>;

    /// The names in a directory, in any order; none if it cannot be read.
    fn entries(&self, directory: &Path) -> Vec<OsString>;

    /// Whether a command, run by the user's shell without input and output, exits with 0. `Match exec` asks.
    fn run(&self, command: &str) -> bool;

    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The home directory of another user, for `~user`.
    fn home_of(&self, user: &str) -> Option<PathBuf>;
}

/// Who may have written a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Anybody: the caller named the file, or the administrator is responsible for it.
    Any,
    /// The user or the administrator, and nobody else may write to it: what it says can have commands run.
    OwnerOnly,
}

/// The local user and machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// The home directory, if there is one.
    pub home: Option<PathBuf>,
    /// The user's name, if it is known.
    pub user: Option<String>,
    /// The user's number, where users have one.
    pub uid: Option<u32>,
    /// The name of the machine, with its domain if that is part of it.
    pub host: String,
}
