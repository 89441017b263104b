//! No committed text depends on one machine or names a package registry's host.

use super::Finding;
use super::tree::Tree;

/// Spelled in halves, so that this file does not contain them.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("crates", ".io"), "a registry's host name"),
    (concat!("pypi", ".org"), "a registry's host name"),
    (concat!("python", "hosted.org"), "a registry's host name"),
    (concat!("npmjs", ".org"), "a registry's host name"),
    (concat!("deb.", "debian.org"), "a registry's host name"),
    (concat!("proxy.", "golang.org"), "a registry's host name"),
    (concat!("/work", "/"), "a path on one machine"),
    (concat!("/root", "/"), "a path on one machine"),
    (concat!("/Users", "/"), "a path on one machine"),
];

/// Cargo writes them, with the index that each package came from.
const LOCK_FILES: &str = "Cargo.lock";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !path.ends_with(LOCK_FILES)) {
        for (index, line) in text.lines().enumerate() {
            for (word, what) in FORBIDDEN.iter().filter(|(word, _)| names(line, word)) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: index + 1,
                    item: (*word).to_owned(),
                    text: format!("`{word}` is {what}"),
                });
            }
        }
    }
    findings
}

/// Whether `line` has `word` where a name or a path begins, not inside a longer one.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || (word.starts_with('/') && "_-.~})".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<String> {
        find(&Tree::sample(&[("notes.md", text)])).into_iter().map(|finding| finding.item).collect()
    }

    #[test]
    fn paths_of_one_machine_and_registries_are_found() {
        for (word, _) in FORBIDDEN {
            assert_eq!(items(&format!("see {word}x")), [*word]);
        }
    }

    #[test]
    fn relative_paths_that_look_alike_are_left_alone() {
        assert!(items("frame.work/x and ./root/x and home-work/x").is_empty());
    }

    #[test]
    fn lock_files_may_name_the_registry() {
        assert!(find(&Tree::sample(&[("fuzz/Cargo.lock", FORBIDDEN[0].0)])).is_empty());
    }
}
