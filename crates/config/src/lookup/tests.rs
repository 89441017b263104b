use proptest::prelude::*;

use super::{fake::Fake, *};

const IMPLEMENTED: &[&str] =
    &["HostName", "User", "Port", "IdentityFile", "LocalForward", "ProxyJump", "ProxyCommand"];

fn look(fake: &Fake, query: &Query) -> Result<Lookup, ConfigError> {
    let files = [Source::User("/home/me/.ssh/config".into()), Source::System("/etc/ssh/ssh_config".into())];
    lookup(&files, query, fake, &Keywords::new(IMPLEMENTED))
}

fn with(config: &str) -> Fake {
    Fake::new().file("/home/me/.ssh/config", config)
}

/// The settings of a host, as `Keyword value`.
fn settings(fake: &Fake, query: &Query) -> Vec<String> {
    let lookup = look(fake, query).unwrap_or_else(|error| panic!("{error}"));
    lookup.settings.iter().map(|setting| format!("{} {}", setting.keyword, setting.value)).collect()
}

fn of(config: &str, host: &str) -> Vec<String> {
    settings(&with(config), &Query::new(host))
}

fn error(config: &str) -> String {
    look(&with(config), &Query::new("web")).expect_err(config).to_string()
}

#[test]
fn all_that_applies_comes_out_in_its_order_with_its_place() {
    let fake = with("User a\nhost web\n  user = b # second\nHost *\nPORT 1\n")
        .file("/etc/ssh/ssh_config", "Port 2\r\n\r\nidentityfile2 \"a b\"\r\n");
    let found = look(&fake, &Query::new("web")).unwrap();
    let told: Vec<_> = found
        .settings
        .iter()
        .map(|Setting { keyword, value, origin }| {
            (*keyword, value.as_str(), origin.file.to_str().unwrap(), origin.line)
        })
        .collect();
    let (user, system) = ("/home/me/.ssh/config", "/etc/ssh/ssh_config");
    assert_eq!(
        told,
        [
            ("User", "a", user, 1),
            ("User", "b # second", user, 3),
            ("Port", "1", user, 5),
            ("Port", "2", system, 1),
            ("IdentityFile", "\"a b\"", system, 3),
        ]
    );
    assert_eq!(found.settings[1].words().unwrap(), ["b"]);
    assert_eq!(found.settings[4].words().unwrap(), ["a b"]);
    assert_eq!((found.settings[1].argument(), found.settings[4].argument()), ("b".into(), "\"a b\"".into()));
}

#[test]
fn commands_are_kept_as_they_are_written() {
    let found = look(&with("ProxyCommand = sh -c \"nc %h\" # x\n"), &Query::new("web")).unwrap();
    assert_eq!(found.settings[0].argument(), "sh -c \"nc %h\" # x");
}

#[test]
fn host_blocks_apply_to_the_host_as_typed() {
    let config = "Host web *.example.com !bad.example.com\nUser a\nHost !web *\nUser b\nHost 10.0.0.?\nUser c\n\
                  Host \"quoted\" # Host web\nUser d\n";
    assert_eq!(of(config, "web"), ["User a"]);
    assert_eq!(of(config, "x.example.com"), ["User a", "User b"]);
    assert_eq!(of(config, "bad.example.com"), ["User b"]);
    assert_eq!(of(config, "10.0.0.5"), ["User b", "User c"]);
    assert_eq!(of(config, "quoted"), ["User b", "User d"]);
    assert_eq!(of(config, "Web"), ["User b"], "in its case");
    assert_eq!(of("HostName web\nHost web\nUser a", "x"), ["HostName web"], "whatever HostName says");
}

#[test]
fn criteria_see_what_holds_so_far() {
    let config = "Host a\nHostName %h.example.com\nUser root\nMatch host a.example.com user root\nPort 1\n\
                  Match originalhost a\nPort 2\nMatch host a\nPort 3\nMatch localuser me\nPort 4\n\
                  Match user me\nPort 5\n";
    assert_eq!(of(config, "a"), ["HostName %h.example.com", "User root", "Port 1", "Port 2", "Port 4"]);
    assert_eq!(of(config, "b"), ["Port 4", "Port 5"]);
}

#[test]
fn what_the_command_line_says_comes_first() {
    let query = Query::new("a").given("user", "me").given("HostName", "b");
    let config = "User root\nMatch user root\nPort 1\nMatch user me host b\nPort 2\n";
    assert_eq!(settings(&with(config), &query), ["User root", "Port 2"]);
    assert_eq!(look(&with(config), &query).unwrap().host_name, "b");
}

#[test]
fn a_tag_can_be_matched() {
    assert_eq!(of("Tag vpn\nMatch tagged v*\nPort 1\nMatch tagged x\nPort 2", "a"), ["Port 1"]);
}

#[test]
fn commands_are_run_with_their_tokens_where_they_matter() {
    let config = "Match exec \"true %n %h %r %p %u %k %L\"\nPort 1\nMatch exec false\nPort 2\n\
                  Match host x exec \"true never\"\nPort 3\nHost x\nInclude /inner\n";
    let fake = with(config).file("/inner", "Match exec \"true inner\"\nPort 4\n");
    assert_eq!(settings(&fake, &Query::new("a").given("Port", "7").given("User", "u")), ["Port 1"]);
    assert_eq!(*fake.run.borrow(), ["true a a u 7 me a desk", "false"]);
}

#[test]
fn match_final_has_the_files_read_again_with_the_host_settled() {
    let config = "Match final host *.EXAMPLE.com\nPort 1\nHostName no\nHost Web\nHostName %h.Example.com\nUser a\n\
                  Host web.example.com\nUser b\nMatch canonical\nUser c\n";
    assert_eq!(of(config, "Web"), ["HostName %h.Example.com", "User a", "Port 1", "User b", "User c"]);
    assert_eq!(look(&with(config), &Query::new("Web")).unwrap().host_name, "web.example.com");
    assert_eq!(of("Match canonical\nUser c", "a"), [""; 0], "nobody asked for a second pass");
}

#[test]
fn canonical_names_are_not_looked_up_but_the_files_are_read_again_and_it_is_told() {
    let fake = with("CanonicalizeHostname yes\nCanonicalDomains example.com\nMatch canonical\nPort 1\n");
    assert_eq!(settings(&fake, &Query::new("a")), ["Port 1"]);
    let found = look(&fake, &Query::new("a")).unwrap();
    assert_eq!(found.passed_over[0].why, Why::Unsupported);
    let no = "CanonicalizeHostname no\nMatch canonical\nPort 1\n";
    assert_eq!(of(no, "a"), [""; 0]);
    assert!(look(&with(no), &Query::new("a")).unwrap().passed_over.is_empty());
}

#[test]
fn addresses_are_written_in_one_way() {
    assert_eq!(look(&with("HostName 2001:DB8:0::1"), &Query::new("a")).unwrap().host_name, "2001:db8::1");
    assert_eq!(look(&with("HostName fe80::1%%Eth0"), &Query::new("a")).unwrap().host_name, "fe80::1%Eth0");
}

#[test]
fn included_files_apply_where_their_block_does() {
    let config =
        "Include one conf.d/*.conf\nHost web\nInclude ~/two /abs/%n ${COLOR}\nHost no\nInclude one\n";
    let fake = with(config)
        .file("/home/me/.ssh/one", "User one\nHost other\nUser other\n")
        .file("/home/me/.ssh/conf.d/b.conf", "Port 2\n")
        .file("/home/me/.ssh/conf.d/a.conf", "Port 1\n")
        .file("/home/me/.ssh/conf.d/c.txt", "Port 3\n")
        .file("/home/me/two", "User two\n")
        .file("/abs/web", "User abs\n")
        .file("/home/me/.ssh/green", "User green\nHost *\nUser inner\n");
    assert_eq!(
        settings(&fake, &Query::new("web")),
        ["User one", "Port 1", "Port 2", "User two", "User abs", "User green", "User inner"]
    );
    assert_eq!(settings(&fake, &Query::new("other")), ["User one", "User other", "Port 1", "Port 2"]);
}

#[test]
fn a_block_ends_with_the_file_that_has_it() {
    let fake = with("Host web\nInclude inner\nPort 1\n").file("/home/me/.ssh/inner", "Host other\nPort 2\n");
    assert_eq!(settings(&fake, &Query::new("web")), ["Port 1"]);
}

#[test]
fn the_systems_file_includes_from_its_own_directory() {
    let fake = Fake::new()
        .file("/etc/ssh/ssh_config", "Include ssh_config.d/*.conf\n")
        .file("/etc/ssh/ssh_config.d/a.conf", "User a\n");
    assert_eq!(settings(&fake, &Query::new("web")), ["User a"]);
    let fake = Fake::new().file("/etc/ssh/ssh_config", "Include ~/x\n");
    let error = look(&fake, &Query::new("web")).unwrap_err();
    assert!(error.to_string().starts_with("/etc/ssh/ssh_config line 1: "), "{error}");
}

#[test]
fn files_that_others_write_to_are_refused() {
    let mut fake = with("Include x\n").file("/home/me/.ssh/x", "User a\n");
    fake.shared.insert("/home/me/.ssh/x".into());
    let error = look(&fake, &Query::new("web")).unwrap_err();
    assert_eq!(error.to_string(), "/home/me/.ssh/x: cannot be read: others may write to it");
}

#[test]
fn only_a_file_that_was_named_must_be_there() {
    assert_eq!(look(&Fake::new(), &Query::new("a")).unwrap().host_name, "a");
    let named = [Source::Named("/none".into())];
    let error = lookup(&named, &Query::new("a"), &Fake::new(), &Keywords::new(IMPLEMENTED)).unwrap_err();
    assert_eq!(error.to_string(), "/none: there is no such file");
}

fn passed_over(config: &str) -> Vec<(String, Why, usize)> {
    let found = look(&with(config), &Query::new("web")).unwrap();
    found.passed_over.into_iter().map(|it| (it.keyword, it.why, it.origin.line)).collect()
}

#[test]
fn keywords_that_are_no_settings_are_named_once() {
    let config = "Host no\nUseWarp 9\nCompression yes\nSendEnv A\nHost *\nusewarp 8\nCompression yes\nCOMPRESSION yes\n\
                  SendEnv A B\nCompression no\nProtocol 2\n";
    assert_eq!(
        passed_over(config),
        [
            ("UseWarp".to_owned(), Why::Unknown, 2),
            ("Compression".to_owned(), Why::Unsupported, 7),
            ("SendEnv".to_owned(), Why::Irrelevant(Reason::Session), 9),
            ("Protocol".to_owned(), Why::Irrelevant(Reason::Obsolete), 11),
        ]
    );
    assert!(passed_over("Compression no\n").is_empty(), "asking for nothing is no news");
}

#[test]
fn ignored_keywords_are_not_named_after_the_line_that_says_so() {
    let names = |config| passed_over(config).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    assert_eq!(names("UseWarp 1\nIgnoreUnknown use*,x\nUseSpoons 1\nX 1\nY 1\n"), ["UseWarp", "Y"]);
    assert_eq!(names("Host no\nIgnoreUnknown x\nHost *\nX 1\n"), ["X"], "it must apply");
    assert_eq!(names("IgnoreUnknown a\nIgnoreUnknown x\nX 1\n"), ["X"], "the first one counts");
    let query = Query::new("web").given("IgnoreUnknown", "x");
    assert!(look(&with("X 1"), &query).unwrap().passed_over.is_empty());
}

#[test]
fn a_line_that_makes_no_sense_is_named_with_file_and_line() {
    for (config, expected) in [
        ("\n\nPort\n", "/home/me/.ssh/config line 3: expected a value after `Port`"),
        ("User \"a\n", "line 1: a closing `\"` is missing"),
        ("ProxyCommand echo don't", "line 1: a closing `'` is missing"),
        ("Host a \"\"\n", "line 1: expected words after Host, found an empty one"),
        ("Include a \"\"\n", "line 1: expected words after Include"),
        ("Match hots a\n", "line 1: expected one of all, canonical, final"),
        ("Match localnetwork 10.0.0.0/8\n", "line 1: the criterion `localnetwork`"),
        ("Include %x\n", "line 1: in `.ssh/%x`, only"),
        ("User a\0b\n", "line 1: expected text, found a NUL"),
        ("User a\nHostName %x\n", "line 2: in `%x`, only %h, and %% are understood"),
        ("\u{1b}[2J\n", "expected a value after `\\u{1b}[2J`"),
    ] {
        let error = error(config);
        assert!(error.contains(expected), "{config:?}: {error}");
        assert!(!error.contains(char::is_control), "{error}");
    }
}

#[test]
fn a_jump_and_a_command_are_not_both_tokens() {
    let fake = with("ProxyJump a,b # c\nMatch exec \"true\"\nInclude /x/%j\n").file("/x/a,b", "User a\n");
    assert_eq!(settings(&fake, &Query::new("web"))[1..], ["User a"]);
    let fake = with("ProxyCommand nc\nProxyJump a\nInclude /x/%j-\n").file("/x/-", "User a\n");
    assert_eq!(settings(&fake, &Query::new("web"))[2..], ["User a"]);
}

#[test]
fn files_that_include_each_other_are_refused() {
    assert!(error("Include config\n").contains("more than 16 deep"));
    let fake = with("Include a\n")
        .file("/home/me/.ssh/a", "Host *\nInclude b\n")
        .file("/home/me/.ssh/b", "Include a\n");
    assert!(look(&fake, &Query::new("web")).unwrap_err().to_string().contains("more than 16 deep"));
}

#[test]
fn includes_may_be_deep_but_not_multiply_without_bound() {
    let chain = |line: &str, depth: usize| {
        (1..=depth).fold(with(&line.replace('N', "1")), |fake, level| {
            let next = line.replace('N', &(level + 1).to_string());
            fake.file(
                &format!("/home/me/.ssh/{level}"),
                if level == depth { "User deep\n".to_owned() } else { next },
            )
        })
    };
    assert_eq!(settings(&chain("Include N\n", 16), &Query::new("web")), ["User deep"]);
    assert!(look(&chain("Include N\n", 17), &Query::new("web")).is_err());
    let doubled = look(&chain("Include N N\n", 16), &Query::new("web")).unwrap_err();
    assert_eq!(doubled.problem, Problem::TooMany);
}

#[test]
fn sizes_are_bounded() {
    assert!(error(&"#\n".repeat(MAX_FILE_LEN / 2 + 1)).contains("the file is longer"));
    assert!(error(&format!("User {}\n", "x".repeat(crate::MAX_LINE_LEN))).contains("the line is longer"));
    let big = "#\n".repeat(MAX_FILE_LEN / 2);
    let twenty = "Include big\n".repeat(20);
    let fake = with(&twenty).file("/home/me/.ssh/big", big);
    assert_eq!(look(&fake, &Query::new("web")).unwrap_err().problem, Problem::TooMany);
}

#[test]
fn many_patterns_and_stars_take_no_longer_than_their_length() {
    let patterns = format!("Host {}\nUser a\n", "*a*a*a*a*a*b ".repeat(9_000));
    assert_eq!(of(&patterns.repeat(4), &"a".repeat(250)), [""; 0]);
}

proptest! {
    #[test]
    fn whatever_is_in_a_file_it_is_read_to_its_end_or_refused_in_plain_text(
        lines in proptest::collection::vec(
            "(Host|Match|Include|User|IgnoreUnknown|X|)[ =\"]{0,2}[a-z%~*!#\"'\\\\\0\r\t=$\\{\\} ]{0,12}", 0..12
        )
    ) {
        match look(&with(&lines.join("\n")), &Query::new("web")) {
            Ok(found) => prop_assert!(found.settings.iter().all(|setting| setting.words().is_ok())),
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
    }
}
