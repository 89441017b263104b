//! Every way to log in, up to data through the tunnel.

use std::time::Duration;

use serde_json::json;
use underpass_conformance::account::PASSWORD;
use underpass_conformance::client::{ClientKind, Session};
use underpass_conformance::keys::{KeyType, Keys, PASSPHRASE};
use underpass_conformance::peer::{asyncssh, dropbear, sshd};
use underpass_conformance::{Client, Peer, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

// The matrix logs in with a key of each type.
with_each_peer!(with_a_password, with_an_encrypted_key, with_the_second_of_two_keys);

fn with_a_password(kind: PeerKind) -> Result<()> {
    carries(&kind.start()?, |client| client.no_identity().password(PASSWORD))
}

fn with_an_encrypted_key(kind: PeerKind) -> Result<()> {
    let key = Keys::get()?.encrypted();
    carries(&kind.start()?, |client| client.no_identity().identity(key).passphrase(PASSPHRASE))
}

fn with_the_second_of_two_keys(kind: PeerKind) -> Result<()> {
    let keys = Keys::get()?;
    let offered = [keys.stranger(), keys.user(KeyType::EcdsaP256)];
    carries(&kind.start()?, |client| offered.into_iter().fold(client.no_identity(), Client::identity))
}

#[test]
fn with_a_password_for_the_only_prompt_of_keyboard_interactive() -> Result<()> {
    let peer = keyboard_interactive(&json!([[["Password: ", false, PASSWORD]]]))?;
    carries(&peer, |client| client.no_identity().password(PASSWORD))
}

#[test]
fn with_the_answers_to_several_prompts_in_several_rounds() -> Result<()> {
    let rounds = json!([
        [["First: ", false, "one"], ["Second: ", true, "two"], ["Third: ", false, "three"]],
        [["Code: ", true, "123456"]],
    ]);
    let answers = [("First: ", "one"), ("Second: ", "two"), ("Third: ", "three"), ("Code: ", "123456")];
    carries(&keyboard_interactive(&rounds)?, |client| client.no_identity().on_terminal(&answers))
}

#[test]
fn with_a_round_without_prompts() -> Result<()> {
    let peer = keyboard_interactive(&json!([[], [["Code: ", true, "123456"]], []]))?;
    carries(&peer, |client| client.no_identity().on_terminal(&[("Code: ", "123456")]))
}

#[test]
fn with_a_new_password_for_one_that_has_expired() -> Result<()> {
    let new = "halibut-77ce";
    let peer = asyncssh::start(&json!({ "authorized_keys": null, "new_password": new }))?;
    carries(&peer, |client| {
        let answers = match client.kind() {
            ClientKind::Underpass => {
                vec![("password of ", PASSWORD), ("new password: ", new), ("once more: ", new)]
            }
            ClientKind::Ssh => vec![
                ("'s password: ", PASSWORD),
                ("old password: ", PASSWORD),
                ("new password: ", new),
                ("new password: ", new),
            ],
        };
        client.no_identity().on_terminal(&answers)
    })
}

#[test]
fn with_a_key_and_then_a_password_for_sshd() -> Result<()> {
    let peer = sshd::start(&["AuthenticationMethods publickey,password"])?;
    carries(&peer, |client| client.password(PASSWORD))
}

#[test]
fn with_a_key_and_then_a_password_for_dropbear() -> Result<()> {
    carries(&dropbear::start(&["-t"])?, |client| client.password(PASSWORD))
}

#[test]
fn with_two_keys_one_after_the_other() -> Result<()> {
    let peer = sshd::start(&["AuthenticationMethods publickey,publickey"])?;
    let second = Keys::get()?.user(KeyType::Rsa);
    carries(&peer, |client| client.identity(second))
}

fn keyboard_interactive(rounds: &serde_json::Value) -> Result<Peer> {
    asyncssh::start(&json!({ "authorized_keys": null, "password": null, "prompts": rounds }))
}

fn carries(peer: &Peer, configure: impl FnOnce(Client) -> Client) -> Result<()> {
    let target = Target::Echo.start()?;
    let session: Session = configure(Client::of(peer)?).forward(target.address()).start()?;
    traffic::run(Duration::from_secs(30), traffic::echo(session.local(), Payload::new(21), 100_000))
}
