//! The [matrix](crate::matrix), run.

use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;
use underpass_testkit::Payload;
use underpass_testkit::server::Server;
use underpass_testkit::target::Target;

use crate::account::USER;
use crate::client::{Client, ClientKind, Session};
use crate::kerberos::{Cache, Realm};
use crate::keys::{KeyType, Keys, public_half};
use crate::matrix::{MATRIX, Role, Row, offered};
use crate::peer::{Peer, PeerKind, asyncssh, dropbear, sshd};
use crate::{Failure, Result, traffic};

/// Carries data through a tunnel for each algorithm and peer.
#[must_use]
pub fn run() -> Table {
    thread::scope(|scope| {
        let columns = PeerKind::ALL.iter().map(|&kind| scope.spawn(move || column(kind)));
        let columns: Vec<_> = columns.collect();
        let joined = columns.into_iter().map(|column| column.join().expect("a column reports its failures"));
        Table { columns: joined.collect() }
    })
}

/// Carries data through a tunnel to one peer for each algorithm that it has.
#[must_use]
pub fn column(kind: PeerKind) -> Column {
    let bench = Bench::start(kind);
    let cell = |row: &Row| match &bench {
        _ if !row.peers.contains(&kind) => Cell::Absent,
        Err(_) => Cell::Failed("the peer did not start".into()),
        Ok(bench) => match bench.prove(row) {
            Ok(()) => Cell::Proven,
            Err(failure) => Cell::Failed(failure.to_string()),
        },
    };
    let cells = MATRIX.iter().map(cell).collect();
    Column { kind, cells, unavailable: bench.err() }
}

/// The result for every row of the matrix and every peer. Prints as a table, with all failures below it.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
}

impl Table {
    /// Whether every cell that is to be proven was.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.columns.iter().all(|column| column.failures().is_empty())
    }
}

/// The results of one peer.
#[derive(Debug)]
pub struct Column {
    kind: PeerKind,
    cells: Vec<Cell>,
    unavailable: Option<Failure>,
}

impl Column {
    /// What was to be proven and was not, each in a few words or lines.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        if let Some(why) = &self.unavailable {
            return vec![format!("{}: {why}", self.kind)];
        }
        let cells = MATRIX.iter().zip(&self.cells);
        let failed = cells.filter_map(|(row, cell)| match cell {
            Cell::Failed(why) => Some(format!("{} {} with {}: {why}", row.role.name(), row.name, self.kind)),
            Cell::Proven | Cell::Absent => None,
        });
        failed.collect()
    }
}

#[derive(Debug)]
enum Cell {
    Proven,
    Absent,
    Failed(String),
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<13} {:<46}", "", "")?;
        for column in &self.columns {
            write!(f, " {:<9}", column.kind.to_string())?;
        }
        for (at, row) in MATRIX.iter().enumerate() {
            write!(f, "\n{:<13} {:<46}", row.role.name(), row.name)?;
            for column in &self.columns {
                let word = match column.cells[at] {
                    Cell::Proven => "proven",
                    Cell::Absent => "-",
                    Cell::Failed(_) => "FAILED",
                };
                write!(f, " {word:<9}")?;
            }
        }
        for failure in self.columns.iter().flat_map(Column::failures) {
            write!(f, "\n\n{failure}")?;
        }
        Ok(())
    }
}

/// A peer and what the client needs for it.
struct Bench {
    peer: Peer,
    target: Server,
    /// Of a peer that belongs to a realm.
    kerberos: Option<(Realm, Cache)>,
}

impl Bench {
    fn start(kind: PeerKind) -> Result<Self> {
        let kerberos = match kind {
            PeerKind::Sshd => {
                let realm = Realm::start(CLOCK_SKEW)?;
                let ticket = realm.ticket(USER, TICKET)?;
                Some((realm, ticket))
            }
            PeerKind::Asyncssh | PeerKind::Dropbear => None,
        };
        let peer = start_with_evidence(kind, kerberos.as_ref().map(|(realm, _)| realm))?;
        Ok(Self { peer, target: Target::Echo.start()?, kerberos })
    }

    fn prove(&self, row: &Row) -> Result<()> {
        // Clients prefer the other method; a server that lacks it leaves them no choice.
        if (row.role, row.name, self.peer.kind()) == (Role::Compression, "zlib", PeerKind::Asyncssh) {
            let settings = json!({ "debug_level": 2, "compression_algs": ["zlib"] });
            let peer = asyncssh::start(&settings)?;
            return carry(row, &peer, &self.target, restricted(row, &peer)?);
        }
        let client = restricted(row, &self.peer)?;
        let client = match &self.kerberos {
            Some((realm, ticket)) if row.needs_kerberos() => realm.equip(client, ticket),
            _ => client,
        };
        carry(row, &self.peer, &self.target, client)
    }
}

/// A peer that logs which algorithms it used, as far as it can.
fn start_with_evidence(kind: PeerKind, realm: Option<&Realm>) -> Result<Peer> {
    match kind {
        // Only at this level does it name the algorithm of a user's signature.
        PeerKind::Sshd => {
            let list = |keyword: &str, role| format!("{keyword} {}", offered(kind, role).join(","));
            let (with_kerberos, plain): (Vec<_>, Vec<_>) =
                offered(kind, Role::Kex).into_iter().partition(|name| name.starts_with("gss-"));
            // There the names end before the mechanism.
            let prefixes: Vec<_> =
                with_kerberos.iter().map(|name| &name[..=name.rfind('-').unwrap_or_default()]).collect();
            let mut lines = vec![
                "LogLevel DEBUG3".to_owned(),
                format!("KexAlgorithms {}", plain.join(",")),
                format!("GSSAPIKexAlgorithms {}", prefixes.join(",")),
                list("HostKeyAlgorithms", Role::HostKey),
                list("PubkeyAcceptedAlgorithms", Role::HostKey),
                list("Ciphers", Role::Cipher),
                list("MACs", Role::Mac),
            ];
            for &key_type in KeyType::ALL {
                lines.push(format!("HostCertificate {}", Keys::get()?.host_certificate(key_type).display()));
            }
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            realm.map_or_else(|| sshd::start(&lines), |realm| realm.sshd(&lines))
        }
        PeerKind::Asyncssh => asyncssh::start(&json!({
            "debug_level": 2,
            "host_keys": with_certificates()?,
            "authorized_keys": Keys::get()?.authorized_with_x509(),
            "ca_certificates": Keys::get()?.x509_authorities(),
            "kex_algs": offered(kind, Role::Kex),
            "signature_algs": offered(kind, Role::HostKey),
            "encryption_algs": offered(kind, Role::Cipher),
            "mac_algs": offered(kind, Role::Mac),
        })),
        PeerKind::Dropbear => dropbear::start(&[]),
    }
}

/// The host keys, with X.509 certificates where there is an algorithm for that.
fn with_certificates() -> Result<Vec<serde_json::Value>> {
    let keys = Keys::get()?;
    let key = |&key_type: &KeyType| match key_type {
        KeyType::Ed25519 => json!(keys.host(key_type)),
        _ => json!([keys.host(key_type), keys.x509_host(key_type)]),
    };
    Ok(KeyType::ALL.iter().map(key).collect())
}

fn carry(row: &Row, peer: &Peer, target: &Server, mut client: Client) -> Result<()> {
    let log = peer.process().err();
    let mark = log.mark();
    let scratch = tempfile::tempdir()?;
    if row.role == Role::HostKey && row.name.contains("-cert-") {
        // Nothing but the authority is on record.
        let known_hosts = scratch.path().join("known_hosts");
        let authority = public_half(&Keys::get()?.authority())?;
        fs::write(&known_hosts, format!("@cert-authority * {authority}"))?;
        client = client.option("UserKnownHostsFile", known_hosts.display().to_string());
    }
    if row.role == Role::HostKey && row.is_x509() {
        // The older names leave no room for authorities between.
        let bare = row.name.starts_with("x509v3-sign-");
        let root = if bare { Keys::get()?.x509_between() } else { Keys::get()?.x509_root() };
        let nobody = scratch.path().join("known_hosts");
        fs::write(&nobody, "")?;
        client = client
            .ours()
            .option("UserKnownHostsFile", nobody.display().to_string())
            .option("CACertificateFile", root.path().display().to_string());
    }
    let session = client.forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(1), LENGTH))?;
    claimed(row, &session)?;
    // The log of a busy peer comes late.
    let evident = |log: &str| confirmed(row, peer.kind(), log.get(mark..).unwrap_or(log)).ok();
    match peer.process().wait_for(log, PATIENCE, evident) {
        Ok(()) => Ok(()),
        Err(_) => confirmed(row, peer.kind(), &log.text_from(mark)),
    }
}

/// A client that offers this algorithm and no other of its kind.
fn restricted(row: &Row, peer: &Peer) -> Result<Client> {
    let client = Client::of(peer)?;
    // ssh has lost most of the weak ones.
    let client = if row.is_warned_about() { client.ours() } else { client };
    Ok(match row.role {
        Role::Kex => client.option("KexAlgorithms", row.name),
        Role::HostKey => client.option("HostKeyAlgorithms", row.name),
        // dropbear has no other MAC.
        Role::Cipher => client.option("Ciphers", row.name).option("MACs", "+hmac-sha2-256"),
        Role::Mac => client.option("Ciphers", "aes128-ctr").option("MACs", row.name),
        Role::Compression => {
            let client = client.option("Ciphers", "aes128-ctr").option("MACs", "hmac-sha2-256");
            client.option("Compression", "yes")
        }
        Role::UserKey(key_type) => {
            let client = client
                .no_identity()
                .identity(Keys::get()?.user(key_type))
                .option("PreferredAuthentications", "publickey")
                .option("PubkeyAcceptedAlgorithms", row.name);
            match row.is_x509() {
                true => {
                    let certificate = Keys::get()?.x509_user(key_type).display().to_string();
                    client.ours().option("CertificateFile", certificate)
                }
                false => client,
            }
        }
    })
}

/// Checks that the client says it used the algorithm.
fn claimed(row: &Row, session: &Session) -> Result<()> {
    let name = row.name;
    match session.kind() {
        // Its words are those of sshd, and it does not say how it signed.
        ClientKind::Ssh => confirmed_by_openssh(row, &session.process().err().text()),
        ClientKind::Underpass => {
            let exchange = session.wait_for_event("key-exchange", PATIENCE)?.unwrap_or_default();
            let fields: &[&str] = match row.role {
                Role::Kex => &["kex"],
                Role::HostKey => &["host_key"],
                Role::Cipher => &["cipher_out", "cipher_in"],
                Role::Mac => &["mac_out", "mac_in"],
                Role::Compression => &["compression_out", "compression_in"],
                Role::UserKey(_) => &[],
            };
            if let Some(field) = fields.iter().find(|&&field| exchange[field] != name) {
                return Err(Failure::new(format!("the client reports {field} {}", exchange[field])));
            }
            let warned = session.events().iter().any(|event| {
                event["event"] == "warning" && event["text"].as_str().is_some_and(|text| text.contains(name))
            });
            match (row.is_warned_about(), warned) {
                (true, false) => Err(Failure::new("the client does not warn")),
                (false, true) => Err(Failure::new("the client warns without need")),
                _ => Ok(()),
            }
        }
    }
}

/// Checks that the peer's log says it used the algorithm, as far as the peer logs such things.
fn confirmed(row: &Row, kind: PeerKind, log: &str) -> Result<()> {
    let name = row.name;
    match (kind, row.role) {
        (PeerKind::Sshd, Role::UserKey(_)) => found(log, &[format!("have {name} signature for")]),
        (PeerKind::Sshd, _) => confirmed_by_openssh(row, log),
        (PeerKind::Asyncssh, Role::Kex) => found(log, &[format!("Key exchange alg: {name}")]),
        (PeerKind::Asyncssh, Role::Cipher) => found(log, &[format!("Encryption alg: {name}")]),
        (PeerKind::Asyncssh, Role::Mac) => found(log, &[format!("MAC alg: {name}")]),
        (PeerKind::Asyncssh, Role::Compression) => found(log, &[format!("Compression alg: {name}\n")]),
        (PeerKind::Asyncssh, Role::UserKey(_)) => found(log, &[format!("Verifying request with {name} key")]),
        // asyncssh logs the list that the client offered, which has this one name.
        (PeerKind::Asyncssh, Role::HostKey) => found(log, &[format!("Host key algs: {name}")]),
        // dropbear logs no algorithms; the client offered one, and the connection worked.
        (PeerKind::Dropbear, _) => Ok(()),
    }
}

fn confirmed_by_openssh(row: &Row, log: &str) -> Result<()> {
    let name = row.name;
    let directions = |what: String| ["client->server", "server->client"].map(|way| format!("{way} {what}"));
    match row.role {
        Role::Kex => found(log, &[format!("kex: algorithm: {name}")]),
        Role::HostKey => found(log, &[format!("kex: host key algorithm: {name}")]),
        Role::Cipher => found(log, &directions(format!("cipher: {name} "))),
        Role::Mac => found(log, &directions(format!("cipher: aes128-ctr MAC: {name} "))),
        Role::Compression => {
            found(log, &directions(format!("cipher: aes128-ctr MAC: hmac-sha2-256 compression: {name}")))
        }
        Role::UserKey(_) => Ok(()),
    }
}

fn found(log: &str, evidence: &[String]) -> Result<()> {
    match evidence.iter().find(|&words| !log.contains(words)) {
        None => Ok(()),
        Some(words) => Err(Failure::new(format!("a log lacks `{words}`"))),
    }
}

/// Both are far longer than a run takes.
const CLOCK_SKEW: Duration = Duration::from_secs(300);
const TICKET: Duration = Duration::from_secs(3600);

/// Enough for several packets and window adjustments.
const LENGTH: u64 = 256 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);
