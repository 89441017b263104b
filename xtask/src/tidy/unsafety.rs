//! `unsafe` is only where the list of exceptions says so.

use proc_macro2::{TokenStream, TokenTree};

use super::Finding;
use super::tree::Tree;

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, rust) in tree.rust() {
        for line in lines_with_unsafe(rust.tokens.clone()) {
            findings.push(Finding {
                path: path.to_owned(),
                line,
                item: String::new(),
                text: "`unsafe` in a module that is not listed for it".to_owned(),
            });
        }
    }
    findings
}

fn lines_with_unsafe(stream: TokenStream) -> Vec<usize> {
    let lines = stream.into_iter().flat_map(|token| match token {
        TokenTree::Ident(name) if name == "unsafe" => vec![name.span().start().line],
        TokenTree::Group(group) => lines_with_unsafe(group.stream()),
        _ => Vec::new(),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_found_and_the_word_elsewhere_is_not() {
        let text = "// unsafe\nconst S: &str = \"unsafe\";\nfn f() {\n    unsafe { g() }\n}";
        let findings = find(&Tree::sample(&[("src/a.rs", text)]));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [4]);
    }
}
