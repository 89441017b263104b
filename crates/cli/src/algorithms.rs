//! `underpass algorithms`: what is supported, in the order of preference; what of it is weak, and what is offered only
//! on request.

use std::fmt::Write as _;

use serde_json::json;
use underpass::{Cryptography, Error, Named, Strength};

use crate::json;

/// The list for people, or the objects for machines.
///
/// # Errors
/// This machine does not have the cryptography.
pub(crate) fn list(whose: Cryptography, as_json: bool) -> Result<String, Error> {
    let (default, all) = whose.providers()?;
    let kinds: [(&str, &str, Vec<Algorithm>); 5] = [
        ("key-exchange", "Key exchange methods (KexAlgorithms)", rows(default.kex, all.kex)),
        (
            "signature",
            "Signatures of servers and users (HostKeyAlgorithms, PubkeyAcceptedAlgorithms)",
            rows(default.signatures, all.signatures),
        ),
        ("cipher", "Ciphers (Ciphers)", rows(default.ciphers, all.ciphers)),
        ("mac", "Message authentication codes (MACs)", rows(default.macs, all.macs)),
        ("compression", "Compression", rows(default.compression, all.compression)),
    ];
    let mut out = title(whose, as_json)?;
    for (kind, title, algorithms) in kinds {
        if !as_json {
            let blank = if out.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{blank}{title}:");
        }
        for algorithm in algorithms {
            let line = if as_json { algorithm.object(kind) } else { algorithm.line() };
            let _ = writeln!(out, "{line}");
        }
    }
    Ok(out)
}

/// Whose algorithms they are, where they are not our own.
fn title(whose: Cryptography, as_json: bool) -> Result<String, Error> {
    let version = whose.version()?;
    Ok(match (whose, as_json) {
        (Cryptography::BuiltIn, _) => String::new(),
        (_, false) => format!("By {version}\n"),
        (whose, true) => {
            let fields = json!({ "name": whose.name(), "version": version });
            format!("{}\n", json::object("cryptography", fields))
        }
    })
}

struct Algorithm {
    name: &'static str,
    weak: bool,
    default: bool,
}

impl Algorithm {
    fn object(&self, kind: &str) -> String {
        let Self { name, weak, default } = self;
        let fields = json!({ "kind": kind, "name": name, "weak": weak, "default": default });
        json::object("algorithm", fields).to_string()
    }

    fn line(&self) -> String {
        let mark = match (self.weak, self.default) {
            // Never offered by default.
            (true, _) => " (weak)",
            (false, false) => " (on request)",
            (false, true) => "",
        };
        format!("  {}{mark}", self.name)
    }
}

fn rows<T: Named>(default: &[&T], all: &[&T]) -> Vec<Algorithm> {
    let row = |algorithm: &&T| Algorithm {
        name: algorithm.name(),
        weak: algorithm.strength() == Strength::Legacy,
        default: default.iter().any(|other| other.name() == algorithm.name()),
    };
    all.iter().map(row).collect()
}
