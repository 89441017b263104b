//! `underpass keys inspect FILE`: the format of a file, and the keys and certificates in it; `underpass keys list`: those of
//! the user, or of the machine.

use std::{fmt::Write as _, path::Path};

use serde_json::json;
use underpass::{
    Error, ErrorKind, Secret,
    keys::{Entry, KeyFileError, Passwords, Private, Store, SystemStore, open_file},
};
use underpass_wire::Untrusted;

use crate::json;

/// The answer for people, or the objects for machines: one for the file, then one for each entry. The passphrase is
/// asked for if nothing can be told without.
pub(crate) fn inspect(
    path: &Path,
    passphrase: Option<Secret>,
    ask: impl FnOnce() -> Option<Secret>,
    as_json: bool,
) -> Result<String, Error> {
    let open = |passphrase: Option<&Secret>| open_file(path, Passwords::from(passphrase));
    let store = match open(passphrase.as_ref()) {
        Err(error) if passphrase.is_none() && is_locked(&error) => match ask() {
            Some(given) => open(Some(&given))?,
            None => return Err(error),
        },
        opened => opened?,
    };
    Ok(if as_json { objects(path, &store) } else { text(path, &store) })
}

/// The answer for people, or an object for each key. Locked keys are told as such.
pub(crate) fn list(store: SystemStore, passphrase: Option<&Secret>, as_json: bool) -> Result<String, Error> {
    let entries = store.entries("", Passwords::from(passphrase))?;
    let mut out = String::new();
    let write = if as_json { write_objects } else { write_text };
    write(&entries, &mut out);
    Ok(out.trim_start().to_owned())
}

fn is_locked(error: &Error) -> bool {
    use std::error::Error as _;
    let cause = error.source().and_then(|cause| cause.downcast_ref::<KeyFileError>());
    matches!(error.kind(), ErrorKind::Identity { .. }) && cause.is_some_and(KeyFileError::wants_passphrase)
}

fn text(path: &Path, store: &Store) -> String {
    let mut out = String::new();
    let encrypted = if store.is_encrypted() { ", encrypted" } else { "" };
    let _ = writeln!(out, "{}: {}{encrypted}", path.display(), store.format());
    write_text(store.entries(), &mut out);
    out
}

fn write_text(entries: &[Entry], out: &mut String) {
    for (number, entry) in entries.iter().enumerate() {
        let _ = writeln!(out, "\n{}. {}", number + 1, title(entry));
        let lines = [
            ("private key", private(entry).unwrap_or_else(|| "none".to_owned())),
            ("name", Untrusted(entry.name.as_bytes()).to_string()),
            ("subject", Untrusted(entry.subject.as_bytes()).to_string()),
            (
                "certificates",
                if entry.certificates.is_empty() {
                    String::new()
                } else {
                    entry.certificates.len().to_string()
                },
            ),
            ("comment", Untrusted(entry.comment.as_bytes()).to_string()),
        ];
        for (label, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(out, "   {label}: {value}");
        }
    }
}

/// The type and the fingerprint of a key.
fn title(entry: &Entry) -> String {
    match &entry.public {
        Some(public) => format!("{} {}", public.description(), public.fingerprint()),
        None => "a key whose public half is not shown".to_owned(),
    }
}

/// Whether there is one and what is wrong with it.
fn private(entry: &Entry) -> Option<String> {
    match &entry.private {
        Private::Absent => None,
        Private::Ready(_) => Some("ready".to_owned()),
        Private::Unusable(KeyFileError::PassphraseMissing) => Some("locked".to_owned()),
        Private::Unusable(error) => Some(format!("unusable: {error}")),
    }
}

fn objects(path: &Path, store: &Store) -> String {
    let file = json!({
        "path": path.display().to_string(), "format": format!("{:?}", store.format()).to_lowercase(),
        "encrypted": store.is_encrypted(), "entries": store.entries().len(),
    });
    let mut out = format!("{}\n", json::object("key-file", file));
    write_objects(store.entries(), &mut out);
    out
}

fn write_objects(entries: &[Entry], out: &mut String) {
    for entry in entries {
        let public = entry.public.as_ref();
        let members = json!({
            "type": public.map(|key| key.key_type()), "bits": public.and_then(|key| key.bits()),
            "fingerprint": public.map(|key| key.fingerprint()), "private": private(entry),
            "name": entry.name, "subject": entry.subject, "comment": entry.comment,
            "certificates": entry.certificates.len(),
        });
        let _ = writeln!(out, "{}", json::object("key", members));
    }
}
