//! The typed accessors of the properties.

use std::fmt::Write as _;

use underpass_component::model::{Access, Property, Scope, Type};
use underpass_component::table::PROPERTIES;

/// The source of `src/accessors.rs`.
pub(crate) fn source() -> String {
    let mut source = String::from(HEAD);
    for row in PROPERTIES {
        if row.access != Access::WriteOnly {
            reader(&mut source, row);
        }
        if matches!(row.access, Access::ReadWrite | Access::WriteOnly) {
            writer(&mut source, row);
        }
    }
    source.truncate(source.trim_end().len());
    source.push_str("\n}\n");
    source
}

const HEAD: &str = "\
//! The properties with their types. Made from the table of properties by `tests/generated`; not edited by hand.

use crate::{Error, SshTunnel};

impl SshTunnel {
";

fn reader(source: &mut String, row: &Property) {
    let Property { name, doc, .. } = row;
    let rust = owned(row.value.value_type());
    let default = row.value.to_string();
    let default = if default.is_empty() { String::new() } else { format!(" Default: {}.", code(&default)) };
    document(source, &format!("{doc}.{default}"));
    let (signature, body) = match row.scope {
        Scope::Component => (format!("(&self) -> {rust}"), format!("self.get_as(\"{name}\")")),
        Scope::Client => {
            document(source, "");
            document(source, "# Errors");
            document(source, "126: there is no such client.");
            (
                format!("(&self, client: i64) -> Result<{rust}, Error>"),
                format!("self.get_client_as(\"{name}\", client)"),
            )
        }
    };
    let _ = writeln!(source, "    pub fn {name}{signature} {{\n        {body}\n    }}\n");
}

fn writer(source: &mut String, row: &Property) {
    let Property { name, doc, .. } = row;
    match row.access {
        Access::WriteOnly => document(source, &format!("{doc}.")),
        _ => document(source, &format!("Sets [`{name}`](Self::{name}).")),
    }
    document(source, "");
    document(source, "# Errors");
    let mut codes: Vec<String> = row.refusals.iter().map(|refusal| refusal.code.to_string()).collect();
    if row.scope == Scope::Client {
        codes.insert(0, "126".to_owned());
    }
    codes.dedup();
    let codes = if codes.is_empty() {
        "The value is no good.".to_owned()
    } else {
        format!("{}; or the value is no good.", codes.join(", "))
    };
    document(source, &codes);
    let (kind, value) = match row.value.value_type() {
        Type::Bool => ("bool", "value"),
        Type::Int => ("i64", "value"),
        Type::Text => ("impl Into<String>", "Into::<String>::into(value)"),
        Type::Bytes => ("impl Into<Vec<u8>>", "Into::<Vec<u8>>::into(value)"),
    };
    let (signature, body) = match row.scope {
        Scope::Component => (format!("(&self, value: {kind})"), format!("self.set(\"{name}\", {value})")),
        Scope::Client => (
            format!("(&self, client: i64, value: {kind})"),
            format!("self.set_client(\"{name}\", client, {value})"),
        ),
    };
    let signature = format!("    pub fn set_{name}{signature} -> Result<(), Error> {{");
    let _ = writeln!(source, "{signature}\n        {body}\n    }}\n");
}

fn owned(of: Type) -> &'static str {
    match of {
        Type::Bool => "bool",
        Type::Int => "i64",
        Type::Text => "String",
        Type::Bytes => "Vec<u8>",
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Comment lines of at most 110 characters.
fn document(source: &mut String, text: &str) {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.len() + word.len() > 104 {
            let _ = writeln!(source, "    /// {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(source, "{}", format!("    /// {line}").trim_end());
}
