//! Known host keys: the files that sshd(8) describes under "SSH_KNOWN_HOSTS FILE FORMAT".
//!
//! [`KnownHosts`] judges keys and touches no file; [`store`] writes the line that [`append_line`] makes. What cannot be
//! decided is refused.

mod hashed;
mod line;
pub mod store;

use std::{fmt, net::IpAddr, sync::Arc};

use underpass_crypto::{Entropy, key_type, sha256_fingerprint};
use underpass_keys::PublicKey;

use hashed::HashedName;
pub use line::LineError;
use line::{Line, Marker};

/// The largest file that is read, in bytes: room for a hundred thousand RSA keys.
pub const MAX_FILE_LEN: usize = 64 * 1024 * 1024;

/// The longest line that is read, in bytes. The longest keys take 3 KiB, the rest is for host names.
pub const MAX_LINE_LEN: usize = 64 * 1024;

/// The longest host name that is looked up, in bytes. DNS allows 253; the rest is for aliases.
pub const MAX_HOST_LEN: usize = 1024;

/// The most warnings that are kept for a file, so that a file of rubbish fills no memory.
pub const MAX_WARNINGS: usize = 100;

/// The port whose hosts are written without it.
const DEFAULT_PORT: u16 = 22;

/// The contents of one or more `known_hosts` files.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    lines: Vec<(Location, Line)>,
    warnings: Vec<Warning>,
    refusal: Option<Refusal>,
}

/// What the files say about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's.
    Match {
        /// The line that says so.
        at: Location,
    },
    /// It is not one of those known for the host. As with OpenSSH this includes a key of a type of which none is
    /// known: an attacker would offer just that.
    Changed {
        /// The keys known for the host, at least one.
        known: Vec<KnownKey>,
    },
    /// Nothing is known about the host.
    Unknown,
    /// It, or the authority that certified it, must not be used.
    Revoked {
        /// The line that says so.
        at: Location,
    },
    /// The authority may certify keys of this host. The certificate itself is still to be verified. Only
    /// [`KnownHosts::check_certificate`] gives this.
    CertAuthority {
        /// The line that says so.
        at: Location,
    },
    /// The question could not be decided. To be treated like a changed key.
    Refused(Refusal),
}

/// A key on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Where it stands.
    pub at: Location,
    /// The name of its type, e.g. `ssh-ed25519`.
    pub key_type: String,
    /// Its fingerprint, `SHA256:…`.
    pub fingerprint: String,
}

/// A line of a file. Displayed as `path:12`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The name of the file, as it was given to [`KnownHosts::parse`].
    pub source: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
}

/// A line that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Which line.
    pub at: Location,
    /// What is wrong with it.
    pub error: LineError,
}

/// Why a key was neither found nor missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The host name is empty, longer than [`MAX_HOST_LEN`], or holds a character that no host name has.
    Host,
    /// The key does not name its type.
    Key,
    /// A file is longer than [`MAX_FILE_LEN`]: what it revokes is not known.
    FileTooLarge {
        /// Its name.
        source: Arc<str>,
    },
}

impl KnownHosts {
    /// Reads the text of a file. `source` is its name for messages.
    ///
    /// Lines that make no sense are passed over with a [`Warning`]; a file beyond [`MAX_FILE_LEN`] makes every
    /// verdict a refusal.
    pub fn parse(text: impl AsRef<[u8]>, source: &str) -> Self {
        let text = text.as_ref();
        let source: Arc<str> = source.into();
        let mut hosts = Self::default();
        if text.len() > MAX_FILE_LEN {
            hosts.refusal = Some(Refusal::FileTooLarge { source });
            return hosts;
        }
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let at = || Location { source: source.clone(), line: number };
            match Line::parse(line) {
                Ok(Some(line)) => hosts.lines.push((at(), line)),
                Ok(None) => {}
                Err(error) if hosts.warnings.len() < MAX_WARNINGS => {
                    hosts.warnings.push(Warning { at: at(), error });
                }
                Err(_) => {}
            }
        }
        hosts
    }

    /// Adds the contents of another file.
    pub fn extend(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.warnings.extend(other.warnings);
        self.refusal = self.refusal.take().or(other.refusal);
    }

    /// The lines that were passed over, at most [`MAX_WARNINGS`] a file.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Judges a plain key, as it is on the wire, for a host.
    ///
    /// A key on record for the host without a port is good on every port, as OpenSSH has it. With an `address`
    /// (`CheckHostIP`) what is known for the address must not contradict; it never vouches for the name.
    pub fn check(&self, host: &str, port: u16, address: Option<IpAddr>, key: &[u8]) -> Verdict {
        let names = match self.question(host, port, key) {
            Ok(names) => names,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        if let Some(at) = self.revocation(&names, key) {
            return Verdict::Revoked { at };
        }
        let verdict = match (self.look_up(&names.exact, key), &names.bare) {
            (Verdict::Unknown, Some(bare)) => match self.look_up(bare, key) {
                found @ Verdict::Match { .. } => found,
                _ => Verdict::Unknown,
            },
            (verdict, _) => verdict,
        };
        match (address, verdict) {
            (Some(address), verdict @ (Verdict::Match { .. } | Verdict::Unknown)) => {
                match self.check(&address.to_string(), port, None, key) {
                    contradiction @ (Verdict::Changed { .. } | Verdict::Revoked { .. }) => contradiction,
                    _ => verdict,
                }
            }
            (_, verdict) => verdict,
        }
    }

    /// Judges the authority that has certified `key` for a host. Both are plain keys, as they are on the wire.
    ///
    /// Gives [`Verdict::CertAuthority`], [`Verdict::Revoked`], [`Verdict::Unknown`] or [`Verdict::Refused`].
    pub fn check_certificate(&self, host: &str, port: u16, key: &[u8], authority: &[u8]) -> Verdict {
        let names = match self.question(host, port, authority) {
            Ok(names) => names,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        let revoked = self.revocation(&names, key).or_else(|| self.revocation(&names, authority));
        if let Some(at) = revoked {
            return Verdict::Revoked { at };
        }
        let trusted = names.all().find_map(|name| self.find(name, Marker::CertAuthority, authority));
        trusted.map_or(Verdict::Unknown, |at| Verdict::CertAuthority { at })
    }

    /// The types of the keys known for a host, each once, in the order of the files. A client that asks for these
    /// first is not shown a key that it cannot recognise.
    pub fn key_types_for(&self, host: &str, port: u16) -> Vec<String> {
        let Ok(names) = Names::of(host, port) else { return Vec::new() };
        let types = |name: &str| {
            let mut types: Vec<String> = Vec::new();
            for (_, key) in self.keys(name, Marker::None) {
                if !types.iter().any(|known| known == key.key_type()) {
                    types.push(key.key_type().to_owned());
                }
            }
            types
        };
        names.all().map(types).find(|types| !types.is_empty()).unwrap_or_default()
    }

    /// Whether an authority may certify keys of a host: then it is worth asking for certificates.
    pub fn has_authority_for(&self, host: &str, port: u16) -> bool {
        let names = Names::of(host, port);
        names.is_ok_and(|names| {
            names.all().any(|name| self.keys(name, Marker::CertAuthority).next().is_some())
        })
    }

    /// Checks that a question can be answered at all.
    fn question(&self, host: &str, port: u16, key: &[u8]) -> Result<Names, Refusal> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        key_type(key).ok_or(Refusal::Key)?;
        Names::of(host, port)
    }

    fn look_up(&self, name: &str, key: &[u8]) -> Verdict {
        if let Some(at) = self.find(name, Marker::None, key) {
            return Verdict::Match { at };
        }
        let known: Vec<KnownKey> =
            self.keys(name, Marker::None).map(|(at, key)| KnownKey::new(at, key)).collect();
        if known.is_empty() { Verdict::Unknown } else { Verdict::Changed { known } }
    }

    fn revocation(&self, names: &Names, key: &[u8]) -> Option<Location> {
        names.all().find_map(|name| self.find(name, Marker::Revoked, key))
    }

    fn find(&self, name: &str, marker: Marker, key: &[u8]) -> Option<Location> {
        self.keys(name, marker).find(|(_, known)| known.blob() == key).map(|(at, _)| at.clone())
    }

    /// The keys with `marker` for `name`.
    fn keys(&self, name: &str, marker: Marker) -> impl Iterator<Item = (&Location, &PublicKey)> {
        let lines =
            self.lines.iter().filter(move |(_, line)| line.marker == marker && line.hosts.include(name));
        lines.map(|(at, line)| (at, &line.key))
    }
}

/// The line to add to a file for a newly accepted key, ending in a newline.
///
/// With `hashing` the file does not tell the host's name (`HashKnownHosts`); the randomness makes the salt.
///
/// # Errors
/// [`Refusal::Host`] or [`Refusal::Key`]: the line would mean something else.
pub fn append_line(
    host: &str,
    port: u16,
    key: &[u8],
    hashing: Option<&mut dyn Entropy>,
) -> Result<String, Refusal> {
    let name = Names::of(host, port)?.exact;
    let key = PublicKey::from_blob(key).map_err(|_| Refusal::Key)?;
    Ok(match hashing {
        Some(entropy) => {
            let mut salt = [0; hashed::HASH_LEN];
            entropy.fill(&mut salt);
            format!("{} {key}\n", HashedName::new(&name, salt))
        }
        None => format!("{name} {key}\n"),
    })
}

/// How the files call a host.
struct Names {
    /// As it is recorded: with the port, unless it is the default one.
    exact: String,
    /// Without the port, where that makes a difference.
    bare: Option<String>,
}

impl Names {
    fn of(host: &str, port: u16) -> Result<Self, Refusal> {
        let special = |c: char| c.is_whitespace() || c.is_control() || SPECIAL.contains(c);
        if host.is_empty() || host.len() > MAX_HOST_LEN || host.contains(special) {
            return Err(Refusal::Host);
        }
        let host = host.to_ascii_lowercase();
        Ok(match port {
            DEFAULT_PORT => Self { exact: host, bare: None },
            port => Self { exact: format!("[{host}]:{port}"), bare: Some(host) },
        })
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.exact.as_str()).chain(self.bare.as_deref())
    }
}

/// What has a meaning in a line of the file and is in no host name.
const SPECIAL: &str = ",*?!|#@[]";

impl KnownKey {
    fn new(at: &Location, key: &PublicKey) -> Self {
        let fingerprint = sha256_fingerprint(key.blob());
        Self { at: at.clone(), key_type: key.key_type().to_owned(), fingerprint }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("the host name cannot be looked up among the known hosts"),
            Self::Key => f.write_str("the host key does not name its type"),
            Self::FileTooLarge { source } => write!(f, "{source} is longer than {MAX_FILE_LEN} bytes"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
