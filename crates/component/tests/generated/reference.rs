//! The reference of the component's members.

use std::fmt::Write as _;

use underpass_component::error_text;
use underpass_component::model::{
    Access, Direction, Field, Number, Property, Refusal, Refused, Scope, Setting, Support, Type, Value,
};
use underpass_component::table::{
    DEVIATIONS, ERRORS, EVENTS, METHODS, PROPERTIES, SETTINGS, settings, support,
};

/// The content of `docs/reference/component.md`.
pub(crate) fn page() -> String {
    let mut page = String::from(HEAD);
    summary(&mut page);
    properties(&mut page);
    methods(&mut page);
    events(&mut page);
    all_settings(&mut page);
    errors(&mut page);
    page
}

const HEAD: &str = "\
# The component `SshTunnel`

<!-- Generated from the component's tables. `UPDATE_REFERENCE=1 cargo test -p underpass-component` writes it. -->

Every member with its type, default and what it answers when it is refused. Where the column *Support* is empty, the member
does what the interface says, on every platform.

";

/// How far members are followed, in numbers. README says the same.
pub(crate) fn counts() -> String {
    let members = PROPERTIES.iter().map(|row| row.name).chain(settings().map(|row| row.name));
    let mut names: Vec<&str> = members.collect();
    names.sort_unstable();
    names.dedup();
    let count = |wanted: Support| names.iter().filter(|name| support(name).0 == wanted).count();
    format!(
        "of {} properties and settings {} are effective, {} are bound to a platform, and {} are reinterpreted",
        names.len(),
        count(Support::Effective),
        count(Support::PlatformBound),
        count(Support::Reinterpreted),
    )
}

fn summary(page: &mut String) {
    let (methods, events) = (METHODS.len(), EVENTS.len());
    let _ =
        writeln!(page, "In numbers: {}. All {methods} methods and {events} events are there.\n", counts());
    let _ = writeln!(page, "Defaults that differ from the interface's on purpose:\n");
    for row in DEVIATIONS {
        let _ = writeln!(page, "- `{}`: {}", row.member, row.reason);
    }
}

fn properties(page: &mut String) {
    for (scope, title, words) in [
        (Scope::Component, "Properties", "Of the tunnel."),
        (
            Scope::Client,
            "Properties of clients",
            "Each takes the place of the client, from 0 to `client_count` - 1.",
        ),
    ] {
        let _ = writeln!(page, "\n## {title}\n\n{words}\n\n{TABLE}");
        for row in PROPERTIES.iter().filter(|row| row.scope == scope) {
            let Property { name, value, access, refusals, doc, .. } = row;
            member(page, name, value, *access, refusals, doc);
        }
    }
}

const TABLE: &str = "| Name | Type | Default | Meaning | Refused with | Support |\n|---|---|---|---|---|---|";

fn all_settings(page: &mut String) {
    let _ = writeln!(
        page,
        "\n## Settings\n\n`config(\"Name=Value\")` sets one, `config(\"Name\")` reads it; in any case."
    );
    for rows in SETTINGS {
        let Some(first) = rows.first() else { continue };
        let _ = writeln!(page, "\n### {}\n\n{TABLE}", first.group);
        for Setting { name, index, value, access, refusals, doc, mirrors, .. } in *rows {
            let name = index.map_or((*name).to_owned(), |_| format!("{name}[id]"));
            let doc =
                mirrors.map_or((*doc).to_owned(), |property| format!("{doc}. The property `{property}`"));
            member(page, &name, value, *access, refusals, &doc);
        }
    }
}

fn member(page: &mut String, name: &str, value: &Value, access: Access, refusals: &[Refusal], doc: &str) {
    let access = match access {
        Access::ReadWrite => "",
        Access::ReadOnly => ", read only",
        Access::WriteOnly => ", set only",
        Access::Action => ", acts when read",
    };
    let default = value.to_string();
    let default =
        if default.is_empty() { String::new() } else { format!("`{}`", default.replace(',', ", ")) };
    let plain = name.split('[').next().unwrap_or(name);
    let (level, note) = support(plain);
    let level = match level {
        Support::Effective => "",
        Support::PlatformBound => "platform: ",
        Support::Reinterpreted => "reinterpreted: ",
    };
    let kind = kind(value);
    let _ = writeln!(
        page,
        "| `{name}` | {kind}{access} | {default} | {} | {} | {level}{note} |",
        meaning(doc, value),
        refusals_of(refusals)
    );
}

fn kind(value: &Value) -> String {
    let of = word(value.value_type());
    let unit = value.unit().map(|unit| format!(", {unit}")).unwrap_or_default();
    let range = match value {
        Value::Int(_, Number::Between(..) | Number::BetweenIn(..)) => match value.range() {
            Some((Some(least), Some(most))) => format!(", {least} to {most}"),
            Some((Some(least), None)) => format!(", from {least}"),
            Some((None, Some(most))) => format!(", up to {most}"),
            _ => String::new(),
        },
        _ => String::new(),
    };
    format!("{of}{unit}{range}")
}

fn meaning(doc: &str, value: &Value) -> String {
    let mut choices: Vec<String> =
        value.choices().iter().map(|choice| format!("{}: {}", choice.number, choice.doc)).collect();
    if let Value::Word(_, words) = value {
        choices.extend(words.iter().map(|choice| format!("{}: {}", choice.word, choice.doc)));
    }
    if choices.is_empty() { doc.to_owned() } else { format!("{doc}.<br>{}", choices.join("<br>")) }
}

fn refusals_of(refusals: &[Refusal]) -> String {
    let all: Vec<String> =
        refusals.iter().map(|refusal| format!("{} {}", refusal.code, when(refusal.when))).collect();
    all.join("<br>")
}

fn when(refused: Refused) -> &'static str {
    match refused {
        Refused::WhileConnected => "while connected",
        Refused::Doing => "while it is being done",
        Refused::Done => "when it is done",
        Refused::WhileListening => "while listening",
        Refused::NoSuchClient => "if no client has the number",
        Refused::BadValue => "if the value is no good",
        Refused::Server => "for other servers",
        Refused::Exhausted => "when it is used up",
        Refused::Unencodable => "if a character is missing",
        Refused::WouldBlock => "if nothing more is taken",
    }
}

fn word(of: Type) -> &'static str {
    match of {
        Type::Bool => "true or false",
        Type::Int => "number",
        Type::Text => "text",
        Type::Bytes => "bytes",
    }
}

fn methods(page: &mut String) {
    let _ = writeln!(page, "\n## Methods\n\n| Call | Gives | Meaning | Refused with |\n|---|---|---|---|");
    for row in METHODS {
        let params: Vec<String> =
            row.params.iter().map(|param| format!("{}: {}", param.name, word(param.value_type))).collect();
        let gives = row.returns.map(word).unwrap_or_default();
        let _ = writeln!(
            page,
            "| `{}({})` | {gives} | {} | {} |",
            row.name,
            params.join(", "),
            row.doc,
            refusals_of(row.refusals)
        );
    }
}

fn events(page: &mut String) {
    let _ = writeln!(page, "\n## Events\n\nA handler sets the fields that are marked with a pencil (✎).");
    for row in EVENTS {
        let _ = writeln!(
            page,
            "\n### `{}`\n\n{}.\n\n| Field | Type | Meaning |\n|---|---|---|",
            row.name, row.doc
        );
        for Field { name, value_type, direction, doc, .. } in row.fields {
            let pencil = if *direction == Direction::InOut { " ✎" } else { "" };
            let _ = writeln!(page, "| `{name}`{pencil} | {} | {doc} |", word(*value_type));
        }
    }
}

fn errors(page: &mut String) {
    let _ = writeln!(page, "\n## Error codes\n\n| Code | Text |\n|---|---|");
    for row in ERRORS {
        let other =
            if error_text(row.code) == Some(row.text) { "" } else { " (of the connection to the server)" };
        let _ = writeln!(page, "| {} | {}{other} |", row.code, row.text.replace('|', "\\|"));
    }
}
