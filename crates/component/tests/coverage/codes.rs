//! Which test comes by which error, and why the others do not come up.

use underpass_component::table::ERRORS;

use crate::{SOURCES, tests_in};

/// Codes, and a test that sees each.
const SEEN: &[(u16, &str)] = &[
    (100, "members_that_the_connection_depends_on_may_not_change"),
    (101, "members_that_the_connection_depends_on_may_not_change"),
    (102, "what_is_missing_is_said"),
    (104, "listening_twice_is_refused"),
    (106, "local_members_mirror_each_other"),
    (107, "local_members_mirror_each_other"),
    (108, "members_that_the_connection_depends_on_may_not_change"),
    (112, "members_that_the_connection_depends_on_may_not_change"),
    (116, "half_a_target_is_refused"),
    (126, "a_client_is_disconnected"),
    (201, "connecting_takes_only_so_long"),
    (211, "every_call_from_every_handler_returns"),
    (212, "after_the_end_members_answer"),
    (213, "members_that_the_connection_depends_on_may_not_change"),
    (302, "a_store_that_is_not_there_is_told"),
    (434, "a_password_is_sent_in_the_code_page"),
    (1001, "a_server_that_is_gone_is_told"),
    (1002, "a_server_of_another_version_is_refused"),
    (1003, "strictness_is_negotiated_told_and_required"),
    (1005, "a_list_needs_a_name_that_is_known"),
    (1012, "a_key_is_found_by_its_subject"),
    (1030, "nobody_is_believed_by_default"),
    (1032, "a_wrong_password_is_told_and_leaves_nothing"),
    (1036, "a_proxy_that_is_not_there_is_told"),
    (1037, "attempts_end_where_they_are_limited"),
    (1039, "a_server_that_is_silent_is_given_up"),
    (1105, "one_attempt_to_connect_is_made_at_a_time"),
    (1119, "local_members_mirror_each_other"),
    (1201, "a_target_that_refuses_is_told"),
    (10022, "what_cannot_be_is_refused_and_changes_nothing"),
    (10035, "a_client_that_does_not_read_would_block"),
    (10048, "a_port_that_is_taken_is_told"),
    (10049, "an_address_of_another_machine_is_not_listened_at"),
    (10053, "shutting_down_ends_an_attempt_to_connect"),
    (10054, "a_client_that_resets_is_told"),
    (10061, "nobody_at_the_address_is_told"),
    (11001, "a_name_that_nobody_has_is_told"),
    (11004, "families_of_addresses_are_chosen"),
];

/// Why the others are not: they take a fault of a peer or of the system that a test cannot bring about everywhere, or
/// nothing here makes them.
const UNSEEN: &[(&[u16], &str)] = &[
    (&[1031, 1034, 1023], "a server that breaks the protocol; the engine's tests have such servers"),
    (&[1020], "the server does not reach a target, which is told as 1201 with the reason behind it"),
    (&[1117, 1120], "a connection that breaks just between two steps of a call"),
    (&[10013, 10051, 10057, 10058, 10060, 10065], "what the system and its network say, passed on"),
    (
        &[1006, 1010, 1011, 1013, 1014, 1015, 1016, 1021, 1022, 1024, 1027, 1033, 1038, 1098],
        "steps that the tunnel's errors do not tell apart: they are 1001, 1003, 1023, 1034 or 1036, with the reason behind it",
    ),
    (&[1130, 1133, 135], "a channel that is full holds its client up, and no call is told"),
    (
        &[1202],
        "data that cannot be forwarded end their connection, which on_disconnected tells with the reason",
    ),
    (&[117], "speaks of a member that this component has not"),
    (&[301], "201 is told"),
];

/// Codes of Windows' sockets that stand in the table for programs that look a text up.
const SYSTEM: std::ops::RangeInclusive<u16> = 10_004..=11_004;

#[test]
fn every_code_is_seen_or_is_said_why_not() {
    let unseen = |code: u16| UNSEEN.iter().any(|(codes, _)| codes.contains(&code));
    for code in ERRORS.iter().map(|row| row.code) {
        let seen = SEEN.iter().filter(|(of, _)| *of == code).count();
        let known = seen + usize::from(unseen(code));
        assert!(known == 1 || known == 0 && SYSTEM.contains(&code), "{code}");
    }
    let codes = SEEN.iter().map(|(code, _)| code).chain(UNSEEN.iter().flat_map(|(codes, _)| *codes));
    for code in codes {
        assert!(ERRORS.iter().any(|row| row.code == *code), "there is no code {code}");
    }
}

#[test]
fn the_tests_of_the_codes_are_there() {
    let tests: Vec<String> =
        SOURCES.iter().flat_map(|source| tests_in(std::path::Path::new(source))).collect();
    for (code, name) in SEEN {
        assert!(tests.iter().any(|test| test == name), "{code}: there is no test {name}");
    }
}
