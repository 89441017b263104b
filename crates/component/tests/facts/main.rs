//! The tables against `conformance/spec-facts.toml`, which was written from the description of the interface by
//! somebody who had not seen them.
//!
//! Both become a map from what is spoken of to what is said of it, and the maps must be equal. Only prose is left out;
//! what is prose is a list in `described.rs`, and a key that is neither there nor compared fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod described;
mod tabled;

use std::collections::{BTreeMap, BTreeSet};

use underpass_component::table::DEVIATIONS;

/// What is said, by what it is said of: `property ssh_port: default` is `22`.
#[derive(Debug, Default)]
struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Adds one. What is said twice of the same is kept twice, so that a row too many is found.
    fn add(&mut self, about: String, fact: impl Into<String>) {
        let said = self.0.entry(about).or_default();
        if !said.is_empty() {
            said.push_str(" AND ");
        }
        said.push_str(&fact.into());
    }

    /// Adds one unless it is empty: nothing is said then.
    fn add_stated(&mut self, about: String, fact: String) {
        if !fact.is_empty() {
            self.add(about, fact);
        }
    }
}

/// Every difference, in words. `deviations` are members whose default must differ.
fn differences(described: &Facts, tabled: &Facts, deviations: &[&str]) -> Vec<String> {
    let deviates = |about: &str| {
        let member = about.strip_suffix(": default").and_then(|about| about.rsplit(' ').next());
        member.is_some_and(|member| deviations.contains(&member))
    };
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for about in described.0.keys().chain(tabled.0.keys()).collect::<BTreeSet<_>>() {
        let (theirs, ours) = (described.0.get(about), tabled.0.get(about));
        let deviates = deviates(about);
        match (theirs, ours) {
            (Some(theirs), Some(ours)) if theirs == ours && deviates => {
                found.push(format!("{about}: listed as a deviation, and is none: {ours}"));
            }
            (Some(theirs), Some(ours)) if theirs != ours && !deviates => {
                found.push(format!("{about}: described as {theirs}, in the table {ours}"));
            }
            (Some(theirs), None) => found.push(format!("{about}: described as {theirs}, not in the table")),
            (None, Some(ours)) => found.push(format!("{about}: in the table {ours}, not described")),
            _ => {}
        }
        if deviates {
            used.insert(
                about.trim_end_matches(": default").rsplit(' ').next().unwrap_or_default().to_owned(),
            );
        }
    }
    let unused = deviations.iter().filter(|member| !used.contains(**member));
    found.extend(unused.map(|member| format!("{member}: listed as a deviation, and has no default")));
    found
}

#[test]
fn the_tables_say_what_is_described_and_nothing_else() {
    let deviations: Vec<_> = DEVIATIONS.iter().map(|deviation| deviation.member).collect();
    let found = differences(&described::facts(), &tabled::facts(), &deviations);
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

#[test]
fn each_kind_of_difference_is_found() {
    let facts = |facts: &[(&str, &str)]| {
        Facts(facts.iter().map(|(about, fact)| ((*about).to_owned(), (*fact).to_owned())).collect())
    };
    let described =
        facts(&[("p a: default", "1"), ("p b: default", "1"), ("p c: type", "int"), ("p d: default", "1")]);
    let tabled =
        facts(&[("p a: default", "2"), ("p b: default", "1"), ("p d: default", "2"), ("p e: type", "int")]);
    assert_eq!(
        differences(&described, &tabled, &["b", "d", "f"]),
        [
            "p a: default: described as 1, in the table 2",
            "p b: default: listed as a deviation, and is none: 1",
            "p c: type: described as int, not in the table",
            "p e: type: in the table int, not described",
            "f: listed as a deviation, and has no default",
        ]
    );
}

#[test]
fn a_row_too_many_is_found() {
    let mut facts = Facts::default();
    facts.add("error 1".to_owned(), "text");
    facts.add("error 1".to_owned(), "text");
    assert_eq!(facts.0["error 1"], "text AND text");
}
