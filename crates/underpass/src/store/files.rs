//! SSH's own counterpart of certificate stores, on systems without them: each key is a file, and what is there is what `ssh`
//! and `sshd` would use.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use underpass_keys::{Entry, Passwords, Private, PublicKey, Store};

use super::{SystemStore, no_such_store};
use crate::{
    Error,
    keys::{problem, public_half_beside, read},
};

/// What the store is, for people.
pub(super) fn place(store: SystemStore) -> &'static str {
    match store {
        SystemStore::User => "~/.ssh/id_*",
        SystemStore::Machine => "/etc/ssh/ssh_host_*_key",
    }
}

/// The keys in a store. Those of types that ssh tries first come first.
pub(super) fn entries(
    store: SystemStore,
    name: &str,
    passwords: Passwords<'_>,
    _silent: bool,
) -> Result<Vec<Entry>, Error> {
    if !PERSONAL.iter().any(|known| known.eq_ignore_ascii_case(name.trim())) {
        return Err(no_such_store(name));
    }
    let (directory, is_key): (_, fn(&str) -> bool) = match store {
        SystemStore::User => {
            let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
            let home = home.ok_or_else(|| Error::configuration("the home directory is unknown"))?;
            (home.join(".ssh"), |name| name.starts_with("id_") && !name.ends_with(".pub"))
        }
        SystemStore::Machine => {
            (PathBuf::from("/etc/ssh"), |name| name.starts_with("ssh_host_") && name.ends_with("_key"))
        }
    };
    entries_in(&directory, is_key, passwords)
}

fn entries_in(
    directory: &Path,
    is_key: fn(&str) -> bool,
    passwords: Passwords<'_>,
) -> Result<Vec<Entry>, Error> {
    let unreadable = |error: std::io::Error| Error::identity(directory, error.to_string()).with_source(error);
    let mut files = Vec::new();
    for found in fs::read_dir(directory).map_err(unreadable)?.take(MAX_DIRECTORY).flatten() {
        // Anything else, such as a pipe, might never come to an end.
        let path = found.path();
        if found.file_name().to_str().is_some_and(is_key) && path.is_file() {
            files.push(path);
        }
    }
    files.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (FIRST.iter().position(|first| name.contains(first)).unwrap_or(FIRST.len()), name)
    });
    let (mut entries, mut trouble) = (Vec::new(), None);
    for path in files.iter().take(MAX_FILES) {
        match open(path, passwords) {
            Ok(found) => entries.extend(found),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    match (entries.is_empty(), trouble) {
        (false, _) => Ok(entries),
        (true, Some(error)) => Err(error),
        (true, None) => Err(Error::identity(directory, "there is no private key in it")
            .with_advice("make one with `ssh-keygen`, or name the file of one that is elsewhere")),
    }
}

/// What is in a file, under the file's name.
fn open(path: &Path, passwords: Passwords<'_>) -> Result<Vec<Entry>, Error> {
    let bytes = read(path)?;
    let mut entries = match Store::open(&bytes, passwords) {
        Ok(store) => store.entries().to_vec(),
        Err(error) if error.wants_passphrase() => {
            let public = public_half_beside(path).and_then(|blob| PublicKey::from_blob(&blob).ok());
            vec![Entry { private: Private::Unusable(error), public, ..Entry::default() }]
        }
        Err(error) => return Err(problem(path, &error)),
    };
    for entry in &mut entries {
        entry.name = path.display().to_string();
    }
    Ok(entries)
}

/// The names of the store of personal keys.
const PERSONAL: [&str; 2] = ["", "MY"];

/// Which types come first, in the order in which ssh tries them.
const FIRST: [&str; 3] = ["_ed25519", "_ecdsa", "_rsa"];

/// Names of a directory that are looked at: far more than anybody has there.
const MAX_DIRECTORY: usize = 10_000;

/// Files that are opened, each of which may take seconds of key derivation.
const MAX_FILES: usize = 100;

#[cfg(test)]
mod tests {
    use underpass_crypto::Secret;
    use underpass_keys::select;

    use super::*;

    fn testdata(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../keys/testdata").join(name)
    }

    /// A directory with these copies.
    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (from, to) in files {
            fs::copy(testdata(from), directory.path().join(to)).unwrap();
        }
        directory
    }

    fn told(directory: &Path, password: Option<&Secret>) -> Vec<(String, bool)> {
        let is_key = |name: &str| name.starts_with("id_") && !name.ends_with(".pub");
        let entries = entries_in(directory, is_key, Passwords::from(password)).unwrap();
        let told = |entry: &Entry| {
            let file = Path::new(&entry.name).file_name().unwrap().to_str().unwrap().to_owned();
            (file, matches!(entry.private, Private::Ready(_)))
        };
        entries.iter().map(told).collect()
    }

    #[test]
    fn keys_are_found_in_the_order_of_ssh_and_open_with_the_password() {
        let directory = directory(&[
            ("rsa2048", "id_rsa"),
            ("ed25519-ctr", "id_ed25519"),
            ("ecdsa256", "id_work"),
            ("locked.p12", "id_store"),
            ("README.md", "id_notes"),
            ("ed25519.pub", "id_ed25519.pub"),
            ("ecdsa521", "other"),
        ]);
        fs::create_dir(directory.path().join("id_directory")).unwrap();
        let expected = |locked: bool, store: bool| {
            [("id_ed25519", !locked), ("id_rsa", true), ("id_store", store), ("id_work", true)]
                .map(|(name, ready)| (name.to_owned(), ready))
        };
        assert_eq!(told(directory.path(), None), expected(true, false));
        assert_eq!(told(directory.path(), Some(&"test".into())), expected(false, false));
        assert_eq!(told(directory.path(), Some(&"test-store".into())), expected(true, true));
    }

    #[test]
    fn a_key_is_selected_by_the_name_of_its_file() {
        let directory = directory(&[("rsa2048", "id_rsa"), ("ecdsa256", "id_work")]);
        let entries = entries_in(directory.path(), |name| name.starts_with("id_"), Passwords::default());
        let entries = entries.unwrap();
        let found = |subject: &str| select(&entries, subject).map(|entry| entry.name.clone());
        let path = |name: &str| Some(directory.path().join(name).display().to_string());
        assert_eq!((found("id_work"), found("*"), found("id_dsa")), (path("id_work"), path("id_rsa"), None));
    }

    #[test]
    fn where_there_is_nothing_an_error_says_so() {
        let error = |directory: &Path| {
            let error = entries_in(directory, |name| name.starts_with("id_"), Passwords::default());
            error.unwrap_err().to_string()
        };
        let empty = directory(&[]);
        assert!(error(empty.path()).contains("no private key in it"));
        assert!(error(&empty.path().join("missing")).contains("missing"));
        let text = directory(&[("README.md", "id_notes")]);
        assert!(error(text.path()).contains("id_notes"));
    }
}
