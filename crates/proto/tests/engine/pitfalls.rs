//! `pitfalls.md` names tests that exist.

const LIST: &str = include_str!("pitfalls.md");

macro_rules! sources {
    (in $place:literal: $($module:literal),+ $(,)?) => {
        &[$(($module, include_str!(concat!($place, $module, ".rs")))),+]
    };
}

/// Where the tests are that the list names, by what it puts before `::`.
fn sources() -> impl Iterator<Item = (String, &'static str)> {
    let here = HERE.iter().map(|(module, source)| ((*module).to_owned(), *source));
    let crypto = CRYPTO.iter().map(|(module, source)| (format!("crypto/{module}"), *source));
    let beside = BESIDE.iter().map(|(module, source)| ((*module).to_owned(), *source));
    here.chain(crypto).chain(beside)
}

const CRYPTO: &[(&str, &str)] = sources![
    in "../../../crypto/tests/algorithms/":
    "agreement", "chained", "compression", "packets", "signatures",
];

const BESIDE: &[(&str, &str)] = &[
    ("crypto/dh", include_str!("../../../crypto/src/algorithms/dh/tests.rs")),
    ("identification", include_str!("../../src/transport/identification.rs")),
    ("negotiate", include_str!("../../src/negotiate.rs")),
];

const HERE: &[(&str, &str)] = sources![
    in "":
    "authentication",
    "channel_opening",
    "channel_rules",
    "compression",
    "deadlines",
    "demands",
    "floods",
    "flow_control",
    "group_exchange",
    "gss_exchange",
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
    assert!(names.len() > 100, "{}", names.len());
    for (module, test) in names {
        let source = sources().find(|(name, _)| *name == module).map(|(_, source)| source);
        let lines: Vec<_> = source.unwrap_or_default().lines().map(str::trim).collect();
        let function = format!("fn {test}() {{");
        let found = lines.windows(2).any(|pair| pair == ["#[test]", function.as_str()]);
        assert!(found, "{module}::{test} does not exist");
    }
}
