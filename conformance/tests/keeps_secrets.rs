//! The most verbose log of a whole session holds none of its secrets, also where it shows the bytes of packets.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use underpass_conformance::account::PASSWORD;
use underpass_conformance::client::ClientKind;
use underpass_conformance::kerberos::{self, Realm};
use underpass_conformance::keys::{KeyType, Keys, PASSPHRASE};
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::token::{self, MODULE, PIN, Token};
use underpass_conformance::{Client, Result, secrets, traffic};
use underpass_testkit::target::Target;

#[test]
fn a_passphrase_a_key_and_a_password() -> Result<()> {
    let peer = sshd::start(&["AuthenticationMethods publickey,password"])?;
    let key = Keys::get()?.encrypted();
    let mut used = secrets::lines_of_key(&key)?;
    used.extend([PASSPHRASE.into(), PASSWORD.into()]);
    let client = Client::of(&peer)?.no_identity().identity(key);
    assert_silent(client.passphrase(PASSPHRASE).password(PASSWORD), used)
}

#[test]
fn a_key_without_a_passphrase() -> Result<()> {
    let key = Keys::get()?.user(KeyType::EcdsaP384);
    let used = secrets::lines_of_key(&key)?;
    let peer = sshd::start(&[])?;
    assert_silent(Client::of(&peer)?.no_identity().identity(key), used)
}

#[test]
fn answers_that_are_typed() -> Result<()> {
    let rounds = json!([[["Password: ", false, PASSWORD], ["Code: ", false, "tench-4411"]]]);
    let peer = asyncssh::start(&json!({ "authorized_keys": null, "password": null, "prompts": rounds }))?;
    let answers = [("Password: ", PASSWORD), ("Code: ", "tench-4411")];
    let client = Client::of(&peer)?.no_identity().on_terminal(&answers);
    assert_silent(client, vec![PASSWORD.into(), "tench-4411".into()])
}

#[test]
fn a_password_for_a_kerberos_ticket() -> Result<()> {
    let realm = Realm::start(Duration::from_secs(300))?;
    let peer = realm.sshd(&[])?;
    let client = realm.equip(Client::of(&peer)?.no_identity(), &realm.empty_cache()?);
    let client = client.option("GSSAPIAuthentication", "yes").option("GSSAPIKeyExchange", "yes");
    let client = client.flags(&["--kerberos-credentials", "password"]).password(kerberos::PASSWORD);
    assert_silent(client, vec![kerberos::PASSWORD.into()])
}

#[test]
fn a_password_that_is_changed() -> Result<()> {
    let new = "halibut-77ce";
    let peer = asyncssh::start(&json!({ "authorized_keys": null, "new_password": new }))?;
    let answers = [("password of ", PASSWORD), ("new password: ", new), ("once more: ", new)];
    assert_silent(Client::of(&peer)?.no_identity().on_terminal(&answers), vec![PASSWORD.into(), new.into()])
}

#[test]
fn the_pin_of_a_token() -> Result<()> {
    let token = Token::new()?;
    token.generate("EC:prime256v1", "01", "key")?;
    let directory = tempfile::tempdir()?;
    let authorized = directory.path().join("authorized_keys");
    fs::write(&authorized, token.authorized_key("key")?)?;
    let peer = sshd::start(&[&format!("AuthorizedKeysFile {}", authorized.display())])?;
    let client = Client::of(&peer)?.ours().no_identity().option("PKCS11Provider", MODULE);
    let client = client.variable(token::VARIABLE, token.configuration().display().to_string());
    let uri = format!("pkcs11:object=key?pin-value={PIN}");
    assert_silent(client.identity(PathBuf::from(uri)), vec![PIN.into()])
}

/// Runs a session in which data goes to and fro, and looks for the secrets and the data in all that it logs.
fn assert_silent(client: Client, used: Vec<String>) -> Result<()> {
    let client = client.verbosity(3);
    let log = log_of(client.clone())?;
    assert!(log.lines().count() > FEWEST_LINES, "this is not a verbose log:\n{log}");
    let (marker, is_ours) = ([MARKER.into()], client.kind() == ClientKind::Underpass);
    let found = secrets::found_in(&log, &[&used[..], &marker].concat());
    assert!(found.is_empty(), "found {found:?} in\n{log}");

    let log = log_of(client.own_arguments(&["--packet-trace", "bytes"]))?;
    let found = secrets::found_in(&log, &used);
    assert!(found.is_empty(), "found {found:?} in\n{log}");
    // Here the data show, where the end of the log is kept: so it does that secrets would have been found.
    if is_ours && log.contains("\"event\":\"connection-closed\"") {
        assert!(!secrets::found_in(&log, &marker).is_empty(), "{log}");
    }
    Ok(())
}

fn log_of(client: Client) -> Result<String> {
    let echo = Target::Echo.start()?;
    let session = client.forward(echo.address()).start()?;
    traffic::run(PATIENCE, async {
        let mut stream = TcpStream::connect(session.local()).await?;
        stream.write_all(MARKER.as_bytes()).await?;
        let mut returned = vec![0; MARKER.len()];
        stream.read_exact(&mut returned).await?;
        assert_eq!(returned, MARKER.as_bytes());
        Ok(())
    })?;
    let outcome = session.stop(PATIENCE)?;
    Ok(outcome.out + &outcome.err)
}

/// What the session carries.
const MARKER: &str = "the-payload-marker-of-this-session-c0ffee";

/// Connecting, keys, login, forward, connection and end make at least as many.
const FEWEST_LINES: usize = 10;

const PATIENCE: Duration = Duration::from_secs(30);
