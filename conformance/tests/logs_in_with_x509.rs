//! Logging in with X.509 certificates, made by `openssl`, to asyncssh, which knows their root; and to sshd, which knows
//! nothing of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use underpass::{AgentUse, Tunnel, X509Certificate, X509Key};
use underpass_conformance::account::{self, PASSWORD};
use underpass_conformance::agent::Agent;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::x509::{USER, USER_SUBJECT};
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// asyncssh, which lets users in by these lines.
struct Server {
    peer: Peer,
    _scratch: TempDir,
}

impl Server {
    /// By the certificates of the root, and by nothing else.
    fn new(settings: &Value) -> Result<Self> {
        Self::authorizing(Keys::get()?.x509_authorized(), settings)
    }

    fn authorizing(lines: &str, settings: &Value) -> Result<Self> {
        let (keys, scratch) = (Keys::get()?, tempfile::tempdir()?);
        let authorized = scratch.path().join("authorized_keys");
        fs::write(&authorized, lines)?;
        let mut all = json!({
            "authorized_keys": authorized,
            "ca_certificates": keys.x509_root().path(),
            "password": null,
        });
        for (name, value) in settings.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        Ok(Self { peer: asyncssh::start(&all)?, _scratch: scratch })
    }

    /// The names under which keys were offered and signatures came are these, in this order.
    fn tried(&self, expected: &[&str]) -> Result<()> {
        let names = |log: &str| {
            let names = log.lines().filter_map(|line| {
                let verified = line.split_once("Verifying request with ");
                let (_, words) = verified.or(line.split_once("Trying public key auth with "))?;
                words.strip_suffix(" key").map(str::to_owned)
            });
            names.collect::<Vec<_>>()
        };
        let process = self.peer.process();
        // The log of a busy server comes late.
        let enough = |log: &str| (names(log).len() >= expected.len()).then_some(());
        process.wait_for(process.err(), PATIENCE, enough)?;
        let found = names(&process.err().text());
        match found == expected {
            true => Ok(()),
            false => Err(Failure::new(format!("expected {expected:?}: {found:?}"))),
        }
    }
}

#[test]
fn both_sides_show_certificates_of_each_type() -> Result<()> {
    let keys = Keys::get()?;
    for (key_type, algorithm) in TYPES {
        let host_keys = json!([[keys.host(key_type), keys.x509_host(key_type)]]);
        let server = Server::new(&json!({ "host_keys": host_keys }))?;
        let scratch = tempfile::tempdir()?;
        let nobody = scratch.path().join("known_hosts");
        fs::write(&nobody, "")?;
        let client = with_certificate(alone(&server.peer, &keys.user(key_type))?, &keys.x509_user(key_type))
            .option("UserKnownHostsFile", nobody.display().to_string())
            .option("CACertificateFile", keys.x509_root().path().display().to_string());
        let told = carries(client)?;
        holds(&told, "\"certified\"")?;
        server.tried(&[algorithm])?;
    }
    Ok(())
}

#[test]
fn a_certificate_comes_along_with_its_key_in_stores_of_many_formats() -> Result<()> {
    let server = Server::new(&json!({}))?;
    let stores = Stores::new()?;
    let (pem, pfx, jks, locked) = (stores.pem()?, stores.pfx()?, stores.jks()?, stores.locked_pem()?);
    carries(alone(&server.peer, &pem)?)?;
    for store in [&pfx, &jks, &locked] {
        carries(alone(&server.peer, store)?.passphrase(SECRET))?;
    }
    // Java's store and the locked key show enough to be offered before they are opened.
    server.tried(&["x509v3-ecdsa-sha2-nistp256"; 6])
}

#[test]
fn a_file_of_certificates_may_list_them_in_any_order() -> Result<()> {
    let (server, keys, scratch) = (Server::new(&json!({}))?, Keys::get()?, tempfile::tempdir()?);
    let (sorted, reversed) = (scratch.path().join("sorted.p7b"), scratch.path().join("reversed.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile"]).arg(keys.x509_user(KeyType::Rsa));
    run(openssl.arg("-out").arg(&sorted))?;
    let chain = fs::read_to_string(keys.x509_user(KeyType::Rsa))?;
    let mut each: Vec<_> = chain.split_inclusive("-----END CERTIFICATE-----\n").collect();
    each.reverse();
    fs::write(&reversed, each.concat())?;
    for file in [&sorted, &reversed] {
        carries(with_certificate(alone(&server.peer, &keys.user(KeyType::Rsa))?, file))?;
    }
    server.tried(&["x509v3-rsa2048-sha256"; 2])
}

#[test]
fn a_store_with_a_certificate_costs_no_attempt_at_a_server_that_does_not_know_them() -> Result<()> {
    let server = sshd::start(&["LogLevel DEBUG2", "MaxAuthTries 1"])?;
    let told = carries(alone(&server, &Stores::new()?.pfx()?)?.passphrase(SECRET).verbosity(1))?;
    holds(&told, "as x509v3-ecdsa-sha2-nistp256 with CN=tess,O=Tests")?;
    holds(&told, "not shown, as the server does not list x509v3-ecdsa-sha2-nistp256")?;
    server.wait_for_log(0, "Accepted publickey for tess", PATIENCE)?;
    match server.process().err().text().contains("x509v3-") {
        true => Err(Failure::new("sshd was bothered with a certificate")),
        false => Ok(()),
    }
}

#[test]
fn the_plain_key_follows_its_certificate() -> Result<()> {
    let key = Keys::get()?.user(KeyType::EcdsaP256);
    let server = Server::authorizing(&public_half(&key)?, &json!({}))?;
    carries(alone(&server.peer, &Stores::new()?.pem()?)?)?;
    server.tried(&["x509v3-ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"])
}

#[test]
fn what_a_server_does_not_list_is_shown_where_its_algorithm_is_named() -> Result<()> {
    let server =
        Server::new(&json!({ "signature_algs": ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"] }))?;
    let (keys, algorithm) = (Keys::get()?, "x509v3-rsa2048-sha256");
    let client = || {
        Ok::<_, Failure>(with_certificate(
            alone(&server.peer, &keys.user(KeyType::Rsa))?,
            &keys.x509_user(KeyType::Rsa),
        ))
    };
    refused(client()?, &[])?;
    server.tried(&["rsa-sha2-512"])?;
    carries(client()?.option("PubkeyAcceptedAlgorithms", format!("+{algorithm}")))?;
    server.tried(&["rsa-sha2-512", algorithm])?;
    // And where another list is named, it is not.
    let listing = Server::new(&json!({}))?;
    let client =
        with_certificate(alone(&listing.peer, &keys.user(KeyType::Rsa))?, &keys.x509_user(KeyType::Rsa));
    refused(client.option("PubkeyAcceptedAlgorithms", "rsa-sha2-256"), &[])?;
    listing.tried(&["rsa-sha2-256"])
}

#[test]
fn an_agent_signs_for_the_certificate_of_a_file() -> Result<()> {
    let (server, agent, keys) = (Server::new(&json!({}))?, Agent::start()?, Keys::get()?);
    agent.add(&keys.stranger())?;
    for (key_type, algorithm) in [TYPES[3], TYPES[0]] {
        agent.add(&keys.user(key_type))?;
        let client = Client::of(&server.peer)?.ours().no_identity();
        let client = client.variable("SSH_AUTH_SOCK", agent.socket().display().to_string());
        carries(with_certificate(client, &keys.x509_user(key_type)))?;
        server.peer.wait_for_log(0, &format!("Verifying request with {algorithm} key"), PATIENCE)?;
    }
    Ok(())
}

#[test]
fn a_program_logs_in_with_a_key_and_certificates_in_memory() -> Result<()> {
    let server = Server::new(&json!({}))?;
    let failed = |error: underpass::Error| Failure::new(error.to_string());
    let bytes = fs::read(Stores::new()?.pem()?)?;
    let key = underpass::keys::load(&bytes, None).map_err(|error| Failure::new(error.to_string()))?;
    let certificates = key.certificates.iter().map(|der| X509Certificate::from_der(der));
    let certificates: Vec<_> = certificates.collect::<std::result::Result<_, _>>()?;
    let address = server.peer.address();
    let mut builder = Tunnel::builder(format!("{}@{}", account::USER, address.ip())).port(address.port());
    for key in X509Key::each(&key.signer, &certificates)? {
        builder = builder.signer(Arc::new(key));
    }
    builder = builder.agent(AgentUse::Disabled).user_known_hosts([server.peer.known_hosts()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tunnel = runtime.block_on(async {
        let opened = tokio::time::timeout(PATIENCE, builder.open()).await;
        opened.map_err(|_| Failure::new("nobody was let in in time"))?.map_err(failed)
    })?;
    drop(tunnel);
    server.tried(&["x509v3-ecdsa-sha2-nistp256"])
}

#[test]
fn a_certificate_that_will_hardly_do_is_told_and_other_ways_are_tried() -> Result<()> {
    let (keys, scratch) = (Keys::get()?, tempfile::tempdir()?);
    let server = Server::new(&json!({ "password": PASSWORD }))?;
    let user = keys.user(KeyType::EcdsaP256);
    let file = scratch.path().join("certificate.pem");
    let attempt = || Ok::<_, Failure>(with_certificate(alone(&server.peer, &user)?, &file));
    fs::write(&file, keys.x509_between().certify_for(&user, USER_SUBJECT, USER, -1)?)?;
    refused(attempt()?, &["as x509v3-ecdsa-sha2-nistp256 with CN=tess", "but it expired 1 day ago"])?;
    fs::copy(keys.x509_user(KeyType::Rsa), &file)?;
    holds(&refused(attempt()?, &[])?, "it certifies a key that is not among the private keys")?;
    fs::copy(&user, &file)?;
    holds(&refused(attempt()?, &[])?, "without a certificate")?;
    carries(attempt()?.password(PASSWORD)).map(drop)
}

/// The ECDSA key of a user with its certificate and that of the authority above, in files of many formats.
struct Stores {
    scratch: TempDir,
    key: PathBuf,
    chain: PathBuf,
}

impl Stores {
    fn new() -> Result<Self> {
        let (scratch, keys) = (tempfile::tempdir()?, Keys::get()?);
        let key = scratch.path().join("key.pem");
        fs::copy(keys.user(KeyType::EcdsaP256), &key)?;
        // OpenSSL does not read OpenSSH's files.
        run(Command::new("ssh-keygen").args(["-q", "-p", "-N", "", "-m", "PKCS8", "-f"]).arg(&key))?;
        Ok(Self { scratch, key, chain: keys.x509_user(KeyType::EcdsaP256) })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn pem(&self) -> Result<PathBuf> {
        let path = self.path("both.pem");
        fs::write(&path, fs::read_to_string(&self.key)? + &fs::read_to_string(&self.chain)?)?;
        Ok(path)
    }

    /// The key is encrypted, the certificate is not.
    fn locked_pem(&self) -> Result<PathBuf> {
        let (locked, path) = (self.path("locked.key"), self.path("locked.pem"));
        let mut openssl = Command::new("openssl");
        openssl
            .args(["pkcs8", "-topk8", "-passout", "pass:marble", "-in"])
            .arg(&self.key)
            .arg("-out")
            .arg(&locked);
        run(&mut openssl)?;
        fs::write(&path, fs::read_to_string(&locked)? + &fs::read_to_string(&self.chain)?)?;
        Ok(path)
    }

    fn pfx(&self) -> Result<PathBuf> {
        let path = self.path("both.pfx");
        let mut openssl = Command::new("openssl");
        openssl.args(["pkcs12", "-export", "-passout", "pass:marble", "-inkey"]).arg(&self.key);
        openssl.arg("-in").arg(&self.chain).arg("-out").arg(&path);
        run(&mut openssl)?;
        Ok(path)
    }

    fn jks(&self) -> Result<PathBuf> {
        let path = self.path("both.jks");
        let mut keytool = Command::new("keytool");
        keytool.args(["-importkeystore", "-noprompt", "-srcstorepass", SECRET, "-deststorepass", SECRET]);
        keytool
            .args(["-deststoretype", "JKS", "-srckeystore"])
            .arg(self.pfx()?)
            .arg("-destkeystore")
            .arg(&path);
        run(&mut keytool)?;
        Ok(path)
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))),
    }
}

/// With this key and no other.
fn alone(peer: &Peer, key: &Path) -> Result<Client> {
    Ok(Client::of(peer)?.ours().no_identity().identity(key.to_owned()))
}

fn with_certificate(client: Client, certificate: &Path) -> Client {
    client.option("CertificateFile", certificate.display().to_string())
}

/// Data goes through. Gives all that was told.
fn carries(client: Client) -> Result<String> {
    let target = Target::Echo.start()?;
    let session = client.forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(36), 10_000))?;
    let process = session.process();
    Ok(process.out().text() + &process.err().text())
}

/// Nobody logs in, and the error has these words. Gives all that was told.
fn refused(client: Client, words: &[&str]) -> Result<String> {
    let outcome =
        client.option("PreferredAuthentications", "publickey").forward("127.0.0.1:1").run(PATIENCE)?;
    outcome.failed_with(&[LOGIN])?;
    let error = outcome.error().map(ToString::to_string).unwrap_or_default();
    words.iter().try_for_each(|words| holds(&error, words))?;
    Ok(outcome.out)
}

fn holds(text: &str, words: &str) -> Result<()> {
    match text.contains(words) {
        true => Ok(()),
        false => Err(Failure::new(format!("expected `{words}`: {text}"))),
    }
}

/// What opens the stores.
const SECRET: &str = "marble";
const LOGIN: i32 = 7;
const TYPES: [(KeyType, &str); 4] = [
    (KeyType::EcdsaP256, "x509v3-ecdsa-sha2-nistp256"),
    (KeyType::EcdsaP384, "x509v3-ecdsa-sha2-nistp384"),
    (KeyType::EcdsaP521, "x509v3-ecdsa-sha2-nistp521"),
    (KeyType::Rsa, "x509v3-rsa2048-sha256"),
];
/// For everything here: a busy machine takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);
