use super::{
    Choice, Group, Refusal, Refused, Setting, UNSTATED_INT, Unit, Value, boolean, choice, int_in, one_of,
};

pub(super) const ROWS: &[Setting] = &[
    row("AutoReconnect", one_of(1, RECONNECT), "When the connection to the server is made anew"),
    Setting {
        refusals: &[Refusal { when: Refused::Exhausted, code: 1037 }],
        ..row("MaxRetryCount", UNSTATED_INT, "How often; without limit unless set")
    },
    row("RetryInterval", int_in(5, Unit::Seconds), "How long to wait between attempts"),
    row(
        "ShutdownChannelOnEOF",
        boolean(false),
        "Whether a channel is closed as soon as the target has sent its last byte",
    ),
];

const RECONNECT: &[Choice] = &[
    choice(0, "None", "never"),
    choice(1, "Default", "when it broke"),
    choice(2, "Always", "when it broke, and when the first login fails"),
];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Setting {
    super::row(Group::SshTunnel, name, value, doc)
}
