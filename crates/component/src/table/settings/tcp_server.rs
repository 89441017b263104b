use super::{
    Access, Choice, Effect, Group, Initial, Literal, Number, Refusal, Refused, Setting, UNSTATED_INT, Unit,
    Value, boolean, choice, int_in, one_of, text, unstated_in,
};
use crate::model::{Index, Platform, Platforms};

pub(super) const ROWS: &[Setting] = &[
    row("AllowedClients", text("*"), "Patterns for hosts that may connect, separated by commas"),
    row("BindExclusively", boolean(true), "Whether nobody else may listen at the port"),
    row("BlockedClients", text(""), "Patterns for hosts that may not connect, separated by commas"),
    Setting {
        index: Some(Index::ConnectionId),
        access: Access::ReadOnly,
        ..row(
            "ConnectionUID",
            UNSTATED_INT,
            "What tells the connection from earlier ones with its number; 0 if there is none",
        )
    },
    row(
        "DefaultConnectionTimeout",
        int_in(0, Unit::Seconds),
        "How long a new client may keep its handshake waiting; 0 for ever",
    ),
    row("InBufferSize", unstated_in(Unit::Bytes), "The system's buffer for data received from clients"),
    Setting {
        platforms: Platforms::Except(&[Platform::MacOs]),
        ..row(
            "KeepAliveInterval",
            unstated_in(Unit::Milliseconds),
            "How long TCP waits between probes of a client",
        )
    },
    Setting {
        platforms: Platforms::OnlyExcept(Platform::Unix, &[Platform::MacOs, Platform::FreeBsd]),
        effects: &[Effect { on: None, member: "TCPKeepAlive", becomes: Literal::Bool(true) }],
        ..row(
            "KeepAliveRetryCount",
            UNSTATED_INT,
            "After how many probes without an answer a client counts as gone",
        )
    },
    row("KeepAliveTime", unstated_in(Unit::Milliseconds), "After how long without data TCP probes a client"),
    Setting {
        refusals: &[Refusal { when: Refused::WhileListening, code: 108 }],
        ..row(
            "MaxConnections",
            Value::Int(Initial::Is(1000), Number::Between(None, Some(100_000))),
            "How many clients there may be at once",
        )
    },
    row(
        "MaxReadTime",
        int_in(50, Unit::Milliseconds),
        "How long one client is read from before the others; 0 without limit",
    ),
    row("OutBufferSize", unstated_in(Unit::Bytes), "The system's buffer for data to be sent to clients"),
    row("TcpNoDelay", boolean(false), "Whether small pieces of data are sent to clients at once"),
    Setting {
        refusals: LISTENING,
        effects: &[Effect {
            on: Some(Literal::Bool(true)),
            member: "UseWindowsMessages",
            becomes: Literal::Bool(false),
        }],
        ..row("UseIOCP", boolean(false), "Whether Windows' completion ports are used")
    },
    row("UseIPv6", one_of(0, IP_VERSIONS), "Which addresses are listened at"),
    Setting {
        refusals: LISTENING,
        ..row("UseWindowsMessages", boolean(true), "Whether Windows' messages are used")
    },
];

/// The text of this code is what happens; the description names none.
const LISTENING: &[Refusal] = &[Refusal { when: Refused::WhileListening, code: 213 }];

const IP_VERSIONS: &[Choice] = &[
    choice(0, "IPv4 Only", "IPv4"),
    choice(1, "IPv6 Only", "IPv6"),
    choice(2, "IPv6 and IPv4", "IPv4 and IPv6"),
];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Setting {
    super::row(Group::TcpServer, name, value, doc)
}
