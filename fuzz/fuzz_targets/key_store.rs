//! Keys and stores of every format: the first byte says which frame goes around the others.
#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use underpass_keys::{Passwords, Private, Store};

fuzz_target!(|bytes: &[u8]| {
    let Some((frame, content)) = bytes.split_first() else { return };
    let frame = FRAMES[usize::from(*frame) % FRAMES.len()];
    let file = match frame {
        Frame::None => content.to_vec(),
        Frame::Prefix(prefix) => [prefix, content].concat(),
        Frame::Armour(begin, end) => format!("{begin}\n{}\n{end}\n", STANDARD.encode(content)).into_bytes(),
    };
    // Without a password, as one would only have the fuzzer wait for key derivation.
    match Store::open(&file, Passwords::default()) {
        Ok(store) => {
            assert_eq!(store.select("*").is_some(), !store.entries().is_empty());
            for entry in store.entries() {
                if let (Private::Ready(signer), Some(public)) = (&entry.private, &entry.public) {
                    assert_eq!(signer.public_key(), public.blob());
                }
            }
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.advice().is_empty()),
    }
});

#[derive(Clone, Copy)]
enum Frame {
    None,
    Prefix(&'static [u8]),
    Armour(&'static str, &'static str),
}

macro_rules! pem {
    ($label:literal) => {
        Frame::Armour(concat!("-----BEGIN ", $label, "-----"), concat!("-----END ", $label, "-----"))
    };
}

const FRAMES: &[Frame] = &[
    // DER of any kind, and text without a frame.
    Frame::None,
    Frame::Prefix(b"\xfe\xed\xfe\xed\0\0\0\x02"),
    Frame::Prefix(b"\xce\xce\xce\xce\0\0\0\x02"),
    Frame::Prefix(b"PuTTY-User-Key-File-2: ssh-"),
    Frame::Prefix(b"PuTTY-User-Key-File-3: ssh-"),
    Frame::Prefix(b"{\"kty\":"),
    Frame::Prefix(b"<RSAKeyValue>"),
    Frame::Prefix(b"<X509Certificate>"),
    pem!("PRIVATE KEY"),
    pem!("ENCRYPTED PRIVATE KEY"),
    pem!("RSA PRIVATE KEY"),
    pem!("EC PRIVATE KEY"),
    pem!("DSA PRIVATE KEY"),
    pem!("PUBLIC KEY"),
    pem!("CERTIFICATE"),
    pem!("PKCS7"),
    pem!("PKCS12"),
    Frame::Armour("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "---- END SSH2 ENCRYPTED PRIVATE KEY ----"),
    Frame::Armour("---- BEGIN SSH2 PUBLIC KEY ----", "---- END SSH2 PUBLIC KEY ----"),
];
