//! What the tables say, in the words of `conformance/spec-facts.toml`.

use std::collections::BTreeSet;

use underpass_component::model::{
    Access, Direction, Effect, Encoding, Event, Holds, Index, Initial, Literal, Method, Platform, Platforms,
    Property, Refusal, Refused, Scope, Setting, StoreType, Type, Unit, Value, WireType, Words,
};
use underpass_component::table::{
    CODE_PAGES, COMPRESSION, ENCRYPTION, ERRORS, EVENTS, HOST_KEY, KEX, MAC, METHODS, PACKET_FIELDS,
    PARAM_TYPES, PROPERTIES, PUBLIC_KEY_SIGNATURE, SIGNED_KEY, STORE_TYPES, STRICT_KEX, SUBJECT_FIELDS,
    settings,
};

use super::Facts;

pub(super) fn facts() -> Facts {
    let mut facts = Facts::default();
    PROPERTIES.iter().for_each(|row| property(&mut facts, row));
    METHODS.iter().for_each(|row| method(&mut facts, row));
    EVENTS.iter().for_each(|row| event(&mut facts, row));
    settings().for_each(|row| setting(&mut facts, row));
    STORE_TYPES.iter().for_each(|row| store_type(&mut facts, row));
    for row in ERRORS {
        facts.add(format!("error {} {}", row.group, row.code), row.text);
    }
    for row in CODE_PAGES {
        let platform = row.platform.map_or("all".to_owned(), |platform| platform.to_string());
        facts.add(format!("code page {platform} {}", row.number), row.name);
    }
    for row in PACKET_FIELDS {
        facts.add(format!("packet field {:?} {}", row.request, row.name), wire_type(row.wire));
    }
    for (letters, _) in PARAM_TYPES {
        facts.add(format!("param type {letters}"), "known");
    }
    for row in SUBJECT_FIELDS {
        facts.add(format!("subject field {}", row.name), "known");
    }
    algorithms(&mut facts);
    facts
}

fn property(facts: &mut Facts, row: &Property) {
    let about = |key: &str| format!("property {}: {key}", row.name);
    facts.add(about("indexed"), (row.scope == Scope::Client).to_string());
    facts.add(about("type"), type_name(row.value.value_type(), "str"));
    facts.add(about("access"), access(row.access));
    value(facts, &about, &row.value);
    refusals(facts, &about, row.refusals);
    facts.add_stated(about("sets"), effects(row.effects));
    let mirror = settings().find(|setting| setting.mirrors == Some(row.name));
    facts.add_stated(about("config"), mirror.map_or("", |setting| setting.name).to_owned());
}

fn method(facts: &mut Facts, row: &Method) {
    let about = |key: &str| format!("method {}: {key}", row.name);
    let params =
        row.params.iter().map(|param| format!("{} {}", param.name, type_name(param.value_type, "str")));
    facts.add_stated(about("params"), joined(params));
    facts
        .add_stated(about("returns"), row.returns.map_or("", |returns| type_name(returns, "str")).to_owned());
    refusals(facts, &about, row.refusals);
}

fn event(facts: &mut Facts, row: &Event) {
    let about = |key: &str| format!("event {}: {key}", row.name);
    let fields = row.fields.iter().map(|field| {
        let direction = match field.direction {
            Direction::In => "in",
            Direction::InOut => "in-out",
        };
        format!("{} {} {direction}", field.name, type_name(field.value_type, "str"))
    });
    facts.add_stated(about("params"), joined(fields));
    let choices = row.fields.iter().flat_map(|field| {
        let numbers = field.numbers.iter().map(|choice| format!("{} {}", field.name, choice.number));
        numbers.chain(field.words.iter().map(|choice| format!("{} {}", field.name, choice.word)))
    });
    facts.add_stated(about("choices"), sorted(choices));
}

fn setting(facts: &mut Facts, row: &Setting) {
    let about = |key: &str| format!("setting {} {}: {key}", row.group, row.name);
    facts.add(about("type"), type_name(row.value.value_type(), "string"));
    let index = row.index.map(|index| match index {
        Index::ChannelId => "ChannelId",
        Index::ConnectionId => "ConnectionId",
    });
    facts.add_stated(about("index"), index.unwrap_or_default().to_owned());
    if row.access != Access::ReadWrite {
        facts.add(about("access"), access(row.access));
    }
    value(facts, &about, &row.value);
    platforms(facts, &about, row.platforms);
    facts.add_stated(about("alias"), row.mirrors.unwrap_or_default().to_owned());
    refusals(facts, &about, row.refusals);
    facts.add_stated(about("sets"), effects(row.effects));
}

fn store_type(facts: &mut Facts, row: &StoreType) {
    let about = |key: &str| format!("store type {}: {key}", row.number);
    facts.add(about("token"), row.token);
    let (holds, encodings) = match row.holds {
        Holds::SystemStore => ("name", ""),
        Holds::File => ("file", ""),
        Holds::Blob(Encoding::NotStated) => ("blob", ""),
        Holds::Blob(Encoding::Binary) => ("blob", "binary"),
        Holds::Blob(Encoding::BinaryOrBase64) => ("blob", "base64, binary"),
        Holds::Anything => ("any", ""),
    };
    facts.add(about("holds"), holds);
    facts.add_stated(about("encodings"), encodings.to_owned());
    platforms(facts, &about, row.platforms);
}

fn algorithms(facts: &mut Facts) {
    for (kind, member, words) in [
        ("compression", "ssh_compression_algorithms", COMPRESSION),
        ("encryption", "ssh_encryption_algorithms", ENCRYPTION),
        ("kex", "SSHKeyExchangeAlgorithms", KEX),
        ("mac", "SSHMacAlgorithms", MAC),
        ("signature", "SSHPubKeyAuthSigAlgorithms", PUBLIC_KEY_SIGNATURE),
        ("host_key", "SSHPublicKeyAlgorithms", HOST_KEY),
    ] {
        let default = default_list(&words);
        facts.add(format!("default list {kind} {member}"), default.join(","));
        for name in words.supported {
            facts.add(format!("algorithm {kind} {name}"), default.contains(name).to_string());
        }
    }
    for (kind, names) in [("signed_key", SIGNED_KEY), ("strict_kex", STRICT_KEX)] {
        for name in names {
            facts.add(format!("algorithm {kind} {name}"), "false");
        }
    }
}

fn default_list(words: &Words) -> &'static [&'static str] {
    match words.default {
        Initial::Is(list) => list,
        Initial::NotStated | Initial::PerPlatform(_) => panic!("a list has one default"),
    }
}

/// Default, choices, range, unit, lines: what belongs to a value.
fn value(facts: &mut Facts, about: &impl Fn(&str) -> String, value: &Value) {
    match value {
        Value::Bool(initial) => default(facts, about, initial, bool::to_string),
        Value::Int(initial, _) => default(facts, about, initial, i64::to_string),
        Value::Text(initial) | Value::Bytes(initial) | Value::Word(initial, _) => {
            default(facts, about, initial, |text| format!("{text:?}"));
        }
        Value::List(words) => default(facts, about, &words.default, |list| format!("{:?}", list.join(","))),
        Value::Lines(labels) => facts.add(about("lines"), labels.join(", ")),
    }
    // A word is its own token.
    let words = if let Value::Word(_, words) = value { *words } else { &[] };
    let numbers = value
        .choices()
        .iter()
        .map(|choice| format!("{} {}", choice.number, choice.token).trim_end().to_owned());
    if !is_store_type(value) {
        facts.add_stated(
            about("choices"),
            sorted(numbers.chain(words.iter().map(|choice| format!("{0} {0}", choice.word)))),
        );
    }
    let range = value.range().map(|(low, high)| format!("{}, {}", low.unwrap_or(0), high.unwrap_or(0)));
    facts.add_stated(about("range"), range.unwrap_or_default());
    facts.add_stated(about("unit"), value.unit().map_or("", unit).to_owned());
}

/// Whether the value is one of the store types, which have rows of their own.
fn is_store_type(value: &Value) -> bool {
    let stores = STORE_TYPES.iter().map(|row| (row.number, row.token));
    value.choices().iter().map(|choice| (choice.number, choice.token)).eq(stores)
}

fn default<T>(
    facts: &mut Facts,
    about: &impl Fn(&str) -> String,
    initial: &Initial<T>,
    text: impl Fn(&T) -> String,
) {
    match initial {
        Initial::NotStated => {}
        Initial::Is(value) => facts.add(about("default"), text(value)),
        Initial::PerPlatform(values) => {
            facts.add(
                about("defaults"),
                joined(values.iter().map(|(on, value)| format!("{on} {}", text(value)))),
            );
        }
    }
}

fn refusals(facts: &mut Facts, about: &impl Fn(&str) -> String, refusals: &[Refusal]) {
    let codes: BTreeSet<_> = refusals.iter().map(|refusal| refusal.code.to_string()).collect();
    facts.add_stated(about("refused"), sorted(codes.into_iter()));
    let when: BTreeSet<_> = refusals
        .iter()
        .filter_map(|refusal| match refusal.when {
            Refused::WhileConnected => Some("before-connect".to_owned()),
            Refused::WhileListening => Some("before-listen".to_owned()),
            _ => None,
        })
        .collect();
    facts.add_stated(about("when"), sorted(when.into_iter()));
}

fn platforms(facts: &mut Facts, about: &impl Fn(&str) -> String, platforms: Platforms) {
    let names = |list: &[Platform]| sorted(list.iter().map(Platform::to_string));
    let (only, except) = match platforms {
        Platforms::All => (String::new(), String::new()),
        Platforms::Only(platform) => (platform.to_string(), String::new()),
        Platforms::Except(list) => (String::new(), names(list)),
        Platforms::OnlyExcept(platform, list) => (platform.to_string(), names(list)),
    };
    facts.add_stated(about("platform"), only);
    facts.add_stated(about("not_on"), except);
}

fn effects(effects: &[Effect]) -> String {
    let literal = |literal: Literal| match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
    };
    joined(effects.iter().map(|effect| {
        let on = effect.on.map_or("any".to_owned(), literal);
        format!("{on} {} {}", effect.member, literal(effect.becomes))
    }))
}

fn type_name(value_type: Type, text: &'static str) -> &'static str {
    match value_type {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Text => text,
        Type::Bytes => "bytes",
    }
}

fn access(access: Access) -> &'static str {
    match access {
        Access::ReadWrite => "read-write",
        Access::ReadOnly => "read-only",
        Access::WriteOnly => "write-only",
        Access::Action => "action",
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bits => "bits",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Milliseconds => "milliseconds",
        Unit::Seconds => "seconds",
    }
}

fn wire_type(wire: WireType) -> &'static str {
    match wire {
        WireType::Text | WireType::Hex => "string",
        WireType::Uint32 => "int32",
        WireType::Boolean => "boolean",
        WireType::Mpint => "mpint",
        WireType::Uint64 => "int64",
        WireType::Byte => "byte",
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn sorted(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<_> = parts.collect();
    parts.sort();
    parts.join(", ")
}
