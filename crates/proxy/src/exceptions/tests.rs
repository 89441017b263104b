use super::*;

#[track_caller]
fn check(list: &str, inside: &[&str], outside: &[&str]) {
    let exceptions = Exceptions::parse(list);
    assert_eq!(exceptions.warnings(), [], "{list}");
    for (hosts, expected) in [(inside, true), (outside, false)] {
        for text in hosts {
            let (host, port) = text.rsplit_once('@').unwrap_or((text, "22"));
            assert_eq!(exceptions.contains(host, port.parse().unwrap()), expected, "{text} in {list}");
        }
    }
}

#[test]
fn a_domain_covers_itself_and_what_is_below_it() {
    for list in ["example.com", ".example.com", "*.example.com", "EXAMPLE.com.", " a, example.com ;b"] {
        check(
            list,
            &["example.com", "www.example.com", "a.b.Example.COM", "example.com."],
            &["nonexample.com", "example.com.evil", "com", "xample.com", "", "."],
        );
    }
}

#[test]
fn a_star_covers_everything() {
    check("*", &["a", "127.0.0.1", "[::1]", "::1"], &[]);
    check("*:80", &["a@80"], &["a@81"]);
}

#[test]
fn an_address_covers_itself_however_it_is_written() {
    check(
        "192.0.2.1,[2001:DB8:0::1]",
        &["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "[2001:0db8::1]"],
        &["192.0.2.10", "2001:db8::2", "1.192.0.2.1", "::1"],
    );
    check("::ffff:10.0.0.1", &["10.0.0.1"], &["10.0.0.2"]);
    check("2001:db8::1", &["2001:db8::1"], &["2001:db8::"]);
}

#[test]
fn a_network_covers_its_addresses_and_no_names() {
    check(
        "10.0.0.0/8",
        &["10.0.0.0", "10.255.255.255"],
        &["11.0.0.0", "9.255.255.255", "10.example", "::a00:1"],
    );
    check("10.1.2.3/8", &["10.9.9.9"], &[]);
    check("0.0.0.0/0", &["1.2.3.4"], &["::1", "host"]);
    check("fd00::/9,[fe80::]/10", &["fd7f::1", "fe80::1"], &["fd80::1", "fec0::1"]);
    check("192.0.2.1/32,::1/128", &["192.0.2.1", "::1"], &["192.0.2.0", "::"]);
}

#[test]
fn a_port_narrows_an_entry() {
    check(
        "host:8080,[::1]:22,192.0.2.1:22",
        &["host@8080", "a.host@8080", "::1@22", "192.0.2.1@22"],
        &["host@80", "::1@23", "192.0.2.1@2"],
    );
}

#[test]
fn the_list_of_the_documentation_is_understood() {
    check(
        "localhost,.example.com,10.0.0.0/8,[::1],*.corp,host:8080,*",
        &["whatever", "localhost", "10.1.1.1"],
        &[],
    );
    assert!(Exceptions::parse(" ,; ").is_empty());
}

#[test]
fn what_is_no_entry_is_listed_and_the_rest_holds() {
    let bad = [
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "host/8",
        "a*b",
        "192.168.*",
        "host:0",
        "host:x",
        "[x]",
        "a..b",
        "..",
        ".",
        "*.",
        "\u{1b}[2J/",
        ":80",
    ];
    let exceptions = Exceptions::parse(&format!("good.example,{}", bad.join(",")));
    let named: Vec<&str> = exceptions.warnings().iter().map(|warning| &*warning.entry).collect();
    assert_eq!(named, bad);
    assert!(exceptions.warnings().iter().all(|warning| !warning.to_string().contains(char::is_control)));
    assert!(exceptions.contains("good.example", 1));
    assert!(!exceptions.contains("host", 1));
}

#[test]
fn an_endless_list_ends() {
    let exceptions = Exceptions::parse(&"a,".repeat(100_000));
    assert_eq!(exceptions.entries.len(), MAX_ENTRIES);
    assert_eq!(exceptions.warnings().len(), 1);
    let exceptions = Exceptions::parse(&"é".repeat(100_000));
    assert_eq!(exceptions.warnings()[0].entry.chars().count(), MAX_NAME);
}
