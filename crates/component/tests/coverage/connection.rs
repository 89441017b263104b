//! Members of the connection to the server.

use crate::Row;

pub(crate) const ROWS: &[Row] = &[
    ("connected", &["assigning_connected_and_listening_acts"]),
    ("ssh_accept_server_host_key_encoded", &["the_key_itself_is_enough_and_another_is_not"]),
    ("ssh_host", &["what_is_missing_is_said", "members_that_the_connection_depends_on_may_not_change"]),
    ("ssh_port", &["nobody_at_the_address_is_told"]),
    ("ssh_password", &["a_wrong_password_is_told_and_leaves_nothing"]),
    ("connect", &["connecting_does_not_log_on_and_listening_does"]),
    ("on_log", &["the_log_has_as_much_detail_as_is_wanted", "packets_that_nobody_fetches_are_counted"]),
    (
        "on_ssh_server_authentication",
        &["the_handler_decides", "a_server_with_an_x509_certificate_is_described"],
    ),
    ("on_ssh_status", &["status_and_log_tell_how_it_goes"]),
    (
        "LogLevel",
        &[
            "the_log_has_as_much_detail_as_is_wanted",
            "the_log_has_packets_and_their_bytes_as_far_as_they_are_wanted",
            "the_log_has_packets_from_the_moment_at_which_they_are_wanted",
        ],
    ),
    ("MaskSensitive", &["the_log_has_packets_and_their_bytes_as_far_as_they_are_wanted"]),
    ("ServerSSHVersionString", &["the_handler_decides"]),
    ("SSHAcceptAnyServerHostKey", &["nobody_is_believed_by_default", "a_fixed_forward_carries"]),
    ("SSHAcceptServerHostKeyFingerPrint", &["a_fingerprint_is_enough"]),
    ("SSHFingerprintHashAlgorithm", &["the_hash_of_the_event_can_be_chosen"]),
    ("SSHFingerprintMD5", &["the_handler_decides"]),
    ("SSHFingerprintSHA1", &["the_handler_decides"]),
    ("SSHFingerprintSHA256", &["the_handler_decides"]),
    (
        "ssh_auth_mode",
        &[
            "the_mode_decides_what_is_tried",
            "several_factors_are_shown_one_after_the_other",
            "kerberos_logs_on",
        ],
    ),
    ("ssh_cert_encoded", &["a_key_is_found_by_its_subject"]),
    ("ssh_cert_store", &["the_mode_decides_what_is_tried"]),
    ("ssh_cert_store_password", &["a_key_is_found_by_its_subject", "a_locked_store_takes_its_password"]),
    ("ssh_cert_subject", &["a_key_is_found_by_its_subject", "without_a_private_key_nothing_is_sent"]),
    (
        "ssh_compression_algorithms",
        &["defaults_are_offered_in_their_order", "lists_that_are_set_are_offered_in_their_order"],
    ),
    (
        "ssh_encryption_algorithms",
        &["defaults_are_offered_in_their_order", "lists_that_are_set_are_offered_in_their_order"],
    ),
    ("ssh_user", &["the_user_is_the_one_that_is_set"]),
    ("decode_packet", &["the_program_logs_on_by_hand"]),
    ("encode_packet", &["the_program_logs_on_by_hand"]),
    ("get_ssh_param", &["the_program_logs_on_by_hand"]),
    ("get_ssh_param_bytes", &["the_program_logs_on_by_hand"]),
    ("set_ssh_param", &["the_program_logs_on_by_hand"]),
    ("on_reconnect_attempt", &["a_broken_connection_is_made_anew", "the_handler_may_end_the_attempts"]),
    ("on_ssh_custom_auth", &["the_program_logs_on_by_hand"]),
    (
        "on_ssh_keyboard_interactive",
        &[
            "a_question_is_answered_by_the_handler_or_with_the_password",
            "each_question_is_asked_and_all_answers_go_together",
        ],
    ),
    (
        "AutoReconnect",
        &[
            "a_broken_connection_stays_broken_if_that_is_wanted",
            "the_first_logon_is_tried_again_if_that_is_wanted",
        ],
    ),
    ("MaxRetryCount", &["attempts_end_where_they_are_limited"]),
    ("RetryInterval", &["attempts_are_as_far_apart_as_is_set"]),
    ("ClientSSHVersionString", &["the_client_calls_itself_what_is_set"]),
    (
        "CodePage",
        &[
            "a_password_is_sent_in_the_code_page",
            "a_users_name_is_sent_in_the_code_page",
            "the_servers_questions_are_in_the_code_page",
        ],
    ),
    ("KeyRenegotiationThreshold", &["keys_are_renewed_after_so_many_bytes"]),
    ("NegotiatedStrictKex", &["strictness_is_negotiated_told_and_required"]),
    ("PasswordPrompt", &["a_question_is_answered_by_the_handler_or_with_the_password"]),
    ("PreferredDHGroupBits", &["a_group_of_the_preferred_size_is_asked_for"]),
    ("SSHKeepAliveCountMax", &["a_server_that_is_silent_is_given_up"]),
    (
        "SSHKeepAliveInterval",
        &["a_server_that_is_silent_is_given_up", "without_probes_a_silent_server_is_not_noticed"],
    ),
    (
        "SSHKeyExchangeAlgorithms",
        &["defaults_are_offered_in_their_order", "lists_that_are_set_are_offered_in_their_order"],
    ),
    ("SSHKeyRenegotiate", &["keys_are_renewed_on_demand"]),
    (
        "SSHMacAlgorithms",
        &["defaults_are_offered_in_their_order", "lists_that_are_set_are_offered_in_their_order"],
    ),
    (
        "SSHPublicKeyAlgorithms",
        &["defaults_are_offered_in_their_order", "lists_that_are_set_are_offered_in_their_order"],
    ),
    ("SSHVersionPattern", &["a_server_of_another_version_is_refused"]),
    (
        "TryAllAvailableAuthMethods",
        &["all_methods_are_tried_if_that_is_wanted", "several_factors_end_with_the_first_refusal"],
    ),
    (
        "UseStrictKeyExchange",
        &[
            "the_strict_key_exchange_is_offered_unless_it_is_disabled",
            "strictness_is_negotiated_told_and_required",
        ],
    ),
    (
        "ssh_cert_store_type",
        &[
            "a_key_out_of_each_kind_of_store_logs_on",
            "a_store_without_a_private_key_is_read_and_logs_nobody_on",
            "a_key_on_a_token_logs_on_with_the_pin",
        ],
    ),
    ("MaxPacketSize", &["the_sizes_of_channels_are_those_that_are_set"]),
    ("MaxWindowSize", &["the_sizes_of_channels_are_those_that_are_set"]),
    ("SignedSSHCert", &["a_certificate_in_a_setting_logs_on_with_its_key"]),
    ("SSHAcceptServerCAKey", &["a_server_is_believed_for_its_authority"]),
    ("SSHPubKeyAuthSigAlgorithms", &["signatures_are_made_as_the_list_has_it"]),
    ("WaitForChannelClose", &["the_server_is_waited_for_at_the_end_as_is_set"]),
    ("WaitForServerDisconnect", &["the_server_is_waited_for_at_the_end_as_is_set"]),
    ("EnablePageantAuth", &["an_agent_signs_if_that_is_wanted"]),
    ("KerberosDelegation", &["credentials_are_delegated_unless_that_is_not_wanted"]),
    ("KerberosRealm", &["kerberos_logs_on"]),
    ("KerberosSPN", &["kerberos_logs_on"]),
];
