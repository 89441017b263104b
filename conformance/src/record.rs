//! Records the [transcripts](underpass_testkit::transcript) that the engine's tests say again.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use underpass_testkit::target::Target;
use underpass_testkit::transcript::{Speaker, Terms, Transcript, Visit};

use crate::account::USER;
use crate::keys::{KeyType, Keys};
use crate::matrix::{MATRIX, Role, Row};
use crate::peer::{Peer, PeerKind, asyncssh, dropbear, sshd};
use crate::{Failure, Result};

/// Writes a transcript for each algorithm of the matrix that can be said again, and whose role and name contain `wanted`, with the first server that
/// proves it, into `directory`. Gives the names of the files.
///
/// # Errors
/// A server is missing, something was not agreed on, or a transcript is not said again as it was said.
pub fn all(directory: &Path, wanted: &str) -> Result<Vec<String>> {
    let rows = MATRIX.iter().filter(|row| !matches!(row.role, Role::UserKey(_)) && !row.needs_kerberos());
    let named = rows.map(|row| (row, format!("{} {}", row.role.name(), row.name)));
    let wanted = named.filter(|(_, name)| name.contains(wanted));
    wanted
        .map(|(row, name)| {
            let transcript = record(row).map_err(|failure| failure.during(&name))?;
            for piece in [usize::MAX, 1] {
                transcript.replay(piece).map_err(|problem| Failure::new(problem).during(&name))?;
            }
            let file = format!("{}.txt", name.replace(' ', "-"));
            fs::write(directory.join(&file), transcript.to_string())?;
            Ok(file)
        })
        .collect()
}

fn record(row: &Row) -> Result<Transcript> {
    let echo = Target::Echo.start()?;
    let terms = terms(row, echo.address().port())?;
    let peer = start(row.peers[0], &terms)?;
    let mut visit = Visit::new(&terms).map_err(Failure::new)?;
    let mut transcript = Transcript::new(terms);
    let mut stream = TcpStream::connect(peer.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut heard = [0; 16 * 1024];
    loop {
        let said = visit.say();
        stream.write_all(&said)?;
        transcript.add(Speaker::Client, &said);
        if visit.outcome().end.is_some() {
            break;
        }
        match stream.read(&mut heard)? {
            0 => visit.hear_the_end(),
            count => {
                transcript.add(Speaker::Server, &heard[..count]);
                visit.hear(&heard[..count]);
            }
        }
    }
    let checked = visit.outcome().check(&transcript.terms);
    checked.map_err(|problem| Failure::new(format!("{problem}\n{}", peer.process().said())))?;
    Ok(transcript)
}

/// What every server has, but for what the row is about.
fn terms(row: &Row, port: u16) -> Result<Terms> {
    let mut terms = Terms {
        about: format!("{} {}", row.role.name(), row.name),
        server: row.peers[0].to_string(),
        seed: SEED,
        user: USER.to_owned(),
        target: ("127.0.0.1".to_owned(), port),
        kex: "curve25519-sha256".to_owned(),
        host_key: "ssh-ed25519".to_owned(),
        cipher: "aes128-ctr".to_owned(),
        mac: "hmac-sha2-256".to_owned(),
        compression: "none".to_owned(),
        signature: "ssh-ed25519".to_owned(),
        key: String::new(),
    };
    let name = row.name.to_owned();
    match row.role {
        Role::Kex => terms.kex = name,
        Role::HostKey => {
            // A user signs as a host does, and has no certificate.
            if !row.name.contains("-cert-") && !row.name.starts_with(X509) {
                terms.signature.clone_from(&name);
            }
            terms.host_key = name;
        }
        Role::Cipher => terms.cipher = name,
        Role::Mac => terms.mac = name,
        Role::Compression => terms.compression = name,
        Role::UserKey(_) => return Err(Failure::new("such transcripts are those of the host key")),
    }
    let file = fs::read_to_string(Keys::get()?.user(key_type(&terms.signature)?))?;
    terms.key = file.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(terms)
}

/// A server that offers little else: what it offers is on record, too.
fn start(kind: PeerKind, terms: &Terms) -> Result<Peer> {
    let Terms { kex, host_key, cipher, mac, compression, signature, .. } = terms;
    let keys = Keys::get()?;
    let host = key_type(host_key)?;
    match kind {
        PeerKind::Sshd => {
            let mut lines = vec![
                format!("KexAlgorithms {kex}"),
                format!("HostKeyAlgorithms {host_key}"),
                format!("PubkeyAcceptedAlgorithms {signature}"),
                format!("Ciphers {cipher}"),
                format!("MACs {mac}"),
            ];
            if host_key.contains("-cert-") {
                lines.push(format!("HostCertificate {}", keys.host_certificate(host).display()));
            }
            sshd::start(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        }
        PeerKind::Asyncssh => asyncssh::start(&json!({
            "host_keys": [match host_key.starts_with(X509) {
                true => json!([keys.host(host), keys.x509_host(host)]),
                false => json!(keys.host(host)),
            }],
            "kex_algs": [kex],
            "signature_algs": [host_key, signature],
            "encryption_algs": [cipher],
            "mac_algs": [mac],
            "compression_algs": [compression],
        })),
        PeerKind::Dropbear => dropbear::start(&[]),
    }
}

/// The key for a signature algorithm.
fn key_type(algorithm: &str) -> Result<KeyType> {
    Ok(match algorithm.trim_end_matches("-cert-v01@openssh.com").trim_start_matches(X509) {
        "ssh-ed25519" => KeyType::Ed25519,
        "ecdsa-sha2-nistp256" => KeyType::EcdsaP256,
        "ecdsa-sha2-nistp384" => KeyType::EcdsaP384,
        "ecdsa-sha2-nistp521" => KeyType::EcdsaP521,
        "rsa-sha2-256" | "rsa-sha2-512" | "ssh-rsa" | "rsa2048-sha256" | "sign-rsa" => KeyType::Rsa,
        "ssh-dss" | "sign-dss" => KeyType::Dsa,
        other => return Err(Failure::new(format!("no key serves {other}"))),
    })
}

/// How the names of algorithms with X.509 certificates begin.
const X509: &str = "x509v3-";

/// Any other would do as well.
const SEED: u64 = 1;

const PATIENCE: Duration = Duration::from_secs(30);
