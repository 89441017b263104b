//! Every message in every context: what decodes must encode to something that decodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_wire::{AuthMethod, Context, Encode as _, KexFamily, Message};

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (kex, auth, payload) = input;
    let context = Context {
        kex: KexFamily::ALL.get(usize::from(kex) % (KexFamily::ALL.len() + 1)).copied(),
        auth: AuthMethod::ALL.get(usize::from(auth) % (AuthMethod::ALL.len() + 1)).copied(),
    };
    let Ok(message) = Message::decode(payload, context) else { return };
    assert!(!format!("{message:?}").is_empty());
    let mut encoded = Vec::new();
    message.encode(&mut encoded);
    assert_eq!(Message::decode(&encoded, context), Ok(message));
});
