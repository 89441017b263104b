//! `UseFIPSCompliantAPI`, which holds for the whole process and so has one of its own. Debian has no such module:
//! `cargo xtask fips` makes one and runs this.

#![cfg(feature = "openssl")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::net::{Ipv4Addr, SocketAddr};

use underpass::gateway::{Gateway, GatewayBuilder};
use underpass_component::SshTunnel;

/// An ECDSA key, which the module can verify in all its versions.
const HOST_KEY: &str = include_str!("../../underpass/tests/fips_key");

async fn gateway(policy: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Gateway {
    let key = underpass::keys::load(HOST_KEY.as_bytes(), None).unwrap();
    let builder = policy(Gateway::builder().host_key(key.signer).allow_password("me", "secret"));
    builder.start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap()
}

/// The code with which it does not connect, if so.
fn connect(tunnel: &SshTunnel, gateway: &Gateway) -> Result<(), u16> {
    tunnel.set_ssh_host(gateway.address().ip().to_string()).unwrap();
    tunnel.set_ssh_port(gateway.address().port().into()).unwrap();
    tunnel.set_ssh_user("me").unwrap();
    tunnel.set_ssh_password("secret").unwrap();
    tunnel.config("SSHAcceptAnyServerHostKey=True").unwrap();
    tunnel.connect().map_err(|error| error.code())
}

#[test]
#[ignore = "needs OpenSSL's FIPS provider: cargo xtask fips"]
fn the_validated_module_is_for_the_whole_process() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let forbidden = runtime.block_on(gateway(|gateway| gateway.kex_algorithms("curve25519-sha256")));
    let approved = runtime.block_on(gateway(|gateway| gateway.kex_algorithms("ecdh-sha2-nistp256")));
    let (one, other) = (SshTunnel::new(), SshTunnel::new());
    connect(&other, &forbidden).unwrap();
    other.shutdown();
    one.config("UseFIPSCompliantAPI=True").unwrap();
    assert_eq!(other.config("UseFIPSCompliantAPI").unwrap(), "True");
    assert_eq!(connect(&other, &forbidden), Err(1003));
    connect(&other, &approved).unwrap();
    other.shutdown();
    other.config("UseFIPSCompliantAPI=False").unwrap();
    connect(&one, &forbidden).unwrap();
}

#[test]
fn without_the_module_the_setting_stays_as_it_is_and_says_what_is_missing() {
    let (one, other) = (SshTunnel::new(), SshTunnel::new());
    // Where the module is installed, nothing is missing.
    let expected = match one.config("UseFIPSCompliantAPI=True") {
        Ok(_) => "True",
        Err(error) => {
            assert!(error.code() == 211 && error.message().contains("fipsinstall"), "{error}");
            "False"
        }
    };
    assert_eq!(other.config("UseFIPSCompliantAPI").unwrap(), expected);
    one.config("UseFIPSCompliantAPI=False").unwrap();
}
