//! A parsed Rust file, and which of its lines are test code.

use std::ops::RangeInclusive;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta};

use super::Finding;
use super::tree::Tree;

/// What the checks need to know about a Rust file.
pub(crate) struct Rust {
    pub(crate) syntax: syn::File,
    pub(crate) tokens: TokenStream,
    /// The whole file is test code.
    pub(crate) all_test: bool,
    /// Paths, without extension, of the modules that this file declares for tests only.
    pub(crate) test_modules: Vec<String>,
    lines: usize,
    test_lines: Vec<RangeInclusive<usize>>,
}

impl Rust {
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, syn::Error> {
        let syntax = syn::parse_file(text)?;
        let mut tests =
            TestCode { directory: module_directory(path), modules: Vec::new(), lines: Vec::new() };
        tests.visit_file(&syntax);
        Ok(Self {
            tokens: text.parse()?,
            all_test: ["tests/", "benches/"]
                .iter()
                .any(|dir| path.starts_with(dir) || path.contains(&format!("/{dir}"))),
            test_modules: tests.modules,
            lines: text.lines().count(),
            test_lines: tests.lines,
            syntax,
        })
    }

    pub(crate) fn is_test(&self, span: Span) -> bool {
        self.all_test || self.test_lines.iter().any(|lines| lines.contains(&span.start().line))
    }

    /// How many lines are not test code.
    pub(crate) fn code_lines(&self) -> usize {
        if self.all_test {
            return 0;
        }
        (1..=self.lines).filter(|line| !self.test_lines.iter().any(|lines| lines.contains(line))).count()
    }
}

/// A file that does not parse escapes the other checks.
pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let broken = tree.files().iter().filter_map(|file| Some((file, file.rust.as_ref()?.as_ref().err()?)));
    let finding = |(file, error): (&super::tree::File, &syn::Error)| Finding {
        path: file.path.clone(),
        line: error.span().start().line,
        item: String::new(),
        text: format!("not valid Rust: {error}"),
    };
    broken.map(finding).collect()
}

/// Collects the items that exist in tests only.
struct TestCode {
    directory: String,
    modules: Vec<String>,
    lines: Vec<RangeInclusive<usize>>,
}

impl<'ast> Visit<'ast> for TestCode {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, module) = match item {
            Item::Mod(item) => (&item.attrs, item.content.is_none().then_some(&item.ident)),
            Item::Fn(item) => (&item.attrs, None),
            Item::Impl(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            Item::Const(item) => (&item.attrs, None),
            Item::Static(item) => (&item.attrs, None),
            Item::Struct(item) => (&item.attrs, None),
            Item::Enum(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, None),
            _ => return visit::visit_item(self, item),
        };
        if !attributes.iter().any(is_test_only) {
            return visit::visit_item(self, item);
        }
        self.lines.push(item.span().start().line..=item.span().end().line);
        self.modules.extend(module.map(|name| format!("{}{name}", self.directory)));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if function.attrs.iter().any(is_test_only) {
            self.lines.push(function.span().start().line..=function.span().end().line);
        }
    }
}

/// `#[test]`, `#[tokio::test]`, or a `#[cfg]` that names `test` positively.
fn is_test_only(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.segments.last().is_some_and(|segment| segment.ident == "test"),
        Meta::List(list) if list.path.is_ident("cfg") => names_test(list.tokens.clone()),
        _ => false,
    }
}

fn names_test(condition: TokenStream) -> bool {
    let mut tokens = condition.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "test" => return true,
            // Neither `not(test)` nor `any(test, …)` keeps an item out of what is shipped.
            TokenTree::Ident(name) if name == "not" || name == "any" => {
                tokens.next();
            }
            TokenTree::Group(group) if names_test(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

/// Where the modules that a file declares are looked for.
fn module_directory(path: &str) -> String {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{directory}/"),
        _ => format!("{}/", path.trim_end_matches(".rs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "\
fn shipped() {}

#[cfg(not(test))]
fn shipped_too() {}

#[cfg(all(test, unix))]
mod tests {
    fn helper() {}
}
";

    #[test]
    fn only_lines_outside_test_items_count_as_code() {
        let rust = Rust::parse("src/a.rs", MIXED).unwrap();
        assert_eq!(rust.code_lines(), 5);
    }

    #[test]
    fn an_integration_test_is_test_code_throughout() {
        let rust = Rust::parse("crates/x/tests/a.rs", MIXED).unwrap();
        assert_eq!(rust.code_lines(), 0);
    }

    #[test]
    fn a_file_that_does_not_parse_is_found() {
        let findings = find(&Tree::sample(&[("src/a.rs", "fn"), ("src/b.rs", "fn b() {}")]));
        assert_eq!(findings.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["src/a.rs"]);
    }
}
