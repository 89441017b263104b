use super::{
    Choice, Effect, Group, Initial, Literal, Number, Refusal, Refused, Setting, UNSTATED_BOOL, UNSTATED_INT,
    UNSTATED_TEXT, Unit, Value, boolean, choice, firewall_ports, int, int_in, one_of, unstated_in,
};
use crate::model::{Platform, Platforms};

pub(super) const ROWS: &[Setting] = &[
    row(
        "ConnectionTimeout",
        UNSTATED_INT,
        "How many seconds connecting may take; the general timeout unless set",
    ),
    Setting {
        mirrors: Some("firewall_auto_detect"),
        ..row("FirewallAutoDetect", UNSTATED_BOOL, "Whether the proxy of the system's settings is used")
    },
    Setting {
        mirrors: Some("firewall_host"),
        ..row("FirewallHost", UNSTATED_TEXT, "The proxy's name or address")
    },
    Setting {
        mirrors: Some("firewall_password"),
        ..row("FirewallPassword", UNSTATED_TEXT, "The password for the proxy")
    },
    Setting { mirrors: Some("firewall_port"), ..row("FirewallPort", UNSTATED_INT, "The proxy's port") },
    Setting {
        mirrors: Some("firewall_type"),
        effects: &firewall_ports("FirewallPort"),
        ..row("FirewallType", one_of(0, FIREWALL_TYPES), "Which kind of proxy leads to the server")
    },
    Setting { mirrors: Some("firewall_user"), ..row("FirewallUser", UNSTATED_TEXT, "The user at the proxy") },
    Setting {
        platforms: Platforms::Except(&[Platform::MacOs]),
        effects: KEEP_ALIVE,
        ..row(
            "KeepAliveInterval",
            unstated_in(Unit::Milliseconds),
            "How long TCP waits between probes of the server",
        )
    },
    Setting {
        effects: KEEP_ALIVE,
        ..row(
            "KeepAliveTime",
            unstated_in(Unit::Milliseconds),
            "After how long without data TCP probes the server",
        )
    },
    Setting {
        mirrors: Some("linger"),
        ..row("Linger", boolean(true), "Whether what is to be sent is sent before the connection is closed")
    },
    row(
        "LingerTime",
        int_in(0, Unit::Seconds),
        "How long sending may take at the end; 0 leaves it to the system",
    ),
    Setting {
        mirrors: Some("local_host"),
        // Both codes say it; the first names the setting.
        refusals: &[
            Refusal { when: Refused::WhileConnected, code: 1119 },
            Refusal { when: Refused::WhileConnected, code: 107 },
        ],
        ..row("LocalHost", UNSTATED_TEXT, "The address of this machine to connect from")
    },
    Setting {
        mirrors: Some("local_port"),
        refusals: &[Refusal { when: Refused::WhileConnected, code: 106 }],
        ..row("LocalPort", int(0), "The port of this machine to connect from; 0 picks a free one")
    },
    Setting {
        refusals: &[Refusal { when: Refused::WhileConnected, code: 112 }],
        ..row(
            "MaxLineLength",
            Value::Int(Initial::Is(2048), Number::BetweenIn(Some(256), None, Unit::Bytes)),
            "How much data is kept while no end of line is found",
        )
    },
    row(
        "MaxTransferRate",
        unstated_in(Unit::BytesPerSecond),
        "How fast data is sent at most; without limit unless set",
    ),
    row(
        "ProxyExceptionsList",
        UNSTATED_TEXT,
        "Hosts that are reached without the proxy, separated by semicolons",
    ),
    Setting {
        platforms: Platforms::Except(&[Platform::Java]),
        ..row("TCPKeepAlive", UNSTATED_BOOL, "Whether TCP finds out that the server is gone")
    },
    row("TcpNoDelay", boolean(false), "Whether small pieces of data are sent at once"),
    row("UseIPv6", one_of(0, IP_VERSIONS), "Which addresses of the server are used"),
];

const KEEP_ALIVE: &[Effect] = &[Effect { on: None, member: "TCPKeepAlive", becomes: Literal::Bool(true) }];

const FIREWALL_TYPES: &[Choice] = &[
    choice(0, "", "none"),
    choice(1, "", "HTTP with CONNECT"),
    choice(2, "", "SOCKS 4"),
    choice(3, "", "SOCKS 5"),
    choice(10, "", "SOCKS 4a, which looks up names"),
];

const IP_VERSIONS: &[Choice] = &[
    choice(0, "IPv4 Only", "IPv4"),
    choice(1, "IPv6 Only", "IPv6"),
    choice(2, "IPv6 with IPv4 fallback", "IPv6 before IPv4"),
];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Setting {
    super::row(Group::TcpClient, name, value, doc)
}
