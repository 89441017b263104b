//! Nothing secret shows when a message is formatted for debugging.

use underpass_wire::*;

const SECRET: &[u8] = b"hunter2";

/// The ways in which bytes show: as text, and as the decimal list that `{:?}` makes of a slice.
fn shows_secret(shown: &str) -> bool {
    let flat: String = shown.split_whitespace().collect();
    let decimal = format!("{SECRET:?}").replace([' ', '[', ']'], "");
    shown.contains("hunter2") || flat.contains(&decimal)
}

fn assert_hidden(message: impl std::fmt::Debug) {
    for shown in [format!("{message:?}"), format!("{message:#?}")] {
        assert!(!shows_secret(&shown), "{shown}");
    }
}

#[test]
fn the_check_itself_finds_a_secret() {
    assert!(shows_secret("Password(\"hunter2\")"));
    assert!(shows_secret(&format!("{SECRET:?}")));
    assert!(shows_secret(&format!("{SECRET:#?}").replace(",\n]", "\n]")));
}

#[test]
fn passwords_are_redacted() {
    let secret = Sensitive(SECRET);
    let methods = [
        UserauthMethod::Password { password: secret },
        UserauthMethod::PasswordChange { old: secret, new: secret },
        UserauthMethod::Other { name: "otp", data: secret },
    ];
    for method in methods {
        assert_hidden(Message::from(UserauthRequest { user: b"me", service: "ssh-connection", method }));
    }
}

#[test]
fn answers_are_redacted() {
    let mut buffer = Vec::new();
    let responses = Responses::new([Sensitive(SECRET)], &mut buffer).unwrap();
    assert_hidden(Message::from(UserauthInfoResponse { responses }));
}

#[test]
fn tunnelled_data_does_not_show() {
    assert_hidden(ChannelData { recipient: 0, data: SECRET });
    assert_hidden(ChannelExtendedData { recipient: 0, code: 1, data: SECRET });
    assert_hidden(Reader::new(SECRET));
}

#[test]
fn the_length_of_other_byte_strings_shows() {
    let shown = format!("{:?}", KexGssContinue { token: &[7; 42] });
    assert_eq!(shown, "KexGssContinue { token: 42 bytes }");
}
