//! What the description says, from `conformance/spec-facts.toml`.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Facts;

/// Explanations, and relations that bind nobody.
const PROSE: &[&str] =
    &["absent", "editions", "example", "format", "line", "meaning", "note", "related", "value"];

pub(super) fn facts() -> Facts {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/spec-facts.toml");
    let document: Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let mut facts = Facts::default();
    for (kind, rows) in &document {
        for row in rows.as_array().unwrap() {
            Row { kind, row: row.as_table().unwrap() }.add_to(&mut facts);
        }
    }
    facts
}

struct Row<'a> {
    kind: &'a str,
    row: &'a Table,
}

impl Row<'_> {
    fn add_to(&self, facts: &mut Facts) {
        match self.kind {
            "property" => self.add_member(facts, format!("property {}", self.text("name")), &["name"]),
            "method" => self.add_member(facts, format!("method {}", self.text("name")), &["name"]),
            "event" => self.add_member(facts, format!("event {}", self.text("name")), &["name"]),
            "config" => {
                let about = format!("setting {} {}", self.text("group"), self.text("name"));
                self.add_member(facts, about, &["group", "name"]);
            }
            "store_type" => {
                self.add_member(facts, format!("store type {}", self.text("number")), &["number"]);
            }
            "error" => {
                self.add_one(
                    facts,
                    format!("error {} {}", self.text("group"), self.text("code")),
                    "text",
                    &["group", "code"],
                );
            }
            "code_page" => {
                let platform = self.row.get("platform").map_or("all", |platform| platform.as_str().unwrap());
                let number = number(self.row["identifier"].as_str().unwrap());
                self.add_one(
                    facts,
                    format!("code page {platform} {number}"),
                    "name",
                    &["platform", "identifier"],
                );
            }
            "default_list" => {
                let about = format!("default list {} {}", self.text("kind"), self.text("member"));
                self.add_one(facts, about, "names", &["kind", "member"]);
            }
            "algorithm" => {
                let about = format!("algorithm {} {}", self.text("kind"), self.text("name"));
                self.add_one(facts, about, "default", &["kind", "name"]);
            }
            "packet_field" => {
                let about = format!(
                    "packet field {:?} {}",
                    self.row["request"].as_str().unwrap(),
                    self.text("field")
                );
                self.add_one(facts, about, "type", &["request", "field"]);
            }
            "param_type" => facts.add(format!("param type {}", self.text("type")), "known"),
            "subject_field" => facts.add(format!("subject field {}", self.text("name")), "known"),
            // About what the description leaves open: there is nothing to compare.
            "ambiguity" => {}
            kind => panic!("facts of an unknown kind: {kind}"),
        }
    }

    fn text(&self, key: &str) -> String {
        bare(&self.row[key])
    }

    /// One fact for a row.
    fn add_one(&self, facts: &mut Facts, about: String, key: &str, identity: &[&str]) {
        let known: BTreeSet<_> = identity.iter().chain(PROSE).chain([&key]).copied().collect();
        for other in self.row.keys() {
            assert!(known.contains(other.as_str()), "{about}: nothing compares {other}");
        }
        facts.add(about, bare(&self.row[key]));
    }

    /// A fact for each key of a row.
    fn add_member(&self, facts: &mut Facts, about: String, identity: &[&str]) {
        for (key, value) in self.row {
            if identity.contains(&key.as_str()) || PROSE.contains(&key.as_str()) {
                continue;
            }
            let fact = match (self.kind, key.as_str()) {
                (_, "default") => literal(value),
                // The last column says in words what the value means.
                (_, "choices") => sorted(columns(value, |row| row[..2].iter().map(bare).collect())),
                ("event", "params") => columns(value, |row| row[..3].iter().map(bare).collect()).join(", "),
                (_, "params" | "sets" | "defaults") => {
                    columns(value, |row| row.iter().map(bare).collect()).join(", ")
                }
                (_, "range" | "lines") => columns(value, |row| vec![bare(&row[0])]).join(", "),
                // The code for a client that is not there goes with the scope; the description has it here and there.
                ("property", "refused") if self.row["indexed"].as_bool() == Some(true) => {
                    let codes = columns(value, |row| vec![bare(&row[0])]);
                    sorted(codes.into_iter().filter(|code| code != "126").collect())
                }
                (_, "refused" | "when" | "not_on" | "encodings") => {
                    sorted(columns(value, |row| vec![bare(&row[0])]))
                }
                _ => bare(value),
            };
            facts.add_stated(format!("{about}: {key}"), fact);
        }
    }
}

/// Each row of an array, its columns between spaces. What is no array is a row of one column.
fn columns(value: &Value, take: impl Fn(&[Value]) -> Vec<String>) -> Vec<String> {
    let rows = value.as_array().unwrap();
    let row = |row: &Value| match row {
        Value::Array(columns) => take(columns).join(" ").trim_end().to_owned(),
        single => take(std::slice::from_ref(single)).join(" "),
    };
    rows.iter().map(row).collect()
}

/// For lists whose order means nothing.
fn sorted(mut list: Vec<String>) -> String {
    list.sort();
    list.join(", ")
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Array(list) => list.iter().map(bare).collect::<Vec<_>>().join(","),
        other => panic!("no fact is a {}", other.type_str()),
    }
}

/// A default, so that an empty text is not nothing.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => bare(other),
    }
}

fn number(identifier: &str) -> u32 {
    match identifier.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).unwrap(),
        None => identifier.parse().unwrap(),
    }
}
