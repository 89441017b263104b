//! A Kerberos realm of the tests' own: MIT's KDC (Debian: `krb5-kdc`, `krb5-admin-server`, `krb5-user`) with everything in
//! a scratch directory, and an sshd that belongs to it.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::account::USER;
use crate::peer::{Peer, sshd, start_on_free_port};
use crate::process::Process;
use crate::{Client, Failure, Result};

/// The password of every user of the realm.
pub const PASSWORD: &str = "conch-51d7";

/// A user of the realm who is none of the peers'.
pub const STRANGER: &str = "stranger";

/// The name of the realm.
pub const REALM: &str = "TEST.LOOP";

/// What the servers are called in the realm.
pub const SERVER: &str = "localhost";

/// A realm with a running KDC. It knows [`USER`], [`STRANGER`] and the service of [`SERVER`].
#[derive(Debug)]
pub struct Realm {
    kdc: Process,
    scratch: TempDir,
}

/// A cache with a ticket, or without.
#[derive(Debug, Clone)]
pub struct Cache(String);

impl Realm {
    /// Starts one, in which clocks may differ by this much.
    ///
    /// # Errors
    /// A program is missing, or does not do what it should.
    pub fn start(clock_skew: Duration) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        // The database comes first, and the port last: it is tried until one is free.
        let configure = |address: SocketAddr| configure(scratch.path(), address, clock_skew);
        configure(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let realm = scratch.path();
        run(command(realm, "/usr/sbin/kdb5_util").args(["create", "-s", "-r", REALM, "-P", "master"]), "")?;
        let keytab = realm.join(KEYTAB).display().to_string();
        for query in [
            format!("addprinc -pw {PASSWORD} {USER}"),
            format!("addprinc -pw {PASSWORD} {STRANGER}"),
            format!("addprinc -randkey host/{SERVER}"),
            format!("ktadd -k {keytab} host/{SERVER}"),
        ] {
            run(command(realm, "/usr/sbin/kadmin.local").args(["-q", &query]), "")?;
        }
        let start = |address| {
            configure(address)?;
            Process::start(command(realm, "/usr/sbin/krb5kdc").arg("-n"))
        };
        let (kdc, _) = start_on_free_port(start, |log| log.contains("commencing operation"))?;
        Ok(Self { kdc, scratch })
    }

    /// An sshd whose principal is [`SERVER`]'s, with these lines before its configuration.
    ///
    /// # Errors
    /// It does not come up.
    pub fn sshd(&self, lines: &[&str]) -> Result<Peer> {
        let gssapi = ["GSSAPIAuthentication yes", "GSSAPIKeyExchange yes", "GSSAPIStrictAcceptorCheck no"];
        let keytab = format!("FILE:{}", self.scratch.path().join(KEYTAB).display());
        let environment = [("KRB5_KTNAME", keytab), ("KRB5_CONFIG", self.config().display().to_string())];
        sshd::start_with(&[lines, &gssapi].concat(), &environment)
    }

    /// A new cache with a ticket of `user`, good for this long.
    ///
    /// # Errors
    /// The KDC gives none.
    pub fn ticket(&self, user: &str, lifetime: Duration) -> Result<Cache> {
        let cache = self.empty_cache()?;
        let lifetime = format!("{}s", lifetime.as_secs());
        let mut kinit = command(self.scratch.path(), "kinit");
        run(kinit.args(["-f", "-l", &lifetime, "-c", &cache.0, user]), PASSWORD)?;
        Ok(cache)
    }

    /// A cache that is not there.
    ///
    /// # Errors
    /// No name for it can be found.
    pub fn empty_cache(&self) -> Result<Cache> {
        let directory = tempfile::tempdir_in(self.scratch.path())?.keep();
        Ok(Cache(format!("FILE:{}", directory.join("cache").display())))
    }

    /// `client`, with this cache and this realm.
    #[must_use]
    pub fn equip(&self, client: Client, cache: &Cache) -> Client {
        // OpenSSH's client is told by the harness to leave Kerberos alone.
        let equipped = self
            .environment(cache)
            .into_iter()
            .fold(client.ours(), |client, (name, value)| client.variable(name, value));
        equipped.option("GSSAPIServerIdentity", SERVER)
    }

    /// What makes a program use this cache and this realm.
    #[must_use]
    pub fn environment(&self, cache: &Cache) -> [(&'static str, String); 2] {
        [("KRB5_CONFIG", self.config().display().to_string()), ("KRB5CCNAME", cache.0.clone())]
    }

    /// Ends the KDC.
    ///
    /// # Errors
    /// It has ended already.
    pub fn stop_kdc(&self) -> Result<()> {
        self.kdc.signal_all(Signal::KILL)
    }

    fn config(&self) -> PathBuf {
        self.scratch.path().join(CONFIG)
    }
}

/// A program that belongs to the realm in this directory.
fn command(realm: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("KRB5_CONFIG", realm.join(CONFIG)).env("KRB5_KDC_PROFILE", realm.join(KDC_CONFIG));
    command
}

fn run(command: &Command, input: &str) -> Result<()> {
    let mut process = Process::start(command)?;
    // One that asks nothing may have ended.
    let _ = process.write(format!("{input}\n"));
    process.close_input();
    let status = process.wait(PATIENCE)?;
    if status.success() { Ok(()) } else { Err(process.failure(format_args!("ended with {status}"))) }
}

fn configure(realm: &Path, kdc: SocketAddr, clock_skew: Duration) -> Result<()> {
    let mut config = String::from("[libdefaults]\n");
    for (key, value) in [
        ("default_realm", REALM),
        ("dns_lookup_kdc", "false"),
        ("dns_lookup_realm", "false"),
        ("dns_canonicalize_hostname", "false"),
        ("rdns", "false"),
        ("udp_preference_limit", "1"),
        ("clockskew", &clock_skew.as_secs().to_string()),
    ] {
        writeln!(config, " {key} = {value}")?;
    }
    write!(
        config,
        "[realms]\n {REALM} = {{\n  kdc = {kdc}\n }}\n[domain_realm]\n {SERVER} = {REALM}\n[logging]\n kdc = STDERR\n"
    )?;
    fs::write(realm.join(CONFIG), config)?;
    let at = realm.display();
    fs::write(
        realm.join(KDC_CONFIG),
        format!(
            "[kdcdefaults]\n kdc_listen = {kdc}\n kdc_tcp_listen = {kdc}\n[realms]\n {REALM} = {{\n  database_name = \
             {at}/principal\n  key_stash_file = {at}/stash\n  acl_file = {at}/acl\n }}\n"
        ),
    )
    .map_err(Failure::from)
}

const CONFIG: &str = "krb5.conf";
const KDC_CONFIG: &str = "kdc.conf";
const KEYTAB: &str = "host.keytab";

/// How long a tool of the realm may take.
const PATIENCE: Duration = Duration::from_secs(30);
