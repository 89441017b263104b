//! Keys of PuTTY and SSH.com, made by PuTTYgen from those of ssh-keygen, and public keys.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use underpass_keys::{Format, KeyFileError, Passwords, Store, StoreType};

use crate::{
    PASSWORD, Sample,
    base::Base,
    tool::{Scratch, run},
};

/// A key pair of ssh-keygen, on the disk.
struct Key {
    base: Base,
    dir: Scratch,
}

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let types =
        ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048", "rsa -b 1024", "dsa"];
    types.into_iter().map(Key::new).collect()
});

impl Key {
    fn new(key_type: &'static str) -> Self {
        let dir = Scratch::new();
        let path = dir.path("key");
        run("ssh-keygen", &format!("-q -C me@here -t {key_type} -f @ -N ''"), &[&path], b"");
        let line = std::fs::read_to_string(dir.path("key.pub")).unwrap();
        let blob = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
        Self { base: Base::of_ssh(key_type, blob), dir }
    }

    /// What PuTTYgen makes of it.
    fn puttygen(&self, options: &str, password: Option<&str>) -> Vec<u8> {
        // Of its own: tests convert the same key at the same time.
        let dir = Scratch::new();
        let (key, out) = (self.dir.path("key"), dir.path("out"));
        let secret = dir.file("password", password.unwrap_or_default());
        let words = format!("@ -o @ --new-passphrase @ {options}");
        run("puttygen", &words, &[&key, &out, &secret], b"");
        std::fs::read(out).unwrap()
    }
}

const PPK: [&str; 6] = [
    "-O private --ppk-param version=2",
    "-O private --ppk-param version=3,kdf=argon2id,memory=64,passes=1",
    "-O private --ppk-param version=3,kdf=argon2i,memory=64,passes=2",
    "-O private --ppk-param version=3,kdf=argon2d,memory=64,passes=3,parallelism=2",
    "-O private --ppk-param version=3",
    "-O private-sshcom",
];

#[test]
fn what_puttygen_writes_opens() {
    for key in KEYS.iter() {
        for options in PPK {
            let sshcom = options == "-O private-sshcom";
            // SSH.com had no other types.
            if sshcom && !["rsa", "dsa"].contains(&key.base.name.split(' ').next().unwrap()) {
                continue;
            }
            // The default takes a tenth of a second each time.
            if options.ends_with("version=3") && key.base.name != "ed25519" {
                continue;
            }
            for password in [None, Some(PASSWORD)] {
                let bytes = key.puttygen(options, password);
                let format = if sshcom { Format::SshCom } else { Format::Ppk };
                let shows_public = !sshcom || password.is_none();
                let what = format!("puttygen {options}");
                Sample { what, bytes, format, key: &key.base, password, shows_public }.check();
            }
        }
    }
}

#[test]
fn comments_are_kept() {
    let key = &KEYS[4];
    for options in PPK {
        let bytes = key.puttygen(options, None);
        let store = Store::open(&bytes, Passwords::default()).unwrap();
        assert_eq!(store.entries()[0].comment, "me@here", "{options}");
    }
}

#[test]
fn a_changed_ppk_is_told_apart_from_a_wrong_passphrase_where_there_is_none() {
    let text = String::from_utf8(KEYS[0].puttygen(PPK[1], None)).unwrap();
    let changed = text.replace("Comment: me", "Comment: you");
    assert!(matches!(underpass_keys::load(changed.as_bytes(), None), Err(KeyFileError::Malformed(_))));
}

#[test]
fn argon2_may_not_ask_for_the_moon() {
    let text = String::from_utf8(KEYS[0].puttygen(PPK[1], Some(PASSWORD))).unwrap();
    let open = |line: &str, other: &str| {
        assert!(text.contains(line), "{text}");
        let changed = text.replace(line, other);
        underpass_keys::load(changed.as_bytes(), Some(&PASSWORD.into())).unwrap_err()
    };
    let memory = open("Argon2-Memory: 64", "Argon2-Memory: 4294967295");
    assert!(matches!(memory, KeyFileError::Memory { .. }), "{memory}");
    let passes = open("Argon2-Passes: 1", "Argon2-Passes: 4294967295");
    assert!(matches!(passes, KeyFileError::Cost { .. }), "{passes}");
    for (line, other) in [
        ("Argon2-Parallelism: 1", "Argon2-Parallelism: 0"),
        ("Argon2-Parallelism: 1", "Argon2-Parallelism: 4294967295"),
        ("Argon2-Memory: 64", "Argon2-Memory: 0"),
        ("Argon2-Passes: 1", "Argon2-Passes: 0"),
    ] {
        open(line, other);
    }
}

#[test]
fn public_keys_open_in_each_form() {
    for key in KEYS.iter() {
        let line = std::fs::read(key.dir.path("key.pub")).unwrap();
        let rfc4716 = run("ssh-keygen", "-e -m RFC4716 -f @", &[&key.dir.path("key.pub")], b"");
        for (bytes, format) in [(line, Format::PublicKey), (rfc4716, Format::Rfc4716)] {
            let store = Store::open_as(StoreType::SshPublicKey, &bytes, Passwords::default()).unwrap();
            assert_eq!(store.format(), format);
            assert_eq!(store.entries()[0].public.as_ref().unwrap().blob(), key.base.blob);
            assert_eq!(store.private_key("*").unwrap_err(), KeyFileError::Format(format));
            crate::batter::batter(&bytes, None);
        }
    }
}
