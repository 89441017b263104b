//! What an agent answers: keys and signatures, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_agent::{MAX_IDENTITIES, body_len, bound, identities, signature};

fuzz_target!(|body: &[u8]| {
    if let Some(header) = body.first_chunk() {
        let _ = body_len(*header);
    }
    if let Ok(identities) = identities(body) {
        assert!(identities.len() <= MAX_IDENTITIES);
        let held: usize = identities.iter().map(|one| one.key.len() + one.comment.len()).sum();
        assert!(held <= body.len());
    }
    assert!(bound(body).is_err() || body.len() == 1);
    if let Ok(signature) = signature(body, "ssh-ed25519") {
        assert!(signature.len() < body.len());
    }
});
