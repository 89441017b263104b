//! X.509 certificates on a PKCS#11 token: they choose keys, show keys of which nothing else is shown, and log in.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use underpass_conformance::keys::Keys;
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::token::{MODULE, PIN, Token, VARIABLE};
use underpass_conformance::x509::USER_SUBJECT;
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// The type, as OpenSC's tool has it, the identifier, the label, and the subjects of certificates, as `openssl` takes them.
const KEYS: [(&str, &str, &str, &[&str]); 5] = [
    ("EC:prime256v1", "01", "other", &["/O=Tests/CN=tessa"]),
    ("EC:prime256v1", "02", "mine", &[USER_SUBJECT]),
    ("rsa:2048", "03", "rsa", &["/O=Tests/CN=first", "/O=Tests/CN=renewed"]),
    // Of these the token shows no public half.
    ("EC:secp384r1", "04", "hidden", &["/O=Tests/CN=hidden"]),
    ("EC:prime256v1", "05", "bare", &[]),
];

struct Held {
    token: Token,
    /// The lines that let each of the keys in.
    authorized: Vec<(&'static str, String)>,
}

impl Held {
    fn line(&self, label: &str) -> &str {
        self.authorized.iter().find(|(known, _)| *known == label).map_or("", |(_, line)| line)
    }
}

/// A token with all these keys, to be copied, since making them takes its time.
fn held() -> Result<&'static Held> {
    static HELD: OnceLock<std::result::Result<Held, String>> = OnceLock::new();
    let fill = || {
        let (token, between) = (Token::new()?, Keys::get()?.x509_between());
        let mut authorized = Vec::new();
        token.hold(&between.certificate()?, "99", "the authority")?;
        for (key_type, id, label, subjects) in KEYS {
            token.generate(key_type, id, label)?;
            authorized.push((label, token.authorized_key(label)?));
            for subject in subjects {
                token.certify(&between, label, id, subject)?;
            }
        }
        token.hide("04")?;
        Ok::<_, Failure>(Held { token, authorized })
    };
    HELD.get_or_init(|| fill().map_err(|failure| failure.to_string())).as_ref().map_err(Failure::new)
}

/// sshd, which lets one key in and waits for no second try.
struct Bastion {
    server: Peer,
    token: Token,
    _authorized: TempDir,
}

impl Bastion {
    fn for_key(label: &str) -> Result<Self> {
        let authorized = tempfile::tempdir()?;
        let file = authorized.path().join("authorized_keys");
        fs::write(&file, held()?.line(label))?;
        let server = sshd::start(&[&format!("AuthorizedKeysFile {}", file.display()), "MaxAuthTries 1"])?;
        Ok(Self { server, token: held()?.token.copy()?, _authorized: authorized })
    }

    fn client_with(&self, uri: &str) -> Result<Client> {
        with_key(&self.server, &self.token, uri)
    }
}

/// A client that has nothing but what the token has.
fn with_token(server: &Peer, token: &Token) -> Result<Client> {
    let client = Client::of(server)?.ours().no_identity().variable("UNDERPASS_PIN", PIN);
    let client = client.variable(VARIABLE, token.configuration().display().to_string());
    Ok(client.option("PKCS11Provider", MODULE).option("BatchMode", "yes"))
}

fn with_key(server: &Peer, token: &Token, uri: &str) -> Result<Client> {
    Ok(with_token(server, token)?.identity(PathBuf::from(uri)))
}

fn carries(client: Client) -> Result<String> {
    let target = Target::Echo.start()?;
    let session = client.verbosity(1).forward(target.address()).start()?;
    traffic::run(DEADLINE, traffic::echo(session.local(), Payload::new(5), 100_000))?;
    Ok(session.process().said())
}

#[test]
fn a_certificate_chooses_its_key_by_its_subject() -> Result<()> {
    let bastion = Bastion::for_key("mine")?;
    // Contained in both, and exactly one's; then contained in one only, however it is spelt.
    for subject in ["CN=tess,O=%22Tests,%20Inc.%22", "o=%22tests,%20inc.%22", "CN=tess,O=Tests%5C,%20Inc."] {
        carries(bastion.client_with(&format!("pkcs11:x-subject={subject}"))?)
            .map_err(|failure| failure.during(subject))?;
    }
    // The first that contains it, and any.
    let bastion = Bastion::for_key("other")?;
    carries(bastion.client_with("pkcs11:x-subject=CN=tess;object=other")?)?;
    // Each certificate of a key will do.
    let bastion = Bastion::for_key("rsa")?;
    for subject in ["CN=first", "CN=renewed"] {
        let said = carries(bastion.client_with(&format!("pkcs11:x-subject={subject}"))?)?;
        assert!(said.contains(&format!("with {subject},O=Tests")), "{said}");
    }
    Ok(())
}

#[test]
fn a_subject_that_no_certificate_has_is_told() -> Result<()> {
    let bastion = Bastion::for_key("bare")?;
    for uri in ["pkcs11:x-subject=CN=nobody", "pkcs11:x-subject=tess;object=bare"] {
        let outcome = bastion.client_with(uri)?.forward("127.0.0.1:1").run(DEADLINE)?;
        let words = outcome.words().unwrap_or_default();
        assert!(words.contains("no such key is on a token"), "{uri}: {words}");
    }
    // Without one, any means any.
    carries(bastion.client_with("pkcs11:x-subject=*;object=bare")?).map(drop)
}

#[test]
fn a_certificate_shows_a_key_of_which_the_token_shows_nothing_else() -> Result<()> {
    let bastion = Bastion::for_key("hidden")?;
    carries(bastion.client_with("pkcs11:object=hidden")?).map(drop)
}

#[test]
fn certificates_go_along_to_servers_that_know_them() -> Result<()> {
    let (keys, token, scratch) = (Keys::get()?, held()?.token.copy()?, tempfile::tempdir()?);
    let authorized = scratch.path().join("authorized_keys");
    let subject = |subject: &str| format!("x509v3-rsa2048-sha256 subject={subject}\n");
    fs::write(&authorized, keys.x509_authorized().to_owned() + &subject("O=Tests,CN=renewed"))?;
    let server = asyncssh::start(&json!({
        "authorized_keys": authorized,
        "ca_certificates": keys.x509_root().path(),
        "password": null,
    }))?;
    let (mine, rsa) = ("pkcs11:x-subject=CN=tess,O=%22Tests,%20Inc.%22", "pkcs11:x-subject=renewed");
    for (uri, algorithm) in [(mine, "x509v3-ecdsa-sha2-nistp256"), (rsa, "x509v3-rsa2048-sha256")] {
        let mark = server.process().err().mark();
        carries(with_key(&server, &token, uri)?)?;
        server.wait_for_log(mark, &format!("Verifying request with {algorithm} key"), DEADLINE)?;
    }
    // With nothing named, all of them are tried.
    carries(with_token(&server, &token)?).map(drop)
}

const DEADLINE: Duration = Duration::from_secs(30);
