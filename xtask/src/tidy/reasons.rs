//! Every silenced lint and every test that is not run says why.

use proc_macro2::TokenTree;

use super::tree::Tree;
use super::{Finding, tokens};

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, rust) in tree.rust() {
        tokens::attributes(&rust.tokens, &mut |name, arguments, span| {
            if ["allow", "expect", "ignore"].contains(&name) && !has_reason(name, arguments) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: span.start().line,
                    item: name.to_owned(),
                    text: format!("`#[{name}]` without a reason"),
                });
            }
        });
    }
    findings
}

/// `reason = "…"` for a lint, `= "…"` for a test that is ignored.
fn has_reason(name: &str, arguments: &[TokenTree]) -> bool {
    let value = match (name, arguments) {
        ("ignore", [TokenTree::Punct(_), TokenTree::Literal(value)]) => value,
        (_, [.., TokenTree::Ident(key), TokenTree::Punct(_), TokenTree::Literal(value)])
            if key == "reason" =>
        {
            value
        }
        _ => return false,
    };
    value.to_string().trim_matches('"').trim().len() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        find(&Tree::sample(&[("src/a.rs", text)])).len()
    }

    #[test]
    fn silence_without_a_reason_is_found() {
        assert_eq!(
            count("#[allow(dead_code)]\nfn f() {}\n#[expect(a, b)]\nfn g() {}\n#[ignore]\nfn h() {}"),
            3
        );
        assert_eq!(count("#[allow(dead_code, reason = \"\")]\nfn f() {}"), 1);
    }

    #[test]
    fn silence_with_a_reason_is_accepted() {
        assert_eq!(count("#[expect(dead_code, reason = \"the other platform's\")]\nfn f() {}"), 0);
        assert_eq!(count("#[ignore = \"needs a printer\"]\nfn f() {}"), 0);
    }
}
