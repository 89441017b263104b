//! Marks of unfinished work, and output that a library has no business writing.

use super::tree::Tree;
use super::{Finding, tokens};

/// Spelled in halves, so that this file does not contain them.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Macros that print.
const PRINTERS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Programs and what only tests use: they may print.
const PROGRAMS: &[&str] = &["crates/cli/src/", "crates/testkit/", "conformance/", "xtask/"];

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = marks(tree);
    for (path, rust) in
        tree.rust().filter(|(path, _)| !PROGRAMS.iter().any(|program| path.starts_with(program)))
    {
        tokens::macros(&rust.tokens, &mut |name, span| {
            if PRINTERS.contains(&name) && !rust.is_test(span) && !path.contains("/examples/") {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: span.start().line,
                    item: name.to_owned(),
                    text: format!("`{name}!` in a library"),
                });
            }
        });
    }
    findings
}

fn marks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".rs")) {
        for (index, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric());
            for mark in words.filter(|word| MARKS.contains(word)) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: index + 1,
                    item: mark.to_owned(),
                    text: format!("{mark}: finish it, or file an issue"),
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(path: &str, text: &str) -> Vec<String> {
        find(&Tree::sample(&[(path, text)])).into_iter().map(|finding| finding.item).collect()
    }

    #[test]
    fn a_mark_of_unfinished_work_is_found_in_a_comment() {
        assert_eq!(items("xtask/src/a.rs", &format!("// {}: later", MARKS[0])), [MARKS[0]]);
        assert!(items("xtask/src/a.rs", "// METHODOLOGY").is_empty());
    }

    #[test]
    fn a_library_that_prints_is_found_and_its_tests_are_not() {
        let text = "fn f() { if x { println!(\"\") } }\n#[test]\nfn t() { println!(\"\") }";
        assert_eq!(items("crates/wire/src/a.rs", text), ["println"]);
        assert!(items("crates/cli/src/a.rs", text).is_empty());
    }
}
