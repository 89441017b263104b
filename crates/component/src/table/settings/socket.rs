use super::{Group, Setting, UNSTATED_TEXT, Unit, Value, boolean, unstated_in};

pub(super) const ROWS: &[Setting] = &[
    row("AbsoluteTimeout", boolean(false), "Whether timeouts run on while data flows"),
    row("FirewallData", UNSTATED_TEXT, "Lines to add to the request to an HTTP proxy"),
    row("InBufferSize", unstated_in(Unit::Bytes), "The system's buffer for data received"),
    row("OutBufferSize", unstated_in(Unit::Bytes), "The system's buffer for data to be sent"),
];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Setting {
    super::row(Group::Socket, name, value, doc)
}
