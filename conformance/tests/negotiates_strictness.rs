//! The levels of strictness of the key exchange against servers with it (sshd) and without it: asyncssh whose marker is
//! taken away, since each server that is packaged today has it.
//!
//! The command has no option for this; the library is used in its place.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use underpass::{Error, ErrorKind, Event, Reconnect, StrictKex, Tunnel};
use underpass_conformance::account::USER;
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::asyncssh;
use underpass_conformance::{Peer, PeerKind, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn with_a_server_that_is_strict() -> Result<()> {
    let peer = PeerKind::Sshd.start()?;
    for cipher in [GCM, CHACHA] {
        for level in [StrictKex::Enabled, StrictKex::RejectAffected, StrictKex::Required] {
            assert_eq!(attempt(&peer, level, cipher)?, Fate::Strict, "{level:?} {cipher}");
        }
        assert_eq!(attempt(&peer, StrictKex::Disabled, cipher)?, Fate::NotStrict, "{cipher}");
    }
    Ok(())
}

#[test]
fn with_a_server_that_is_not() -> Result<()> {
    let peer = asyncssh::start(&json!({ "strict_kex": false }))?;
    for cipher in [GCM, CHACHA] {
        for level in [StrictKex::Disabled, StrictKex::Enabled] {
            assert_eq!(attempt(&peer, level, cipher)?, Fate::NotStrict, "{level:?} {cipher}");
        }
        let unaffected = if cipher == GCM { Fate::NotStrict } else { Fate::Rejected };
        assert_eq!(attempt(&peer, StrictKex::RejectAffected, cipher)?, unaffected, "{cipher}");
        assert_eq!(attempt(&peer, StrictKex::Required, cipher)?, Fate::Rejected, "{cipher}");
    }
    Ok(())
}

/// What becomes of a tunnel.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It carries data after a strict key exchange.
    Strict,
    /// It carries data after another one.
    NotStrict,
    /// The settings reject the server.
    Rejected,
}

fn attempt(peer: &Peer, level: StrictKex, cipher: &str) -> Result<Fate> {
    let (echo, strict) = (Target::Echo.start()?, Arc::new(Mutex::new(None)));
    let seen = strict.clone();
    let builder = Tunnel::builder(peer.address().to_string())
        .user(USER)
        .identity_file(Keys::get()?.user(KeyType::Ed25519))
        .user_known_hosts([peer.known_hosts()])
        .global_known_hosts([""; 0])
        .batch(true)
        .reconnect(Reconnect::never())
        .strict_kex(level)
        .ciphers(cipher)
        .local_forward(format!("127.0.0.1:0:{}", echo.address()))
        .observer(move |event| {
            if let Event::KeyExchange { strict, .. } = event {
                *seen.lock().expect("nobody panics with it") = Some(*strict);
            }
        });
    traffic::run(PATIENCE, async {
        match builder.open().await {
            Ok(tunnel) => {
                let local = tunnel.local_address().expect("there is a forward");
                traffic::echo(local, Payload::new(3), 100_000).await?;
                let strict = strict.lock().expect("nobody panics with it").expect("keys were exchanged");
                Ok(if strict { Fate::Strict } else { Fate::NotStrict })
            }
            Err(error) if is_rejected(&error) => Ok(Fate::Rejected),
            Err(error) => Err(error.into()),
        }
    })
}

fn is_rejected(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PeerRejected { .. })
        && error.to_string().contains("strict key exchange")
}

const GCM: &str = "aes128-gcm@openssh.com";
const CHACHA: &str = "chacha20-poly1305@openssh.com";
const PATIENCE: Duration = Duration::from_secs(30);
