//! The reference page of the command, made from its tables. Only the test below makes it.

use std::{
    fmt::{self, Write as _},
    fs,
    path::Path,
    time::Duration,
};

use serde_json::Value;
use underpass::{
    Bound, Endpoint, Error, Event, Forward, HostKeyVerdict, OpenFailureReason, PacketDirection, Peer, Step,
};
use underpass_options::Group;

use crate::{
    exit::Exit,
    help::{ENVIRONMENT, SUMMARY, USAGE, rows},
    json,
};

#[test]
fn the_reference_page_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/command.md");
    let page = reference();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == page, "docs/reference/command.md is out of date: {GENERATED}");
}

#[test]
fn every_object_is_one_line_that_begins_with_its_event() {
    for sample in samples() {
        let line = sample.to_string();
        assert!(line.starts_with("{\"event\":\""), "{line}");
        assert!(!line.contains(char::is_control), "{line}");
    }
}

fn reference() -> String {
    let mut out = String::new();
    write_reference(&mut out).unwrap();
    out
}

fn write_reference(out: &mut String) -> fmt::Result {
    writeln!(out, "# The command `underpass`\n\n<!-- {GENERATED} -->\n\n{SUMMARY}\n")?;
    writeln!(out, "| Usage | |\n|---|---|")?;
    for (usage, meaning) in USAGE {
        writeln!(out, "| `{usage}` | {meaning} |")?;
    }
    writeln!(out, "\n{NOTES}")?;
    for group in Group::ALL {
        writeln!(out, "\n## {}\n\n| Option | Meaning | Default |\n|---|---|---|", group.title())?;
        for row in rows(group) {
            let spellings: Vec<String> =
                row.spellings().iter().map(|spelling| format!("`{}`", in_table(spelling))).collect();
            let (spellings, doc, default) =
                (spellings.join("<br>"), in_table(row.doc), in_table(row.default));
            writeln!(out, "| {spellings} | {doc}. | {default} |")?;
        }
    }
    writeln!(out, "\n## Environment\n\n| Variable | Meaning |\n|---|---|")?;
    for (variable, meaning) in ENVIRONMENT {
        writeln!(out, "| `{variable}` | {meaning} |")?;
    }
    writeln!(out, "\n## Exit codes\n\n| Code | Meaning |\n|---|---|")?;
    for Exit { code, meaning } in Exit::ALL {
        writeln!(out, "| {code} | {meaning} |")?;
    }
    writeln!(out, "\n## What `--json` writes\n\n{JSON_NOTES}\n\n```json")?;
    for sample in samples() {
        writeln!(out, "{sample}")?;
    }
    writeln!(out, "```")
}

/// One object of each kind.
fn samples() -> Vec<Value> {
    let mut samples: Vec<Value> = before_login().iter().chain(&after_login()).map(json::event).collect();
    samples.push(json::object("ready", serde_json::json!({})));
    samples.push(json::dropped(12));
    samples.push(json::error(&Error::lost(Step::Carry, "bastion", None)));
    samples
}

fn before_login() -> Vec<Event> {
    let owned = str::to_owned;
    vec![
        Event::Connecting { host: owned("bastion"), port: 22 },
        Event::Connected { address: ([192, 0, 2, 1], 22).into() },
        Event::Identified { software: owned("OpenSSH_10.0"), line: owned("SSH-2.0-OpenSSH_10.0") },
        Event::HostKey {
            host: owned("bastion"),
            key_type: owned("ssh-ed25519"),
            fingerprint: owned("SHA256:uNiVztksCsDhcc0u9e8BrrQo4yfJUFFxOFaIwXJ3mU0"),
            certificate: None,
            verdict: HostKeyVerdict::Known,
        },
        Event::KerberosServer { server: owned("host@bastion") },
        Event::KeyExchange {
            kex: owned("mlkem768x25519-sha256"),
            host_key: Some(owned("ssh-ed25519")),
            cipher_out: owned("aes128-gcm@openssh.com"),
            cipher_in: owned("aes128-gcm@openssh.com"),
            mac_out: None,
            mac_in: None,
            compression_out: None,
            compression_in: None,
            strict: true,
            rekey: false,
        },
        Event::Banner { text: owned("Authorised use only\n") },
        Event::AuthAttempt { method: owned("publickey"), detail: owned("/home/me/.ssh/id_ed25519") },
        Event::AuthRefused { method: owned("publickey"), remaining: vec![owned("password")], partial: false },
        Event::Authenticated { method: owned("password"), user: owned("me") },
    ]
}

fn after_login() -> Vec<Event> {
    let peer = Peer::Tcp(([127, 0, 0, 1], 40002).into());
    let target = Endpoint::from(("db", 5432));
    let refused = OpenFailureReason::CONNECT_FAILED;
    let error = Error::target_refused("bastion", &target, refused, b"Connection refused");
    vec![
        Event::Listening {
            forward: Forward::local(0, ("db", 5432)),
            address: Bound::Tcp(([127, 0, 0, 1], 40001).into()),
        },
        Event::ConnectionOpened { id: 1, peer: peer.clone(), target: target.clone() },
        Event::ConnectionClosed { id: 1, sent: 1234, received: 56789, error: None },
        Event::ConnectionFailed { id: 2, peer, target, error },
        Event::Warning { text: "the server's key is not checked".to_owned() },
        Event::Detail { level: 2, text: "the server accepts ssh-ed25519 signatures".to_owned() },
        Event::Packet {
            host: "bastion".to_owned(),
            direction: PacketDirection::Sent,
            sequence: 12,
            number: 94,
            message: Some("SSH_MSG_CHANNEL_DATA"),
            channel: Some(0),
            length: Some(1033),
            bytes: None,
        },
        Event::Reconnecting {
            error: Error::peer_dead("bastion", Duration::from_secs(45)),
            attempt: 1,
            after: Duration::from_millis(700),
        },
        Event::Reconnected { outage: Duration::from_millis(900), attempts: 1 },
        Event::Stopping { open: 1 },
        Event::Closed { error: None },
    ]
}

/// Text that does not end a cell.
fn in_table(text: &str) -> String {
    text.replace('|', "\\|")
}

const GENERATED: &str =
    "Generated from the command's tables. `UPDATE_REFERENCE=1 cargo test -p underpass-cli` writes it.";

const NOTES: &str = "\
Short flags combine: `-NvL 5432:db:5432` is `-N -v -L 5432:db:5432`. After `-o`, `Keyword=value` and `\"Keyword value\"`
are the same, in any case. Of several values for one option the first counts, as in ssh; forwards and keys add up. After
`-o`, a keyword that is not listed here is an error.

Files of ssh_config(5) are read as OpenSSH 9.2 reads them, with `Host`, `Match`, `Include` and `IgnoreUnknown`. The
command line counts first, then `~/.ssh/config`, then `/etc/ssh/ssh_config`. In a file, a keyword that is unknown, or
that asks for something that is not supported, is passed over with a warning; one that does not concern a tunnel is
passed over, which `-vv` tells. A file that others can write to is refused, except one after `-F`. Names are not
canonicalised: with `CanonicalizeHostname`, files are read a second time, but no name is looked up in
`CanonicalDomains`. The criteria `localnetwork` and `version` of later versions of OpenSSH are errors.

A time is a number of seconds, or numbers with the units `s`, `m`, `h`, `d`, `w`: `90`, `5m`, `1h30m`. An amount of data
is a number of bytes, or one with `K`, `M` or `G`, the binary units.

SIGINT (Ctrl-C) and SIGTERM stop the tunnel: it takes no more connections and waits up to 30 seconds for those that are
open. A second signal cuts them.";

const JSON_NOTES: &str = "\
One object a line, each with an `event`. Events of further names, and further members of these, may come with later
versions. Bytes are counted per connection; `sent` went to the target. Text from the server is as it came, in JSON's
escapes. When nobody reads fast enough, events are dropped, and the `dropped` event says how many. An `error` is the
last line of a command that fails. `underpass demo` adds events whose names begin with `demo-`; `underpass algorithms`
writes only objects with the event `algorithm`, and `underpass keys inspect` one `key-file` and a `key` for each entry, `underpass \
keys list` the latter.";
