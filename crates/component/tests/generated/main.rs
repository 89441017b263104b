//! What is made from the tables and kept in the repository: typed accessors, the reference, the class of Python. `UPDATE_REFERENCE=1` makes it anew.

mod accessors;
mod python;
mod reference;

use std::{env, fs, path::Path};

#[test]
fn what_is_generated_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [
        (root.join("src/accessors.rs"), accessors::source()),
        (root.join("../../docs/reference/component.md"), reference::page()),
        (root.join("../../python/underpass/_sshtunnel.py"), python::source()),
    ];
    for (path, content) in files {
        if env::var_os("UPDATE_REFERENCE").is_some() {
            fs::write(&path, &content).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == content, "{} is old; run this test with UPDATE_REFERENCE=1", path.display());
    }
}

#[test]
fn the_readme_says_how_far_members_are_followed() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let words = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&reference::counts()), "README should say: {}", reference::counts());
}
