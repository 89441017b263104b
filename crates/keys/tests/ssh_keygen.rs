//! Keys made by `ssh-keygen`, and signatures that it verifies.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use underpass_crypto::{Hash, Provider, Secret, Signer};
use underpass_keys::{KeyFileError, PrivateKey, load, public_of};
use underpass_wire::Put as _;

/// Every key type, as `ssh-keygen` wants it said.
const KEY_TYPES: &[&[&str]] = &[
    &["-t", "ed25519"],
    &["-t", "ecdsa", "-b", "256"],
    &["-t", "ecdsa", "-b", "384"],
    &["-t", "ecdsa", "-b", "521"],
    &["-t", "rsa", "-b", "2048"],
    &["-t", "rsa", "-b", "3072"],
    &["-t", "rsa", "-b", "1024"],
    &["-t", "dsa"],
];

const PASSPHRASE: &str = "correct horse";

#[test]
fn a_key_without_passphrase_loads_and_signs() {
    for key_type in KEY_TYPES {
        let key = Key::new(key_type, &[]);
        let loaded = load(&key.private, None).unwrap();
        key.assert_is_loaded(&loaded, false);
        let loaded = load(&key.private, Some(&Secret::from("not needed"))).unwrap();
        key.assert_is_loaded(&loaded, false);
    }
}

#[test]
fn every_cipher_opens_with_the_passphrase_and_only_with_it() {
    // ssh-keygen has no more of the old ones.
    let old = ["aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"];
    let old = old.map(|name| Provider::find(Provider::ALL.ciphers, name).unwrap());
    for cipher in Provider::MODERN.ciphers.iter().copied().chain(old) {
        for key_type in KEY_TYPES {
            // The slow part is making RSA and DSA keys, which all ciphers treat alike.
            if ["rsa", "dsa"].contains(&key_type[1]) && cipher.name != "aes256-ctr" {
                continue;
            }
            let key = Key::new(key_type, &["-N", PASSPHRASE, "-Z", cipher.name, "-a", "1"]);
            let open = |passphrase: Option<&str>| load(&key.private, passphrase.map(Secret::from).as_ref());
            key.assert_is_loaded(&open(Some(PASSPHRASE)).unwrap(), true);
            assert_eq!(open(Some("wrong horse")).unwrap_err(), KeyFileError::WrongPassphrase, "{cipher:?}");
            assert_eq!(open(None).unwrap_err(), KeyFileError::PassphraseMissing, "{cipher:?}");
            assert_eq!(open(Some("")).unwrap_err(), KeyFileError::PassphraseMissing, "{cipher:?}");
        }
    }
}

#[test]
fn the_default_protection_of_ssh_keygen_opens() {
    let key = Key::new(&["-t", "ed25519"], &["-N", PASSPHRASE]);
    key.assert_is_loaded(&load(&key.private, Some(&Secret::from(PASSPHRASE))).unwrap(), true);
}

#[test]
fn the_public_half_needs_no_passphrase() {
    for options in [&[][..], &["-N", PASSPHRASE, "-a", "1"]] {
        let key = Key::new(&["-t", "ed25519"], options);
        let public = public_of(&key.private).unwrap();
        assert!(key.public.starts_with(&public.to_string()));
        let from_pub_file = public_of(key.public.as_bytes()).unwrap();
        assert_eq!(from_pub_file.blob(), public.blob());
        assert_eq!(from_pub_file.comment(), COMMENT);
        let listed = run(Command::new("ssh-keygen").args(["-l", "-f"]).arg(key.path()), b"");
        assert!(text(&listed.stdout).contains(&public.fingerprint()));
    }
}

#[test]
fn a_public_key_and_a_certificate_are_recognised() {
    let key = Key::new(&["-t", "ed25519"], &[]);
    let error = load(key.public.as_bytes(), None).unwrap_err();
    assert!(error.to_string().contains("a public key") && error.advice().contains("without .pub"), "{error}");
    let public = key.path().with_extension("pub");
    run(Command::new("ssh-keygen").args(["-q", "-I", "me", "-s"]).arg(key.path()).arg(public), b"");
    let certificate = fs::read(key.dir.0.join("key-cert.pub")).unwrap();
    let error = load(&certificate, None).unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(public_of(&certificate).unwrap().key_type(), "ssh-ed25519-cert-v01@openssh.com");
}

#[test]
fn a_key_with_another_key_s_public_half_is_refused() {
    let [one, other] = [(); 2].map(|()| Key::new(&["-t", "ed25519"], &[]));
    let decode = |key: &Key| {
        let text = text(&key.private);
        let base64: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        STANDARD.decode(base64).unwrap()
    };
    let (mut blob, donor) = (decode(&one), decode(&other));
    // Magic, "none" twice, no options, one key: then the public half, 51 bytes.
    let public = 15 + 8 + 8 + 4 + 4 + 4;
    blob[public..public + 51].copy_from_slice(&donor[public..public + 51]);
    let armoured = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        STANDARD.encode(blob)
    );
    assert!(matches!(load(armoured.as_bytes(), None), Err(KeyFileError::Malformed(_))));
}

const COMMENT: &str = "someone at somewhere";

/// A key pair that `ssh-keygen` has made.
struct Key {
    dir: Scratch,
    private: Vec<u8>,
    public: String,
}

impl Key {
    fn new(key_type: &[&str], options: &[&str]) -> Self {
        let dir = Scratch::new();
        let passphrase: &[&str] = if options.contains(&"-N") { &[] } else { &["-N", ""] };
        let path = dir.0.join("key");
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-C", COMMENT])
            .args(key_type)
            .args(options)
            .args(passphrase)
            .arg("-f")
            .arg(&path);
        run(&mut command, b"");
        let public = fs::read_to_string(path.with_extension("pub")).unwrap();
        Self { private: fs::read(path).unwrap(), public, dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.0.join("key")
    }

    fn assert_is_loaded(&self, loaded: &PrivateKey, encrypted: bool) {
        assert_eq!(loaded.comment, COMMENT);
        assert_eq!(loaded.encrypted, encrypted);
        assert_eq!(loaded.signer.public_key(), public_of(self.public.as_bytes()).unwrap().blob());
        // ssh-keygen refuses RSA with SHA-1 here; a server verifies that in the matrix.
        for algorithm in loaded.signer.algorithms().iter().filter(|name| **name != "ssh-rsa") {
            self.assert_verifies(&*loaded.signer, algorithm);
        }
    }

    /// Has `ssh-keygen` verify a signature of ours.
    fn assert_verifies(&self, signer: &dyn Signer, algorithm: &str) {
        let message = b"the data that is signed";
        let signature = self.dir.0.join("message.sig");
        fs::write(&signature, sshsig(signer, algorithm, message)).unwrap();
        let mut verify = Command::new("ssh-keygen");
        verify.args(["-Y", "check-novalidate", "-n", NAMESPACE, "-s"]).arg(&signature);
        let verified = run(&mut verify, message);
        assert!(text(&verified.stdout).starts_with("Good"), "{algorithm}");
        assert!(!attempt(&mut verify, b"other data").status.success(), "{algorithm}");
    }
}

const NAMESPACE: &str = "test";

/// A detached signature (PROTOCOL.sshsig in OpenSSH's sources).
fn sshsig(signer: &dyn Signer, algorithm: &str, message: &[u8]) -> String {
    let mut signed = b"SSHSIG".to_vec();
    signed.put_text(NAMESPACE);
    signed.put_string(b"");
    signed.put_text("sha512");
    signed.put_string(&Hash::Sha512.of(message));
    let mut blob = b"SSHSIG".to_vec();
    blob.put_u32(1);
    blob.put_string(signer.public_key());
    blob.put_text(NAMESPACE);
    blob.put_string(b"");
    blob.put_text("sha512");
    blob.put_string(&signer.sign(algorithm, &signed).unwrap());
    let base64 = STANDARD.encode(blob);
    let lines: Vec<&str> = base64.as_bytes().chunks(70).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

/// Runs a command that must succeed.
fn run(command: &mut Command, input: &[u8]) -> Output {
    let output = attempt(command, input);
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn attempt(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("these tests need ssh-keygen (Debian: openssh-client)");
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A directory that goes away with its key.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory left behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
