//! The settings, in the six groups under which they are described.

mod base;
mod socket;
mod ssh_client;
mod ssh_tunnel;
mod tcp_client;
mod tcp_server;

use crate::model::{
    Access, Choice, Effect, Group, Initial, Literal, Number, Platforms, Refusal, Refused, Setting, Unit,
    Value, WordChoice,
};

pub(super) use ssh_client::LOG_LEVELS;

/// The settings, a slice for each group.
pub const SETTINGS: &[&[Setting]] =
    &[ssh_tunnel::ROWS, ssh_client::ROWS, tcp_client::ROWS, socket::ROWS, tcp_server::ROWS, base::ROWS];

/// Every setting.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().copied().flatten()
}

/// What the kind of proxy makes of the proxy's port, written as the property; the setting has the same numbers.
pub(super) const FIREWALL_PORTS: &[Effect] = &firewall_ports("firewall_port");

const fn firewall_ports(member: &'static str) -> [Effect; 4] {
    const fn port(member: &'static str, kind: i64, port: i64) -> Effect {
        Effect { on: Some(Literal::Int(kind)), member, becomes: Literal::Int(port) }
    }
    [port(member, 1, 80), port(member, 2, 1080), port(member, 3, 1080), port(member, 10, 1080)]
}

const fn row(group: Group, name: &'static str, value: Value, doc: &'static str) -> Setting {
    Setting {
        group,
        name,
        index: None,
        value,
        access: Access::ReadWrite,
        platforms: Platforms::All,
        mirrors: None,
        refusals: &[],
        effects: &[],
        doc,
    }
}

const fn choice(number: i64, token: &'static str, doc: &'static str) -> Choice {
    Choice { number, token, doc }
}

const fn word(word: &'static str, doc: &'static str) -> WordChoice {
    WordChoice { word, doc }
}

const fn boolean(initial: bool) -> Value {
    Value::Bool(Initial::Is(initial))
}

const fn int(initial: i64) -> Value {
    Value::Int(Initial::Is(initial), Number::Any)
}

const fn int_in(initial: i64, unit: Unit) -> Value {
    Value::Int(Initial::Is(initial), Number::In(unit))
}

const fn unstated_in(unit: Unit) -> Value {
    Value::Int(Initial::NotStated, Number::In(unit))
}

const fn one_of(initial: i64, choices: &'static [Choice]) -> Value {
    Value::Int(Initial::Is(initial), Number::OneOf(choices))
}

const fn text(initial: &'static str) -> Value {
    Value::Text(Initial::Is(initial))
}

const UNSTATED_INT: Value = Value::Int(Initial::NotStated, Number::Any);

const UNSTATED_BOOL: Value = Value::Bool(Initial::NotStated);

const UNSTATED_TEXT: Value = Value::Text(Initial::NotStated);
