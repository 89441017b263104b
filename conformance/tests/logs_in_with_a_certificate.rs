//! Logging in to OpenSSH's sshd, which trusts an authority and knows no key.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use underpass_conformance::agent::Agent;
use underpass_conformance::keys::{KeyType, Keys, PASSPHRASE, public_half};
use underpass_conformance::peer::sshd;
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// A user's key with a certificate that was made with these options, neither beside the other.
struct Holder {
    key: PathBuf,
    certificate: PathBuf,
    _scratch: TempDir,
}

impl Holder {
    fn new(key: PathBuf, options: &[&str]) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let certificate = Keys::get()?.certify(&key, options, scratch.path())?;
        Ok(Self { key, certificate, _scratch: scratch })
    }

    fn of(key_type: KeyType) -> Result<Self> {
        Self::new(Keys::get()?.user(key_type), FOR_TESS)
    }

    fn named(&self, client: Client) -> Client {
        with_certificate(alone(client, &self.key), &self.certificate)
    }

    /// The certificate, for this algorithm.
    fn line(&self, algorithm: &str) -> Result<String> {
        let line = fs::read_to_string(&self.certificate)?;
        let (_, rest) = line.trim().split_once(' ').unwrap_or_default();
        Ok(format!("{algorithm} {rest}"))
    }
}

#[test]
fn of_each_type_that_a_setting_names() -> Result<()> {
    let server = server(&[])?;
    for key_type in TYPES {
        let holder = Holder::of(key_type)?;
        carries(&server, |client| Ok(holder.named(client)))?;
    }
    Ok(())
}

#[test]
fn beside_the_file_of_the_key() -> Result<()> {
    let (server, holder, scratch) = (server(&[])?, Holder::of(KeyType::Ed25519)?, tempfile::tempdir()?);
    let key = scratch.path().join("key");
    fs::copy(&holder.key, &key)?;
    fs::copy(&holder.certificate, scratch.path().join("key-cert.pub"))?;
    carries(&server, |client| Ok(alone(client, &key)))?;

    // Another key's is passed over, which is told, and as in ssh none is looked for if another one is named.
    let other = Holder::of(KeyType::Rsa)?;
    refused(&server, &[], |client| Ok(with_certificate(alone(client, &key), &other.certificate)))?;
    fs::copy(&other.certificate, scratch.path().join("key-cert.pub"))?;
    let told = refused(&server, &[], |client| Ok(alone(client, &key)))?;
    contains(&told, "it certifies another key")
}

#[test]
fn of_a_key_that_a_passphrase_opens() -> Result<()> {
    let (server, holder) = (server(&[])?, Holder::new(Keys::get()?.encrypted(), FOR_TESS)?);
    carries(&server, |client| Ok(holder.named(client).passphrase(PASSPHRASE)))
}

#[test]
fn of_a_key_that_an_agent_holds() -> Result<()> {
    let (server, agent) = (server(&[])?, Agent::start()?);
    // Servers do not wait for the last of many keys.
    agent.add(&Keys::get()?.stranger())?;
    for key_type in [KeyType::Rsa, KeyType::EcdsaP256] {
        let holder = Holder::of(key_type)?;
        agent.add(&holder.key)?;
        carries(&server, |client| {
            let client = client.variable("SSH_AUTH_SOCK", agent.socket().display().to_string());
            Ok(with_certificate(client.no_identity(), &holder.certificate))
        })?;
    }
    Ok(())
}

#[test]
fn as_a_line_whose_first_word_is_the_algorithm() -> Result<()> {
    let holder = Holder::of(KeyType::Rsa)?;
    for algorithm in RSA {
        // The authority's own signature is another matter.
        let server = server(&[&format!("PubkeyAcceptedAlgorithms {algorithm}")])?;
        for offered in RSA {
            let client = |client: Client| {
                let line = holder.line(offered)?;
                let client = alone(client, &holder.key).flags(&["--certificate", &line]);
                Ok(client.option("PubkeyAcceptedAlgorithms", "+ssh-rsa-cert-v01@openssh.com"))
            };
            match offered == algorithm {
                true => carries(&server, client)?,
                false => drop(refused(&server, &[], client)?),
            }
        }
    }
    Ok(())
}

#[test]
fn before_the_plain_key() -> Result<()> {
    let holder = Holder::of(KeyType::Ed25519)?;
    let client = |client| Ok(holder.named(client));
    // There is a single attempt, and after that the server hangs up.
    carries(&server(&["MaxAuthTries 1"])?, client)?;
    let authorized = holder.key.with_extension("pub");
    let plain = format!("AuthorizedKeysFile {}", authorized.display());
    carries(&sshd::start(&[&plain, "TrustedUserCAKeys none", "StrictModes no"])?, client)
}

#[test]
fn a_certificate_that_does_not_hold_is_refused_with_the_reason() -> Result<()> {
    let server = server(&[])?;
    for (options, words) in [
        (&["-n", "tess", "-V", "20200101:20210101"][..], "but it expired "),
        (&["-n", "tess", "-V", "20990101:21000101"], "but it is valid only in "),
        (&["-n", "root"], "but it does not name the user tess"),
        (&[], "but it does not name the user tess"),
        (&["-h", "-n", "tess"], "but it is not a user's certificate"),
    ] {
        let holder = Holder::new(Keys::get()?.user(KeyType::Ed25519), options)?;
        refused(&server, &[words], |client| Ok(holder.named(client)))?;
    }
    Ok(())
}

#[test]
fn a_certificate_that_is_revoked_or_of_another_authority_is_refused() -> Result<()> {
    let (keys, holder) = (Keys::get()?, Holder::of(KeyType::Ed25519)?);
    let revoked = format!("RevokedKeys {}", holder.key.with_extension("pub").display());
    let other = format!("TrustedUserCAKeys {}", keys.stranger().with_extension("pub").display());
    for line in [revoked, other] {
        refused(&server(&[&line])?, &["user-ed25519-cert.pub"], |client| Ok(holder.named(client)))?;
    }
    Ok(())
}

#[test]
fn a_certificate_without_its_key_is_told() -> Result<()> {
    let (server, holder) = (server(&[])?, Holder::of(KeyType::Ed25519)?);
    let stranger = Keys::get()?.stranger();
    let without = |client: Client| Ok(with_certificate(alone(client, &stranger), &holder.certificate));
    let told = refused(&server, &[], without)?;
    contains(&told, "it certifies a key that is not among the private keys")?;
    let agent = Agent::start()?;
    let socket = agent.socket().display().to_string();
    let told = refused(&server, &[], |client| Ok(without(client)?.variable("SSH_AUTH_SOCK", &socket)))?;
    contains(&told, "the agent does not hold the private key")
}

#[test]
fn what_is_no_certificate_is_said() -> Result<()> {
    let (server, holder) = (server(&[])?, Holder::of(KeyType::Ed25519)?);
    let line = public_half(&holder.key)?;
    let missing = holder.certificate.with_extension("missing");
    let plain = holder.key.with_extension("pub");
    // A file is passed over with a warning, and the key alone is refused.
    const REFUSED: i32 = 7;
    const MISTAKE: i32 = 8;
    for (client, words, code) in [
        (with_certificate(Client::of(&server)?, &missing), "No such file", REFUSED),
        (with_certificate(Client::of(&server)?, &plain), "without a certificate", REFUSED),
        (Client::of(&server)?.flags(&["--certificate", &line]), "does not begin with an algorithm", MISTAKE),
        (Client::of(&server)?.flags(&["--certificate", &holder.line(RSA[0])?]), "another type", MISTAKE),
    ] {
        let outcome = alone(client.ours(), &holder.key).forward("127.0.0.1:1").run(PATIENCE)?;
        outcome.failed_with(&[code])?;
        contains(&outcome.out, words)?;
    }
    Ok(())
}

/// Trusts the authority, but for what the lines before say; and no key.
fn server(lines: &[&str]) -> Result<Peer> {
    let trusted = format!("TrustedUserCAKeys {}", Keys::get()?.authority().with_extension("pub").display());
    sshd::start(&[lines, &[&trusted, "AuthorizedKeysFile none"]].concat())
}

/// With this key and no other.
fn alone(client: Client, key: &Path) -> Client {
    client.no_identity().identity(key.to_owned())
}

fn with_certificate(client: Client, certificate: &Path) -> Client {
    client.option("CertificateFile", certificate.display().to_string())
}

fn carries(peer: &Peer, configure: impl FnOnce(Client) -> Result<Client>) -> Result<()> {
    let target = Target::Echo.start()?;
    let session = configure(Client::of(peer)?.ours())?.forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(35), 10_000))
}

/// Nobody logs in, and the error has these words. Gives all that was told.
fn refused(peer: &Peer, words: &[&str], configure: impl FnOnce(Client) -> Result<Client>) -> Result<String> {
    let outcome = configure(Client::of(peer)?.ours())?.forward("127.0.0.1:1").run(PATIENCE)?;
    outcome.failed_with(&[LOGIN])?;
    let error = outcome.error().map(ToString::to_string).unwrap_or_default();
    words.iter().try_for_each(|words| contains(&error, words))?;
    Ok(outcome.out)
}

fn contains(text: &str, words: &str) -> Result<()> {
    match text.contains(words) {
        true => Ok(()),
        false => Err(Failure::new(format!("expected `{words}`: {text}"))),
    }
}

const FOR_TESS: &[&str] = &["-n", "tess"];
const TYPES: [KeyType; 5] =
    [KeyType::Ed25519, KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521, KeyType::Rsa];
const RSA: [&str; 3] = [
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
];
const LOGIN: i32 = 7;
/// For everything here: a busy machine takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);
