//! The events.

use super::settings::LOG_LEVELS;
use crate::model::{Choice, Direction, Event, Field, Type, WordChoice};

/// Every event.
pub const EVENTS: &[Event] = &[
    Event {
        name: "on_connected",
        fields: &[
            CONNECTION_ID,
            int("status_code", "0, or the code of the error"),
            text("description", "`OK`, or what the error means"),
        ],
        doc: "A connection was made, or could not be",
    },
    Event {
        name: "on_connection_request",
        fields: &[
            text("address", "where the client comes from"),
            int("port", "its port there"),
            Field { direction: Direction::InOut, ..boolean("accept", "whether the client is let in") },
        ],
        doc: "A client wants to connect",
    },
    Event {
        name: "on_data_in",
        fields: &[
            CONNECTION_ID,
            Field { value_type: Type::Bytes, ..text("text", "the data, without the end of line") },
            boolean("eol", "whether an end of line was found behind the data; true where none is looked for"),
        ],
        doc: "Data has come from a client; or, with `ChannelDataEOL` and `MaxChannelDataLength` set, from its target",
    },
    Event {
        name: "on_disconnected",
        fields: &[
            Field {
                doc: "the number of the client's connection, or -1 for the one to the server",
                ..CONNECTION_ID
            },
            int("status_code", "0, or the code of the error"),
            text("description", "`OK`, or what the error means"),
        ],
        doc: "A connection has ended",
    },
    Event {
        name: "on_error",
        fields: &[
            CONNECTION_ID,
            int("error_code", "the code of the error"),
            text("description", "what it means"),
        ],
        doc: "Something went wrong that no call can report",
    },
    Event {
        name: "on_log",
        fields: &[
            Field { numbers: LOG_LEVELS, ..int("log_level", "how much detail it is") },
            text("message", "the line"),
            text("log_type", "not used yet"),
        ],
        doc: "There is a line for the log",
    },
    Event {
        name: "on_reconnect_attempt",
        fields: &[
            text("host", "the server"),
            int("port", "its port"),
            int("retry_count", "which attempt this is, from 1"),
            int("retries_remaining", "how many may follow, or -1 for any number"),
            int("max_retry_count", "`MaxRetryCount`"),
            int("retry_interval", "`RetryInterval`, in seconds"),
            Field { numbers: RETRY_TYPES, ..int("retry_type", "what is made anew") },
            int(
                "remote_listening_port",
                "the server's port of a reverse tunnel, where the tunnel is made anew",
            ),
            Field { direction: Direction::InOut, ..boolean("cancel", "true to give up") },
        ],
        doc: "A broken connection is about to be made anew",
    },
    Event {
        name: "on_ssh_custom_auth",
        fields: &[Field {
            direction: Direction::InOut,
            ..text("packet", "the server's last packet in hexadecimal; the answer, likewise")
        }],
        doc: "The program's own authentication is to answer the server",
    },
    Event {
        name: "on_ssh_keyboard_interactive",
        fields: &[
            text("name", "what the server calls the method"),
            text("instructions", "what the server wants the user to know"),
            text("prompt", "the question"),
            Field { direction: Direction::InOut, ..text("response", "the answer") },
            boolean("echo_response", "whether the user may see what is typed"),
        ],
        doc: "The server asks the user something",
    },
    Event {
        name: "on_ssh_server_authentication",
        fields: &[
            Field { value_type: Type::Bytes, ..text("host_key", "the key, as SSH writes it") },
            text("fingerprint", "its fingerprint in hexadecimal, by `SSHFingerprintHashAlgorithm`"),
            Field { words: KEY_ALGORITHMS, ..text("key_algorithm", "the algorithm of the key") },
            text("cert_subject", "the subject of the key's X.509 certificate"),
            text("cert_issuer", "its issuer"),
            text("status", "not used yet"),
            Field { direction: Direction::InOut, ..boolean("accept", "whether this is the right server") },
        ],
        doc: "The server has shown its key",
    },
    Event {
        name: "on_ssh_status",
        fields: &[text("message", "what happens")],
        doc: "The connection makes progress",
    },
];

const CONNECTION_ID: Field = int("connection_id", "the number of the client's connection");

const RETRY_TYPES: &[Choice] = &[
    Choice { number: 0, token: "SSH", doc: "the connection to the server" },
    Choice { number: 1, token: "Tunnel", doc: "the tunnel in it" },
];

const KEY_ALGORITHMS: &[WordChoice] = &[
    word("ssh-rsa", "RSA with SHA-1"),
    word("ssh-dss", "DSA"),
    word("rsa-sha2-256", "RSA with SHA-256"),
    word("rsa-sha2-512", "RSA with SHA-512"),
    word("x509v3-sign-rsa", "an X.509 certificate with RSA"),
    word("x509v3-sign-dss", "an X.509 certificate with DSA"),
    word("ecdsa-sha2-nistp256", "ECDSA on P-256"),
    word("ecdsa-sha2-nistp384", "ECDSA on P-384"),
    word("ecdsa-sha2-nistp521", "ECDSA on P-521"),
];

const fn word(word: &'static str, doc: &'static str) -> WordChoice {
    WordChoice { word, doc }
}

const fn field(name: &'static str, value_type: Type, doc: &'static str) -> Field {
    Field { name, value_type, direction: Direction::In, numbers: &[], words: &[], doc }
}

const fn text(name: &'static str, doc: &'static str) -> Field {
    field(name, Type::Text, doc)
}

const fn int(name: &'static str, doc: &'static str) -> Field {
    field(name, Type::Int, doc)
}

const fn boolean(name: &'static str, doc: &'static str) -> Field {
    field(name, Type::Bool, doc)
}
