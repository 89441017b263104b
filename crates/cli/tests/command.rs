//! The command as a script sees it, as far as no server is needed.

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use underpass::{Named, Provider, Strength};

fn underpass(words: &[&str]) -> Output {
    underpass_of("/nonexistent".as_ref(), words)
}

fn underpass_of(home: &Path, words: &[&str]) -> Output {
    // Nothing of the machine's own configuration may matter, and nothing may be asked.
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpass"));
    command.arg("-Fnone").args(words).env_clear().env("HOME", home).stdin(Stdio::null());
    command.output().expect("cargo has built the command")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the command writes UTF-8")
}

#[test]
fn a_mistake_in_the_command_line_exits_with_2_and_says_what_to_do() {
    let mistakes: [(&[&str], &str); 6] = [
        (&[], "the destination, [user@]host, is missing"),
        (&["bastion"], "there is nothing to forward"),
        (&["-L", "80:db", "bastion"], "`80:db`"),
        (&["-o", "Prot=22", "-L", "1:a:2", "bastion"], "did you mean `Port`?"),
        (&["-L", "1:a:2", "-i", "~other/key", "me@bastion"], "`~other/key`"),
        (&["-L", "1:a:2", "--password-file", "/nonexistent/password", "me@bastion"], "/nonexistent/password"),
    ];
    for (words, expected) in mistakes {
        let output = underpass(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).starts_with("underpass: "), "{words:?}");
        assert!(text(&output.stderr).contains(expected), "{words:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn with_json_a_mistake_is_one_object_on_standard_output() {
    let output = underpass(&["--json", "-p", "http", "-L", "1:a:2", "bastion"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty());
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["event"], "error");
    assert_eq!(object["kind"], "configuration");
    assert_eq!(object["exit_code"], 2);
    assert!(object["message"].as_str().unwrap().contains("`http`"), "{object}");
    assert!(object["advice"].as_str().unwrap().contains("-p 2222"), "{object}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = underpass(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("Exit codes:"));
    let version = underpass(&["--version"]);
    assert_eq!(text(&version.stdout), format!("underpass {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_of_the_help_may_stop_early() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpass"));
    let mut child = command.arg("--help").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(complaint, "");
}

#[test]
fn all_algorithms_are_listed_in_the_order_of_preference() {
    fn rows<T: Named>(default: &[&T], all: &[&T]) -> Vec<(&'static str, bool, bool)> {
        let is_default = |name| default.iter().any(|one| one.name() == name);
        let row = |one: &&T| (one.name(), one.strength() == Strength::Legacy, is_default(one.name()));
        all.iter().map(row).collect()
    }
    let (default, all) = (Provider::DEFAULT, Provider::ALL);
    let expected = [
        rows(default.kex, all.kex),
        rows(default.signatures, all.signatures),
        rows(default.ciphers, all.ciphers),
        rows(default.macs, all.macs),
        rows(default.compression, all.compression),
    ]
    .concat();

    let list = underpass(&["algorithms"]);
    let lines: Vec<&str> = text(&list.stdout).lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let line = |(name, weak, default): &(&str, bool, bool)| match (weak, default) {
        (true, _) => format!("{name} (weak)"),
        (false, false) => format!("{name} (on request)"),
        (false, true) => (*name).to_owned(),
    };
    assert_eq!(lines, expected.iter().map(line).collect::<Vec<_>>());
    assert!(lines.contains(&"3des-cbc (weak)") && lines.contains(&"aes128-ctr"), "{lines:?}");

    let objects = underpass(&["algorithms", "--json"]);
    let objects: Vec<Value> =
        text(&objects.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields = |object: &Value| (object["name"].clone(), object["weak"].clone(), object["default"].clone());
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, weak, default)| (Value::from(name), Value::from(weak), Value::from(default)))
        .collect();
    assert_eq!(objects.iter().map(fields).collect::<Vec<_>>(), expected);
}

#[test]
fn the_demonstration_carries_checked_data_both_ways_and_says_so() {
    let output = underpass(&["demo", "--json"]);
    let events: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(output.status.code(), Some(0), "{events:?}");
    let event = |name: &str| {
        let found = events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {events:?}"))
    };
    assert_eq!(event("host-key")["verdict"], "known");
    assert_eq!(event("host-key")["fingerprint"], event("demo-gateway")["fingerprint"]);
    let length = event("demo-sent")["bytes"].as_u64().unwrap();
    assert!(length >= 1 << 20);
    assert_eq!(event("demo-received")["bytes"], length);
    let closed = event("connection-closed");
    assert_eq!((closed["sent"].as_u64(), closed["received"].as_u64()), (Some(length), Some(length)));
    assert_eq!(events.last().unwrap()["event"], "demo-done");
}

/// A key of the crate that reads keys.
fn key_file(name: &str) -> String {
    format!("{}/../keys/testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_key_file_is_looked_into_without_its_passphrase() {
    let file = key_file("ed25519-ctr");
    let shown = underpass(&["keys", "inspect", &file]);
    let shown = text(&shown.stdout);
    assert!(
        shown.starts_with(&format!("{file}: an OpenSSH private key, encrypted\n\n1. ED25519 SHA256:")),
        "{shown}"
    );
    assert!(shown.contains("private key: locked"), "{shown}");

    let objects = underpass(&["--json", "keys", "inspect", &file]);
    let objects: Vec<Value> =
        text(&objects.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [file, key] = objects.as_slice() else { panic!("{objects:?}") };
    assert_eq!((&file["event"], &file["format"]), (&"key-file".into(), &"openssh".into()));
    assert_eq!((&file["encrypted"], &file["entries"]), (&true.into(), &1.into()));
    assert_eq!((&key["event"], &key["type"]), (&"key".into(), &"ssh-ed25519".into()));
    assert_eq!((&key["bits"], &key["private"]), (&256.into(), &"locked".into()));
    assert!(shown.contains(key["fingerprint"].as_str().unwrap()), "{key}");
}

#[cfg(unix)]
#[test]
fn the_keys_of_the_user_are_listed() {
    let home = tempfile::tempdir().unwrap();
    let ssh = home.path().join(".ssh");
    fs::create_dir(&ssh).unwrap();
    let list = |arguments: &[&str]| {
        let output = underpass_of(home.path(), arguments);
        (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
    };
    let (code, _, said) = list(&["keys", "list"]);
    assert!(code == Some(8) && said.contains("ssh-keygen"), "{said}");
    fs::copy(key_file("rsa2048"), ssh.join("id_rsa")).unwrap();
    fs::copy(key_file("ed25519-ctr"), ssh.join("id_ed25519")).unwrap();
    let (code, shown, said) = list(&["keys", "list", "user"]);
    assert!(code == Some(0) && shown.starts_with("1. ED25519 SHA256:"), "{shown}{said}");
    assert!(shown.contains("private key: locked") && shown.contains("\n2. RSA 2048 SHA256:"), "{shown}");
    assert!(shown.contains(ssh.join("id_rsa").to_str().unwrap()), "{shown}");
    let (_, objects, _) = list(&["--json", "keys", "list"]);
    let types: Vec<_> = objects.lines().map(|line| line.contains("ssh-ed25519")).collect();
    assert_eq!(types, [true, false], "{objects}");
}

#[test]
fn a_file_that_is_no_key_is_named() {
    let output = underpass(&["keys", "inspect", &key_file("README.md")]);
    assert_eq!(output.status.code(), Some(8));
    let said = text(&output.stderr);
    assert!(said.contains("a text file that is no key") && said.contains("what to do: "), "{said}");
}
