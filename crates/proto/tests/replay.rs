//! Connections with servers that we did not write, said again from their transcripts: see `transcripts/README.md`.
//!
//! The client must send byte for byte what it sent then, which the server took, and come to the same end, however the
//! server's bytes are cut; and no flipped bit of the server's may pass.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use underpass_crypto::{Named, Provider};
use underpass_proto::Error;
use underpass_testkit::entropy::SeededEntropy;
use underpass_testkit::transcript::Transcript;

/// What has no transcript, by how its name begins, and why.
const UNRECORDED: &[(&str, &str)] = &[
    ("compression none", "every other transcript is one without compression"),
    (
        "key exchange gss-",
        "its tokens come from a Kerberos library, which draws and reads the clock by itself",
    ),
];

#[test]
fn every_algorithm_is_on_record() {
    let recorded = transcripts("");
    let unrecorded = |about: &str| UNRECORDED.iter().any(|(begin, _)| about.starts_with(begin));
    let all = algorithms();
    for about in &all {
        assert_ne!(recorded.contains_key(about), unrecorded(about), "{about}");
    }
    assert!(recorded.keys().all(|about| all.contains(about)), "there are transcripts of what there is not");
}

#[test]
fn every_transcript_is_about_what_was_agreed_on() {
    for (about, Transcript { terms, .. }) in transcripts("") {
        let (role, name) = about.rsplit_once(' ').unwrap();
        let agreed = match role {
            "key exchange" => &terms.kex,
            "host key" => &terms.host_key,
            "cipher" => &terms.cipher,
            "MAC" => &terms.mac,
            "compression" => &terms.compression,
            _ => panic!("{about}"),
        };
        assert_eq!(agreed, name);
    }
}

#[test]
fn key_exchanges_are_said_again() {
    say_again("key exchange", 3);
}

#[test]
fn host_keys_are_said_again() {
    say_again("host key", 12);
}

#[test]
fn ciphers_are_said_again() {
    say_again("cipher", 12);
}

#[test]
fn macs_are_said_again() {
    say_again("MAC", 12);
}

#[test]
fn compression_is_said_again() {
    say_again("compression", 12);
}

/// Each transcript about this, in every way; `flips` bits of the server's are flipped, one at a time.
fn say_again(about: &str, flips: usize) {
    for (about, transcript) in transcripts(about) {
        for piece in [usize::MAX, 1, 100] {
            if let Err(problem) = transcript.replay(piece) {
                panic!("{about} in pieces of {piece}: {problem}");
            }
        }
        let unprotected = transcript.unprotected();
        assert!(!unprotected.is_empty(), "{about}: there is padding before there are keys");
        let bytes: Vec<_> = (0..transcript.server().len()).filter(|at| !unprotected.contains(at)).collect();
        let mut random = SeededEntropy::new(bytes.len() as u64);
        for _ in 0..flips {
            let byte = bytes[random.below(bytes.len() as u64) as usize];
            let bit = 8 * byte + random.below(8) as usize;
            let outcome = transcript.replay_flipped(bit).expect("the terms are good");
            // What ends in our goodbye has not noticed anything.
            assert!(!matches!(outcome.end, None | Some(Error::Stopped)), "{about}, bit {bit}: {outcome:?}");
        }
    }
}

/// Every algorithm, as a transcript is about it.
fn algorithms() -> Vec<String> {
    fn each<T: Named>(role: &str, all: &[&T]) -> Vec<String> {
        all.iter().map(|algorithm| format!("{role} {}", algorithm.name())).collect()
    }
    let Provider { kex, signatures, ciphers, macs, compression } = Provider::ALL;
    [
        each("key exchange", kex),
        each("host key", signatures),
        each("cipher", ciphers),
        each("MAC", macs),
        each("compression", compression),
    ]
    .concat()
}

/// The transcripts whose subject begins like this.
fn transcripts(about: &str) -> BTreeMap<String, Transcript> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let paths = fs::read_dir(directory).expect("there are transcripts").flatten().map(|entry| entry.path());
    let texts = paths.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let all = texts.map(|path| {
        let text = fs::read_to_string(&path).expect("a transcript can be read");
        let transcript: Transcript =
            text.parse().unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        (transcript.terms.about.clone(), transcript)
    });
    let wanted: BTreeMap<_, _> = all.filter(|(subject, _)| subject.starts_with(about)).collect();
    assert!(!wanted.is_empty(), "there are no transcripts about {about}");
    wanted
}
