//! Each algorithm carries data to each peer that has it.

use underpass_conformance::interop;
use underpass_conformance::peer::PeerKind;

#[test]
fn with_sshd() {
    assert_proven(PeerKind::Sshd);
}

#[test]
fn with_dropbear() {
    assert_proven(PeerKind::Dropbear);
}

#[test]
fn with_asyncssh() {
    assert_proven(PeerKind::Asyncssh);
}

fn assert_proven(kind: PeerKind) {
    let failures = interop::column(kind).failures();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
