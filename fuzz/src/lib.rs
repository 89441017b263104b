//! One target for each format of `underpass-keys`: a row that says how the input becomes a file, and [`store!`].

use base64::{Engine as _, engine::general_purpose::STANDARD};
use underpass_keys::{Format, Passwords, Private, Store};

/// The password of the encrypted seeds. Under a fuzzer the work that a file may ask for is small, and checks of a password
/// pass: see `MAX_WORK` and `digest::matches`.
const PASSWORD: &str = "correct-horse";

/// The target of a format.
#[macro_export]
macro_rules! store {
    ($formats:expr) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::open($formats, bytes));
    };
}

/// How input becomes files of a format.
pub type Frames = &'static [Frame];

/// What goes around the input.
#[derive(Clone, Copy)]
pub enum Frame {
    /// Nothing: it is the file.
    None,
    /// What a file of the format begins with.
    Prefix(&'static [u8]),
    /// Two lines, with base64 between them.
    Armour(&'static str, &'static str),
}

macro_rules! pem {
    ($label:literal) => {
        Frame::Armour(concat!("-----BEGIN ", $label, "-----"), concat!("-----END ", $label, "-----"))
    };
}

macro_rules! ssh2 {
    ($label:literal) => {
        Frame::Armour(concat!("---- BEGIN SSH2 ", $label, " ----"), concat!("---- END SSH2 ", $label, " ----"))
    };
}

pub const OPENSSH: Frames = &[Frame::None, pem!("OPENSSH PRIVATE KEY")];
pub const PKCS1: Frames = &[Frame::None, pem!("RSA PRIVATE KEY"), pem!("RSA PUBLIC KEY")];
pub const SEC1: Frames = &[Frame::None, pem!("EC PRIVATE KEY")];
pub const DSA: Frames = &[Frame::None, pem!("DSA PRIVATE KEY")];
pub const PKCS8: Frames = &[Frame::None, pem!("PRIVATE KEY"), pem!("ENCRYPTED PRIVATE KEY"), pem!("PUBLIC KEY")];
pub const X509: Frames = &[Frame::None, pem!("CERTIFICATE"), pem!("TRUSTED CERTIFICATE")];
pub const PKCS7: Frames = &[Frame::None, pem!("PKCS7")];
pub const PKCS12: Frames = &[Frame::None, pem!("PKCS12")];
pub const BCFKS: Frames = &[Frame::None];
pub const JAVA: Frames = &[
    Frame::None,
    Frame::Prefix(b"\xfe\xed\xfe\xed\0\0\0\x02"),
    Frame::Prefix(b"\xce\xce\xce\xce\0\0\0\x02"),
];
pub const PPK: Frames =
    &[Frame::None, Frame::Prefix(b"PuTTY-User-Key-File-2: ssh-"), Frame::Prefix(b"PuTTY-User-Key-File-3: ssh-")];
pub const SSH_COM: Frames = &[Frame::None, ssh2!("ENCRYPTED PRIVATE KEY")];
pub const RFC4716: Frames = &[Frame::None, ssh2!("PUBLIC KEY")];
pub const XML: Frames = &[Frame::None, Frame::Prefix(b"<RSAKeyValue>"), Frame::Prefix(b"<X509Certificate>")];
pub const JWK: Frames = &[Frame::None, Frame::Prefix(b"{\"kty\":")];
/// Whatever it looks like.
pub const ANY: Frames = &[Frame::None];

impl Frame {
    fn around(self, content: &[u8]) -> Vec<u8> {
        match self {
            Self::None => content.to_vec(),
            Self::Prefix(prefix) => [prefix, content].concat(),
            Self::Armour(begin, end) => format!("{begin}\n{}\n{end}\n", STANDARD.encode(content)).into_bytes(),
        }
    }
}

/// Opens the input in each of `frames`, with a password and without. Whatever opens must hold together.
pub fn open(frames: Frames, bytes: &[u8]) {
    let password = PASSWORD.into();
    for frame in frames {
        let file = frame.around(bytes);
        assert!(!Format::of(&file).to_string().is_empty());
        for passwords in [Passwords::default(), Passwords::from(Some(&password))] {
            match Store::open(&file, passwords) {
                Ok(store) => check(&store),
                Err(error) => assert!(!error.to_string().is_empty() && !error.advice().is_empty()),
            }
        }
    }
}

fn check(store: &Store) {
    assert_eq!(store.select("*").is_some(), !store.entries().is_empty());
    for entry in store.entries() {
        if let (Private::Ready(signer), Some(public)) = (&entry.private, &entry.public) {
            assert_eq!(signer.public_key(), public.blob());
        }
    }
}
