//! Tunnels that are secured by the system's OpenSSL. The gateway at the other end has our own cryptography.

use underpass::gateway::GatewayBuilder;
use underpass::{Cryptography, ErrorKind, Event};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, PASSWORD, USER, connect, echo, refused, to, within};

const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn the_system_s_library_secures_tunnels() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    for (kex, cipher, mac) in [
        ("curve25519-sha256", "aes128-gcm@openssh.com", None),
        ("ecdh-sha2-nistp256", "aes256-gcm@openssh.com", None),
        ("ecdh-sha2-nistp384", "aes128-ctr", Some("hmac-sha2-256-etm@openssh.com")),
        ("ecdh-sha2-nistp521", "aes192-ctr", Some("hmac-sha2-512-etm@openssh.com")),
        ("diffie-hellman-group14-sha256", "aes256-ctr", Some("hmac-sha2-256")),
        ("diffie-hellman-group16-sha512", "aes256-ctr", Some("hmac-sha2-512")),
    ] {
        let events = Events::default();
        let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
        let builder = builder.cryptography(Cryptography::OpenSsl).kex_algorithms(kex).ciphers(cipher);
        let builder = builder.macs(mac.unwrap_or("hmac-sha2-256")).rekey_bytes(256 * 1024);
        let tunnel = builder.open().await.unwrap();
        within(echo(connect(&tunnel), Payload::new(1), MIB)).await.unwrap();
        let told: Vec<String> = events.all().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.contains("secured by OpenSSL 3.")), "{told:?}");
        let keys = |rekeyed: bool| {
            let is_one = |event: &&Event| {
                let Event::KeyExchange { kex: by, cipher_out, mac_in, rekey, .. } = event else {
                    return false;
                };
                *rekey == rekeyed
                    && (by.as_str(), cipher_out.as_str(), mac_in.as_deref()) == (kex, cipher, mac)
            };
            events.all().iter().filter(is_one).count()
        };
        assert!(keys(false) == 1 && keys(true) > 0, "{told:?}");
    }
}

#[tokio::test]
async fn what_the_system_s_library_lacks_is_our_own() {
    let policy = |gateway: GatewayBuilder| {
        gateway.allow_password(USER, PASSWORD).allow_targets(|_| true).macs("umac-128-etm@openssh.com")
    };
    let (bastion, target) = (Bastion::with(policy).await, Target::Echo.start().unwrap());
    let builder = bastion.builder().forward(to(target.address())).cryptography(Cryptography::OpenSsl);
    let builder = builder
        .kex_algorithms("sntrup761x25519-sha512")
        .ciphers("aes128-ctr")
        .macs("umac-128-etm@openssh.com");
    let tunnel = builder.open().await.unwrap();
    within(echo(connect(&tunnel), Payload::new(1), MIB)).await.unwrap();
}

#[tokio::test]
async fn without_a_validated_module_nothing_is_secured_by_less() {
    let bastion = Bastion::start().await;
    match Cryptography::Fips.version() {
        // `fips.rs` has it at work.
        Ok(version) => assert!(version.contains("FIPS"), "{version}"),
        Err(_) => {
            let error = refused(bastion.builder().cryptography(Cryptography::Fips)).await;
            assert!(matches!(error.kind(), ErrorKind::Configuration { .. }), "{error}");
            assert!(error.to_string().contains("`fips`") && error.advice().is_some(), "{error}");
        }
    }
}
