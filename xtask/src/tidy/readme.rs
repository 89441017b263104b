//! The README starts with the two commands that a newcomer needs.

use super::Finding;
use super::tree::Tree;

const PATH: &str = "README.md";

/// What a line must hold for each: one shows that it works, the other runs every test.
const COMMANDS: &[&[&str]] = &[&["cargo run", "demo"], &["cargo xtask test"]];

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(PATH).unwrap_or_default();
    let shows = |words: &[&str]| text.lines().any(|line| words.iter().all(|word| line.contains(word)));
    let missing = COMMANDS.iter().filter(|words| !shows(words));
    let finding = |words: &&[&str]| Finding {
        path: PATH.to_owned(),
        line: 1,
        item: String::new(),
        text: format!("the command `{}` is not shown", words.join(" … ")),
    };
    missing.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_without_one_of_the_commands_is_found() {
        let tree = Tree::sample(&[(PATH, "    cargo run -p underpass-cli -- demo\n")]);
        assert_eq!(find(&tree).len(), 1);
        assert_eq!(find(&Tree::default()).len(), 2);
    }

    #[test]
    fn a_readme_with_both_is_accepted() {
        let tree = Tree::sample(&[(PATH, "    cargo run -p underpass-cli -- demo\n    cargo xtask test\n")]);
        assert!(find(&tree).is_empty());
    }
}
