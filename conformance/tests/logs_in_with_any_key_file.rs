//! A key of each type in each format that others write, up to a login. What was used is printed as a table.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::{Client, Failure, Peer, Result};
use underpass_testkit::target::Target;

/// A busy machine takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// keytool wants six characters at least.
const PASSPHRASE: &str = "persimmon-0c4d";

#[test]
fn made_by_python() -> Result<()> {
    every_type(|key, directory| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/key_formats.py");
        let mut python = Command::new(asyncssh::python()?);
        let listed = run(python.arg(script).arg(key).arg(directory).arg(PASSPHRASE))?;
        Ok(listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, _)| directory.join(name))
            .collect())
    })
}

#[test]
fn made_by_puttygen() -> Result<()> {
    const FORMATS: [(&str, &[&str]); 3] = [
        ("version-2.ppk", &["-O", "private", "--ppk-param", "version=2"]),
        ("version-3.ppk", &["-O", "private", "--ppk-param", "version=3,memory=256,passes=2"]),
        ("ssh.com", &["-O", "private-sshcom"]),
    ];
    every_type(|key, directory| {
        let mut files = Vec::new();
        for (name, options) in FORMATS {
            for (prefix, passphrase) in [("plain", ""), ("encrypted", PASSPHRASE)] {
                let (file, secret) = (directory.join(format!("{prefix}-{name}")), directory.join("secret"));
                std::fs::write(&secret, passphrase)?;
                let mut puttygen = Command::new("puttygen");
                puttygen.arg(key).arg("-o").arg(&file).arg("--new-passphrase").arg(&secret).args(options);
                let rsa_or_dsa = ["user-rsa", "user-dsa"].iter().any(|name| key.ends_with(name));
                // SSH.com had no other types.
                if name != "ssh.com" || rsa_or_dsa {
                    run(&mut puttygen)?;
                    files.push(file);
                }
            }
        }
        Ok(files)
    })
}

#[test]
fn made_by_keytool() -> Result<()> {
    const BOUNCY_CASTLE: [&str; 4] = [
        "-providerclass",
        "org.bouncycastle.jce.provider.BouncyCastleProvider",
        "-providerpath",
        "/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar",
    ];
    const KINDS: [(&str, &[&str]); 3] = [("JKS", &[]), ("JCEKS", &[]), ("BCFKS", &BOUNCY_CASTLE)];
    every_type(|key, directory| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/key_formats.py");
        run(Command::new(asyncssh::python()?).arg(script).arg(key).arg(directory).arg(PASSPHRASE))?;
        let mut files = Vec::new();
        for (kind, options) in KINDS {
            let file = directory.join(format!("store.{}", kind.to_lowercase()));
            let mut keytool = Command::new("keytool");
            keytool.args(["-importkeystore", "-noprompt", "-srcstoretype", "PKCS12", "-srckeystore"]);
            keytool.arg(directory.join("old-store-encrypted.p12")).args(["-srcstorepass", PASSPHRASE]);
            keytool.arg("-destkeystore").arg(&file).args([
                "-deststoretype",
                kind,
                "-deststorepass",
                PASSPHRASE,
            ]);
            run(keytool.args(options))?;
            files.push(file);
        }
        Ok(files)
    })
}

/// Of the sizes at both ends of what is supported. The largest takes minutes to make; it is one that only tests know.
#[test]
fn of_rsa_with_1024_and_with_16384_bits() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (small, large) = (directory.path().join("small"), directory.path().join("large"));
    run(Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f"]).arg(&small))?;
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/keys/testdata/rsa16384.pem");
    fs::copy(made, &large)?;
    fs::set_permissions(&large, fs::Permissions::from_mode(0o600))?;
    let mut authorized = String::new();
    for key in [&small, &large] {
        authorized += &run(Command::new("ssh-keygen").arg("-y").arg("-f").arg(key))?;
    }
    let file = directory.path().join("authorized_keys");
    fs::write(&file, authorized)?;
    let lines =
        ["RequiredRSASize 1024", &format!("AuthorizedKeysFile {}", file.display()), "LogLevel DEBUG3"];
    let peer = sshd::start(&lines)?;
    for key in [small, large] {
        for algorithm in ["rsa-sha2-256", "rsa-sha2-512"] {
            let mark = peer.process().err().mark();
            let client = Client::of(&peer)?.ours().no_identity().identity(key.clone());
            let client = client.option("PubkeyAcceptedAlgorithms", algorithm);
            client.forward(Target::Echo.start()?.address()).start()?;
            peer.wait_for_log(mark, &format!("have {algorithm} signature for"), PATIENCE)?;
        }
    }
    Ok(())
}

/// Logs in with each file that `convert` makes of each key.
fn every_type(convert: impl Fn(&Path, &Path) -> Result<Vec<PathBuf>>) -> Result<()> {
    let peer = sshd::start(&["PubkeyAcceptedAlgorithms +ssh-dss"])?;
    for &key_type in KeyType::ALL {
        let directory = tempfile::tempdir()?;
        for file in convert(&Keys::get()?.user(key_type), directory.path())? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            log_in(&peer, file).map_err(|failure| failure.during(format_args!("{key_type:?} {name}")))?;
            println!("{:<10} {name}", format!("{key_type:?}"));
        }
    }
    Ok(())
}

fn log_in(peer: &Peer, file: PathBuf) -> Result<()> {
    let target = Target::Echo.start()?;
    let client = Client::of(peer)?.ours().no_identity().identity(file).passphrase(PASSPHRASE);
    let client = client.option("PubkeyAcceptedAlgorithms", "+ssh-dss").option("BatchMode", "yes");
    client.forward(target.address()).start().map(drop)
}

/// What a command printed that must succeed.
fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Failure::from(error).during(&name))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    Err(Failure::new(said).during(name))
}
