//! Once a tunnel is closed, the memory of the program holds none of the secrets that opened it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use underpass_conformance::account::{PASSWORD, USER};
use underpass_conformance::keys::{KeyType, Keys, PASSPHRASE};
use underpass_conformance::peer::sshd;
use underpass_conformance::process::Process;
use underpass_conformance::{Result, memory};

type Secrets = Vec<(&'static str, Vec<u8>)>;

#[test]
fn a_password() -> Result<()> {
    forgets(None, "-", PASSWORD, &vec![("password", PASSWORD.into())], &["password"])
}

#[test]
fn a_passphrase_and_the_key_that_it_opens() -> Result<()> {
    let key = Keys::get()?.encrypted();
    forgets(Some(&key), PASSPHRASE, "-", &vec![("passphrase", PASSPHRASE.into())], &["passphrase"])
}

#[test]
fn an_ed25519_key() -> Result<()> {
    let key = Keys::get()?.user(KeyType::Ed25519);
    let inside = decoded(&key)?;
    // The private half is the last string of 64 bytes; its first half is the seed.
    let at = inside.windows(4).rposition(|length| length == [0, 0, 0, 64]).expect("there is one") + 4;
    let secrets = vec![("seed", inside[at..at + 32].to_vec()), ("file", last_line(&key)?)];
    forgets(Some(&key), "-", "-", &secrets, &["seed"])
}

#[test]
fn an_rsa_key() -> Result<()> {
    let key = Keys::get()?.user(KeyType::Rsa);
    let inside = decoded(&key)?;
    // Of 3,072 bits: the primes have 192 bytes and the highest bit set, and come last.
    let primes =
        inside.windows(5).enumerate().filter(|(_, start)| start[..4] == [0, 0, 0, 193] && start[4] == 0);
    let primes: Vec<_> = primes.map(|(at, _)| &inside[at + 5..at + 5 + 192]).collect();
    let [.., p, q] = primes[..] else { panic!("the key has other numbers") };
    // In the order of the file, and as arithmetic has it; a part will do.
    let part = |number: &[u8]| number[40..88].to_vec();
    let reversed = |number: &[u8]| number.iter().rev().copied().collect::<Vec<_>>()[40..88].to_vec();
    let secrets = vec![
        ("p", part(p)),
        ("q", part(q)),
        ("p as a number", reversed(p)),
        ("q as a number", reversed(q)),
        ("file", last_line(&key)?),
    ];
    forgets(Some(&key), "-", "-", &secrets, &["p as a number"])
}

/// What the armour holds.
fn decoded(key: &Path) -> Result<Vec<u8>> {
    let file = fs::read_to_string(key)?;
    let lines: String = file.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(BASE64_STANDARD.decode(lines).expect("ssh-keygen writes base64"))
}

/// A line of the file from where the private half stands.
fn last_line(key: &Path) -> Result<Vec<u8>> {
    let file = fs::read_to_string(key)?;
    let lines: Vec<_> = file.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(lines[lines.len() - 2].as_bytes().to_vec())
}

/// Opens a tunnel with these, closes it, and looks. While it is open, `held` are in memory, which shows that one can look.
fn forgets(
    key: Option<&Path>,
    passphrase: &str,
    password: &str,
    secrets: &Secrets,
    held: &[&str],
) -> Result<()> {
    let server = sshd::start(&[])?;
    let mut program = Process::start(&Command::new(env!("CARGO_BIN_EXE_one_tunnel")))?;
    let key = key.map_or("-".to_owned(), |key| key.display().to_string());
    let (address, known_hosts) = (server.address(), server.known_hosts());
    let known_hosts = known_hosts.display();
    program.write(format!("{USER}@{address}\n{known_hosts}\n{key}\n{passphrase}\n{password}\n"))?;
    let says = |program: &Process, word: &str| {
        program.wait_for(program.out(), PATIENCE, |said| said.contains(word).then_some(()))
    };
    says(&program, "open")?;
    let open = memory::found_in(program.pid(), secrets)?;
    assert!(
        held.iter().all(|secret| open.contains(secret)),
        "only {open:?} are found while the tunnel is open"
    );
    program.write("\n")?;
    says(&program, "closed")?;
    let closed = memory::found_in(program.pid(), secrets)?;
    assert!(closed.is_empty(), "left in memory: {closed:?}");
    program.close_input();
    program.wait(PATIENCE)?;
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(30);
