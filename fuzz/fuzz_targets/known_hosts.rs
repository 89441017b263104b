//! Files of known hosts: a key that is nowhere in the file is never a match.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass::known_hosts::{KnownHosts, Verdict, append_line};

fuzz_target!(|input: (&str, u16, &[u8])| {
    let (host, port, file) = input;
    let stranger = b"\0\0\0\x0bssh-ed25519not in any file";
    let known = KnownHosts::parse(file, "file");
    let verdict = known.check(host, port, None, stranger);
    assert!(!matches!(verdict, Verdict::Match { .. } | Verdict::CertAuthority { .. }));
    known.key_types_for(host, port);
    for warning in known.warnings() {
        assert!(!warning.to_string().chars().any(char::is_control));
    }
    if let Ok(line) = append_line(host, port, stranger, None) {
        let known = KnownHosts::parse(line, "line");
        assert!(matches!(known.check(host, port, None, stranger), Verdict::Match { .. }));
    }
});
