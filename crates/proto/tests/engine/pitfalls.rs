//! `pitfalls.md` names tests that exist.

const LIST: &str = include_str!("pitfalls.md");

macro_rules! sources {
    ($($module:literal),+ $(,)?) => {
        [$(($module, include_str!(concat!($module, ".rs")))),+]
    };
}

const SOURCES: [(&str, &str); 23] = sources![
    "authentication",
    "channel_opening",
    "channel_rules",
    "compression",
    "deadlines",
    "demands",
    "floods",
    "flow_control",
    "group_exchange",
    "half_close",
    "handshake",
    "host_key",
    "keepalive",
    "legality",
    "lifetimes",
    "packets",
    "probe",
    "rekey",
    "remote_forward",
    "remote_serving",
    "streamlocal",
    "strict_kex",
    "transfer",
];

#[test]
fn every_test_that_the_list_names_exists() {
    let names: Vec<_> = LIST.split('`').filter_map(|text| text.split_once("::")).collect();
    assert!(names.len() > 60, "{}", names.len());
    for (module, test) in names {
        let source = SOURCES.iter().find(|(name, _)| *name == module).map(|(_, source)| *source);
        let found = source.is_some_and(|source| source.contains(&format!("#[test]\nfn {test}()")));
        assert!(found, "{module}::{test} does not exist");
    }
}
