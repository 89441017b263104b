//! Links between Markdown files lead somewhere.

use super::Finding;
use super::tree::Tree;

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            if !resolve(path, target).is_some_and(|target| tree.contains(&target)) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line,
                    item: target.to_owned(),
                    text: format!("the link to `{target}` leads nowhere"),
                });
            }
        }
    }
    findings
}

/// The targets of inline links, with their lines; code, other sites and places in the same page left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced || line.starts_with("    ") {
            continue;
        }
        // Every second part lies between backticks.
        for part in line.split('`').step_by(2) {
            let targets = part.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
            found.extend(targets.filter(|target| is_file(target)).map(|target| (index + 1, target)));
        }
    }
    found
}

fn is_file(target: &str) -> bool {
    !target.is_empty()
        && !target.starts_with('#')
        && !target.contains("://")
        && !target.starts_with("mailto:")
}

/// The path that a link in `page` means, from the root; `None` when it leaves the repository.
fn resolve(page: &str, target: &str) -> Option<String> {
    let target = target.split('#').next().unwrap_or_default();
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<String> {
        let tree = Tree::sample(&[("docs/a.md", text), ("docs/b.md", ""), ("README.md", "")]);
        find(&tree).into_iter().map(|finding| finding.item).collect()
    }

    #[test]
    fn a_link_to_a_missing_file_is_found() {
        assert_eq!(
            broken("[c](c.md), [`code`](../LICENSE#x) and [out](../../up.md)"),
            ["c.md", "../LICENSE#x", "../../up.md"]
        );
    }

    #[test]
    fn links_that_resolve_and_links_elsewhere_are_accepted() {
        assert!(
            broken("[b](b.md#part) [r](../README.md) [d](../docs/) [w](https://example.com/x) [h](#here)")
                .is_empty()
        );
    }

    #[test]
    fn code_is_not_read_as_links() {
        assert!(broken("```\n[x](nowhere.md)\n```\n`[y](nowhere.md)`").is_empty());
    }
}
