//! What `cargo xtask soak` runs: a gigabyte through each family of ciphers and MACs, while keys are renewed after each
//! MiB, on the wish of either side. Every byte is checked.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;
use underpass_conformance::peer::{asyncssh, sshd};
use underpass_conformance::{Client, Failure, Peer, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

/// A family of packet protections: a cipher, and a MAC where it has none of its own.
struct Family {
    cipher: &'static str,
    mac: &'static str,
    /// Starts a server that offers both; with `renews` it is the one that asks for new keys.
    server: fn(&Family, bool) -> Result<Peer>,
}

const FAMILIES: &[Family] = &[
    family("aes128-gcm@openssh.com", "hmac-sha2-256", openssh),
    family("chacha20-poly1305@openssh.com", "hmac-sha2-256", openssh),
    family("aes256-ctr", "hmac-sha2-256-etm@openssh.com", openssh),
    family("aes128-ctr", "hmac-sha2-512", openssh),
    family("aes128-ctr", "umac-64@openssh.com", openssh),
    family("aes128-ctr", "umac-128-etm@openssh.com", openssh),
    family("aes128-cbc", "hmac-sha1", openssh),
    family("aes256-cbc", "hmac-sha2-256-etm@openssh.com", openssh),
    family("3des-cbc", "hmac-md5-96", openssh),
    family("arcfour256", "hmac-sha1", by_asyncssh),
    family("blowfish-cbc", "hmac-md5", by_asyncssh),
    family("cast128-cbc", "hmac-ripemd160", by_asyncssh),
];

const fn family(
    cipher: &'static str,
    mac: &'static str,
    server: fn(&Family, bool) -> Result<Peer>,
) -> Family {
    Family { cipher, mac, server }
}

fn openssh(family: &Family, renews: bool) -> Result<Peer> {
    let limit = format!("RekeyLimit {}", if renews { "1M" } else { "default" });
    sshd::start(&[&format!("Ciphers {}", family.cipher), &format!("MACs {}", family.mac), &limit])
}

fn by_asyncssh(family: &Family, renews: bool) -> Result<Peer> {
    let rekey_bytes: u64 = if renews { 1 << 20 } else { 1 << 40 };
    asyncssh::start(&json!({
        "encryption_algs": [family.cipher],
        "mac_algs": [family.mac],
        "rekey_bytes": rekey_bytes,
    }))
}

fn main() -> ExitCode {
    let mut failed = false;
    println!("{:<30} {:<30} {:<7} {:>9} {:>6}", "cipher", "MAC", "renews", "exchanges", "s");
    for family in FAMILIES {
        for server_renews in [false, true] {
            let (begin, by) = (Instant::now(), if server_renews { "server" } else { "client" });
            match soak(family, server_renews) {
                Ok(exchanges) => println!(
                    "{:<30} {:<30} {by:<7} {exchanges:>9} {:>6.0}",
                    family.cipher,
                    family.mac,
                    begin.elapsed().as_secs_f64()
                ),
                Err(failure) => {
                    failed = true;
                    println!("{:<30} {:<30} {by:<7} FAILED: {failure}", family.cipher, family.mac);
                }
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Gives the number of key exchanges.
fn soak(family: &Family, server_renews: bool) -> Result<usize> {
    let (peer, echo) = ((family.server)(family, server_renews)?, Target::Echo.start()?);
    let client = Client::of(&peer)?.ours().verbosity(2);
    let client = client.option("Ciphers", family.cipher).option("MACs", family.mac);
    let client = client.option("RekeyLimit", if server_renews { "default" } else { "1M" });
    let session = client.forward(echo.address()).start()?;
    let traffic = traffic::echo(session.local(), Payload::new(9), EACH_WAY);
    traffic::run_through(&session, &peer, PATIENCE, traffic)?;
    let exchanges = session.key_exchanges();
    match exchanges >= FEWEST {
        true => Ok(exchanges),
        false => Err(Failure::new(format!("{exchanges} key exchanges are too few"))),
    }
}

/// A gigabyte in both.
const EACH_WAY: u64 = 500_000_000;

/// A limit is for each direction, and while keys are renewed the old ones are in use.
const FEWEST: usize = 200;

/// The slowest server takes minutes.
const PATIENCE: Duration = Duration::from_secs(1200);
