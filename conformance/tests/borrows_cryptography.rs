//! Tunnels that the system's OpenSSL secures, to servers of others: with keys of each type, and algorithms of each family.

use std::time::Duration;

use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::{Client, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

with_each_peer!(openssl_secures_tunnels);

fn openssl_secures_tunnels(kind: PeerKind) -> Result<()> {
    let (peer, keys, target) = (kind.start()?, Keys::get()?, Target::Echo.start()?);
    for (key, kex, cipher, mac) in [
        (KeyType::Ed25519, "curve25519-sha256", "aes128-ctr", "hmac-sha2-256"),
        (KeyType::Rsa, "ecdh-sha2-nistp256", "aes256-ctr", "hmac-sha2-256"),
        (
            KeyType::EcdsaP256,
            "ecdh-sha2-nistp521",
            "aes128-gcm@openssh.com,aes128-ctr",
            "hmac-sha2-512,hmac-sha2-256",
        ),
        (KeyType::Rsa, "diffie-hellman-group14-sha256", "aes256-gcm@openssh.com,aes256-ctr", "hmac-sha2-256"),
    ] {
        let client = Client::of(&peer)?.ours().no_identity().identity(keys.user(key)).verbosity(1);
        let client = client.flags(&["--crypto", "openssl"]).option("KexAlgorithms", kex);
        let client = client.option("Ciphers", cipher).option("MACs", mac).option("RekeyLimit", "256K");
        let session = client.forward(target.address()).start()?;
        traffic::run_through(
            &session,
            &peer,
            DEADLINE,
            traffic::echo(session.local(), Payload::new(7), 1 << 20),
        )?;
        let outcome = session.stop(DEADLINE)?;
        let log = outcome.out + &outcome.err;
        assert!(log.contains("secured by OpenSSL 3."), "{kind}, {kex}: {log}");
    }
    Ok(())
}

const DEADLINE: Duration = Duration::from_secs(60);
