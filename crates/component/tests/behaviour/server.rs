//! Whom the tunnel believes.

use std::sync::{Arc, Mutex};

use underpass::{FingerprintHash, hex_fingerprint};
use underpass_component::{Error, SshServerAuthentication};

use crate::support::Setup;

/// Starts with no server believed but by what `set` says.
fn start(set: impl FnOnce(&Setup)) -> (Result<(), Error>, SshServerAuthentication) {
    let setup = Setup::new();
    setup.tunnel.config("SSHAcceptAnyServerHostKey=False").unwrap();
    set(&setup);
    let seen: Arc<Mutex<Option<SshServerAuthentication>>> = Arc::default();
    let shown = seen.clone();
    setup.tunnel.on_ssh_server_authentication(move |_, event| *shown.lock().unwrap() = Some(event.clone()));
    let result = setup.tunnel.start_listening();
    let event = seen.lock().unwrap().take().unwrap();
    (result, event)
}

fn key(setup: &Setup) -> Vec<u8> {
    setup.gateway.host_keys().next().unwrap().to_vec()
}

#[test]
fn nobody_is_believed_by_default() {
    let (result, event) = start(|_| {});
    assert!(result.unwrap_err().code() == 1030 && !event.accept);
    assert!(
        event.fingerprint.len() == 95 && event.key_algorithm == "ssh-ed25519" && !event.host_key.is_empty()
    );
}

#[test]
fn a_fingerprint_is_enough() {
    for hash in [FingerprintHash::Md5, FingerprintHash::Sha1, FingerprintHash::Sha256] {
        let (result, event) = start(|setup| {
            let fingerprint = hex_fingerprint(&key(setup), hash);
            let setting = format!("SSHAcceptServerHostKeyFingerPrint=00:00,{fingerprint}");
            setup.tunnel.config(&setting).unwrap();
        });
        assert!(result.is_ok() && event.accept, "{hash:?}");
    }
}

#[test]
fn the_key_itself_is_enough_and_another_is_not() {
    let (result, event) = start(|setup| {
        let line = setup.gateway.known_hosts("x").unwrap();
        let key = line.lines().next().unwrap().split_once(' ').unwrap().1.to_owned();
        setup.tunnel.set_ssh_accept_server_host_key_encoded(key).unwrap();
    });
    assert!(result.is_ok() && event.accept, "{result:?}");
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
    let (result, event) = start(|setup| setup.tunnel.set_ssh_accept_server_host_key_encoded(other).unwrap());
    assert!(result.is_err() && !event.accept);
}

#[test]
fn the_handler_decides() {
    let setup = Setup::new();
    setup.tunnel.config("SSHAcceptAnyServerHostKey=False").unwrap();
    setup.tunnel.on_ssh_server_authentication(|_, event| event.accept = true);
    setup.tunnel.start_listening().unwrap();
    let key = key(&setup);
    for (name, hash) in [
        ("SSHFingerprintMD5", FingerprintHash::Md5),
        ("SSHFingerprintSHA1", FingerprintHash::Sha1),
        ("SSHFingerprintSHA256", FingerprintHash::Sha256),
    ] {
        assert_eq!(setup.tunnel.config(name).unwrap(), hex_fingerprint(&key, hash));
    }
    assert_eq!(setup.tunnel.config("NegotiatedStrictKex").unwrap(), "True");
    assert!(setup.tunnel.config("ServerSSHVersionString").unwrap().starts_with("SSH-2.0-Underpass"));
}

#[test]
fn the_hash_of_the_event_can_be_chosen() {
    let (_, event) = start(|setup| setup.tunnel.config("SSHFingerprintHashAlgorithm=MD5").map(drop).unwrap());
    assert_eq!(event.fingerprint.len(), 47);
}
