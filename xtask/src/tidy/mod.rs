//! `cargo xtask tidy`: what rustfmt and clippy do not check. One small file for each check.

mod arrows;
mod exceptions;
mod leftovers;
mod links;
mod manifests;
mod places;
mod purity;
mod readme;
mod reasons;
mod rust;
mod size;
mod tokens;
mod tree;
mod unsafety;

use std::ffi::OsString;
use std::fmt;

use anyhow::{Result, bail, ensure};

use exceptions::Exceptions;
use tree::Tree;

/// Something that a check does not like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    /// The function, crate or link that it is about: an exception may name it.
    item: String,
    text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// A rule and the function that finds what breaks it.
struct Check {
    /// The first word of an exception.
    name: &'static str,
    find: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: &[Check] = &[
    Check { name: "arrows", find: arrows::find },
    Check { name: "leftovers", find: leftovers::find },
    Check { name: "links", find: links::find },
    Check { name: "manifests", find: manifests::find },
    Check { name: "places", find: places::find },
    Check { name: "purity", find: purity::find },
    Check { name: "readme", find: readme::find },
    Check { name: "reasons", find: reasons::find },
    Check { name: "size", find: size::find },
    Check { name: "syntax", find: rust::find },
    Check { name: "unsafe", find: unsafety::find },
];

/// Runs all checks and prints what they find.
pub(crate) fn run(args: Vec<OsString>) -> Result<()> {
    ensure!(args.is_empty(), "tidy takes no arguments");
    let tree = Tree::load()?;
    let exceptions = Exceptions::parse(tree.text(exceptions::PATH).unwrap_or_default())?;
    let mut complaints = Vec::new();
    for check in CHECKS {
        for finding in (check.find)(&tree) {
            if !exceptions.cover(check.name, &finding) {
                complaints.push(format!("{finding} [{}]", check.name));
            }
        }
    }
    complaints.extend(exceptions.unused());
    if complaints.is_empty() {
        println!("tidy: {} files, {} checks, nothing to complain about", tree.files().len(), CHECKS.len());
        return Ok(());
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    bail!("tidy: {} complaints", complaints.len())
}
