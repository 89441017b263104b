//! The message table against the RFCs and against itself.

use std::collections::BTreeSet;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use underpass_wire::*;

use crate::samples::{contexts, encoded, pool, samples};

fn row(name: &str) -> &'static MessageInfo {
    TABLE.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), TABLE.len());
}

#[test]
fn every_message_is_legal_in_some_phase() {
    for row in TABLE {
        let phases = [Phases::FIRST_KEX, Phases::SERVICE, Phases::AUTH, Phases::OPEN, Phases::REKEY];
        assert!(phases.iter().any(|&phase| row.phases.contains(phase)), "{}", row.name);
    }
}

#[test]
fn no_two_rows_share_a_number_in_one_context() {
    for context in contexts() {
        for number in 0..=u8::MAX {
            let applying = TABLE.iter().filter(|row| row.number.0 == number && row.applies_in(context));
            let names: Vec<_> = applying.map(|row| row.name).collect();
            assert!(names.len() < 2, "{context:?}: {names:?}");
            assert_eq!(lookup(number, context).map(|row| row.name), names.first().copied());
        }
    }
}

#[test]
fn every_row_is_found_in_some_context_and_decodes_to_its_own_message() {
    let pool = pool().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let mut met = BTreeSet::new();
    for (context, message) in samples(&pool) {
        let payload = encoded(&message);
        let decoded = Message::decode(&payload, context).unwrap();
        assert_eq!(std::mem::discriminant(&decoded), std::mem::discriminant(&message));
        let row = lookup(payload[0], context).unwrap();
        assert_eq!(decoded.number(), row.number);
        met.insert(row.name);
    }
    let all: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(met, all);
}

#[test]
fn context_is_asked_for_where_rfc_4250_reserves_numbers_for_methods() {
    // RFC 4250 section 4.1.2.
    for row in TABLE {
        assert_eq!(row.kex.is_some(), (30..=49).contains(&row.number.0), "{}", row.name);
        assert_eq!(row.auth.is_some(), (60..=79).contains(&row.number.0), "{}", row.name);
    }
}

#[test]
fn only_generic_transport_messages_and_kex_are_legal_during_a_later_key_exchange() {
    // RFC 4253 section 7.1.
    for row in TABLE {
        let number = row.number.0;
        let service = matches!(row.number, Number::SERVICE_REQUEST | Number::SERVICE_ACCEPT);
        let kex_init = row.number == Number::KEXINIT;
        // RFC 8308 gives EXT_INFO and NEWCOMPRESS places of their own.
        let placed = matches!(row.number, Number::EXT_INFO | Number::NEWCOMPRESS);
        let allowed = (1..=49).contains(&number) && !service && !kex_init && !placed;
        assert_eq!(row.phases.contains(Phases::REKEY), allowed, "{}", row.name);
    }
}

#[test]
fn before_the_first_keys_nothing_of_higher_layers_is_legal() {
    for row in TABLE.iter().filter(|row| row.phases.contains(Phases::FIRST_KEX)) {
        assert!(row.number.0 < 50, "{}", row.name);
    }
    assert!(!row("SSH_MSG_SERVICE_REQUEST").phases.contains(Phases::FIRST_KEX));
    assert!(!row("SSH_MSG_EXT_INFO").phases.contains(Phases::FIRST_KEX));
}

#[test]
fn connection_messages_are_legal_only_after_authentication() {
    for row in TABLE.iter().filter(|row| (80..=127).contains(&row.number.0)) {
        assert_eq!((row.phases, row.direction), (Phases::OPEN, Direction::Both), "{}", row.name);
    }
}

#[test]
fn authentication_ends_with_success_but_requests_may_cross_it() {
    assert_eq!(row("SSH_MSG_USERAUTH_SUCCESS").phases, Phases::AUTH);
    assert_eq!(row("SSH_MSG_USERAUTH_BANNER").phases, Phases::AUTH);
    assert_eq!(row("SSH_MSG_USERAUTH_REQUEST").phases, Phases::AUTH.union(Phases::OPEN));
}

#[test]
fn a_key_exchange_starts_in_any_phase_and_its_steps_belong_to_it() {
    let init = row("SSH_MSG_KEXINIT").phases;
    for phase in [Phases::FIRST_KEX, Phases::SERVICE, Phases::AUTH, Phases::OPEN] {
        assert!(init.contains(phase));
    }
    for row in TABLE.iter().filter(|row| (21..=49).contains(&row.number.0)) {
        assert_eq!(row.phases, Phases::FIRST_KEX.union(Phases::REKEY), "{}", row.name);
    }
}

#[test]
fn only_one_side_sends_what_has_one_sender() {
    use Direction::{Both, ClientToServer, ServerToClient};
    let expected = [
        ("SSH_MSG_SERVICE_REQUEST", ClientToServer),
        ("SSH_MSG_SERVICE_ACCEPT", ServerToClient),
        ("SSH_MSG_KEX_ECDH_INIT", ClientToServer),
        ("SSH_MSG_KEX_ECDH_REPLY", ServerToClient),
        ("SSH_MSG_KEX_DH_GEX_REQUEST", ClientToServer),
        ("SSH_MSG_KEX_DH_GEX_GROUP", ServerToClient),
        ("SSH_MSG_KEXGSS_CONTINUE", Both),
        ("SSH_MSG_USERAUTH_REQUEST", ClientToServer),
        ("SSH_MSG_USERAUTH_SUCCESS", ServerToClient),
        ("SSH_MSG_USERAUTH_INFO_REQUEST", ServerToClient),
        ("SSH_MSG_USERAUTH_INFO_RESPONSE", ClientToServer),
        ("SSH_MSG_USERAUTH_GSSAPI_TOKEN", Both),
        ("SSH_MSG_NEWKEYS", Both),
    ];
    for (name, direction) in expected {
        assert_eq!(row(name).direction, direction, "{name}");
    }
}

#[test]
fn numbers_are_those_of_the_rfcs() {
    let expected = [
        (1, "SSH_MSG_DISCONNECT"),
        (20, "SSH_MSG_KEXINIT"),
        (34, "SSH_MSG_KEX_DH_GEX_REQUEST"),
        (41, "SSH_MSG_KEXGSS_GROUP"),
        (53, "SSH_MSG_USERAUTH_BANNER"),
        (66, "SSH_MSG_USERAUTH_GSSAPI_MIC"),
        (82, "SSH_MSG_REQUEST_FAILURE"),
        (90, "SSH_MSG_CHANNEL_OPEN"),
        (100, "SSH_MSG_CHANNEL_FAILURE"),
        (192, "SSH_MSG_PING"),
    ];
    for (number, name) in expected {
        assert_eq!(row(name).number, Number(number), "{name}");
    }
}

#[test]
fn numbers_are_shown_by_name() {
    assert_eq!(Number::KEXINIT.to_string(), "SSH_MSG_KEXINIT");
    assert_eq!(Number(41).to_string(), "SSH_MSG_KEXGSS_GROUP");
    assert_eq!(Number(99).to_string(), "SSH_MSG_CHANNEL_SUCCESS");
    assert_eq!(Number(250).to_string(), "message 250");
    assert_eq!(format!("{:?}", Number(21)), "Number(21 SSH_MSG_NEWKEYS)");
    assert_eq!(
        Number(61).to_string(),
        "SSH_MSG_USERAUTH_INFO_RESPONSE/SSH_MSG_USERAUTH_GSSAPI_TOKEN",
        "the number alone does not say"
    );
    let context = Context { auth: Some(AuthMethod::GssapiWithMic), ..Context::default() };
    assert_eq!(Number(61).name_in(context), Some("SSH_MSG_USERAUTH_GSSAPI_TOKEN"));
    assert_eq!(Number(61).name_in(Context::default()), None);
}

#[test]
fn phases_are_sets() {
    let both = Phases::AUTH.union(Phases::OPEN);
    assert!(both.contains(Phases::AUTH) && both.contains(Phases::NONE) && !both.contains(Phases::REKEY));
    assert!(!Phases::AUTH.contains(both));
    assert_eq!(format!("{both:?}"), r#"{"AUTH", "OPEN"}"#);
}
