//! `underpass algorithms`: what is supported, in the default order, and what of it is weak.

use std::fmt::Write as _;

use serde_json::json;
use underpass::{Named, Provider, Strength};

use crate::json;

/// The list for people, or the objects for machines.
pub(crate) fn list(as_json: bool) -> String {
    let provider = Provider::MODERN;
    let kinds: [(&str, &str, Vec<Algorithm>); 5] = [
        ("key-exchange", "Key exchange methods (KexAlgorithms)", rows(provider.kex)),
        (
            "signature",
            "Signatures of servers and users (HostKeyAlgorithms, PubkeyAcceptedAlgorithms)",
            rows(provider.signatures),
        ),
        ("cipher", "Ciphers (Ciphers)", rows(provider.ciphers)),
        ("mac", "Message authentication codes (MACs)", rows(provider.macs)),
        ("compression", "Compression", rows(provider.compression)),
    ];
    let mut out = String::new();
    for (kind, title, algorithms) in kinds {
        if !as_json {
            let blank = if out.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{blank}{title}:");
        }
        for Algorithm { name, weak } in algorithms {
            let line = match (as_json, weak) {
                (true, _) => {
                    json::object("algorithm", json!({ "kind": kind, "name": name, "weak": weak })).to_string()
                }
                (false, true) => format!("  {name} (weak)"),
                (false, false) => format!("  {name}"),
            };
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

struct Algorithm {
    name: &'static str,
    weak: bool,
}

fn rows<T: Named>(algorithms: &[&T]) -> Vec<Algorithm> {
    let row =
        |algorithm: &&T| Algorithm { name: algorithm.name(), weak: algorithm.strength() == Strength::Legacy };
    algorithms.iter().map(row).collect()
}
