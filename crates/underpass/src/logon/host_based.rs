//! Logging on by the word of this machine, for which its host keys sign (RFC 4252 section 9).

use std::env;
use std::path::{Path, PathBuf};

use underpass_proto::{Credential, HostClaim};

use super::candidate::{Candidate, signer_of};
use super::certificate::{doubt_about_host, with_the_one_beside};
use crate::algorithms::choose;
use crate::settings::user_of_this_machine;
use crate::{Error, Event, Settings};

pub(super) const HOSTBASED: &str = "hostbased";

/// How this machine vouches for its user: servers that know its host key, and trust it, need nothing else.
///
/// The key is the machine's secret, so that mostly only the administrator's programs can use it. There is no helper that runs
/// with more rights, such as OpenSSH's `ssh-keysign`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HostBased {
    /// Whether to log on so. Default: no.
    pub authentication: bool,
    /// The files of this machine's private keys, of any format. One that has a certificate beside it, `FILE-cert.pub`, shows
    /// that first. Default: those of [`host_key_files`] that can be read.
    pub keys: Vec<PathBuf>,
    /// The signature algorithms, as in [`Settings::pubkey_algorithms`]: of those of a key the first that the server lists,
    /// or else the first. Default: all modern ones.
    pub algorithms: Option<String>,
    /// What this machine is called: a full name, as the server finds it in DNS for this machine's address. Default: what the
    /// system calls itself.
    pub host: Option<String>,
    /// The user of this machine. Default: whoever runs the program.
    pub local_user: Option<String>,
}

/// A key that vouches.
#[derive(Clone)]
pub(crate) struct HostKey {
    pub(super) candidate: Candidate,
    claim: HostClaim,
    /// Those of the key that the settings allow, in their order.
    algorithms: Vec<String>,
}

impl HostKey {
    pub(super) fn credential(&self) -> Credential {
        Credential::HostBased { claim: self.claim.clone(), algorithms: self.algorithms.clone() }
    }

    /// What is offered to a server, for people.
    pub(super) fn detail(&self) -> String {
        let HostClaim { host, local_user, .. } = &self.claim;
        let doubt = doubt_about_host(self.candidate.shown(), host.trim_end_matches('.'));
        format!("{local_user} of {host} with {}", self.candidate.detail(doubt))
    }
}

/// Reads the keys that vouch. Blocks on the disk, and on a person where one has a passphrase.
///
/// # Errors
/// A file that the settings name is not a usable key, or there is no name to vouch for. Default files that cannot be used are
/// passed over, with a warning if none is left.
pub(crate) fn host_keys(settings: &Settings) -> Result<Vec<HostKey>, Error> {
    let host_based = &settings.host_based;
    if !host_based.authentication
        || !settings.preferred_authentications.iter().any(|method| method == HOSTBASED)
    {
        return Ok(Vec::new());
    }
    let (host, local_user) = (host_based.name()?, host_based.local_user()?);
    let (default, all) = settings.cryptography.user_signatures()?;
    let accepted = choose("host-based algorithms", &default, &all, &host_based.algorithms)?;
    let found = if host_based.keys.is_empty() { in_default_files(settings) } else { in_files(settings)? };
    let keys =
        found.iter().flat_map(|key| with_the_one_beside(settings, key).into_iter().chain([key.clone()]));
    let keys = keys.map(|candidate| {
        let of_key = candidate.algorithms();
        let names = accepted.iter().map(|algorithm| algorithm.name.to_owned());
        let algorithms = names.filter(|name| of_key.contains(name)).collect();
        let claim =
            HostClaim { key: candidate.shown().to_vec(), host: host.clone(), local_user: local_user.clone() };
        HostKey { candidate, claim, algorithms }
    });
    Ok(keys.filter(|key| !key.algorithms.is_empty()).collect())
}

fn in_files(settings: &Settings) -> Result<Vec<Candidate>, Error> {
    settings.host_based.keys.iter().map(|path| read(settings, path)).collect()
}

fn in_default_files(settings: &Settings) -> Vec<Candidate> {
    let mut found = Vec::new();
    for path in host_key_files().into_iter().filter(|path| path.exists()) {
        match read(settings, &path) {
            Ok(key) => found.push(key),
            Err(error) => settings.tell(|| Event::Detail { level: 1, text: error.to_string() }),
        }
    }
    if found.is_empty() {
        let text = "hostbased: no host key of this machine can be read; run as the administrator, or name a file with \
                    HostbasedKeyFile (HostBased::keys)";
        settings.tell(|| Event::Warning { text: text.to_owned() });
    }
    found
}

fn read(settings: &Settings, path: &Path) -> Result<Candidate, Error> {
    let key = Candidate::ready(path.display().to_string(), signer_of(settings, path)?);
    Ok(Candidate { path: Some(path.to_owned()), ..key })
}

impl HostBased {
    /// With the dot at the end that OpenSSH sends, and servers take off.
    fn name(&self) -> Result<String, Error> {
        let name = self.host.clone().unwrap_or_else(this_host);
        match name.trim_end_matches('.') {
            "" => Err(Error::configuration("this machine has no name to vouch under")
                .with_advice("name it with HostbasedClientHost (HostBased::host)")),
            name => Ok(format!("{name}.")),
        }
    }

    fn local_user(&self) -> Result<String, Error> {
        let user = self.local_user.clone().or_else(user_of_this_machine).filter(|user| !user.is_empty());
        user.ok_or_else(|| {
            Error::configuration("no user is named to vouch for, and the environment names none")
                .with_advice("name the user with HostbasedClientUser (HostBased::local_user)")
        })
    }
}

/// The files in which a machine's own private keys are looked for: those of OpenSSH's server.
pub fn host_key_files() -> Vec<PathBuf> {
    let directory = match cfg!(windows) {
        true => env::var_os("ProgramData").map(|data| Path::new(&data).join("ssh")),
        false => Some(PathBuf::from("/etc/ssh")),
    };
    let names = ["ssh_host_ed25519_key", "ssh_host_ecdsa_key", "ssh_host_rsa_key"];
    directory.iter().flat_map(|directory| names.map(|name| directory.join(name))).collect()
}

/// What the system calls this machine; empty where it says nothing.
#[cfg(unix)]
pub fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What the system calls this machine; empty where it says nothing.
#[cfg(not(unix))]
pub fn this_host() -> String {
    env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;

    fn keys(host_based: HostBased) -> Result<Vec<HostKey>, Error> {
        host_keys(&Builder::new("bastion").host_based(host_based).settings().unwrap())
    }

    fn testdata(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../keys/testdata").join(name)
    }

    fn named(files: &[&str]) -> HostBased {
        HostBased {
            authentication: true,
            keys: files.iter().map(|name| testdata(name)).collect(),
            host: Some("client.example".to_owned()),
            local_user: Some("alice".to_owned()),
            ..HostBased::default()
        }
    }

    #[test]
    fn each_key_vouches_with_the_algorithms_that_are_allowed() {
        let found = keys(named(&["rsa2048", "ed25519"])).unwrap();
        let algorithms: Vec<_> = found.iter().map(|key| key.algorithms.clone()).collect();
        assert_eq!(algorithms, [vec!["rsa-sha2-512", "rsa-sha2-256"], vec!["ssh-ed25519"]]);
        assert!(
            found.iter().all(|key| key.claim.host == "client.example." && key.claim.local_user == "alice")
        );

        let list =
            |list: &str| HostBased { algorithms: Some(list.to_owned()), ..named(&["rsa2048", "ed25519"]) };
        let found = keys(list("rsa-sha2-256,ssh-rsa")).unwrap();
        assert_eq!(found[0].algorithms, ["rsa-sha2-256", "ssh-rsa"]);
        assert_eq!(found.len(), 1, "the other key is of no use");
        assert!(keys(list("rot13")).is_err());
    }

    #[test]
    fn nothing_is_read_where_it_is_not_wanted() {
        let missing = || named(&["missing"]);
        assert!(keys(missing()).err().unwrap().to_string().contains("missing"));
        assert!(keys(HostBased { authentication: false, ..missing() }).unwrap().is_empty());
        let others = Builder::new("bastion").host_based(missing()).preferred_authentications(["publickey"]);
        assert!(host_keys(&others.settings().unwrap()).unwrap().is_empty());
    }

    #[test]
    fn a_machine_without_a_name_cannot_vouch() {
        let nameless = HostBased { host: Some(".".to_owned()), ..named(&["ed25519"]) };
        assert!(keys(nameless).err().unwrap().to_string().contains("no name"));
        let nobody = HostBased { local_user: Some(String::new()), ..named(&["ed25519"]) };
        assert!(keys(nobody).err().unwrap().to_string().contains("no user"));
    }
}
