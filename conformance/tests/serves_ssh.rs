//! Our gateway, with OpenSSH's client: the other role of what the matrix proves.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use underpass::gateway::Gateway;
use underpass::{CertifiedKey, Named as _, Provider, Signer};
use underpass_conformance::account::USER;
use underpass_conformance::keys::{KeyType, Keys, public_half};
use underpass_conformance::peer::write_known_hosts;
use underpass_conformance::{Client, Failure, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn keys_are_exchanged_by_every_method_that_both_have() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let gateway = start(vec![load(Keys::get()?.host(KeyType::Ed25519))?]).await?;
        let address = gateway.address();
        let proven = tokio::task::spawn_blocking(move || {
            let methods = common_methods()?;
            // Those of ssh 9.2, which has no ML-KEM.
            assert!(methods.len() >= 10, "{methods:?}");
            methods.into_iter().try_for_each(|method| prove(method, address))
        });
        proven.await.expect("the test does not panic")
    })
}

/// What we offer by default and ssh has.
fn common_methods() -> Result<Vec<&'static str>> {
    let listed = Command::new("ssh").args(["-Q", "kex"]).output()?.stdout;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let ours = Provider::MODERN.kex.iter().map(|method| method.name());
    Ok(ours.filter(|name| listed.lines().any(|line| line == *name)).collect())
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
        let gateway = start(certified).await?;
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
    let (scratch, target) = (tempfile::tempdir()?, Target::Echo.start()?);
    let known_hosts = scratch.path().join("known_hosts");
    let authority = public_half(&Keys::get()?.authority())?;
    fs::write(&known_hosts, format!("@cert-authority * {authority}"))?;
    let algorithm = format!("{plain}-cert-v01@openssh.com");
    let session = Client::to(gateway)
        .openssh()
        .option("UserKnownHostsFile", known_hosts.display().to_string())
        .option("HostKeyAlgorithms", &algorithm)
        .identity(Keys::get()?.user(KeyType::Ed25519))
        .forward(target.address())
        .start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(1), LENGTH))?;
    let log = session.process().err().text();
    match log.contains(&format!("kex: host key algorithm: {algorithm}")) {
        true => Ok(()),
        false => Err(Failure::new(format!("ssh does not say that it used {algorithm}"))),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

fn load(path: PathBuf) -> Result<Arc<dyn Signer>> {
    Ok(underpass::keys::load(&fs::read(path)?, None).map_err(failed)?.signer)
}

async fn start(host_keys: Vec<Arc<dyn Signer>>) -> Result<Gateway> {
    let user_key = load(Keys::get()?.user(KeyType::Ed25519))?;
    let builder = host_keys.into_iter().fold(Gateway::builder(), |builder, key| builder.host_key(key));
    let gateway = builder
        .allow_key(USER, user_key.public_key())
        .allow_targets(|_| true)
        .start(([127, 0, 0, 1], 0).into());
    gateway.await.map_err(failed)
}

fn prove(method: &str, gateway: SocketAddr) -> Result<()> {
    let (scratch, target) = (tempfile::tempdir()?, Target::Echo.start()?);
    let known_hosts = scratch.path().join("known_hosts");
    write_known_hosts(&known_hosts, gateway, &[Keys::get()?.host(KeyType::Ed25519)])?;
    let session = Client::to(gateway)
        .openssh()
        .option("UserKnownHostsFile", known_hosts.display().to_string())
        .option("KexAlgorithms", method)
        .identity(Keys::get()?.user(KeyType::Ed25519))
        .forward(target.address())
        .start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(1), LENGTH))?;
    let log = session.process().err().text();
    match log.contains(&format!("kex: algorithm: {method}")) {
        true => Ok(()),
        false => Err(Failure::new(format!("ssh does not say that it used {method}"))),
    }
}

const LENGTH: u64 = 64 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);
