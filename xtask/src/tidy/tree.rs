//! The files that are, or would be, committed, and the workspace's dependencies.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand};

use super::rust::Rust;
use crate::workspace;

/// Everything that the checks look at.
#[derive(Default)]
pub(crate) struct Tree {
    files: Vec<File>,
    pub(crate) crates: Vec<Crate>,
}

/// A file of the repository.
pub(crate) struct File {
    /// Relative to the root, with forward slashes.
    pub(crate) path: String,
    /// `None` when it is not text.
    pub(crate) text: Option<String>,
    /// Present for Rust files, with the error of one that does not parse.
    pub(crate) rust: Option<Result<Rust, syn::Error>>,
}

/// A member of the workspace and which other members it depends on.
#[derive(Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Of its manifest, relative to the root.
    pub(crate) path: String,
    /// For what it ships.
    pub(crate) normal: Vec<String>,
    /// For its tests only.
    pub(crate) dev: Vec<String>,
}

impl Tree {
    /// Reads the checkout: tracked files and those that git would add.
    pub(crate) fn load() -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(workspace::root())
            .output()
            .context("cannot run git")?;
        ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        let paths = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
        let mut files = Vec::new();
        for path in paths.split_terminator('\0') {
            // A tracked file that was deleted is listed too.
            if let Ok(bytes) = fs::read(workspace::root().join(path)) {
                files.push((path.to_owned(), String::from_utf8(bytes).ok()));
            }
        }
        Ok(Self { files: parse(files), crates: crates()? })
    }

    /// A tree of made-up text files.
    #[cfg(test)]
    pub(crate) fn sample(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())));
        Self { files: parse(files.collect()), crates: Vec::new() }
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// All text files as path and text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// All Rust files that parse.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &Rust)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.rust.as_ref()?.as_ref().ok()?)))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts().find_map(|(known, text)| (known == path).then_some(text))
    }

    /// Whether a file or a directory is there.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.files.iter().any(|file| {
            file.path
                .strip_prefix(path)
                .is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
        })
    }
}

fn parse(files: Vec<(String, Option<String>)>) -> Vec<File> {
    let rust = |path: &str, text: Option<&str>| {
        path.ends_with(".rs").then(|| Rust::parse(path, text.unwrap_or_default()))
    };
    let mut files: Vec<File> = files
        .into_iter()
        .map(|(path, text)| File { rust: rust(&path, text.as_deref()), path, text })
        .collect();
    mark_test_modules(&mut files);
    files
}

/// A file is test code as a whole when another declares it as a module for tests only.
fn mark_test_modules(files: &mut [File]) {
    let modules = files.iter().filter_map(|file| file.rust.as_ref()?.as_ref().ok());
    let modules: Vec<String> = modules.flat_map(|rust| rust.test_modules.iter().cloned()).collect();
    let is_test = |path: &str| {
        let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
        modules.iter().any(|module| {
            stem.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    for file in files {
        if let Some(Ok(rust)) = &mut file.rust {
            rust.all_test |= is_test(&file.path);
        }
    }
}

fn crates() -> Result<Vec<Crate>> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let members: Vec<_> = metadata.workspace_packages();
    let is_member = |name: &str| members.iter().any(|member| member.name == name);
    let crates = members.iter().map(|member| {
        let of_kind = |dev: bool| {
            let dependencies = member.dependencies.iter();
            let wanted = dependencies
                .filter(|dep| (dep.kind == DependencyKind::Development) == dev && is_member(&dep.name));
            wanted.map(|dep| dep.name.clone()).collect()
        };
        let path = member
            .manifest_path
            .as_std_path()
            .strip_prefix(workspace::root())
            .unwrap_or(member.manifest_path.as_std_path());
        Crate {
            name: member.name.to_string(),
            path: path.to_string_lossy().into_owned(),
            normal: of_kind(false),
            dev: of_kind(true),
        }
    });
    Ok(crates.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_directories_are_found_by_whole_names() {
        let tree = Tree::sample(&[("docs/guide.md", "")]);
        assert!(tree.contains("docs/guide.md") && tree.contains("docs") && tree.contains(""));
        assert!(!tree.contains("docs/guide") && !tree.contains("doc"));
    }

    #[test]
    fn a_module_declared_for_tests_is_test_code_with_all_below_it() {
        let tree = Tree::sample(&[
            ("src/lib.rs", "#[cfg(test)]\nmod tests;\nmod real;"),
            ("src/tests.rs", ""),
            ("src/tests/deep.rs", ""),
            ("src/real.rs", "#[cfg(test)]\nmod checks;"),
            ("src/real/checks.rs", ""),
        ]);
        let tests: Vec<_> = tree.rust().filter(|(_, rust)| rust.all_test).map(|(path, _)| path).collect();
        assert_eq!(tests, ["src/tests.rs", "src/tests/deep.rs", "src/real/checks.rs"]);
    }
}
