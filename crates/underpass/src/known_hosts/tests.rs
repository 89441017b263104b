use std::{fs, path::PathBuf, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use underpass_wire::Put as _;

use super::*;

/// A made-up key of `key_type`, told apart by `number`.
fn key(key_type: &str, number: u8) -> Vec<u8> {
    let mut blob = Vec::new();
    blob.put_text(key_type);
    blob.put_string(&[number; 32]);
    blob
}

/// The key type and base64 of a line.
fn text(key: &[u8]) -> String {
    PublicKey::from_blob(key).unwrap().to_string()
}

fn ed25519(number: u8) -> Vec<u8> {
    key("ssh-ed25519", number)
}

fn at(line: usize) -> Location {
    Location { source: "known_hosts".into(), line }
}

fn parse(text: &str) -> KnownHosts {
    KnownHosts::parse(text, "known_hosts")
}

/// The lines that a changed key contradicts.
fn contradicted(verdict: Verdict) -> Vec<usize> {
    match verdict {
        Verdict::Changed { known } => known.iter().map(|key| key.at.line).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recorded_key_matches_and_says_where() {
    let hosts = parse(&format!("# mine\n\nbastion.example.com,10.0.0.1 {} me@here\n", text(&ed25519(1))));
    for host in ["bastion.example.com", "BASTION.Example.Com", "10.0.0.1"] {
        assert_eq!(hosts.check(host, 22, None, &ed25519(1)), Verdict::Match { at: at(3) });
    }
    assert_eq!(hosts.check("other.example.com", 22, None, &ed25519(1)), Verdict::Unknown);
    assert_eq!(hosts.warnings(), []);
}

#[test]
fn another_key_of_the_same_type_is_a_change() {
    let hosts = parse(&format!("host {}\nhost {}\n", text(&ed25519(1)), text(&ed25519(2))));
    assert_eq!(hosts.check("host", 22, None, &ed25519(2)), Verdict::Match { at: at(2) });
    let Verdict::Changed { known } = hosts.check("host", 22, None, &ed25519(3)) else { panic!() };
    assert_eq!(known[0], KnownKey::new(&at(1), &PublicKey::from_blob(&ed25519(1)).unwrap()));
    assert_eq!(known[0].fingerprint, sha256_fingerprint(&ed25519(1)));
    assert_eq!(known.len(), 2);
}

#[test]
fn a_key_of_a_type_not_on_record_is_a_change_too() {
    let hosts = parse(&format!("host {}\n", text(&ed25519(1))));
    assert_eq!(contradicted(hosts.check("host", 22, None, &key("ecdsa-sha2-nistp256", 1))), [1]);
}

#[test]
fn a_port_is_part_of_the_name() {
    let hosts = parse(&format!("[host]:2222 {}\n[::1]:2222 {}\n", text(&ed25519(1)), text(&ed25519(2))));
    assert_eq!(hosts.check("host", 2222, None, &ed25519(1)), Verdict::Match { at: at(1) });
    assert_eq!(hosts.check("::1", 2222, None, &ed25519(2)), Verdict::Match { at: at(2) });
    assert_eq!(hosts.check("host", 22, None, &ed25519(1)), Verdict::Unknown);
    assert_eq!(hosts.check("host", 2223, None, &ed25519(1)), Verdict::Unknown);
}

#[test]
fn a_key_recorded_without_a_port_vouches_on_every_port_but_does_not_contradict() {
    let hosts = parse(&format!("host {}\n[host]:2222 {}\n", text(&ed25519(1)), text(&ed25519(2))));
    assert_eq!(hosts.check("host", 3333, None, &ed25519(1)), Verdict::Match { at: at(1) });
    assert_eq!(hosts.check("host", 3333, None, &ed25519(9)), Verdict::Unknown);
    assert_eq!(contradicted(hosts.check("host", 2222, None, &ed25519(1))), [2]);
}

#[test]
fn a_revoked_key_is_revoked_wherever_else_it_stands() {
    let (good, bad) = (text(&ed25519(1)), text(&ed25519(2)));
    let hosts = parse(&format!("host {bad}\nhost {good}\n@revoked * {bad}\n@revoked elsewhere {good}\n"));
    assert_eq!(hosts.check("host", 22, None, &ed25519(2)), Verdict::Revoked { at: at(3) });
    assert_eq!(hosts.check("host", 2222, None, &ed25519(2)), Verdict::Revoked { at: at(3) });
    assert_eq!(hosts.check("unheard-of", 22, None, &ed25519(2)), Verdict::Revoked { at: at(3) });
    assert_eq!(hosts.check("host", 22, None, &ed25519(1)), Verdict::Match { at: at(2) });
    assert_eq!(hosts.check("elsewhere", 22, None, &ed25519(1)), Verdict::Revoked { at: at(4) });
}

#[test]
fn a_revocation_without_a_port_counts_on_every_port() {
    let revoked = text(&ed25519(1));
    let hosts = parse(&format!("@revoked host {revoked}\n[host]:2222 {revoked}\n"));
    assert_eq!(hosts.check("host", 2222, None, &ed25519(1)), Verdict::Revoked { at: at(1) });
}

#[test]
fn an_authority_vouches_for_certificates_only() {
    let hosts = parse(&format!("@cert-authority *.example.com {}\n", text(&ed25519(1))));
    let plain = ed25519(7);
    let judge = |host: &str, authority: &[u8]| hosts.check_certificate(host, 22, &plain, authority);
    assert_eq!(judge("a.example.com", &ed25519(1)), Verdict::CertAuthority { at: at(1) });
    assert_eq!(judge("a.example.org", &ed25519(1)), Verdict::Unknown);
    assert_eq!(judge("a.example.com", &ed25519(2)), Verdict::Unknown);
    assert_eq!(hosts.check("a.example.com", 22, None, &ed25519(1)), Verdict::Unknown);
}

#[test]
fn a_revoked_authority_or_a_revoked_key_it_certified_is_revoked() {
    let authority = text(&ed25519(1));
    let hosts = parse(&format!(
        "@cert-authority * {authority}\n@revoked bad {authority}\n@revoked * {}\n",
        text(&ed25519(8))
    ));
    let judge = |host: &str, plain: u8| hosts.check_certificate(host, 22, &ed25519(plain), &ed25519(1));
    assert_eq!(judge("good", 7), Verdict::CertAuthority { at: at(1) });
    assert_eq!(judge("bad", 7), Verdict::Revoked { at: at(2) });
    assert_eq!(judge("good", 8), Verdict::Revoked { at: at(3) });
}

#[test]
fn an_address_can_contradict_a_name_but_not_vouch_for_it() {
    let hosts = parse(&format!("host {}\n10.0.0.1 {}\n", text(&ed25519(1)), text(&ed25519(2))));
    let address = |text: &str| Some(text.parse().unwrap());
    assert_eq!(hosts.check("host", 22, address("10.0.0.2"), &ed25519(1)), Verdict::Match { at: at(1) });
    assert_eq!(contradicted(hosts.check("host", 22, address("10.0.0.1"), &ed25519(1))), [2]);
    assert_eq!(hosts.check("new-host", 22, address("10.0.0.1"), &ed25519(2)), Verdict::Unknown);
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let hosts = parse(&format!("* {}\n", text(&ed25519(1))));
    let check = |host: &str, key: &[u8]| hosts.check(host, 22, None, key);
    let endless = "x".repeat(MAX_HOST_LEN + 1);
    for host in ["", "a,b", "a b", "*", "!a", "a\n", "#a", "|1|a", endless.as_str()] {
        assert_eq!(check(host, &ed25519(1)), Verdict::Refused(Refusal::Host), "{host:?}");
        assert_eq!(append_line(host, 22, &ed25519(1), None), Err(Refusal::Host), "{host:?}");
    }
    for key in [&b""[..], b"\0\0\0\x0bssh", b"\0\0\0\x02\n\n"] {
        assert_eq!(check("host", key), Verdict::Refused(Refusal::Key), "{key:?}");
        assert_eq!(append_line("host", 22, key, None), Err(Refusal::Key), "{key:?}");
    }
}

#[test]
fn a_file_beyond_the_bound_refuses_everything() {
    let mut hosts = parse(&format!("host {}\n", text(&ed25519(1))));
    hosts.extend(KnownHosts::parse(vec![b'\n'; MAX_FILE_LEN + 1], "endless"));
    let refusal = Refusal::FileTooLarge { source: "endless".into() };
    assert_eq!(hosts.check("host", 22, None, &ed25519(1)), Verdict::Refused(refusal));
}

#[test]
fn bad_lines_are_named_and_the_others_count() {
    let good = text(&ed25519(1));
    let lines = [
        format!("@unknown host {good}"),
        format!("@revoked @cert-authority host {good}"),
        format!("|1|short|short {good}"),
        "host 1024 35 1234567890".to_owned(),
        "host ssh-ed25519 not-base64".to_owned(),
        "host".to_owned(),
        format!("host {good} {}", "x".repeat(MAX_LINE_LEN)),
        format!("  host\t{good}  a caf\u{e9}  \r"),
    ];
    let mut bytes = lines.join("\n").into_bytes();
    bytes.extend_from_slice(b"\n# caf\xe9\n");
    let hosts = KnownHosts::parse(bytes, "known_hosts");
    let malformed = |what| LineError::Key(underpass_keys::KeyFileError::Malformed(what));
    let expected = [
        LineError::UnknownMarker,
        LineError::SeveralMarkers,
        LineError::HashedName,
        LineError::Version1,
        malformed("the public key is not base64"),
        malformed("the line holds no public key"),
        LineError::TooLong,
    ];
    let expected = expected.into_iter().zip(1..).map(|(error, line)| Warning { at: at(line), error });
    assert_eq!(hosts.warnings(), expected.collect::<Vec<_>>());
    assert_eq!(hosts.warnings()[3].to_string(), "known_hosts:4: the key is for version 1 of the protocol");
    assert_eq!(hosts.check("host", 22, None, &ed25519(1)), Verdict::Match { at: at(8) });
}

#[test]
fn a_file_of_rubbish_gives_a_bounded_number_of_warnings() {
    assert_eq!(parse(&"rubbish\n".repeat(10 * MAX_WARNINGS)).warnings().len(), MAX_WARNINGS);
}

#[test]
fn known_key_types_come_first_from_the_exact_name() {
    let hosts = parse(&format!(
        "host {}\nhost {}\nhost {}\n[host]:2222 {}\n@revoked host {}\n@cert-authority host {}\n",
        text(&key("ssh-rsa", 1)),
        text(&ed25519(1)),
        text(&key("ssh-rsa", 2)),
        text(&key("ecdsa-sha2-nistp256", 1)),
        text(&key("ssh-dss", 1)),
        text(&key("ecdsa-sha2-nistp521", 1)),
    ));
    assert_eq!(hosts.key_types_for("host", 22), ["ssh-rsa", "ssh-ed25519"]);
    assert_eq!(hosts.key_types_for("HOST", 2222), ["ecdsa-sha2-nistp256"]);
    assert_eq!(hosts.key_types_for("host", 2223), ["ssh-rsa", "ssh-ed25519"]);
    assert_eq!(hosts.key_types_for("other", 22), [""; 0]);
}

#[test]
fn an_appended_line_matches_plain_and_hashed() {
    for port in [22, 2222] {
        let plain = append_line("Host.Example", port, &ed25519(1), None).unwrap();
        let hashed = append_line("Host.Example", port, &ed25519(1), Some(&mut Fixed(5))).unwrap();
        assert!(plain.contains("host.example") && !hashed.contains("host.example"));
        for line in [plain, hashed] {
            let hosts = parse(&line);
            assert_eq!(hosts.check("host.example", port, None, &ed25519(1)), Verdict::Match { at: at(1) });
            assert_eq!(hosts.check("host.example", port + 1, None, &ed25519(2)), Verdict::Unknown);
        }
    }
}

#[test]
fn storing_makes_a_private_file_and_keeps_lines_apart() {
    let scratch = Scratch::new();
    let path = scratch.0.join("deep/er/known_hosts");
    store::append(&path, "first\n").unwrap();
    store::append(&path, "second\n").unwrap();
    fs::write(&path, fs::read_to_string(&path).unwrap().trim_end()).unwrap();
    store::append(&path, "third\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "first\nsecond\nthird\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
    assert!(store::append(&scratch.0, "a directory is no file\n").is_err());
}

#[test]
fn lines_stored_at_the_same_time_are_not_torn() {
    let scratch = Scratch::new();
    let path = scratch.0.join("known_hosts");
    let line = |thread: usize| format!("{}\n", thread.to_string().repeat(300));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = &path;
            scope.spawn(move || (0..50).for_each(|_| store::append(path, &line(thread)).unwrap()));
        }
    });
    let stored = fs::read_to_string(&path).unwrap();
    let whole = |found: &str| (0..4).any(|thread| line(thread).trim_end() == found);
    assert_eq!(stored.lines().filter(|found| whole(found)).count(), 200);
    assert!(stored.lines().all(|found| found.is_empty() || whole(found)));
}

/// Which lines are about a host: asked of `ssh-keygen` and of us, for a file with every kind of line.
#[test]
fn lookups_agree_with_ssh_keygen() {
    let key = text(&real_key());
    let plain = [
        "alpha.example.com",
        "Beta.Example.Com",
        "*.example.com",
        "*.example.com,!gamma.example.com",
        "!gamma.example.com,*",
        "[alpha.example.com]:2222",
        "[*]:2222",
        "[*.example.com]:22??",
        "10.0.0.?",
        "2001:db8::1,[2001:db8::1]:2222",
        "@cert-authority *.example.com",
        "@revoked gamma*",
        "a?pha.*,b*a.*.com",
    ];
    let to_hash = ["alpha.example.com", "[alpha.example.com]:2222", "10.0.0.7", "[2001:db8::1]:2222"];
    let lines = |hosts: &[&str]| hosts.iter().map(|hosts| format!("{hosts} {key}\n")).collect::<String>();
    let scratch = Scratch::new();
    let path = scratch.0.join("known_hosts");
    fs::write(&path, lines(&to_hash)).unwrap();
    keygen(&["-H"], &path);
    let hashed = fs::read_to_string(&path).unwrap();
    assert!(hashed.starts_with("|1|"), "{hashed}");
    let whole = hashed + &lines(&plain);
    fs::write(&path, &whole).unwrap();

    let ours = parse(&whole);
    assert_eq!(ours.lines.len(), to_hash.len() + plain.len());
    for host in
        ["alpha.example.com", "beta.example.com", "gamma.example.com", "10.0.0.7", "10.0.0.77", "2001:db8::1"]
    {
        for port in [22, 2222, 2022] {
            let name = Names::of(host, port).unwrap().exact;
            let found = ours.lines.iter().filter(|(_, line)| line.hosts.include(&name));
            let found: Vec<usize> = found.map(|(at, _)| at.line).collect();
            let theirs = keygen(&["-F", &name], &path);
            let number =
                |line: &str| line.split("found: line ").nth(1)?.split_whitespace().next()?.parse().ok();
            let theirs: Vec<usize> = theirs.lines().filter_map(number).collect();
            assert_eq!(found, theirs, "{name}");
        }
    }
}

#[test]
fn ssh_keygen_finds_the_lines_that_we_append() {
    let scratch = Scratch::new();
    let path = scratch.0.join("known_hosts");
    let mut entropy = Fixed(9);
    store::append(&path, &append_line("plain.example", 22, &real_key(), None).unwrap()).unwrap();
    store::append(&path, &append_line("hidden.example", 2222, &real_key(), Some(&mut entropy)).unwrap())
        .unwrap();
    assert!(keygen(&["-F", "plain.example"], &path).contains("found: line 1"));
    assert!(keygen(&["-F", "[hidden.example]:2222"], &path).contains("found: line 2"));
    assert_eq!(keygen(&["-F", "hidden.example"], &path), "");
    assert_eq!(keygen(&["-l"], &path).matches(&sha256_fingerprint(&real_key())).count(), 2);
}

/// The same cases on every run.
#[test]
fn ten_thousand_mutations_never_make_a_stranger_s_key_match() {
    let key = text(&ed25519(1));
    let seed = format!(
        "host {key} c\n@revoked [host]:22 {key}\n{}@cert-authority *.x,!y {key}\n# c\n",
        append_line("host", 2222, &ed25519(1), Some(&mut Fixed(1))).unwrap()
    );
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % bound as u64) as usize
    };
    for _ in 0..10_000 {
        let mut text = seed.clone().into_bytes();
        for _ in 0..=below(4) {
            let at = below(text.len());
            match below(4) {
                0 => text[at] = below(256) as u8,
                1 => text.insert(at, b" \t\n@|*?!,[]#="[below(13)]),
                2 if text.len() > 1 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        let hosts = KnownHosts::parse(&text, "known_hosts");
        for port in [22, 2222] {
            let verdict = hosts.check("host", port, None, &ed25519(2));
            assert!(!matches!(verdict, Verdict::Match { .. }), "{}", String::from_utf8_lossy(&text));
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000), host in ".{0,40}", port: u16) {
        let hosts = KnownHosts::parse(&bytes, "known_hosts");
        let verdict = hosts.check(&host, port, None, &ed25519(1));
        prop_assert!(matches!(verdict, Verdict::Unknown | Verdict::Refused(_)), "{verdict:?}");
    }

    #[test]
    fn no_line_panics(hosts in "[@|!*?a-c,\\[\\]:0-9]{0,30}", rest in "(ssh-ed25519 )?[A-Za-z0-9+/=]{0,80}", host in "[a-c]{1,5}") {
        let known = parse(&format!("{hosts} {rest}\n"));
        let verdict = known.check(&host, 22, None, &ed25519(1));
        prop_assert!(!matches!(verdict, Verdict::Match { .. }), "{verdict:?}");
    }

    #[test]
    fn a_hashed_and_a_plain_line_agree(host in "[a-zA-Z0-9.:-]{1,40}", other in "[a-zA-Z0-9.:-]{1,40}", port: u16, salt: u8) {
        let lines = [None, Some(Fixed(salt))].map(|mut entropy| {
            let hashing = entropy.as_mut().map(|entropy| entropy as &mut dyn Entropy);
            parse(&append_line(&host, port, &ed25519(1), hashing).unwrap())
        });
        for asked in [&host, &other] {
            for number in [1, 2] {
                let [plain, hashed] = [0, 1].map(|at| lines[at].check(asked, port, None, &ed25519(number)));
                prop_assert_eq!(&plain, &hashed);
                prop_assert_eq!(matches!(plain, Verdict::Match { .. }), number == 1 && asked.eq_ignore_ascii_case(&host));
            }
        }
    }
}

/// A key that `ssh-keygen` accepts: the one of RFC 8032 section 7.1, test 1.
fn real_key() -> Vec<u8> {
    STANDARD.decode("AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea").unwrap()
}

/// Gives what `ssh-keygen` prints about a file; it fails where it finds nothing, which is an answer too.
fn keygen(arguments: &[&str], path: &std::path::Path) -> String {
    let output = Command::new("ssh-keygen").args(arguments).arg("-f").arg(path).output();
    let output = output.expect("these tests need ssh-keygen (Debian: openssh-client)");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || complaint.is_empty(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// Always the same byte.
struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("underpass-known-hosts-{}-{number}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory left behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
