use super::*;

fn parse(text: &str) -> Result<ProxyUrl, UrlError> {
    text.parse()
}

#[test]
fn each_scheme_has_its_port_and_its_place_to_resolve_names() {
    for (url, kind, port, resolve) in [
        ("proxy", ProxyKind::Http, 80, Resolve::AtProxy),
        ("HTTP://proxy/", ProxyKind::Http, 80, Resolve::AtProxy),
        ("https://proxy", ProxyKind::Https, 443, Resolve::AtProxy),
        ("socks4://proxy", ProxyKind::Socks4, 1080, Resolve::Here),
        ("socks4a://proxy", ProxyKind::Socks4a, 1080, Resolve::AtProxy),
        ("socks5://proxy", ProxyKind::Socks5, 1080, Resolve::Here),
        ("socks5h://proxy", ProxyKind::Socks5h, 1080, Resolve::AtProxy),
        ("socks://proxy", ProxyKind::Socks5h, 1080, Resolve::AtProxy),
        (" proxy:3128 ", ProxyKind::Http, 3128, Resolve::AtProxy),
    ] {
        let parsed = parse(url).unwrap();
        assert_eq!((parsed.kind, parsed.port, parsed.resolve()), (kind, port, resolve), "{url}");
        assert_eq!(parsed.host, Host::Name("proxy".to_owned()));
        assert_eq!(parsed.kind.resolving_at_proxy().resolve(), Resolve::AtProxy);
        assert_eq!(parse(&parsed.to_string()), Ok(parsed));
    }
}

#[test]
fn addresses_of_both_families_are_hosts() {
    assert_eq!(parse("socks5://[::1]:1").unwrap().host, "::1".parse().unwrap());
    assert_eq!(parse("[2001:db8::1]").unwrap().to_string(), "http://[2001:db8::1]:80");
    assert_eq!(parse("192.0.2.1:8080").unwrap().to_string(), "http://192.0.2.1:8080");
}

#[test]
fn user_and_password_are_decoded_and_the_password_is_not_shown() {
    let url = parse("http://j%C3%B6rg%40home:hunter2%3A%2f@proxy").unwrap();
    assert_eq!(url.credentials, Some(Credentials::new("jörg@home", "hunter2:/").unwrap()));
    for shown in [url.to_string(), format!("{url:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert_eq!(url.to_string(), "http://jörg@home:***@proxy:80");
    assert_eq!(parse("user@proxy").unwrap().credentials, Some(Credentials::new("user", "").unwrap()));
    assert_eq!(parse("u:p@ss@proxy").unwrap().credentials, Some(Credentials::new("u", "p@ss").unwrap()));
}

#[test]
fn what_is_no_proxy_is_refused_with_its_reason_and_without_its_password() {
    let long = "a".repeat(2049);
    for (text, error) in [
        ("", UrlError::Address(TargetError::NoHost)),
        ("http://", UrlError::Address(TargetError::NoHost)),
        ("ftp://proxy", UrlError::Scheme),
        ("http://proxy/path", UrlError::Path),
        ("http://proxy?x", UrlError::Path),
        ("http://u:hunter2/x@proxy", UrlError::Path),
        ("http://u:hunter2%@proxy", UrlError::Percent),
        ("http://u:hunter2%4@proxy", UrlError::Percent),
        ("http://u:hunter2%+1@proxy", UrlError::Percent),
        ("http://u:hunter2%ff@proxy", UrlError::Percent),
        ("http://u:hunter2%0d%0aX:@proxy", UrlError::Credentials(CredentialsError::ControlCharacter)),
        ("http://:hunter2@proxy", UrlError::Credentials(CredentialsError::NoUser)),
        ("http://proxy:0", UrlError::Address(TargetError::Port)),
        ("http://proxy:", UrlError::Address(TargetError::Port)),
        ("http://::1", UrlError::Address(TargetError::Brackets)),
        ("http://[proxy]", UrlError::Address(TargetError::Ipv6)),
        ("http://[::1]x:80", UrlError::Address(TargetError::NameCharacter)),
        ("http://pro xy", UrlError::Address(TargetError::NameCharacter)),
        (&long, UrlError::TooLong),
    ] {
        let refused = parse(text).unwrap_err();
        assert_eq!(refused, error, "{text}");
        assert!(!refused.to_string().contains("hunter2"));
    }
}
