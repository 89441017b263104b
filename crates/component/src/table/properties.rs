//! The properties.

use super::{algorithms, settings, stores};
use crate::model::{Access, Choice, Initial, Number, Property, Refusal, Refused, Scope, Unit, Value};

/// Every property.
pub const PROPERTIES: &[Property] = &[
    row(
        "connected",
        boolean(false),
        "Whether there is a connection to the server; setting it is `connect` or the end of it",
    ),
    row("connection_backlog", int(5), "How many clients may wait to be accepted"),
    Property { access: Access::ReadOnly, ..row("client_count", int(0), "How many clients there are") },
    client("client_accept_data", boolean(true), "Whether data is read from the client's connection"),
    Property {
        access: Access::ReadOnly,
        ..client("client_bytes_sent", int(0), "How many bytes of the last `client_data_to_send` are sent")
    },
    client("client_connected", boolean(false), "Whether the client is connected; false ends its connection"),
    Property {
        access: Access::ReadOnly,
        ..client("client_connection_id", text(""), "What identifies the client's connection")
    },
    Property {
        access: Access::WriteOnly,
        refusals: &[Refusal { when: Refused::WouldBlock, code: 10035 }],
        ..client("client_data_to_send", bytes(""), "Sends these bytes")
    },
    client(
        "client_eol",
        bytes(""),
        "What ends a line of the client's data; without it data is told of as it comes",
    ),
    client(
        "client_idle_timeout",
        seconds(0),
        "After how long without data the client is disconnected; 0 for never",
    ),
    Property {
        access: Access::ReadOnly,
        ..client(
            "client_local_address",
            text(""),
            "The address of this machine that the client has connected to",
        )
    },
    Property {
        access: Access::ReadOnly,
        ..client("client_ready_to_send", boolean(false), "Whether data would be taken now")
    },
    client(
        "client_record_length",
        Value::Int(Initial::Is(0), Number::In(Unit::Bytes)),
        "How many bytes are told of at a time; 0 for as they come",
    ),
    Property {
        access: Access::ReadOnly,
        ..client("client_remote_host", text(""), "The address the client connects from")
    },
    Property {
        access: Access::ReadOnly,
        ..client("client_remote_port", int(0), "The port the client connects from")
    },
    client(
        "client_single_line_mode",
        boolean(false),
        "Whether CR, LF and CRLF each end a line of the client's data, whatever `client_eol` is",
    ),
    client(
        "client_timeout",
        seconds(0),
        "How long sending to the client may take without progress; 0 does not wait",
    ),
    client("client_user_data", bytes(""), "Whatever the program wants to keep with the client"),
    row("default_eol", bytes(""), "`client_eol` of new clients"),
    row("default_single_line_mode", boolean(false), "`client_single_line_mode` of new clients"),
    row("default_timeout", seconds(0), "`client_timeout` of new clients"),
    row(
        "firewall_auto_detect",
        boolean(false),
        "Whether the proxy of the system's settings is used: of the environment's variables, or of the desktop",
    ),
    Property {
        effects: settings::FIREWALL_PORTS,
        ..row(
            "firewall_type",
            Value::Int(Initial::Is(0), Number::OneOf(FIREWALL_TYPES)),
            "Which kind of proxy leads to the server",
        )
    },
    row("firewall_host", text(""), "The proxy's name or address"),
    row("firewall_password", text(""), "The password for the proxy"),
    row("firewall_port", int(0), "The proxy's port"),
    row("firewall_user", text(""), "The user at the proxy"),
    row("keep_alive", boolean(false), "Whether TCP finds out that clients are gone"),
    row("linger", boolean(true), "Whether what is to be sent is sent before a client's connection is closed"),
    row(
        "listening",
        boolean(false),
        "Whether clients are accepted; setting it is `start_listening` or `stop_listening`",
    ),
    Property {
        refusals: &[
            Refusal { when: Refused::WhileConnected, code: 1119 },
            Refusal { when: Refused::WhileListening, code: 107 },
        ],
        ..row("local_host", text(""), "The address of this machine to listen at and connect from")
    },
    Property {
        refusals: &[
            Refusal { when: Refused::WhileConnected, code: 106 },
            Refusal { when: Refused::WhileListening, code: 106 },
        ],
        ..row("local_port", int(0), "The port to listen at; 0 picks a free one, which can then be read")
    },
    row(
        "ssh_accept_server_host_key_encoded",
        bytes(""),
        "The server's key that is accepted, in PEM or base64",
    ),
    row("ssh_auth_mode", Value::Int(Initial::Is(2), Number::OneOf(AUTH_MODES)), "How to log in"),
    row(
        "ssh_cert_encoded",
        bytes(""),
        "The certificate to log in with, in PEM or base64; its key is found in the store",
    ),
    row(
        "ssh_cert_store",
        bytes("MY"),
        "The store of the key to log in with: its name, a file or the content",
    ),
    row("ssh_cert_store_password", text(""), "The password of the store, or the PIN of the token"),
    row(
        "ssh_cert_store_type",
        Value::Int(Initial::Is(0), Number::OneOf(&STORE_CHOICES)),
        "What kind of store it is",
    ),
    row(
        "ssh_cert_subject",
        text(""),
        "The subject of the certificate; setting it finds one in the store, `*` any",
    ),
    row(
        "ssh_compression_algorithms",
        Value::List(algorithms::COMPRESSION),
        "The compressions offered, best first",
    ),
    row("ssh_encryption_algorithms", Value::List(algorithms::ENCRYPTION), "The ciphers offered, best first"),
    Property {
        refusals: HOST,
        ..row(
            "ssh_forward_host",
            text(""),
            "The target, as seen from the server; without it each client names its own",
        )
    },
    Property { refusals: PORT, ..row("ssh_forward_port", port(0), "The target's port") },
    Property { refusals: HOST, ..row("ssh_host", text(""), "The server's name or address") },
    row("ssh_password", text(""), "The password to log in with"),
    Property { refusals: PORT, ..row("ssh_port", port(22), "The server's port") },
    row("ssh_user", text(""), "The user to log in as"),
];

/// Kinds of proxies.
const FIREWALL_TYPES: &[Choice] = &[
    choice(0, "fwNone", "none"),
    choice(1, "fwTunnel", "HTTP with CONNECT"),
    choice(2, "fwSOCKS4", "SOCKS 4"),
    choice(3, "fwSOCKS5", "SOCKS 5"),
    choice(10, "fwSOCKS4A", "SOCKS 4a, which looks up names"),
];

const AUTH_MODES: &[Choice] = &[
    choice(0, "amNone", "not at all"),
    choice(1, "amMultiFactor", "with one method after the other, as long as the server asks for more"),
    choice(2, "amPassword", "with `ssh_password`"),
    choice(3, "amPublicKey", "with the key of the `ssh_cert` properties"),
    choice(4, "amKeyboardInteractive", "with answers to questions of the server"),
    choice(5, "amGSSAPIWithMic", "with Kerberos, after the key exchange"),
    choice(6, "amCustom", "with packets that the program makes"),
    choice(7, "amGSSAPIKeyex", "with Kerberos, in the key exchange"),
];

const STORE_CHOICES: [Choice; stores::STORE_TYPES.len()] = {
    let mut choices = [choice(0, "", ""); stores::STORE_TYPES.len()];
    let mut at = 0;
    while at < choices.len() {
        let store = stores::STORE_TYPES[at];
        choices[at] = choice(store.number, store.token, store.doc);
        at += 1;
    }
    choices
};

const HOST: &[Refusal] =
    &[Refusal { when: Refused::WhileConnected, code: 101 }, Refusal { when: Refused::BadValue, code: 102 }];

const PORT: &[Refusal] =
    &[Refusal { when: Refused::WhileConnected, code: 100 }, Refusal { when: Refused::BadValue, code: 116 }];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Property {
    let (scope, access) = (Scope::Component, Access::ReadWrite);
    Property { name, scope, value, access, refusals: &[], effects: &[], doc }
}

const fn client(name: &'static str, value: Value, doc: &'static str) -> Property {
    Property { scope: Scope::Client, ..row(name, value, doc) }
}

const fn choice(number: i64, token: &'static str, doc: &'static str) -> Choice {
    Choice { number, token, doc }
}

const fn boolean(initial: bool) -> Value {
    Value::Bool(Initial::Is(initial))
}

const fn int(initial: i64) -> Value {
    Value::Int(Initial::Is(initial), Number::Any)
}

const fn seconds(initial: i64) -> Value {
    Value::Int(Initial::Is(initial), Number::In(Unit::Seconds))
}

/// What a connection needs; a default outside is "not set".
const fn port(initial: i64) -> Value {
    Value::Int(Initial::Is(initial), Number::Between(Some(1), Some(65535)))
}

const fn text(initial: &'static str) -> Value {
    Value::Text(Initial::Is(initial))
}

const fn bytes(initial: &'static str) -> Value {
    Value::Bytes(Initial::Is(initial))
}
