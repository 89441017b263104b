//! Lints and dependencies are declared once, in the workspace's manifest.

use super::Finding;
use super::tree::Tree;

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let members =
        tree.texts().filter(|(path, text)| path.ends_with("/Cargo.toml") && !text.contains("[workspace]"));
    members.flat_map(|(path, text)| complaints(path, text)).collect()
}

fn complaints(path: &str, text: &str) -> Vec<Finding> {
    let complain = |line, item: &str, text: &str| Finding {
        path: path.to_owned(),
        line,
        item: item.to_owned(),
        text: text.to_owned(),
    };
    let mut findings = Vec::new();
    let mut section = "";
    let mut inherits_lints = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if section == "lints" {
            inherits_lints |= line.replace(' ', "") == "workspace=true";
        } else if section.ends_with("dependencies")
            && !line.is_empty()
            && !line.starts_with('#')
            && !inherits(line)
        {
            let name = line.split([' ', '.', '=']).next().unwrap_or_default();
            findings.push(complain(index + 1, name, "declare the version in the workspace's manifest"));
        }
    }
    if !inherits_lints {
        findings.push(complain(1, "lints", "[lints] workspace = true is missing"));
    }
    findings
}

fn inherits(line: &str) -> bool {
    line.replace(' ', "").contains("workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<String> {
        find(&Tree::sample(&[("crates/x/Cargo.toml", text)]))
            .into_iter()
            .map(|finding| finding.item)
            .collect()
    }

    #[test]
    fn a_crate_with_its_own_versions_and_no_lints_is_found() {
        assert_eq!(items("[dependencies]\nbytes = \"1\"\n"), ["bytes", "lints"]);
    }

    #[test]
    fn a_crate_that_inherits_everything_is_accepted() {
        let text = "[dependencies]\n# why\nbytes.workspace = true\ntokio = { workspace = true, features = [\"net\"] }\n\n[lints]\nworkspace = true\n";
        assert!(items(text).is_empty());
    }
}
