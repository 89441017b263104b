//! Who logs on, and with what.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use underpass::Secret;
use underpass::gateway::Gateway;
use underpass::keys::public_of;
use underpass_component::{Error, Event, EventKind, SshTunnel};
use underpass_testkit::logon::{Answer, Attempt, Prompt, Prompts, Question, Verdict};

use crate::support::{PASSWORD, Record, USER, gateway, gateway_with, tunnel_through};

const PUBLIC_KEY: i64 = 3;
const KEYBOARD_INTERACTIVE: i64 = 4;
const CUSTOM: i64 = 6;
const MULTI_FACTOR: i64 = 1;

fn code(result: Result<(), Error>) -> Result<(), u16> {
    result.map_err(|error| error.code())
}

/// A key of the repository's.
fn key(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../keys/testdata")).join(name)
}

/// A gateway that lets the user in with the Ed25519 key.
fn keyed() -> Gateway {
    let public = public_of(&std::fs::read(key("ed25519.pub")).unwrap()).unwrap().blob().to_vec();
    gateway_with(|gateway| gateway.allow_key(USER, public))
}

/// A tunnel that is to log on with the key.
fn with_key(gateway: &Gateway) -> SshTunnel {
    let tunnel = tunnel_through(gateway);
    tunnel.set_ssh_password("").unwrap();
    tunnel.set_ssh_auth_mode(PUBLIC_KEY).unwrap();
    tunnel.set_ssh_cert_store_type(6).unwrap();
    tunnel.set_ssh_cert_store(key("ed25519").display().to_string()).unwrap();
    tunnel.set_ssh_cert_subject("*").unwrap();
    tunnel
}

#[test]
fn the_user_is_the_one_that_is_set() {
    let gateway = gateway();
    let tunnel = tunnel_through(&gateway);
    tunnel.set_ssh_user("somebody").unwrap();
    assert_eq!(code(tunnel.start_listening()), Err(1032));
    tunnel.set_ssh_user(USER).unwrap();
    tunnel.start_listening().unwrap();
}

#[test]
fn the_mode_decides_what_is_tried() {
    let (passwords, keys) = (gateway(), keyed());
    for (mode, with_password, with_a_key) in [
        (0, Err(1032), Err(1032)),
        (MULTI_FACTOR, Ok(()), Ok(())),
        (2, Ok(()), Err(1032)),
        (PUBLIC_KEY, Err(1032), Ok(())),
        (KEYBOARD_INTERACTIVE, Ok(()), Err(1032)),
    ] {
        for (gateway, expected) in [(&passwords, with_password), (&keys, with_a_key)] {
            let tunnel = with_key(gateway);
            tunnel.set_ssh_password(PASSWORD).unwrap();
            tunnel.config("PasswordPrompt=*assword: ").unwrap();
            tunnel.set_ssh_auth_mode(mode).unwrap();
            assert_eq!(code(tunnel.start_listening()), expected, "{mode}");
        }
    }
}

#[test]
fn all_methods_are_tried_if_that_is_wanted() {
    let gateway = keyed();
    for (wanted, expected) in [(false, Err(1032)), (true, Ok(()))] {
        let tunnel = with_key(&gateway);
        tunnel.set_ssh_auth_mode(2).unwrap();
        tunnel.set_ssh_password("none of its").unwrap();
        tunnel.config(&format!("TryAllAvailableAuthMethods={wanted}")).unwrap();
        assert_eq!(code(tunnel.start_listening()), expected);
    }
}

#[test]
fn several_factors_end_with_the_first_refusal() {
    let public = public_of(&std::fs::read(key("ed25519.pub")).unwrap()).unwrap().blob().to_vec();
    let gateway = gateway_with(|gateway| gateway.allow_key("another", public).allow_password(USER, PASSWORD));
    for (all, expected) in [(false, Err(1032)), (true, Ok(()))] {
        let tunnel = with_key(&gateway);
        tunnel.set_ssh_password(PASSWORD).unwrap();
        tunnel.set_ssh_auth_mode(MULTI_FACTOR).unwrap();
        tunnel.config(&format!("TryAllAvailableAuthMethods={all}")).unwrap();
        assert_eq!(code(tunnel.start_listening()), expected);
    }
}

#[test]
fn without_a_private_key_nothing_is_sent() {
    let gateway = keyed();
    let tunnel = with_key(&gateway);
    tunnel.set_ssh_cert_subject("").unwrap();
    let error = tunnel.start_listening().unwrap_err();
    assert!(error.code() == 1032 && error.message().contains("ssh_cert_subject"), "{error}");
}

#[test]
fn a_password_is_sent_in_the_code_page() {
    // The password is `mö`, in code page 437.
    let gateway = gateway_with(|gateway| gateway.allow_password(USER, Secret::new(*b"m\x94")));
    for (page, expected) in [(437, Ok(())), (65001, Err(1032)), (1252, Err(1032))] {
        let tunnel = tunnel_through(&gateway);
        tunnel.set_ssh_password("m\u{f6}").unwrap();
        tunnel.config(&format!("CodePage={page}")).unwrap();
        assert_eq!(code(tunnel.start_listening()), expected, "{page}");
    }
    let tunnel = tunnel_through(&gateway);
    tunnel.set_ssh_password("\u{20ac}").unwrap();
    tunnel.config("CodePage=437").unwrap();
    assert_eq!(code(tunnel.start_listening()), Err(434));
    assert_eq!(tunnel.config("CodePage=7").unwrap_err().code(), 434);
}

#[test]
fn a_users_name_is_sent_in_the_code_page() {
    let gateway = gateway();
    for (page, name) in [(437, "6d 94"), (65001, "6d c3 b6"), (1200, "6d 00 f6 00")] {
        let tunnel = tunnel_through(&gateway);
        tunnel.set_ssh_user("m\u{f6}").unwrap();
        tunnel.config(&format!("CodePage={page}")).unwrap();
        tunnel.config("LogLevel=3").unwrap();
        let record = Record::of(&tunnel, &[EventKind::Log]);
        // The gateway knows nobody of that name, or takes no such bytes for one.
        assert!(tunnel.start_listening().is_err());
        let shows = |event: &Event| {
            matches!(event, Event::Log(log) if log.message.contains("send packet: type 50 ")
                && log.message.lines().nth(1).is_some_and(|line| line.contains(name)))
        };
        assert!(record.take().iter().any(shows), "{page}");
    }
    let tunnel = tunnel_through(&gateway);
    tunnel.set_ssh_user("\u{20ac}").unwrap();
    tunnel.config("CodePage=437").unwrap();
    assert_eq!(code(tunnel.start_listening()), Err(434));
}

#[test]
fn the_servers_questions_are_in_the_code_page() {
    let server = underpass_testkit::logon::start(|question| {
        let prompts = vec![Prompt { text: b"Schl\x81ssel: ".to_vec(), echo: true }];
        let prompts = Prompts { name: b"T\x81r".to_vec(), instruction: b"\x84".to_vec(), prompts };
        let Question::Authenticate { attempt, .. } = question else { return None };
        Some(Answer::Verdict(match attempt {
            Attempt::KeyboardInteractive => Verdict::Prompt(prompts),
            Attempt::Responses(given) if given[0].expose() == b"\x94" => Verdict::Accept,
            _ => Verdict::Refuse { methods: vec!["keyboard-interactive".to_owned()], partial: false },
        }))
    })
    .unwrap();
    for (page, texts, problem, expected) in [
        (437, ["T\u{fc}r", "\u{e4}", "Schl\u{fc}ssel: "], None, Ok(())),
        (65001, ["T\u{fffd}r", "\u{fffd}", "Schl\u{fffd}ssel: "], Some(434), Err(1032)),
    ] {
        let tunnel = tunnel_through(&gateway());
        tunnel.set_ssh_port(server.address().port().into()).unwrap();
        tunnel.set_ssh_auth_mode(KEYBOARD_INTERACTIVE).unwrap();
        tunnel.config(&format!("CodePage={page}")).unwrap();
        let record = Record::of(&tunnel, &[EventKind::ErrorReported]);
        tunnel.on_ssh_keyboard_interactive(move |_, event| {
            assert_eq!([&*event.name, &*event.instructions, &*event.prompt], texts);
            event.response = "\u{f6}".to_owned();
        });
        assert_eq!(code(tunnel.start_listening()), expected, "{page}");
        let code = record.take().into_iter().find_map(|event| match event {
            Event::ErrorReported(event) => Some(event.error_code),
            _ => None,
        });
        assert_eq!(code, problem, "{page}");
    }
}

#[test]
fn a_question_is_answered_by_the_handler_or_with_the_password() {
    let gateway = gateway();
    for (pattern, handler, expected) in [
        ("*assword: ", false, Ok(())),
        ("Code*", false, Err(1032)),
        ("[O-Q]assword[:]?", false, Ok(())),
        ("", true, Ok(())),
    ] {
        let tunnel = tunnel_through(&gateway);
        tunnel.set_ssh_auth_mode(KEYBOARD_INTERACTIVE).unwrap();
        tunnel.config(&format!("PasswordPrompt={pattern}")).unwrap();
        let responses: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = responses.clone();
        tunnel.on_ssh_keyboard_interactive(move |_, event| {
            assert_eq!((event.prompt.as_str(), event.echo_response), ("Password: ", false));
            seen.lock().unwrap().push(event.response.clone());
            if handler {
                event.response = PASSWORD.to_owned();
            }
        });
        assert_eq!(code(tunnel.start_listening()), expected, "{pattern}");
        let filled = !handler && expected.is_ok();
        assert_eq!(responses.lock().unwrap()[0], if filled { PASSWORD } else { "" });
    }
}

#[test]
fn the_program_logs_on_by_hand() {
    let gateway = gateway();
    for (password, expected) in [(PASSWORD, Ok(())), ("wrong", Err(1032))] {
        let tunnel = tunnel_through(&gateway);
        tunnel.set_ssh_password("").unwrap();
        tunnel.set_ssh_auth_mode(CUSTOM).unwrap();
        tunnel.on_ssh_custom_auth(move |tunnel, event| {
            let last = tunnel.decode_packet(&event.packet).unwrap();
            event.packet = match tunnel.get_ssh_param(&last, "%b").unwrap().as_str() {
                "6" => tunnel.encode_packet(&request(tunnel, password)),
                _ => {
                    assert_eq!(
                        tunnel.get_ssh_param_bytes(&last, "%b,s").unwrap(),
                        b"password,keyboard-interactive"
                    );
                    String::new()
                }
            };
        });
        assert_eq!(code(tunnel.start_listening()), expected);
    }
}

/// A request with a password (RFC 4252 section 8).
fn request(tunnel: &SshTunnel, password: &str) -> Vec<u8> {
    let fields = [("b", "0x32"), ("s", USER), ("s", "ssh-connection"), ("s", "password"), ("f", "false")];
    let append = |packet, (kind, value): (&str, &str)| tunnel.set_ssh_param(packet, kind, value).unwrap();
    let packet = fields.into_iter().fold(Vec::new(), append);
    append(packet, ("sb", &tunnel.encode_packet(password.as_bytes())))
}

#[test]
fn a_key_is_found_by_its_subject() {
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_cert_store_type(2).unwrap();
    tunnel.set_ssh_cert_store(key("pbmac1.p12").display().to_string()).unwrap();
    tunnel.set_ssh_cert_store_password("1234").unwrap();
    tunnel.set_ssh_cert_subject("*").unwrap();
    let subject = tunnel.ssh_cert_subject();
    assert!(subject.contains("CN="), "{subject}");
    let certificate = tunnel.ssh_cert_encoded();
    assert!(certificate.starts_with(b"-----BEGIN CERTIFICATE-----"));
    for (wanted, found) in [(&subject[..], true), (&subject[3..6], true), ("CN=nobody", false)] {
        tunnel.set_ssh_cert_subject(wanted).unwrap();
        assert_eq!(tunnel.ssh_cert_subject(), if found { &subject[..] } else { "" }, "{wanted}");
    }
    // The other way round: the certificate finds its key.
    tunnel.set_ssh_cert_encoded(certificate).unwrap();
    assert_eq!(tunnel.ssh_cert_subject(), subject);
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
    tunnel.set_ssh_cert_encoded(other).unwrap();
    assert_eq!(tunnel.ssh_cert_subject(), "");
    tunnel.set_ssh_cert_store_password("wrong").unwrap();
    assert_eq!(code(tunnel.set_ssh_cert_subject("*")), Err(1012));
    assert_eq!(tunnel.ssh_cert_subject(), "");
}

#[test]
fn status_and_log_tell_how_it_goes() {
    let gateway = gateway();
    let tunnel = tunnel_through(&gateway);
    let record = Record::of(&tunnel, &[EventKind::SshStatus, EventKind::Log]);
    tunnel.start_listening().unwrap();
    let events = record.take();
    for words in ["connecting to", "the server is Underpass", "keys: ", "logged in as me with password"] {
        let status =
            |event: &Event| matches!(event, Event::SshStatus(event) if event.message.contains(words));
        let line = |event: &Event| matches!(event, Event::Log(event) if event.message.contains(words) && event.log_level == 1);
        assert!(events.iter().any(status) && events.iter().any(line), "{words}");
    }
}
