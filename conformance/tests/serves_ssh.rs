//! Our gateway, with OpenSSH's client: the other role of what the matrix proves.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use underpass::gateway::{Gateway, GatewayBuilder};
use underpass::{CertifiedKey, Named, Provider, Signer, X509Certificate, X509Key};
use underpass_conformance::account::USER;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::asyncssh;
use underpass_conformance::{Client, Failure, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn ssh_s_own_algorithms_carry_data_where_they_are_asked_for() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let keys = Keys::get()?;
        let host_keys = KeyType::ALL.iter().map(|key_type| load(keys.host(*key_type)));
        let everything = Gateway::builder()
            .kex_algorithms("+*")
            .ciphers("+*")
            .macs("+*")
            .host_key_algorithms("+*")
            .compression("+*");
        let gateway = start(everything, host_keys.collect::<Result<_>>()?).await?;
        let address = gateway.address();
        let proven =
            tokio::task::spawn_blocking(move || KINDS.iter().try_for_each(|kind| kind.prove(address)));
        proven.await.expect("the test does not panic")
    })
}

/// A kind of algorithms.
struct Kind {
    /// What `ssh -Q` calls it.
    query: &'static str,
    /// The option that takes a list of it.
    option: &'static str,
    /// Its value for one algorithm.
    value: fn(&'static str) -> &'static str,
    /// What goes before the name in the log of ssh.
    logged: &'static str,
    ours: fn() -> Vec<&'static str>,
    /// How many the oldest ssh that is supported has in common with us, at least.
    at_least: usize,
}

const KINDS: &[Kind] = &[
    Kind {
        query: "kex",
        option: "KexAlgorithms",
        value: |name| name,
        logged: "kex: algorithm: ",
        ours: || names(Provider::ALL.kex),
        at_least: 13,
    },
    Kind {
        query: "cipher",
        option: "Ciphers",
        value: |name| name,
        logged: "cipher: ",
        ours: || names(Provider::ALL.ciphers),
        at_least: 10,
    },
    Kind {
        query: "mac",
        option: "MACs",
        value: |name| name,
        logged: " MAC: ",
        ours: || names(Provider::ALL.macs),
        at_least: 12,
    },
    Kind {
        query: "HostKeyAlgorithms",
        option: "HostKeyAlgorithms",
        value: |name| name,
        logged: "kex: host key algorithm: ",
        // Those of certificates have a test of their own.
        ours: || {
            names(Provider::ALL.signatures).into_iter().filter(|name| !name.contains("-cert-")).collect()
        },
        at_least: 8,
    },
    Kind {
        query: "compression",
        option: "Compression",
        value: |name| if name == "none" { "no" } else { "yes" },
        logged: " compression: ",
        // ssh knows zlib before the login by name, and offers it no more.
        ours: || names(Provider::ALL.compression).into_iter().filter(|name| *name != "zlib").collect(),
        at_least: 2,
    },
];

fn names<T: Named>(algorithms: &[&'static T]) -> Vec<&'static str> {
    algorithms.iter().map(|algorithm| algorithm.name()).collect()
}

impl Kind {
    fn prove(&self, gateway: SocketAddr) -> Result<()> {
        let listed = Command::new("ssh").args(["-Q", self.query]).output()?.stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let both: Vec<_> =
            (self.ours)().into_iter().filter(|name| listed.lines().any(|line| line == *name)).collect();
        assert!(both.len() >= self.at_least, "{}: {both:?}", self.query);
        let known_hosts = known_hosts(gateway)?;
        both.into_iter().try_for_each(|name| {
            // Beside a cipher with a tag of its own, a MAC would not count.
            let plain = (self.option == "MACs").then_some(("Ciphers", "aes128-ctr"));
            let options: Vec<_> = plain.into_iter().chain([(self.option, (self.value)(name))]).collect();
            said(&carry(gateway, &known_hosts, &options)?, name, self.logged)
        })
    }
}

#[test]
fn a_gateway_with_certificates_is_trusted_for_its_authority() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let keys = Keys::get()?;
        let mut certified = Vec::new();
        for key_type in [KeyType::Ed25519, KeyType::EcdsaP256, KeyType::Rsa] {
            let certificate = fs::read(keys.host_certificate(key_type))?;
            let certificate = underpass::keys::public_of(&certificate).map_err(failed)?;
            let key = load(keys.host(key_type))?;
            let key = CertifiedKey::new(key, certificate.blob().to_vec()).map_err(failed)?;
            certified.push(Arc::new(key) as Arc<dyn Signer>);
        }
        let gateway = start(Gateway::builder(), certified).await?;
        let address = gateway.address();
        let proven = tokio::task::spawn_blocking(move || {
            let algorithms = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"];
            algorithms.into_iter().try_for_each(|plain| prove_certificate(plain, address))
        });
        proven.await.expect("the test does not panic")
    })
}

/// `ssh` carries data, with nothing but the authority on record.
fn prove_certificate(plain: &str, gateway: SocketAddr) -> Result<()> {
    let known_hosts = format!("@cert-authority * {}", public_half(&Keys::get()?.authority())?);
    let algorithm = format!("{plain}-cert-v01@openssh.com");
    let log = carry(gateway, &known_hosts, &[("HostKeyAlgorithms", &algorithm)])?;
    said(&log, &algorithm, "kex: host key algorithm: ")
}

/// `ssh` carries data through the gateway; gives its log.
fn carry(gateway: SocketAddr, known_hosts: &str, options: &[(&str, &str)]) -> Result<String> {
    let (scratch, target) = (tempfile::tempdir()?, Target::Echo.start()?);
    let file = scratch.path().join("known_hosts");
    fs::write(&file, known_hosts)?;
    let client = Client::to(gateway).openssh().option("UserKnownHostsFile", file.display().to_string());
    let session = options
        .iter()
        .fold(client, |client, (option, value)| client.option(option, *value))
        .identity(Keys::get()?.user(KeyType::Ed25519))
        .forward(target.address())
        .start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(1), LENGTH))?;
    Ok(session.process().err().text())
}

fn said(log: &str, name: &str, before: &str) -> Result<()> {
    let mut named = log.split(before).skip(1).filter_map(|rest| rest.split_ascii_whitespace().next());
    match named.any(|word| word == name) {
        true => Ok(()),
        false => Err(Failure::new(format!("ssh does not say that it used {name}"))),
    }
}

/// All host keys there are, as those of this gateway.
fn known_hosts(gateway: SocketAddr) -> Result<String> {
    let line = |key_type: &KeyType| {
        let key = public_half(&Keys::get()?.host(*key_type))?;
        Ok(format!("[{}]:{} {key}", gateway.ip(), gateway.port()))
    };
    KeyType::ALL.iter().map(line).collect()
}

#[test]
fn a_gateway_with_x509_certificates_is_trusted_for_their_root() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let keys = Keys::get()?;
        let mut certified: Vec<Arc<dyn Signer>> = Vec::new();
        for key_type in
            [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521, KeyType::Rsa, KeyType::Dsa]
        {
            let shown = fs::read(keys.x509_host(key_type))?;
            let shown = X509Certificate::all_from(&shown, 2).map_err(failed)?;
            for key in X509Key::each(&load(keys.host(key_type))?, &shown).map_err(failed)? {
                certified.push(Arc::new(key));
            }
        }
        let algorithms: Vec<_> = certified.iter().flat_map(|key| key.algorithms()).copied().collect();
        assert_eq!(algorithms.len(), 8, "{algorithms:?}");
        let gateway = start(Gateway::builder().host_key_algorithms("+*"), certified).await?;
        let address = gateway.address();
        let proven = tokio::task::spawn_blocking(move || {
            algorithms.into_iter().try_for_each(|algorithm| {
                prove_x509(algorithm, address).map_err(|failure| failure.during(algorithm))
            })
        });
        proven.await.expect("the test does not panic")
    })
}

/// asyncssh carries data, with nothing but the root to go by.
fn prove_x509(algorithm: &str, gateway: SocketAddr) -> Result<()> {
    let (target, keys) = (Target::Echo.start()?, Keys::get()?);
    // The older names leave no room for the authority between.
    let (scratch, root) = (tempfile::tempdir()?, keys.x509_root());
    let roots = scratch.path().join("roots.pem");
    let between =
        if algorithm.contains("-sign-") { keys.x509_between().certificate()? } else { String::new() };
    fs::write(&roots, root.certificate()? + &between)?;
    let mut client = Command::new(asyncssh::python()?);
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/asyncssh_client.py"));
    client.arg(gateway.ip().to_string()).arg(gateway.port().to_string()).arg(USER);
    client
        .arg(keys.user(KeyType::Ed25519))
        .arg(roots)
        .arg(algorithm)
        .arg(target.address().port().to_string());
    let output = client.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::new(String::from_utf8_lossy(&output.stderr))),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

fn load(path: PathBuf) -> Result<Arc<dyn Signer>> {
    Ok(underpass::keys::load(&fs::read(path)?, None).map_err(failed)?.signer)
}

async fn start(gateway: GatewayBuilder, host_keys: Vec<Arc<dyn Signer>>) -> Result<Gateway> {
    let user_key = load(Keys::get()?.user(KeyType::Ed25519))?;
    let gateway = host_keys
        .into_iter()
        .fold(gateway, GatewayBuilder::host_key)
        .allow_key(USER, user_key.public_key())
        .allow_targets(|_| true)
        .start(([127, 0, 0, 1], 0).into());
    gateway.await.map_err(failed)
}

const LENGTH: u64 = 64 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);
