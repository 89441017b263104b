//! Stores of keys that belong to the system and are called by a name instead of a file.

#[cfg(any(windows, test))]
mod certificates;
#[cfg(not(windows))]
mod files;

use std::{fmt, path::Path, str::FromStr};

use underpass_keys::{Entry, KeyFileError, Passwords, Private, PrivateKey, select};

#[cfg(windows)]
use self::certificates::{entries, place};
#[cfg(not(windows))]
use self::files::{entries, place};
use crate::{Error, keys::problem};

/// A store of keys that belongs to the system and is called by a name instead of a file.
///
/// On Windows they are its certificate stores. Their private keys stay where they are and sign there, be it in a file of the
/// system, a TPM or a smart card, through CNG; one that is protected so may ask a person when it signs. Elsewhere
/// SSH's own are what comes nearest: each key is a file, and what is there is what `ssh` and `sshd` would use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SystemStore {
    /// Of the user who runs the program: Windows' `CurrentUser`, elsewhere the files `~/.ssh/id_*`.
    User,
    /// Of the machine: Windows' `LocalMachine`, elsewhere the files `/etc/ssh/ssh_host_*_key`. As a rule only the
    /// administrator can use the keys.
    Machine,
}

impl SystemStore {
    /// The keys in it. `name` is what Windows calls the store there; empty, it is `MY`, that of personal certificates, which
    /// is the only one on other systems. Blocks on the system, or on the disk and on key derivation.
    ///
    /// On Windows these are the certificates that have a private key, with those of authorities that are in the same store or
    /// in `CA`. Elsewhere they are files, each with its path for a name, in the order of types in which ssh tries them: one
    /// whose private half stays locked is an entry that is [`Private::Unusable`]; files that cannot be read or are no keys are
    /// passed over.
    ///
    /// # Errors
    /// There is no store of that name, or no key in it.
    pub fn entries(self, name: &str, passwords: Passwords<'_>) -> Result<Vec<Entry>, Error> {
        entries(self, name, passwords, false)
    }

    /// The entry that a subject names, by the rule of [`select`]. Keys of SSH have no subject; their name, which is the path
    /// of the file, contains that of the file: `id_ed25519`.
    ///
    /// # Errors
    /// There is none, and those of [`SystemStore::entries`].
    pub fn select(self, name: &str, passwords: Passwords<'_>, subject: &str) -> Result<Entry, Error> {
        self.find(name, passwords, subject, false)
    }

    /// The key to log on with: the one that [`SystemStore::select`] finds, with its certificates.
    ///
    /// # Errors
    /// Its private half cannot be used, and those of [`SystemStore::select`].
    pub fn private_key(
        self,
        name: &str,
        passwords: Passwords<'_>,
        subject: &str,
    ) -> Result<PrivateKey, Error> {
        key_of(self.select(name, passwords, subject)?)
    }

    fn find(self, name: &str, passwords: Passwords<'_>, subject: &str, silent: bool) -> Result<Entry, Error> {
        let entries = entries(self, name, passwords, silent)?;
        select(&entries, subject).cloned().ok_or_else(|| {
            let missing = KeyFileError::NoSuchEntry(subject.to_owned());
            Error::identity(place(self), missing.to_string())
                .with_advice(format!("`underpass keys list {}` lists what there is", self.word()))
        })
    }

    /// What the command calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Machine => "machine",
        }
    }
}

/// One key of a store of the system. As text: `store:user:SUBJECT` or `store:machine:SUBJECT`, and with the name of the
/// store, where that is not `MY`, `store:user/NAME:SUBJECT`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredKey {
    /// Whose store.
    pub store: SystemStore,
    /// What Windows calls the store there; empty for `MY`.
    pub name: String,
    /// Which key, by the rule of [`select`].
    pub subject: String,
}

impl StoredKey {
    /// Whether a text means a key of a store, and not a file.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The entry. With `silent`, a key that would ask a person refuses instead.
    pub(crate) fn find(&self, passwords: Passwords<'_>, silent: bool) -> Result<Entry, Error> {
        self.store.find(&self.name, passwords, &self.subject, silent)
    }
}

impl FromStr for StoredKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.strip_prefix(SCHEME).and_then(|rest| rest.split_once(':'));
        let mistake = || {
            Error::configuration(format!("`{}` is no key of a store", text.escape_debug()))
                .with_advice("write store:user:SUBJECT or store:machine:SUBJECT, such as store:user:CN=me")
        };
        let (place, subject) = parts.filter(|(_, subject)| !subject.trim().is_empty()).ok_or_else(mistake)?;
        let (word, name) = place.split_once('/').unwrap_or((place, ""));
        let store = [SystemStore::User, SystemStore::Machine].into_iter().find(|store| store.word() == word);
        let store = store.ok_or_else(mistake)?;
        Ok(Self { store, name: name.to_owned(), subject: subject.to_owned() })
    }
}

impl fmt::Display for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.name.is_empty() { "" } else { "/" };
        write!(f, "{SCHEME}{}{slash}{}:{}", self.store.word(), self.name, self.subject)
    }
}

const SCHEME: &str = "store:";

/// The private half of an entry, with what belongs to it.
pub(crate) fn key_of(entry: Entry) -> Result<PrivateKey, Error> {
    let comment = entry.label().to_owned();
    match entry.private {
        Private::Ready(signer) => {
            Ok(PrivateKey { signer, comment, encrypted: false, certificates: entry.certificates })
        }
        Private::Unusable(error) => Err(problem(Path::new(&comment), &error)),
        Private::Absent => Err(Error::identity(comment, "its private half is not there")),
    }
}

fn no_such_store(name: &str) -> Error {
    Error::configuration(format!("this system has no store of keys called `{}`", name.escape_debug()))
        .with_advice("`MY` is that of personal keys; certificates and keys elsewhere are named by their file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_of_other_names_are_not_there() {
        for name in ["no such store", "\u{1b}[2J"] {
            let error = SystemStore::User.entries(name, Passwords::default()).unwrap_err();
            assert!(!error.to_string().contains('\u{1b}'));
            assert!(error.to_string().contains("called") && error.advice().is_some(), "{error}");
        }
    }

    #[test]
    fn a_key_of_a_store_is_named_by_text() {
        let key = |text: &str| text.parse::<StoredKey>();
        let parts = |text: &str| key(text).map(|key| (key.store, key.name, key.subject)).unwrap();
        let own = |name: &str, subject: &str| (SystemStore::User, name.to_owned(), subject.to_owned());
        assert_eq!(parts("store:user:CN=me, O=a:b/c"), own("", "CN=me, O=a:b/c"));
        assert_eq!(parts("store:user/Work:*"), own("Work", "*"));
        assert_eq!(parts("store:machine:id").0, SystemStore::Machine);
        for text in ["store:user:CN=me", "store:machine/MY:*"] {
            assert_eq!(key(text).unwrap().to_string(), text);
        }
        for text in ["store:", "store:user", "store:user:", "store:root:x", "store:user: ", "user:x"] {
            assert!(key(text).unwrap_err().advice().unwrap().contains("store:user:"), "{text}");
        }
        assert!(StoredKey::is_one("store:user:") && !StoredKey::is_one("./store:user:x"));
    }
}
