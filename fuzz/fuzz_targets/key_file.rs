//! Key files, as they are and as the inside of an armoured one.
#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use underpass_keys::{load, public, public_of};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let blob = [b"openssh-key-v1\0", bytes].concat();
    let (begin, end) = ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----");
    read(format!("{begin}\n{}\n{end}\n", STANDARD.encode(blob)).as_bytes());
    if let Ok(key) = public::parse_line(&String::from_utf8_lossy(bytes)) {
        assert_eq!(
            public::parse_line(&key.to_string()).map(|again| again.blob().to_vec()),
            Ok(key.blob().to_vec())
        );
    }
});

/// Without a passphrase, as one would only have the fuzzer wait for bcrypt.
fn read(file: &[u8]) {
    let public = public_of(file);
    match load(file, None) {
        Ok(key) => {
            assert_eq!(public.map(|public| public.blob().to_vec()), Ok(key.signer.public_key().to_vec()))
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.advice().is_empty()),
    }
}
