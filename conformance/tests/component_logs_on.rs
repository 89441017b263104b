//! The component logs on: with keys out of every kind of store, with certificates, and with answers to questions.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tempfile::TempDir;
use underpass_component::SshTunnel;
use underpass_conformance::account::{self, PASSWORD};
use underpass_conformance::component::{self, PATIENCE, carries, refuses};
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::{Failure, Result};

const PUBLIC_KEY: i64 = 3;
const KEYBOARD_INTERACTIVE: i64 = 4;

/// keytool wants six characters at least.
const SECRET: &str = "persimmon-0c4d";

/// A kind of store, its file, and whether it is opened with the password.
type Row = (i64, &'static str, bool);

/// Files, each followed by its content as the next number has it, unless another is named.
const FILES: &[Row] = &[
    (2, "store-encrypted.p12", true),
    (2, "old-store-encrypted.p12", true),
    (4, "store.jks", true),
    (6, "pkcs8.pem", false),
    (6, "pkcs8-encrypted.pem", true),
    (6, "traditional.pem", false),
    (6, "with-certificate.pem", false),
    (14, "key.ppk", true),
    (16, "key.xml", false),
    (18, "key.jwk", false),
    (21, "store.bcfks", true),
];

/// The same without a private half.
const PUBLIC: &[Row] =
    &[(8, "certificate.pem", false), (11, "certificate.p7b", false), (13, "key.pub", false)];

/// What holds the content of a file of this type.
fn blob_of(kind: i64) -> i64 {
    if kind == 13 { 10 } else { kind + 1 }
}

/// One key in all these files.
struct Stores(TempDir);

impl Stores {
    fn new() -> Result<Self> {
        let stores = Self(tempfile::tempdir()?);
        let key = Keys::get()?.user(KeyType::Rsa);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/key_formats.py");
        run(Command::new(asyncssh::python()?).arg(script).arg(&key).arg(stores.0.path()).arg(SECRET))?;
        stores.keytool("store.jks", "JKS", &[])?;
        let bouncy_castle = [
            "-providerclass",
            "org.bouncycastle.jce.provider.BouncyCastleProvider",
            "-providerpath",
            "/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar",
        ];
        stores.keytool("store.bcfks", "BCFKS", &bouncy_castle)?;
        let secret = stores.path("secret");
        fs::write(&secret, SECRET)?;
        let mut puttygen = Command::new("puttygen");
        puttygen.arg(&key).arg("-o").arg(stores.path("key.ppk")).arg("--new-passphrase").arg(&secret);
        run(puttygen.args(["-O", "private", "--ppk-param", "version=3,memory=256,passes=2"]))?;
        stores.public_halves(&key)?;
        Ok(stores)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn keytool(&self, name: &str, kind: &str, options: &[&str]) -> Result<()> {
        let mut keytool = Command::new("keytool");
        keytool.args(["-importkeystore", "-noprompt", "-srcstoretype", "PKCS12", "-srckeystore"]);
        keytool.arg(self.path("old-store-encrypted.p12")).args(["-srcstorepass", SECRET, "-destkeystore"]);
        keytool.arg(self.path(name)).args(["-deststoretype", kind, "-deststorepass", SECRET]);
        run(keytool.args(options))
    }

    fn public_halves(&self, key: &Path) -> Result<()> {
        fs::write(self.path("key.pub"), public_half(key)?)?;
        let (both, certificate) = (self.path("with-certificate.pem"), self.path("certificate.pem"));
        run(Command::new("openssl").args(["x509", "-in"]).arg(both).arg("-out").arg(&certificate))?;
        let mut openssl = Command::new("openssl");
        openssl.args(["crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile"]).arg(certificate);
        run(openssl.arg("-out").arg(self.path("certificate.p7b")))
    }
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Failure::from(error).during(&name))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::new(String::from_utf8_lossy(&output.stderr)).during(name)),
    }
}

/// Chooses the only key of a store.
fn choose(tunnel: &SshTunnel, kind: i64, store: impl Into<Vec<u8>>, password: &str) -> Result<()> {
    tunnel.set_ssh_password("")?;
    tunnel.set_ssh_auth_mode(PUBLIC_KEY)?;
    tunnel.set_ssh_cert_store_type(kind)?;
    tunnel.set_ssh_cert_store(store)?;
    tunnel.set_ssh_cert_store_password(password)?;
    Ok(tunnel.set_ssh_cert_subject("*")?)
}

#[test]
fn a_key_out_of_each_kind_of_store_logs_on() -> Result<()> {
    let (peer, stores) = (sshd::start(&[])?, Stores::new()?);
    for &(kind, name, locked) in FILES {
        let (path, password) = (stores.path(name), if locked { SECRET } else { "" });
        let content = fs::read(&path)?;
        let encoded = BASE64_STANDARD.encode(&content).into_bytes();
        let file = path.display().to_string().into_bytes();
        let ways = [(kind, file.clone()), (99, file), (blob_of(kind), content.clone()), (99, content)];
        // XML and JSON are text already.
        let in_base64 = (![16, 18].contains(&kind)).then_some((blob_of(kind), encoded));
        for (kind, store) in ways.into_iter().chain(in_base64) {
            let tunnel = component::of(&peer)?;
            let opened = choose(&tunnel, kind, store, password).and_then(|()| Ok(tunnel.start_listening()?));
            opened.map_err(|failure| failure.during(format_args!("{name} as {kind}")))?;
            tunnel.shutdown();
        }
    }
    Ok(())
}

#[test]
fn a_locked_store_takes_its_password() -> Result<()> {
    let (peer, stores) = (sshd::start(&[])?, Stores::new()?);
    for &(kind, name, _) in FILES.iter().filter(|(_, _, locked)| *locked) {
        let tunnel = component::of(&peer)?;
        let store = stores.path(name).display().to_string();
        if choose(&tunnel, kind, store, "wrong").is_ok() {
            return Err(Failure::new(format!("{name} opens with a wrong password")));
        }
        assert_eq!(tunnel.ssh_cert_subject(), "", "{name}");
    }
    Ok(())
}

#[test]
fn a_store_without_a_private_key_is_read_and_logs_nobody_on() -> Result<()> {
    let (peer, stores) = (sshd::start(&[])?, Stores::new()?);
    for &(kind, name, _) in PUBLIC {
        let path = stores.path(name);
        let ways = [(kind, path.display().to_string().into_bytes()), (blob_of(kind), fs::read(&path)?)];
        for (kind, store) in ways {
            let tunnel = component::of(&peer)?;
            choose(&tunnel, kind, store, "")
                .map_err(|failure| failure.during(format_args!("{name} as {kind}")))?;
            assert!(!tunnel.ssh_cert_subject().is_empty() && !tunnel.ssh_cert_encoded().is_empty(), "{name}");
            refuses(&tunnel, 1032)?;
        }
    }
    Ok(())
}

#[test]
fn a_store_that_is_not_there_is_told() -> Result<()> {
    for (kind, code) in [(0, 302), (1, 302), (6, 302), (99, 1012)] {
        let tunnel = SshTunnel::new();
        tunnel.set_ssh_cert_store_type(kind)?;
        tunnel.set_ssh_cert_store("/nonexistent")?;
        let error = tunnel.set_ssh_cert_subject("*").expect_err("there is none");
        assert_eq!(error.code(), code, "{kind}: {error}");
    }
    Ok(())
}

#[test]
fn signatures_are_made_as_the_list_has_it() -> Result<()> {
    let peer = sshd::start(&["LogLevel DEBUG3", "PubkeyAcceptedAlgorithms +ssh-rsa"])?;
    let key = Keys::get()?.user(KeyType::Rsa).display().to_string();
    for (list, used) in [
        ("rsa-sha2-512", "rsa-sha2-512"),
        ("rsa-sha2-256,rsa-sha2-512", "rsa-sha2-256"),
        // SHA-1 comes last, wherever it stands.
        ("ssh-rsa,rsa-sha2-512", "rsa-sha2-512"),
        ("ssh-rsa", "ssh-rsa"),
    ] {
        let mark = peer.process().err().mark();
        let tunnel = component::of(&peer)?;
        tunnel.config(&format!("SSHPubKeyAuthSigAlgorithms={list}"))?;
        choose(&tunnel, 6, key.clone(), "")?;
        tunnel.start_listening()?;
        peer.wait_for_log(mark, &format!("have {used} signature for"), PATIENCE)?;
    }
    Ok(())
}

#[test]
fn a_certificate_in_a_setting_logs_on_with_its_key() -> Result<()> {
    let (keys, scratch) = (Keys::get()?, tempfile::tempdir()?);
    let authority = keys.authority().with_extension("pub");
    let nobody = scratch.path().join("nobody");
    fs::write(&nobody, "")?;
    let trusted = format!("TrustedUserCAKeys {}", authority.display());
    let peer = sshd::start(&[&trusted, &format!("AuthorizedKeysFile {}", nobody.display())])?;
    let key = keys.user(KeyType::Rsa);
    let file = keys.certify(&key, &["-n", account::USER], scratch.path())?;
    let line = fs::read_to_string(file)?;
    let blob = line.split(' ').nth(1).ok_or_else(|| Failure::new("no certificate"))?;
    let tunnel = component::of(&peer)?;
    choose(&tunnel, 6, key.display().to_string(), "")?;
    refuses(&tunnel, 1032)?;
    for algorithm in ["rsa-sha2-256-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com"] {
        let tunnel = component::of(&peer)?;
        choose(&tunnel, 6, key.display().to_string(), "")?;
        tunnel.config(&format!("SignedSSHCert={algorithm} {blob}"))?;
        carries(&tunnel)?;
    }
    Ok(())
}

#[test]
fn a_server_is_believed_for_its_authority() -> Result<()> {
    let keys = Keys::get()?;
    let certificate = format!("HostCertificate {}", keys.host_certificate(KeyType::Ed25519).display());
    let peer = sshd::start(&[&certificate])?;
    for (authority, expected) in [(keys.authority(), true), (keys.stranger(), false)] {
        let tunnel = component::of(&peer)?;
        tunnel.config("SSHAcceptServerHostKeyFingerPrint=")?;
        tunnel.config(&format!("SSHAcceptServerCAKey={}", public_half(&authority)?.trim()))?;
        match expected {
            true => carries(&tunnel)?,
            false => refuses(&tunnel, 1030)?,
        }
    }
    Ok(())
}

#[test]
fn a_server_with_an_x509_certificate_is_described() -> Result<()> {
    let keys = Keys::get()?;
    let host_keys = json!([[keys.host(KeyType::Rsa), keys.x509_host(KeyType::Rsa)]]);
    let peer = asyncssh::start(&json!({ "host_keys": host_keys }))?;
    let tunnel = component::of(&peer)?;
    tunnel.config("SSHPublicKeyAlgorithms=x509v3-sign-rsa")?;
    let shown = Arc::new(Mutex::new(None));
    let seen = shown.clone();
    tunnel.on_ssh_server_authentication(move |_, event| {
        *seen.lock().expect("nobody panics") = Some(event.clone());
        event.accept = true;
    });
    carries(&tunnel)?;
    let event =
        shown.lock().expect("nobody panics").take().ok_or_else(|| Failure::new("nobody was asked"))?;
    assert_eq!(event.key_algorithm, "x509v3-sign-rsa");
    assert!(event.cert_subject.contains("CN=a host"), "{}", event.cert_subject);
    assert!(event.cert_issuer.contains("CN=x509-between"), "{}", event.cert_issuer);
    assert!(!event.accept && event.status.is_empty() && !event.host_key.is_empty());
    Ok(())
}

#[test]
fn each_question_is_asked_and_all_answers_go_together() -> Result<()> {
    let rounds = json!([[["Password: ", false, PASSWORD], ["Code: ", true, "123456"]]]);
    let peer = asyncssh::start(&json!({ "authorized_keys": null, "password": null, "prompts": rounds }))?;
    let tunnel = component::of(&peer)?;
    tunnel.set_ssh_auth_mode(KEYBOARD_INTERACTIVE)?;
    tunnel.config("PasswordPrompt=Pass*")?;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    tunnel.on_ssh_keyboard_interactive(move |_, event| {
        seen.lock().expect("nobody panics").push(event.clone());
        if event.echo_response {
            event.response = "123456".to_owned();
        }
    });
    carries(&tunnel)?;
    let asked = asked.lock().expect("nobody panics");
    let told: Vec<_> = asked.iter().map(|event| (event.prompt.as_str(), event.response.as_str())).collect();
    assert_eq!(told, [("Password: ", PASSWORD), ("Code: ", "")]);
    assert_eq!((asked[0].name.as_str(), asked[0].instructions.as_str()), ("Test", "Answer, please."));
    Ok(())
}

#[test]
fn several_factors_are_shown_one_after_the_other() -> Result<()> {
    let peer = sshd::start(&["AuthenticationMethods publickey,password"])?;
    let key = Keys::get()?.user(KeyType::Ed25519).display().to_string();
    for (mode, expected) in [(1, true), (2, false), (PUBLIC_KEY, false)] {
        let tunnel = component::of(&peer)?;
        choose(&tunnel, 6, key.clone(), "")?;
        tunnel.set_ssh_password(PASSWORD)?;
        tunnel.set_ssh_auth_mode(mode)?;
        match expected {
            true => carries(&tunnel)?,
            false => refuses(&tunnel, 1032)?,
        }
    }
    Ok(())
}

#[test]
fn the_sizes_of_channels_are_those_that_are_set() -> Result<()> {
    let peer = sshd::start(&[])?;
    let mark = peer.process().err().mark();
    let tunnel = component::of(&peer)?;
    tunnel.config("MaxPacketSize=20000")?;
    tunnel.config("MaxWindowSize=123456")?;
    carries(&tunnel)?;
    peer.wait_for_log(mark, "win 123456 max 20000", PATIENCE)?;
    // Set during the connection, it holds for what is opened from then on. Nobody is there for the channel to lead to.
    tunnel.config("MaxWindowSize=234567")?;
    let _client = TcpStream::connect(("127.0.0.1", u16::try_from(tunnel.local_port())?))?;
    peer.wait_for_log(mark, "win 234567 max 20000", PATIENCE)
}
