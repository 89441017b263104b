//! Tunnels that are secured by OpenSSL's FIPS provider alone. Debian has none: `cargo xtask fips` makes one and runs these.

#![cfg(feature = "openssl")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use underpass::gateway::{Gateway, GatewayBuilder};
use underpass::{Builder, Cryptography, Event, Forward, Reconnect, Tunnel, keys, known_hosts};
use underpass_testkit::target::Target;

/// Made by `ssh-keygen`: an ECDSA key on P-256.
const KEY: &str = include_str!("fips_key");

struct Bastion {
    gateway: Gateway,
    directory: TempDir,
}

impl Bastion {
    /// Has an ECDSA key, which the module can verify, and lets the user with [`KEY`] in.
    async fn start(policy: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        let key = keys::load(KEY.as_bytes(), None).unwrap();
        let builder = Gateway::builder()
            .host_key(key.signer.clone())
            .host_key_algorithms("ecdsa-sha2-nistp256")
            .allow_key("me", key.signer.public_key())
            .allow_targets(|_| true);
        let gateway = policy(builder).start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let directory = TempDir::new().unwrap();
        let lines =
            gateway.host_keys().map(|key| known_hosts::append_line("bastion", 22, key, None).unwrap());
        fs::write(directory.path().join("known_hosts"), lines.collect::<String>()).unwrap();
        fs::write(directory.path().join("key"), KEY).unwrap();
        Self { gateway, directory }
    }

    fn builder(&self) -> Builder {
        Tunnel::builder(self.gateway.address().to_string())
            .user("me")
            .host_key_alias("bastion")
            .user_known_hosts([self.directory.path().join("known_hosts")])
            .global_known_hosts([""; 0])
            .identity_file(self.directory.path().join("key"))
            .batch(true)
            .reconnect(Reconnect::never())
            .cryptography(Cryptography::Fips)
    }
}

#[tokio::test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
async fn the_validated_module_secures_a_tunnel() {
    let (bastion, target) = (Bastion::start(|gateway| gateway).await, Target::Echo.start().unwrap());
    let events = Arc::new(Mutex::new(Vec::new()));
    let observer = events.clone();
    let forward = Forward::local(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), target.address());
    let builder = bastion.builder().forward(forward).rekey_bytes(64 * 1024);
    let tunnel = builder.observer(move |event: &Event| observer.lock().unwrap().push(event.clone())).open();
    let tunnel = tunnel.await.unwrap();
    let mut stream = TcpStream::connect(tunnel.listeners()[0].1).await.unwrap();
    let sent: Vec<u8> = (0..1 << 20_u32).map(|at| (at % 251) as u8).collect();
    let mut received = vec![0; sent.len()];
    let (mut read, mut write) = stream.split();
    let (written, done) = tokio::join!(write.write_all(&sent), read.read_exact(&mut received));
    assert!(written.is_ok() && done.is_ok() && received == sent);
    let told: Vec<String> = events.lock().unwrap().iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("secured by") && line.contains("FIPS")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("keys: ecdh-sha2-nistp")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("new keys: ecdh-sha2-nistp")), "{told:?}");
}

#[tokio::test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
async fn what_is_not_approved_is_neither_offered_nor_taken_from_a_list() {
    let refused = async |builder: Builder| builder.open().await.expect_err("it opened").to_string();
    let bastion = Bastion::start(|gateway| gateway.kex_algorithms("curve25519-sha256")).await;
    let error = refused(bastion.builder()).await;
    assert!(error.contains("key exchange"), "{error}");
    let bastion = Bastion::start(|gateway| gateway.ciphers("chacha20-poly1305@openssh.com")).await;
    let error = refused(bastion.builder()).await;
    assert!(error.contains("cipher"), "{error}");
    let error = refused(bastion.builder().ciphers("+chacha20-poly1305@openssh.com")).await;
    assert!(error.contains("chacha20-poly1305@openssh.com") && error.contains("aes256-ctr"), "{error}");
}
