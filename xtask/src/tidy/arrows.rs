//! Which crate may depend on which. `docs/ARCHITECTURE.md` draws the same picture.

use super::Finding;
use super::tree::{Crate, Tree};

/// A crate may use those on its right, and whatever lies below them.
const ARROWS: &[(&str, &[&str])] = &[
    ("underpass-wire", &[]),
    ("underpass-crypto", &["underpass-wire"]),
    ("underpass-keys", &["underpass-crypto"]),
    ("underpass-pkcs11", &["underpass-crypto"]),
    ("underpass-openssl", &["underpass-crypto"]),
    ("underpass-windows", &["underpass-crypto"]),
    ("underpass-proto", &["underpass-wire", "underpass-crypto"]),
    ("underpass-agent", &["underpass-wire"]),
    ("underpass-proxy", &[]),
    ("underpass-config", &[]),
    ("underpass-gssapi", &[]),
    (
        "underpass",
        &[
            "underpass-agent",
            "underpass-proto",
            "underpass-proxy",
            "underpass-keys",
            "underpass-config",
            "underpass-gssapi",
            "underpass-openssl",
            "underpass-pkcs11",
            "underpass-windows",
        ],
    ),
    ("underpass-component", &["underpass", "underpass-keys"]),
    ("underpass-options", &["underpass", "underpass-config"]),
    ("underpass-cli", &["underpass-options", "underpass-component"]),
    ("underpass-python", &["underpass-options", "underpass-component"]),
    // Not shipped, so they may look at everything.
    ("underpass-testkit", &["underpass", "underpass-proto"]),
    ("underpass-conformance", &["underpass", "underpass-component", "underpass-testkit"]),
    ("xtask", &["underpass-conformance", "underpass-component"]),
];

/// Any crate's tests may use it.
const TEST_SUPPORT: &str = "underpass-testkit";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.crates.iter().flat_map(complaints).collect()
}

fn complaints(member: &Crate) -> Vec<Finding> {
    let complain =
        |item: &str, text| Finding { path: member.path.clone(), line: 1, item: item.to_owned(), text };
    if below(&member.name).is_none() {
        return vec![complain(
            &member.name,
            format!("no arrows are listed for the new crate {}", member.name),
        )];
    }
    let forbidden = |dependency: &&String| !reaches(&member.name, dependency);
    let normal = member.normal.iter().filter(forbidden);
    let dev = member.dev.iter().filter(forbidden).filter(|dependency| *dependency != TEST_SUPPORT);
    normal.chain(dev).map(|to| complain(to, format!("{} may not depend on {to}", member.name))).collect()
}

fn below(name: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find_map(|(from, to)| (*from == name).then_some(*to))
}

fn reaches(from: &str, to: &str) -> bool {
    below(from).unwrap_or_default().iter().any(|next| *next == to || reaches(next, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(name: &str, normal: &[&str], dev: &[&str]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let member =
            Crate { name: name.to_owned(), path: String::new(), normal: owned(normal), dev: owned(dev) };
        complaints(&member).into_iter().map(|finding| finding.item).collect()
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        assert_eq!(complaints_about("underpass-proto", &["underpass-wire", "underpass"], &[]), ["underpass"]);
    }

    #[test]
    fn what_lies_below_a_dependency_may_be_used() {
        assert!(complaints_about("underpass-cli", &["underpass", "underpass-wire"], &[]).is_empty());
    }

    #[test]
    fn only_tests_may_use_the_testkit() {
        assert_eq!(
            complaints_about("underpass-wire", &["underpass-testkit"], &["underpass-testkit"]),
            ["underpass-testkit"]
        );
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(complaints_about("underpass-new", &[], &[]), ["underpass-new"]);
    }

    #[test]
    fn the_arrows_have_no_cycle() {
        assert!(ARROWS.iter().all(|(name, _)| !reaches(name, name)));
    }
}
