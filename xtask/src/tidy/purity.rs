//! Below the tokio library, time, entropy and bytes come in as arguments.

use super::tree::Tree;
use super::{Finding, tokens};

/// Sources of the crates that touch nothing outside themselves.
const PURE: &[&str] = &[
    "crates/wire/src/",
    "crates/crypto/src/",
    "crates/keys/src/",
    "crates/config/src/",
    "crates/proto/src/",
    "crates/proxy/src/",
    "crates/agent/src/",
];

/// What they must not name: a path that begins with one of these…
const FORBIDDEN_PREFIXES: &[&str] =
    &["tokio", "std::net", "std::fs", "std::thread", "std::env", "std::process", "getrandom", "socket2"];

/// …or ends with one of these.
const FORBIDDEN_SUFFIXES: &[&str] =
    &["Instant::now", "SystemTime::now", "OsRng", "SysRng", "SystemRandom::new"];

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, rust) in tree.rust().filter(|(path, _)| PURE.iter().any(|pure| path.starts_with(pure))) {
        tokens::paths(&rust.tokens, &mut |name, span| {
            if is_forbidden(name) && !rust.is_test(span) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: span.start().line,
                    item: name.to_owned(),
                    text: format!("`{name}`: time, entropy and bytes come in as arguments here"),
                });
            }
        });
    }
    findings
}

fn is_forbidden(name: &str) -> bool {
    let begins = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let ends =
        |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"));
    FORBIDDEN_PREFIXES.iter().any(|prefix| begins(prefix))
        || FORBIDDEN_SUFFIXES.iter().any(|suffix| ends(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        find(&Tree::sample(&[(path, text)])).into_iter().map(|finding| finding.item).collect()
    }

    #[test]
    fn sockets_files_threads_and_clocks_are_found_in_pure_crates() {
        let text = "use std::{fmt, net::TcpStream};\nfn f() { std::thread::yield_now(); let _ = std::time::Instant::now(); }";
        let found = names("crates/proto/src/a.rs", text);
        assert_eq!(found, ["std::net::TcpStream", "std::thread::yield_now", "std::time::Instant::now"]);
    }

    #[test]
    fn tests_and_other_crates_may_use_them() {
        assert!(names("crates/proto/src/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }").is_empty());
        assert!(names("crates/underpass/src/a.rs", "use tokio::net::TcpStream;").is_empty());
    }

    #[test]
    fn names_that_only_begin_alike_are_left_alone() {
        assert!(names("crates/wire/src/a.rs", "use tokio_like::x; struct MyOsRng;").is_empty());
    }
}
