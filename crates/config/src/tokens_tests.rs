use super::*;
use crate::lookup::fake::Fake;

fn tokens() -> Tokens {
    Tokens {
        local: Fake::new().local().clone(),
        host: "10.0.0.1".to_owned(),
        original_host: "web".to_owned(),
        port: 2222,
        user: Some("root".to_owned()),
        alias: "alias".to_owned(),
        jump: String::new(),
    }
}

fn expanded(keyword: &str, text: &str) -> Result<String, TokenError> {
    expand(text, Expansion::of(keyword), &tokens(), |name| Fake::new().variable(name))
}

fn path(text: &str) -> Result<PathBuf, TokenError> {
    expand_path(text, Expansion::of("IdentityFile"), &tokens(), &Fake::new())
}

#[test]
fn each_token_has_its_value() {
    assert_eq!(
        expanded("IdentityFile", "%d|%h|%i|%j|%k|%L|%l|%n|%p|%r|%u|%%").unwrap(),
        "/home/me|10.0.0.1|1000||alias|desk|desk.example.org|web|2222|root|me|%"
    );
    // SHA-1 of desk.example.org10.0.0.12222root.
    assert_eq!(expanded("ControlPath", "%C").unwrap(), "2e4c491eb0db709c47894ed922deb4da8a1d8530");
}

#[test]
fn each_keyword_has_its_own_tokens() {
    assert_eq!(expanded("hostname", "%h.example.com%%").unwrap(), "10.0.0.1.example.com%");
    assert_eq!(expanded("HostName", "%p"), Err(TokenError::Unknown { text: "%p".to_owned(), tokens: "h" }));
    assert_eq!(expanded("ProxyCommand", "nc %h %p %r %n").unwrap(), "nc 10.0.0.1 2222 root web");
    assert!(expanded("ProxyCommand", "%u").is_err());
    assert_eq!(expanded("User", "100%").unwrap(), "100%", "nothing is replaced in most values");
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["%", "%x", "a%é", "%%%"] {
        assert!(expanded("IdentityFile", text).is_err(), "{text}");
    }
    let error = expanded("HostName", "%x").unwrap_err().to_string();
    assert_eq!(error, "in `%x`, only %h, and %% are understood");
}

#[test]
fn variables_are_replaced_where_ssh_does() {
    assert_eq!(expanded("IdentityFile", "a${COLOR}$COLOR").unwrap(), "agreen$COLOR");
    assert_eq!(expanded("ProxyCommand", "${COLOR}").unwrap(), "${COLOR}");
    assert_eq!(expanded("IdentityFile", "${NONE}"), Err(TokenError::Unset { variable: "NONE".to_owned() }));
    for text in ["${", "${}", "${COLOR"] {
        assert!(matches!(expanded("IdentityFile", text), Err(TokenError::BadVariable { .. })), "{text}");
    }
}

#[test]
fn a_tilde_is_a_home_directory() {
    for (text, expected) in [
        ("~", "/home/me"),
        ("~/", "/home/me"),
        ("~//key", "/home/me/key"),
        ("~you/%r", "/home/you/root"),
        ("~you", "/home/you"),
        ("a~/b", "a~/b"),
        ("/x/%u", "/x/me"),
        ("~/${COLOR}", "/home/me/green"),
    ] {
        assert_eq!(path(text).unwrap(), PathBuf::from(expected), "{text}");
    }
    assert_eq!(path("~nobody/x"), Err(TokenError::NoHome { user: Some("nobody".to_owned()) }));
    let unmoved = expand_path("~/x", Expansion::of("HostName"), &tokens(), &Fake::new());
    assert_eq!(unmoved.unwrap(), PathBuf::from("~/x"));
}

#[test]
fn what_is_not_known_is_an_error_only_if_it_is_asked_for() {
    let nobody = Tokens { user: None, local: Local::default(), ..tokens() };
    let expand = |text| expand(text, Expansion::of("IdentityFile"), &nobody, |_| None);
    assert_eq!(expand("%h").unwrap(), "10.0.0.1");
    for text in ["%r", "%u", "%d", "%i", "%C"] {
        assert!(matches!(expand(text), Err(TokenError::NoValue { .. })), "{text}");
    }
}

#[test]
fn a_value_cannot_grow_without_bound() {
    let long = Tokens { host: "x".repeat(1000), ..tokens() };
    let text = "%h".repeat(10_000);
    assert_eq!(expand(&text, Expansion::of("HostName"), &long, |_| None), Err(TokenError::TooLong));
}
