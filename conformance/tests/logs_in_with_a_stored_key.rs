//! Logging in to sshd with keys of the system's store, which are SSH's own files here, in a home directory of the test's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use underpass_conformance::client::ClientKind;
use underpass_conformance::keys::{KeyType, Keys, PASSPHRASE};
use underpass_conformance::peer::sshd;
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// A server, and a home directory with keys, of which it knows all but the first.
struct Home {
    server: Peer,
    directory: TempDir,
}

impl Home {
    fn new() -> Result<Self> {
        let (keys, directory) = (Keys::get()?, tempfile::tempdir()?);
        let ssh = directory.path().join(".ssh");
        fs::create_dir(&ssh)?;
        for (name, key) in [
            ("id_ed25519", keys.stranger()),
            ("id_work", keys.user(KeyType::EcdsaP256)),
            ("id_locked", keys.encrypted()),
        ] {
            fs::copy(key, ssh.join(name))?;
            fs::set_permissions(ssh.join(name), fs::Permissions::from_mode(0o600))?;
        }
        Ok(Self { server: sshd::start(&[])?, directory })
    }

    fn path(&self) -> String {
        self.directory.path().display().to_string()
    }

    /// A client that takes the key of that subject, and no other.
    fn client(&self, subject: &str) -> Result<Client> {
        let client = Client::of(&self.server)?.ours().variable("HOME", self.path());
        Ok(client.no_identity().identity(PathBuf::from(format!("store:user:{subject}"))))
    }

    fn carries(&self, client: Client) -> Result<()> {
        let target = Target::Echo.start()?;
        let session = client.forward(target.address()).start()?;
        traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(43), 10_000))
    }
}

#[test]
fn that_is_chosen_by_a_part_of_its_name_or_by_all_of_what_the_command_lists() -> Result<()> {
    let home = Home::new()?;
    home.carries(home.client("ID_WORK")?)?;

    let mut list = Command::new(ClientKind::Underpass.program()?);
    let listed = list.args(["keys", "list", "user"]).env("HOME", home.path()).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names: Vec<_> = listed.lines().filter_map(|line| line.trim().strip_prefix("name: ")).collect();
    let [first, locked, work] = names[..] else { return Err(Failure::new(listed)) };
    assert!(first.ends_with("id_ed25519") && locked.ends_with("id_locked") && work.ends_with("id_work"));
    home.carries(home.client(work)?)
}

#[test]
fn that_a_passphrase_opens() -> Result<()> {
    let home = Home::new()?;
    home.carries(home.client("id_locked")?.passphrase(PASSPHRASE))
}

#[test]
fn and_with_no_other_than_the_one_that_is_chosen() -> Result<()> {
    let home = Home::new()?;
    for subject in ["*", "id_ed25519"] {
        let refused =
            home.client(subject)?.option("BatchMode", "yes").forward("127.0.0.1:1").run(PATIENCE)?;
        refused.failed_with(&[LOGIN])?;
    }
    let missing = home.client("id_elsewhere")?.forward("127.0.0.1:1").run(PATIENCE)?;
    let words = missing.error().map(ToString::to_string).unwrap_or_default();
    match words.contains("id_elsewhere") && words.contains("underpass keys list user") {
        true => Ok(()),
        false => Err(Failure::new(words)),
    }
}

const LOGIN: i32 = 7;
const PATIENCE: Duration = Duration::from_secs(60);
