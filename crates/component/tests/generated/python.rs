//! The class `SSHTunnel` of the Python package.

use std::fmt::Write as _;

use underpass_component::model::{Access, Direction, Event, Field, Method, Property, Scope, Type};
use underpass_component::table::{EVENTS, METHODS, PROPERTIES};

/// The source of `python/underpass/_sshtunnel.py`.
pub(crate) fn source() -> String {
    let mut source = String::from(HEAD);
    for row in EVENTS {
        params(&mut source, row);
    }
    source.push_str(CLASS);
    for row in PROPERTIES {
        match row.scope {
            Scope::Component => property(&mut source, row),
            Scope::Client => of_client(&mut source, row),
        }
    }
    for row in METHODS {
        method(&mut source, row);
    }
    for row in EVENTS {
        hook(&mut source, row);
    }
    source.truncate(source.trim_end().len());
    source.push('\n');
    source
}

const HEAD: &str = "\
\"\"\"The class ``SSHTunnel`` and what its events carry.

Made from the tables of the component by its test ``generated``; not edited by hand.
\"\"\"

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from ._component import Component, Params

";

const CLASS: &str = "
class SSHTunnel(Component):
    \"\"\"An SSH tunnel as a component: set properties, start, and handle events.

    Events are delivered on the thread that calls ``do_events``, and while a call waits. Methods and properties raise
    ``SSHTunnelError`` with a ``code`` and a ``message``. As a context manager it shuts down at the end.
    \"\"\"

";

/// `on_ssh_status` is told with an `SSHTunnelSSHStatusEventParams`.
fn params_name(event: &str) -> String {
    let words = event.trim_start_matches("on_").split('_').map(|word| match word {
        "ssh" => "SSH".to_owned(),
        word => {
            let mut letters = word.chars();
            letters
                .next()
                .map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
        }
    });
    format!("SSHTunnel{}EventParams", words.collect::<String>())
}

fn params(source: &mut String, row: &Event) {
    let _ = writeln!(source, "\nclass {}(Params):\n    \"\"\"{}.\"\"\"\n", params_name(row.name), row.doc);
    for Field { name, value_type, direction, doc, .. } in row.fields {
        let python = python(*value_type);
        let doc = sentence(doc);
        let _ = writeln!(
            source,
            "    @property\n    def {name}(self) -> {python}:\n        \"\"\"{doc}\"\"\"\n        return self._{}(\"{name}\")\n",
            python
        );
        if *direction == Direction::InOut {
            let _ = writeln!(
                source,
                "    @{name}.setter\n    def {name}(self, value: {python}) -> None:\n        self._set(\"{name}\", value)\n"
            );
        }
    }
}

fn property(source: &mut String, row: &Property) {
    let Property { name, value, access, doc, .. } = row;
    let python = python(value.value_type());
    let default = value.to_string();
    let doc = if default.is_empty() { format!("{doc}.") } else { format!("{doc}. Default: ``{default}``.") };
    let doc = wrapped(&doc);
    let _ = writeln!(
        source,
        "    def get_{name}(self) -> {python}:\n        \"\"\"{doc}\"\"\"\n        return self._get_{python}(\"{name}\")\n"
    );
    let settable = *access == Access::ReadWrite;
    if settable {
        let _ = writeln!(
            source,
            "    def set_{name}(self, value: {python}) -> None:\n        \"\"\"Sets ``{name}``.\"\"\"\n        self._set(\"{name}\", value)\n"
        );
    }
    let _ = writeln!(
        source,
        "    @property\n    def {name}(self) -> {python}:\n        \"\"\"{doc}\"\"\"\n        return self.get_{name}()\n"
    );
    if settable {
        let _ = writeln!(
            source,
            "    @{name}.setter\n    def {name}(self, value: {python}) -> None:\n        self.set_{name}(value)\n"
        );
    }
}

fn of_client(source: &mut String, row: &Property) {
    let Property { name, value, access, doc, .. } = row;
    let python = python(value.value_type());
    let doc = wrapped(&format!("{doc}. ``client_id`` is the place of the client."));
    if *access != Access::WriteOnly {
        let _ = writeln!(
            source,
            "    def get_{name}(self, client_id: int) -> {python}:\n        \"\"\"{doc}\"\"\"\n        return self._get_client_{python}(\"{name}\", client_id)\n"
        );
    }
    if matches!(access, Access::ReadWrite | Access::WriteOnly) {
        let _ = writeln!(
            source,
            "    def set_{name}(self, client_id: int, value: {python}) -> None:\n        \"\"\"{doc}\"\"\"\n        self._set_client(\"{name}\", client_id, value)\n"
        );
    }
}

fn method(source: &mut String, row: &Method) {
    let Method { name, params, returns, doc, .. } = row;
    let typed: String =
        params.iter().map(|param| format!(", {}: {}", param.name, python(param.value_type))).collect();
    let names: Vec<&str> = params.iter().map(|param| param.name).collect();
    let gives = returns.map_or("None", python);
    let call = format!("self._native.{name}({})", names.join(", "));
    let body = if returns.is_some() { format!("return {call}") } else { call };
    let _ = writeln!(
        source,
        "    def {name}(self{typed}) -> {gives}:\n        \"\"\"{}\"\"\"\n        {body}\n",
        wrapped(&format!("{doc}."))
    );
}

fn hook(source: &mut String, row: &Event) {
    let (name, params) = (row.name, params_name(row.name));
    let hook = format!("Optional[Callable[[{params}], None]]");
    let _ = writeln!(
        source,
        "    @property\n    def {name}(self) -> {hook}:\n        \"\"\"{}: who is told.\"\"\"\n        return self._hook(\"{name}\")\n",
        row.doc
    );
    let _ = writeln!(
        source,
        "    @{name}.setter\n    def {name}(self, event_hook: {hook}) -> None:\n        self._set_hook(\"{name}\", event_hook, {params})\n"
    );
}

fn python(of: Type) -> &'static str {
    match of {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Text => "str",
        Type::Bytes => "bytes",
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    wrapped(
        &letters
            .next()
            .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str())),
    )
}

/// A docstring in lines of at most 110 characters; code in it is marked as Python has it.
fn wrapped(text: &str) -> String {
    let text = text.replace("``", "`").replace('`', "``");
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("one line at least");
        if !line.is_empty() && line.len() + word.len() > 98 {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    match lines.len() {
        1 => lines.remove(0),
        _ => format!("{}\n        ", lines.join("\n        ")),
    }
}
