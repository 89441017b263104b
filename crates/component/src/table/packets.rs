//! What `set_ssh_param` writes and `get_ssh_param` reads.

use crate::model::{PacketField, WireType};

/// The types of fields, by the letters that stand for them.
pub const PARAM_TYPES: &[(&str, WireType)] = &[
    ("s", WireType::Text),
    ("sb", WireType::Hex),
    ("m", WireType::Mpint),
    ("i", WireType::Uint32),
    ("l", WireType::Uint64),
    ("b", WireType::Byte),
    ("f", WireType::Boolean),
];

/// The fields known by name, in the order in which they stand in the packet (RFC 4254 sections 5.4, 6 and 8).
pub const PACKET_FIELDS: &[PacketField] = &[
    field("", "ChannelId", WireType::Uint32),
    field("", "RequestType", WireType::Text),
    field("", "WantsReply", WireType::Boolean),
    field("pty-req", "TerminalType", WireType::Text),
    field("pty-req", "TerminalWidthCharacters", WireType::Uint32),
    field("pty-req", "TerminalHeightRows", WireType::Uint32),
    field("pty-req", "TerminalWidthPixels", WireType::Uint32),
    field("pty-req", "TerminalHeightPixels", WireType::Uint32),
    field("pty-req", "TerminalModes", WireType::Text),
    field("x11-req", "SingleConnection", WireType::Boolean),
    field("x11-req", "X11AuthProtocol", WireType::Text),
    field("x11-req", "X11AuthCookie", WireType::Text),
    field("x11-req", "X11ScreenNumber", WireType::Uint32),
    field("env", "VariableName", WireType::Text),
    field("env", "VariableValue", WireType::Text),
    field("exec", "Command", WireType::Text),
    field("subsystem", "Subsystem", WireType::Text),
    field("xon-xoff", "ClientCanDo", WireType::Boolean),
    field("signal", "SignalName", WireType::Text),
];

const fn field(request: &'static str, name: &'static str, wire: WireType) -> PacketField {
    PacketField { request, name, wire }
}
