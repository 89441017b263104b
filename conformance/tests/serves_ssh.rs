//! Our gateway, with OpenSSH's client: the other role of what the matrix proves.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use underpass::gateway::Gateway;
use underpass::{Named as _, Provider, Signer};
use underpass_conformance::account::USER;
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::write_known_hosts;
use underpass_conformance::{Client, Failure, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn keys_are_exchanged_by_every_method_that_both_have() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let gateway = start().await?;
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

async fn start() -> Result<Gateway> {
    let keys = Keys::get()?;
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let load = |path| underpass::keys::load(&fs::read(path)?, None).map_err(|error| failed(&error));
    let host_key: Arc<dyn Signer> = load(keys.host(KeyType::Ed25519))?.signer;
    let user_key = load(keys.user(KeyType::Ed25519))?.signer;
    let gateway = Gateway::builder()
        .host_key(host_key)
        .allow_key(USER, user_key.public_key())
        .allow_targets(|_| true)
        .start(([127, 0, 0, 1], 0).into());
    gateway.await.map_err(|error| failed(&error))
}

fn prove(method: &str, gateway: std::net::SocketAddr) -> Result<()> {
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
