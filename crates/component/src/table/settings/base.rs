use super::{
    Access, Group, Initial, Number, Refusal, Refused, Setting, UNSTATED_BOOL, UNSTATED_TEXT, Unit, Value,
    boolean, int_in,
};
use crate::model::{Platform, Platforms};

pub(super) const ROWS: &[Setting] = &[
    Setting {
        access: Access::ReadOnly,
        ..row("BuildInfo", UNSTATED_TEXT, "Which build of the product this is")
    },
    Setting {
        refusals: &[Refusal { when: Refused::Unencodable, code: 434 }],
        ..row(
            "CodePage",
            Value::Int(Initial::Is(65001), Number::Any),
            "The encoding of names of users, passwords and answers on the wire, and of the server's questions",
        )
    },
    Setting {
        access: Access::ReadOnly,
        ..row(
            "LicenseInfo",
            Value::Lines(&["Product", "Product Key", "License Source", "License Type", "Last Valid Build"]),
            "By which licence the product may be used",
        )
    },
    row(
        "MaskSensitive",
        boolean(true),
        "Whether passwords, answers and tokens are hidden in the log, where it shows bytes",
    ),
    row(
        "ProcessIdleEvents",
        boolean(true),
        "Whether events are also delivered while the main thread is idle",
    ),
    row(
        "SelectWaitMillis",
        int_in(20, Unit::Milliseconds),
        "How long `do_events` waits where there is no event",
    ),
    Setting {
        platforms: Platforms::Only(Platform::Windows),
        ..row("UseFIPSCompliantAPI", UNSTATED_BOOL, "Whether cryptography is that of a validated module")
    },
    row(
        "UseInternalSecurityAPI",
        Value::Bool(Initial::PerPlatform(&[
            (Platform::Windows, false),
            (Platform::Linux, true),
            (Platform::MacOs, true),
        ])),
        "Whether cryptography is our own rather than the system's",
    ),
];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Setting {
    super::row(Group::Base, name, value, doc)
}
