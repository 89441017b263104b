//! Keys on a PKCS#11 token, which sign where they are.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;
use underpass_conformance::peer::sshd;
use underpass_conformance::token::{LABEL, MODULE, PIN, Token, VARIABLE};
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// The type, as OpenSC's tool has it, the identifier and the label.
const KEYS: [(&str, &str, &str); 6] = [
    ("rsa:2048", "01", "rsa"),
    ("EC:prime256v1", "02", "p256"),
    ("EC:secp384r1", "03", "p384"),
    ("EC:secp521r1", "04", "p521"),
    ("EC:edwards25519", "05", "ed25519"),
    // Under the identifier of another.
    ("EC:prime256v1", "01", "namesake"),
];

/// A token with all these keys, to be copied, since making them takes its time.
fn filled() -> Result<&'static Token> {
    static TOKEN: OnceLock<std::result::Result<Token, String>> = OnceLock::new();
    let fill = || {
        let token = Token::new()?;
        KEYS.iter().try_for_each(|(key_type, id, label)| token.generate(key_type, id, label))?;
        Ok::<_, Failure>(token)
    };
    TOKEN.get_or_init(|| fill().map_err(|failure| failure.to_string())).as_ref().map_err(Failure::new)
}

/// A server that keys on the token open.
struct Bastion {
    server: Peer,
    token: Token,
    _authorized: TempDir,
}

impl Bastion {
    fn start(labels: &[&str]) -> Result<Self> {
        let token = filled()?.copy()?;
        let authorized = tempfile::tempdir()?;
        let file = authorized.path().join("authorized_keys");
        let lines = labels.iter().map(|label| token.authorized_key(label));
        fs::write(&file, lines.collect::<Result<String>>()?)?;
        let accepted = "PubkeyAcceptedAlgorithms +ssh-rsa";
        let server = sshd::start(&[&format!("AuthorizedKeysFile {}", file.display()), accepted])?;
        Ok(Self { server, token, _authorized: authorized })
    }

    /// A client that has nothing but the token.
    fn client(&self) -> Result<Client> {
        let client = Client::of(&self.server)?.ours().no_identity();
        let client = client.variable(VARIABLE, self.token.configuration().display().to_string());
        Ok(client.option("PKCS11Provider", MODULE))
    }

    /// A client that has nothing but this identity.
    fn client_with(&self, uri: &str) -> Result<Client> {
        Ok(self.client()?.identity(PathBuf::from(uri)))
    }
}

fn carries(client: Client) -> Result<String> {
    let target = Target::Echo.start()?;
    let session = client.verbosity(3).forward(target.address()).start()?;
    traffic::run(DEADLINE, traffic::echo(session.local(), Payload::new(5), 100_000))?;
    Ok(session.process().said())
}

#[test]
fn a_key_of_each_type_logs_in() -> Result<()> {
    let labels = KEYS.map(|(_, _, label)| label);
    let bastion = Bastion::start(&labels)?;
    for label in labels {
        let uri = format!("pkcs11:token={};object={label}", LABEL.replace(' ', "%20"));
        let client = bastion.client_with(&uri)?.variable("UNDERPASS_PIN", PIN);
        let said = carries(client).map_err(|failure| failure.during(label))?;
        assert!(said.contains(&format!("`{label}` on the token")), "{said}");
        assert!(!said.contains(PIN), "the PIN shows");
    }
    Ok(())
}

#[test]
fn keys_of_one_identifier_are_all_offered() -> Result<()> {
    let bastion = Bastion::start(&["namesake"])?;
    let said = carries(bastion.client_with("pkcs11:id=%01")?.variable("UNDERPASS_PIN", PIN))?;
    assert!(said.contains("`namesake`"), "{said}");
    Ok(())
}

#[test]
fn all_keys_of_a_module_are_offered_where_none_is_named() -> Result<()> {
    let bastion = Bastion::start(&["p384"])?;
    carries(bastion.client()?.variable("UNDERPASS_PIN", PIN)).map(|_| ())
}

#[test]
fn an_rsa_key_signs_with_each_hash() -> Result<()> {
    let bastion = Bastion::start(&["rsa"])?;
    for algorithm in ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] {
        let client = bastion.client_with("pkcs11:object=rsa")?.variable("UNDERPASS_PIN", PIN);
        carries(client.option("PubkeyAcceptedAlgorithms", algorithm))
            .map_err(|failure| failure.during(algorithm))?;
    }
    Ok(())
}

#[test]
fn the_pin_is_typed_or_read_from_a_file() -> Result<()> {
    let bastion = Bastion::start(&["p256"])?;
    let typed = bastion.client_with("pkcs11:object=p256")?;
    carries(typed.on_terminal(&[("PIN of the token", "wrong"), ("PIN of the token", PIN)]))?;
    let scratch = tempfile::tempdir()?;
    let file = scratch.path().join("pin");
    fs::write(&file, format!("{PIN}\n"))?;
    let uri = format!("pkcs11:object=p256?pin-source=file:{}", file.display());
    carries(bastion.client_with(&uri)?).map(|_| ())
}

#[test]
fn what_is_wrong_with_a_token_is_said() -> Result<()> {
    let bastion = Bastion::start(&["p256"])?;
    let wrong = [
        ("pkcs11:object=p256", Some("4321"), "the PIN of the token \"the token\" is wrong"),
        ("pkcs11:object=p256", None, "wants its PIN"),
        ("pkcs11:object=nothing", None, "wants its PIN"),
        ("pkcs11:object=nothing", Some(PIN), "no such key is on a token"),
        ("pkcs11:token=nothing", Some(PIN), "no such token is there"),
        ("pkcs11:?module-path=/nowhere/module.so", None, "/nowhere/module.so cannot be used"),
    ];
    for (uri, pin, expected) in wrong {
        let client = bastion.client_with(uri)?.option("BatchMode", "yes");
        let client = pin.into_iter().fold(client, |client, pin| client.variable("UNDERPASS_PIN", pin));
        let outcome = client.forward(Target::Echo.start()?.address()).run(DEADLINE)?;
        let words = outcome.words().unwrap_or_default();
        assert!(words.contains(expected), "{expected}: {words}");
    }
    Ok(())
}

const DEADLINE: Duration = Duration::from_secs(30);
