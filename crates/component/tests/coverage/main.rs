//! Which test shows that a member does something: every member that does what the interface says has one.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod codes;
mod connection;
mod local;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use underpass_component::model::Support;
use underpass_component::table::{EVENTS, METHODS, PROPERTIES, settings, support};

/// A member, and tests that fail when it is ignored.
type Row = (&'static str, &'static [&'static str]);

/// Where such tests are.
const SOURCES: &[&str] = &["tests", "tests/behaviour", "../../conformance/tests"];

fn rows() -> impl Iterator<Item = &'static Row> {
    connection::ROWS.iter().chain(local::ROWS)
}

/// Every member there is. Settings of one name count once.
fn members() -> BTreeSet<&'static str> {
    let properties = PROPERTIES.iter().map(|row| row.name);
    let named = properties.chain(METHODS.iter().map(|row| row.name)).chain(EVENTS.iter().map(|row| row.name));
    named.chain(settings().map(|row| row.name)).collect()
}

#[test]
fn every_effective_member_has_a_test() {
    let covered: BTreeSet<&str> = rows().map(|(member, _)| *member).collect();
    let lacks = |member: &&&str| support(member).0 == Support::Effective && !covered.contains(**member);
    let lacking: Vec<_> = members().iter().filter(lacks).copied().collect::<Vec<_>>();
    assert!(lacking.is_empty(), "no test shows that these do anything: {lacking:?}");
}

#[test]
fn rows_are_of_members_and_there_is_one_of_each() {
    let mut seen = BTreeSet::new();
    for member in rows().map(|(member, _)| *member) {
        assert!(members().contains(member), "there is no member {member}");
        assert!(seen.insert(member), "{member} stands twice");
    }
    assert!(rows().all(|(_, tests)| !tests.is_empty()));
}

#[test]
fn the_tests_of_the_rows_are_there() {
    let tests: BTreeSet<String> = SOURCES.iter().flat_map(|source| tests_in(Path::new(source))).collect();
    for (member, names) in rows() {
        for name in *names {
            assert!(tests.contains(*name), "{member}: there is no test {name}");
        }
    }
}

/// The names of the functions that are tests, in the files of a directory.
fn tests_in(directory: &Path) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.flat_map(|path| tests_of(&fs::read_to_string(path).unwrap())).collect()
}

fn tests_of(source: &str) -> Vec<String> {
    let after = source.split("#[test]\n").skip(1);
    let name = |text: &str| {
        let line = text.lines().map(str::trim_start).find(|line| !line.starts_with("#["))?;
        Some(line.strip_prefix("fn ")?.split('(').next()?.to_owned())
    };
    after.filter_map(name).collect()
}

#[test]
fn tests_are_found_behind_other_attributes() {
    let source = "#[test]\n#[cfg(unix)]\nfn one() {}\nfn two() {}\n    #[test]\n    fn three() {}";
    assert_eq!(tests_of(source), ["one", "three"]);
}
