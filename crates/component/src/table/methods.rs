//! The methods.

use crate::model::{Method, Param, Refusal, Refused, Type};

/// Every method.
pub const METHODS: &[Method] = &[
    Method {
        params: &[text("configuration_string")],
        returns: Some(Type::Text),
        ..row("config", "Sets a setting, `Name=Value`, or reads one, `Name`")
    },
    Method {
        refusals: &[Refusal { when: Refused::Done, code: 104 }, Refusal { when: Refused::Doing, code: 1105 }],
        ..row("connect", "Connects to the server, without logging in")
    },
    Method {
        params: &[text("encoded_packet")],
        returns: Some(Type::Bytes),
        ..row("decode_packet", "Turns the hexadecimal form of a packet into its bytes")
    },
    Method {
        params: &[Param { name: "connection_id", value_type: Type::Int }],
        refusals: &[Refusal { when: Refused::NoSuchClient, code: 126 }],
        ..row("disconnect", "Ends the connection of one client at once")
    },
    row("do_events", "Delivers the events that wait; without any it waits for `SelectWaitMillis`"),
    Method {
        params: &[bytes("packet")],
        returns: Some(Type::Text),
        ..row("encode_packet", "Turns the bytes of a packet into their hexadecimal form")
    },
    Method {
        params: &[bytes("payload"), text("field")],
        returns: Some(Type::Text),
        ..row("get_ssh_param", "Reads a field of a packet as text, by its name or by the types before it")
    },
    Method {
        params: &[bytes("payload"), text("field")],
        returns: Some(Type::Bytes),
        ..row("get_ssh_param_bytes", "Reads a field of a packet as bytes")
    },
    row("reset", "Gives every property its default again"),
    Method {
        params: &[bytes("payload"), text("field_type"), text("field_value")],
        returns: Some(Type::Bytes),
        ..row("set_ssh_param", "Adds a field to the end of a packet")
    },
    row("shutdown", "Listens no more and ends the connection of every client"),
    Method {
        refusals: &[Refusal { when: Refused::Done, code: 104 }],
        ..row("start_listening", "Connects, logs in and accepts clients at `local_port`")
    },
    row("stop_listening", "Accepts no more clients; those that are there stay"),
];

const fn row(name: &'static str, doc: &'static str) -> Method {
    Method { name, params: &[], returns: None, refusals: &[], doc }
}

const fn text(name: &'static str) -> Param {
    Param { name, value_type: Type::Text }
}

const fn bytes(name: &'static str) -> Param {
    Param { name, value_type: Type::Bytes }
}
