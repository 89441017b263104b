//! The bytes of messages, put together by hand from the RFCs' tables of fields.

use underpass_wire::*;

use crate::samples::encoded;

/// A `string` as RFC 4251 section 5 has it.
fn string(contents: impl AsRef<[u8]>) -> Vec<u8> {
    let contents = contents.as_ref();
    let length = u32::try_from(contents.len()).unwrap();
    [&length.to_be_bytes(), contents].concat()
}

fn uint32(value: u32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

fn check<'a>(message: impl Into<Message<'a>>, context: Context, parts: &[Vec<u8>]) {
    let message = message.into();
    let payload = parts.concat();
    assert_eq!(encoded(&message), payload);
    assert_eq!(Message::decode(&payload, context), Ok(message));
}

fn plain() -> Context {
    Context::default()
}

#[test]
fn kexinit_has_a_cookie_ten_lists_a_flag_and_a_reserved_number() {
    let list = |text| NameList::new(text).unwrap();
    let message = KexInit {
        cookie: *b"0123456789abcdef",
        kex_algorithms: list("curve25519-sha256,ext-info-c"),
        server_host_key_algorithms: list("ssh-ed25519"),
        encryption_c2s: list("aes128-ctr"),
        encryption_s2c: list("aes256-ctr"),
        mac_c2s: list("hmac-sha2-256"),
        mac_s2c: list("hmac-sha2-512"),
        compression_c2s: list("none"),
        compression_s2c: list("none,zlib"),
        languages_c2s: NameList::EMPTY,
        languages_s2c: list("de"),
        first_kex_packet_follows: true,
        reserved: 0,
    };
    let lists = [
        "curve25519-sha256,ext-info-c",
        "ssh-ed25519",
        "aes128-ctr",
        "aes256-ctr",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "none",
        "none,zlib",
        "",
        "de",
    ];
    let lists = lists.map(string).concat();
    check(message, plain(), &[vec![20], b"0123456789abcdef".to_vec(), lists, vec![1], uint32(0)]);
}

#[test]
fn disconnect_has_a_code_and_two_texts() {
    let reason = DisconnectReason::BY_APPLICATION;
    let message = Disconnect { reason, description: b"bye", language: b"en" };
    check(message, plain(), &[vec![1], uint32(11), string("bye"), string("en")]);
    assert_eq!(reason.to_string(), "by application");
    assert_eq!(DisconnectReason(99).to_string(), "reason 99");
}

#[test]
fn a_missing_language_reads_as_empty() {
    let disconnect = [vec![1], uint32(2), string("x")].concat();
    let expected = Disconnect { reason: DisconnectReason::PROTOCOL_ERROR, description: b"x", language: b"" };
    assert_eq!(Message::decode(&disconnect, plain()), Ok(expected.into()));

    let failure = [vec![92], uint32(7), uint32(1), string("no")].concat();
    let expected = ChannelOpenFailure {
        recipient: 7,
        reason: OpenFailureReason::ADMINISTRATIVELY_PROHIBITED,
        description: b"no",
        language: b"",
    };
    assert_eq!(Message::decode(&failure, plain()), Ok(expected.into()));
}

#[test]
fn an_ecdh_reply_and_a_dh_reply_share_a_number() {
    let parts = [vec![31], string("K_S"), string([0x01, 0x02]), string("sig")];
    let ecdh = KexEcdhReply { host_key: b"K_S", server_public: &[1, 2], signature: b"sig" };
    check(ecdh, Context { kex: Some(KexFamily::Ecdh), auth: None }, &parts);
    let dh = KexDhReply { host_key: b"K_S", f: Mpint::from_magnitude(&[1, 2]), signature: b"sig" };
    check(dh, Context { kex: Some(KexFamily::Dh), auth: None }, &parts);
}

#[test]
fn mpints_in_messages_have_a_sign_bit() {
    let context = Context { kex: Some(KexFamily::GroupExchange), auth: None };
    let message = KexDhGexGroup { p: Mpint::from_magnitude(&[0xff, 1]), g: Mpint::from_magnitude(&[2]) };
    check(message, context, &[vec![31], string([0, 0xff, 1]), string([2])]);
}

#[test]
fn group_requests_have_the_smallest_the_preferred_and_the_largest_size() {
    let sizes = [2048, 3072, 8192].map(uint32).concat();
    let context = |family| Context { kex: Some(family), auth: None };
    let request = KexDhGexRequest { min: 2048, n: 3072, max: 8192 };
    check(request, context(KexFamily::GroupExchange), &[vec![34], sizes.clone()]);
    let request = KexGssGroupReq { min: 2048, n: 3072, max: 8192 };
    check(request, context(KexFamily::GssGroupExchange), &[vec![40], sizes]);
    let old = KexDhGexRequestOld { n: 3072 };
    check(old, context(KexFamily::GroupExchange), &[vec![30], uint32(3072)]);
}

#[test]
fn gss_errors_have_two_numbers_and_two_texts() {
    let parts = [uint32(1), uint32(2), string("no ticket"), string("en")].concat();
    let error = KexGssError { major: 1, minor: 2, message: b"no ticket", language: b"en" };
    let context = Context { kex: Some(KexFamily::Gss), auth: None };
    check(error, context, &[vec![34], parts.clone()]);
    let error = UserauthGssapiError { major: 1, minor: 2, message: b"no ticket", language: b"en" };
    let context = Context { kex: None, auth: Some(AuthMethod::GssapiWithMic) };
    check(error, context, &[vec![64], parts]);
}

#[test]
fn a_gss_exchange_starts_with_token_and_public_value() {
    let context = Context { kex: Some(KexFamily::Gss), auth: None };
    check(KexGssInit { token: b"t", client_public: b"e" }, context, &[vec![30], string("t"), string("e")]);
}

#[test]
fn a_gss_exchange_completes_with_or_without_a_token() {
    let context = Context { kex: Some(KexFamily::GssGroupExchange), auth: None };
    let without = KexGssComplete { server_public: b"f", mic: b"mic", token: None };
    check(without, context, &[vec![32], string("f"), string("mic"), vec![0]]);
    let with = KexGssComplete { token: Some(b"t"), ..without };
    check(with, context, &[vec![32], string("f"), string("mic"), vec![1], string("t")]);
}

#[test]
fn a_password_request_has_a_false_flag_and_the_password() {
    let method = UserauthMethod::Password { password: Sensitive(b"secret") };
    let message = UserauthRequest { user: b"me", service: "ssh-connection", method };
    let head = [vec![50], string("me"), string("ssh-connection"), string("password")].concat();
    check(message, plain(), &[head.clone(), vec![0], string("secret")]);

    let method = UserauthMethod::PasswordChange { old: Sensitive(b"old"), new: Sensitive(b"new") };
    check(UserauthRequest { method, ..message }, plain(), &[head, vec![1], string("old"), string("new")]);
}

#[test]
fn other_methods_have_their_fields_after_the_name() {
    let mut buffer = Vec::new();
    let request = |method| UserauthRequest { user: b"me", service: "ssh-connection", method };
    let head = |name| [vec![50], string("me"), string("ssh-connection"), string(name)].concat();

    check(request(UserauthMethod::None), plain(), &[head("none")]);
    let query = UserauthMethod::PublicKeyQuery { algorithm: "ssh-ed25519", key: b"key" };
    check(request(query), plain(), &[head("publickey"), vec![0], string("ssh-ed25519"), string("key")]);
    let interactive = UserauthMethod::KeyboardInteractive { language: b"de", submethods: b"pam" };
    check(request(interactive), plain(), &[head("keyboard-interactive"), string("de"), string("pam")]);
    let hostbased = UserauthMethod::HostBased {
        algorithm: "ssh-rsa",
        key: b"key",
        host: "client.example.",
        local_user: "root",
        signature: b"sig",
    };
    let fields = ["ssh-rsa", "key", "client.example.", "root", "sig"].map(string).concat();
    check(request(hostbased), plain(), &[head("hostbased"), fields]);
    check(
        request(UserauthMethod::GssapiKeyex { mic: b"mic" }),
        plain(),
        &[head("gssapi-keyex"), string("mic")],
    );

    let mechanisms = Mechanisms::new([Oid(b"\x06\x01a"), Oid(b"\x06\x01b")], &mut buffer).unwrap();
    let parts = [head("gssapi-with-mic"), uint32(2), string(b"\x06\x01a"), string(b"\x06\x01b")];
    check(request(UserauthMethod::GssapiWithMic { mechanisms }), plain(), &parts);
}

#[test]
fn a_signature_covers_session_and_request() {
    // RFC 4252 sections 7 and 9: the session identifier as a string, then the request up to the signature.
    let head = |name| [vec![50], string("me"), string("ssh-connection"), string(name)].concat();
    let (algorithm, key) = ("ssh-ed25519", b"key");
    let fields = [string(algorithm), string("key")].concat();
    let names = [string("client.example."), string("root")].concat();
    for (method, unsigned) in [
        (
            UserauthMethod::PublicKey { algorithm, key, signature: b"sig" },
            [head("publickey"), vec![1], fields.clone()].concat(),
        ),
        (
            UserauthMethod::HostBased {
                algorithm,
                key,
                host: "client.example.",
                local_user: "root",
                signature: b"sig",
            },
            [head("hostbased"), fields, names].concat(),
        ),
    ] {
        let request = UserauthRequest { user: b"me", service: "ssh-connection", method };
        assert_eq!(encoded(&request), [&unsigned[..], &string("sig")].concat());
        let mut data = Vec::new();
        request.put_signed(b"session", &mut data);
        assert_eq!(data, [string("session"), unsigned].concat());
    }
}

#[test]
fn the_answer_60_means_what_the_method_makes_of_it() {
    let context = |method| Context { kex: None, auth: Some(method) };
    let two_strings = [vec![60], string("ssh-rsa"), string("")];
    check(UserauthPkOk { algorithm: "ssh-rsa", key: b"" }, context(AuthMethod::PublicKey), &two_strings);
    check(
        UserauthPasswdChangereq { prompt: b"ssh-rsa", language: b"" },
        context(AuthMethod::Password),
        &two_strings,
    );
    let unknown = Err(DecodeError::UnknownMessage { number: 60 });
    for method in [AuthMethod::None, AuthMethod::HostBased, AuthMethod::GssapiKeyex] {
        assert_eq!(Message::decode(&two_strings.concat(), context(method)), unknown);
    }
}

#[test]
fn an_info_request_has_prompts_with_an_echo_flag_each() {
    let mut buffer = Vec::new();
    let items = [Prompt { text: b"PIN: ", echo: false }, Prompt { text: b"Name: ", echo: true }];
    let prompts = Prompts::new(items, &mut buffer).unwrap();
    let message = UserauthInfoRequest { name: b"n", instruction: b"i", language: b"", prompts };
    let head = [vec![60], string("n"), string("i"), string("")].concat();
    let body = [uint32(2), string("PIN: "), vec![0], string("Name: "), vec![1]].concat();
    let context = Context { kex: None, auth: Some(AuthMethod::KeyboardInteractive) };
    check(message, context, &[head, body]);
}

#[test]
fn a_direct_tcpip_channel_names_its_target_and_its_originator() {
    let kind =
        ChannelKind::DirectTcpip { host: "db", port: 5432, originator: "127.0.0.1", originator_port: 50_000 };
    let message = ChannelOpen { sender: 3, window: 1 << 21, max_packet: 1 << 15, kind };
    let numbers = [3, 1 << 21, 1 << 15].map(uint32).concat();
    let target = [string("db"), uint32(5432), string("127.0.0.1"), uint32(50_000)].concat();
    check(message, plain(), &[vec![90], string("direct-tcpip"), numbers, target]);
}

#[test]
fn a_confirmation_names_the_recipient_first() {
    let message = ChannelOpenConfirmation { recipient: 1, sender: 2, window: 3, max_packet: 4, data: b"x" };
    check(message, plain(), &[vec![91], [1, 2, 3, 4].map(uint32).concat(), vec![b'x']]);
}

#[test]
fn channel_data_has_a_recipient_and_extended_data_a_code_too() {
    check(ChannelData { recipient: 1, data: b"data" }, plain(), &[vec![94], uint32(1), string("data")]);
    let extended = ChannelExtendedData { recipient: 1, code: 2, data: b"data" };
    check(extended, plain(), &[vec![95], uint32(1), uint32(2), string("data")]);
    check(ChannelWindowAdjust { recipient: 1, bytes: 2 }, plain(), &[vec![93], uint32(1), uint32(2)]);
}

#[test]
fn a_channel_request_has_its_flag_after_the_name() {
    let message =
        ChannelRequest { recipient: 1, name: "exit-status", want_reply: false, data: &[0, 0, 0, 7] };
    check(message, plain(), &[vec![98], uint32(1), string("exit-status"), vec![0], uint32(7)]);
}

#[test]
fn reserved_fields_of_streamlocal_channels_may_have_any_value() {
    let head = |name| [vec![90], string(name), [0, 0, 0].map(uint32).concat(), string("/run/x")].concat();
    let direct = [head("direct-streamlocal@openssh.com"), string("reserved"), uint32(9)].concat();
    let forwarded = [head("forwarded-streamlocal@openssh.com"), string("reserved")].concat();
    let open = |kind| ChannelOpen { sender: 0, window: 0, max_packet: 0, kind };
    let path = b"/run/x";
    let expected = open(ChannelKind::DirectStreamlocal { path });
    assert_eq!(Message::decode(&direct, plain()), Ok(expected.into()));
    let expected = open(ChannelKind::ForwardedStreamlocal { path });
    assert_eq!(Message::decode(&forwarded, plain()), Ok(expected.into()));
}

#[test]
fn global_requests_carry_their_fields_after_the_flag() {
    let data = GlobalRequestData::TcpipForward { address: "", port: 0 };
    let parts = [vec![80], string("tcpip-forward"), vec![1], string(""), uint32(0)];
    check(GlobalRequest::new(true, data), plain(), &parts);
    let parts = [vec![80], string("keepalive@openssh.com"), vec![1]];
    check(GlobalRequest::new(true, GlobalRequestData::Keepalive), plain(), &parts);
}

#[test]
fn the_port_of_a_forward_is_read_from_the_reply() {
    let reply = |data| RequestSuccess { data }.allocated_port();
    assert_eq!(reply(&[0, 0, 0x1f, 0x90]), Ok(8080));
    assert_eq!(reply(&[]), Err(DecodeError::Truncated { needed: 4, available: 0 }));
    assert_eq!(reply(&[0; 5]), Err(DecodeError::TrailingBytes { count: 1 }));
}

#[test]
fn channel_requests_are_read_by_name() {
    let request = |name, data| ChannelRequest { recipient: 0, name, want_reply: false, data }.kind();
    let signal = [string("TERM"), vec![1], string("gone"), string("en")].concat();
    let expected = ChannelRequestKind::ExitSignal {
        signal: "TERM",
        core_dumped: true,
        message: b"gone",
        language: b"en",
    };
    assert_eq!(request("exit-signal", &signal), Ok(expected));
    assert_eq!(request("exit-status", &[0, 0, 0, 7]), Ok(ChannelRequestKind::ExitStatus { status: 7 }));
    assert_eq!(request("keepalive@openssh.com", b""), Ok(ChannelRequestKind::Keepalive));
    assert_eq!(request("eow@openssh.com", b""), Ok(ChannelRequestKind::EndOfWrite));
    assert_eq!(request("pty-req", b"whatever"), Ok(ChannelRequestKind::Other));
    assert_eq!(request("exit-status", b"\0"), Err(DecodeError::Truncated { needed: 4, available: 1 }));
    assert_eq!(request("eow@openssh.com", b"x"), Err(DecodeError::TrailingBytes { count: 1 }));
}

#[test]
fn extensions_are_found_by_name() {
    let compression = [string("zlib,none"), string("none")].concat();
    let extensions = [
        ("server-sig-algs", &b"ssh-ed25519,rsa-sha2-256"[..]),
        ("no-flow-control", b"s"),
        ("delay-compression", &compression),
        ("ping@openssh.com", b"0"),
        ("server-sig-algs", b"repeated"),
    ];
    let body = extensions.iter().flat_map(|(name, value)| [string(name), string(value)]);
    let payload = [vec![7], uint32(5)].into_iter().chain(body).collect::<Vec<_>>().concat();
    let Ok(Message::ExtInfo(info)) = Message::decode(&payload, plain()) else { panic!("not EXT_INFO") };
    let list = |text| NameList::new(text).unwrap();
    assert_eq!(info.server_sig_algs(), Some(list("ssh-ed25519,rsa-sha2-256")));
    assert_eq!(info.no_flow_control(), Some(false));
    assert_eq!(info.delay_compression(), Some((list("zlib,none"), list("none"))));
    assert!(info.ping());
    assert_eq!(info.get("unheard-of"), None);
}

#[test]
fn absent_or_malformed_extensions_count_as_not_sent() {
    let mut buffer = Vec::new();
    let items = [
        Extension { name: b"server-sig-algs", value: b"ssh-rsa,,x" },
        Extension { name: b"no-flow-control", value: b"?" },
        Extension { name: b"delay-compression", value: b"zlib" },
        Extension { name: b"ping@openssh.com", value: b"1" },
    ];
    let malformed = ExtInfo { extensions: Extensions::new(items, &mut buffer).unwrap() };
    for info in [malformed, ExtInfo { extensions: Extensions::EMPTY }] {
        assert_eq!(info.server_sig_algs(), None);
        assert_eq!(info.no_flow_control(), None);
        assert_eq!(info.delay_compression(), None);
        assert!(!info.ping());
    }
}
