//! A file is one idea, and a function fits on a screen.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Block, Signature};

use super::Finding;
use super::rust::Rust;
use super::tree::Tree;

/// Lines of a file that are not test code. Aim for 600.
const FILE: usize = 1_000;

/// Lines of a function, from its `fn` to its last brace.
const FUNCTION: usize = 70;

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, rust) in tree.rust() {
        let lines = rust.code_lines();
        if lines > FILE {
            findings.push(Finding {
                path: path.to_owned(),
                line: 1,
                item: String::new(),
                text: format!("{lines} lines of code; split it (at most {FILE})"),
            });
        }
        let mut functions = Functions { path, rust, findings: &mut findings };
        functions.visit_file(&rust.syntax);
    }
    findings
}

struct Functions<'a> {
    path: &'a str,
    rust: &'a Rust,
    findings: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let start: Span = signature.fn_token.span;
        let first = start.start().line;
        let lines = block.brace_token.span.close().end().line + 1 - first;
        if lines > FUNCTION && !self.rust.is_test(start) {
            self.findings.push(Finding {
                path: self.path.to_owned(),
                line: first,
                item: signature.ident.to_string(),
                text: format!("`{}` has {lines} lines (at most {FUNCTION})", signature.ident),
            });
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_is_found_by_name_wherever_it_is() {
        let body = "let _ = 1;\n".repeat(FUNCTION - 1);
        let text = format!("fn fits() {{\n{}}}\nimpl X {{ fn long() {{\n{body}}} }}", &body[11..]);
        let findings = find(&Tree::sample(&[("src/a.rs", &text)]));
        assert_eq!(findings.iter().map(|finding| finding.item.as_str()).collect::<Vec<_>>(), ["long"]);
    }

    #[test]
    fn a_long_file_is_found_unless_its_length_is_in_its_tests() {
        let constants = |n| (0..n).map(|i| format!("const C{i}: u8 = 0;\n")).collect::<String>();
        let tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", constants(FILE), constants(500));
        let tree = Tree::sample(&[("src/long.rs", &constants(FILE + 1)), ("src/tested.rs", &tests)]);
        assert_eq!(
            find(&tree).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(),
            ["src/long.rs"]
        );
    }
}
