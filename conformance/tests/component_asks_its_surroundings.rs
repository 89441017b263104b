//! The component with what its environment has: agents, Kerberos and tokens.

use std::fs;
use std::path::Path;
use std::time::Duration;

use underpass_conformance::agent::Agent;
use underpass_conformance::component::{PATIENCE, apart, outcome};
use underpass_conformance::kerberos::{PASSWORD, Realm, SERVER};
use underpass_conformance::keys::{KeyType, Keys};
use underpass_conformance::peer::sshd;
use underpass_conformance::process::Process;
use underpass_conformance::token::{LABEL, MODULE, PIN, Token, VARIABLE};
use underpass_conformance::{Peer, Result};

fn start(peer: &Peer, environment: &[(&str, String)], members: &[&str]) -> Result<Process> {
    apart(Path::new(env!("CARGO_BIN_EXE_one_component")), peer, environment, members)
}

#[test]
fn an_agent_signs_if_that_is_wanted() -> Result<()> {
    let (peer, agent, keys) = (sshd::start(&[])?, Agent::start()?, Keys::get()?);
    agent.add(&keys.user(KeyType::Ed25519))?;
    let socket = [("SSH_AUTH_SOCK", agent.socket().display().to_string())];
    let store = format!("ssh_cert_store={}", keys.user(KeyType::Rsa).display());
    let own = ["ssh_cert_store_type=6", &store, "ssh_cert_subject=*"];
    let (none, with_own): (&[&str], &[&str]) = (&[], &own);
    for (mode, with_agent, key, expected) in [
        (0, true, none, Err(1032)),
        (1, true, none, Ok(())),
        (2, true, none, Ok(())),
        // The agent may be away, unless it is required.
        (1, false, with_own, Ok(())),
        (2, false, with_own, Err(1032)),
    ] {
        let environment = if with_agent { &socket[..] } else { &[] };
        let mode = format!("EnablePageantAuth={mode}");
        let members = [&["ssh_auth_mode=3", &mode], key].concat();
        assert_eq!(outcome(&start(&peer, environment, &members)?)?, expected, "{mode} {with_agent}");
    }
    Ok(())
}

#[test]
fn kerberos_logs_on() -> Result<()> {
    let realm = Realm::start(Duration::from_secs(300))?;
    let server = realm.sshd(&["PasswordAuthentication no", "PubkeyAuthentication no"])?;
    let (ticket, none) =
        (realm.ticket(underpass_conformance::account::USER, PATIENCE * 20)?, realm.empty_cache()?);
    let name = format!("KerberosSPN=host/{SERVER}");
    let password = format!("ssh_password={PASSWORD}");
    for (cache, members, expected) in [
        (&ticket, &["ssh_auth_mode=5", &name][..], Ok(())),
        (&ticket, &["ssh_auth_mode=7", &name], Ok(())),
        (&none, &["ssh_auth_mode=5", &name], Err(1032)),
        (&none, &["ssh_auth_mode=5", &name, &password], Ok(())),
        (&none, &["ssh_auth_mode=5", &name, "ssh_password=wrong"], Err(1032)),
        // Without the name it is 127.0.0.1, of whom nobody has heard.
        (&ticket, &["ssh_auth_mode=5"], Err(1032)),
        (&ticket, &["ssh_auth_mode=5", &name, "KerberosRealm=TEST.LOOP"], Ok(())),
        (&ticket, &["ssh_auth_mode=5", &name, "KerberosRealm=OTHER.LOOP"], Err(1032)),
    ] {
        let process = start(&server, &realm.environment(cache), members)?;
        assert_eq!(outcome(&process)?, expected, "{members:?}\n{}", process.said());
    }
    Ok(())
}

#[test]
fn credentials_are_delegated_unless_that_is_not_wanted() -> Result<()> {
    let realm = Realm::start(Duration::from_secs(300))?;
    let server = realm.sshd(&[])?;
    let ticket = realm.ticket(underpass_conformance::account::USER, PATIENCE * 20)?;
    let name = format!("KerberosSPN=host/{SERVER}");
    for (delegation, words) in [
        ("KerberosDelegation=True", "Received some client credentials"),
        ("KerberosDelegation=False", "Got no client credentials"),
    ] {
        let mark = server.process().err().mark();
        let process = start(&server, &realm.environment(&ticket), &["ssh_auth_mode=5", &name, delegation])?;
        assert_eq!(outcome(&process)?, Ok(()));
        server.wait_for_log(mark, words, PATIENCE)?;
    }
    Ok(())
}

#[test]
fn a_key_on_a_token_logs_on_with_the_pin() -> Result<()> {
    let (token, scratch) = (Token::new()?, tempfile::tempdir()?);
    token.generate("EC:prime256v1", "02", "p256")?;
    let authorized = scratch.path().join("authorized_keys");
    fs::write(&authorized, token.authorized_key("p256")?)?;
    let peer = sshd::start(&[&format!("AuthorizedKeysFile {}", authorized.display())])?;
    let environment = [(VARIABLE, token.configuration().display().to_string())];
    let label = LABEL.replace(' ', "%20");
    let store = format!("ssh_cert_store=pkcs11:token={label};object=p256?module-path={MODULE}");
    for (pin, expected) in [(PIN, Ok(())), ("00000000", Err(1032))] {
        let pin = format!("ssh_cert_store_password={pin}");
        let members = ["ssh_auth_mode=3", "ssh_cert_store_type=23", &store, &pin, "ssh_cert_subject=*"];
        let process = start(&peer, &environment, &members)?;
        assert_eq!(outcome(&process)?, expected, "{}", process.said());
    }
    Ok(())
}
