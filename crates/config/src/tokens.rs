//! Percent tokens, `${VARIABLE}` and `~`: ssh_config(5), TOKENS and ENVIRONMENT VARIABLES.

use std::{fmt, path::PathBuf};

use sha1::{Digest as _, Sha1};

use crate::{Local, Surroundings, error::Shown};

/// What is replaced in the value of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expansion {
    /// The letters after `%`; none: a `%` stays as it is. `%%` is always understood where there are others.
    pub tokens: &'static str,
    /// Whether `${VARIABLE}` is replaced.
    pub variables: bool,
    /// Whether a leading `~` or `~user` is a home directory.
    pub home: bool,
}

impl Expansion {
    /// What is replaced in the values of a keyword, in any case; for most it is nothing.
    ///
    /// In `LocalForward` and `RemoteForward`, variables and tokens are replaced in socket paths only. What stands
    /// after `Match` is `exec`'s command.
    pub fn of(keyword: &str) -> Self {
        let row = TABLE.iter().find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(keyword)));
        row.map_or(NOTHING, |(_, expansion)| *expansion)
    }
}

/// What the tokens stand for. Those that are `None` are not known, and asking for them is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    /// `%d`, `%i`, `%l`, `%L`, `%u`: the local user and machine.
    pub local: Local,
    /// `%h`: the host to connect to.
    pub host: String,
    /// `%n`: the host as it was named.
    pub original_host: String,
    /// `%p`: the port.
    pub port: u16,
    /// `%r`: the user to log in as.
    pub user: Option<String>,
    /// `%k`: the alias for the host's key; without one, ssh takes the host as it was named.
    pub alias: String,
    /// `%j`: the value of `ProxyJump`, empty without one.
    pub jump: String,
}

impl Tokens {
    fn value(&self, token: char) -> Option<String> {
        let Local { home, user, uid, host: local_host } = &self.local;
        match token {
            'C' => self.connection_hash(),
            'd' => home.as_ref()?.to_str().map(str::to_owned),
            'h' => Some(self.host.clone()),
            'i' => uid.map(|uid| uid.to_string()),
            'j' => Some(self.jump.clone()),
            'k' => Some(self.alias.clone()),
            'L' => local_host.split('.').next().map(str::to_owned),
            'l' => Some(local_host.clone()),
            'n' => Some(self.original_host.clone()),
            'p' => Some(self.port.to_string()),
            'r' => self.user.clone(),
            'u' => user.clone(),
            // `%T` without a tunnel device; the tokens of KnownHostsCommand have values only while it runs.
            'T' => Some("NONE".to_owned()),
            _ => None,
        }
    }

    /// SHA-1 of `%l%h%p%r%j`, in hexadecimal digits: a short name for a connection, not a protection.
    fn connection_hash(&self) -> Option<String> {
        let mut hash = Sha1::new();
        for part in [&self.local.host, &self.host, &self.port.to_string(), self.user.as_ref()?, &self.jump] {
            hash.update(part);
        }
        Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Why something cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// A `%` is followed by nothing, or by what is no token here.
    Unknown {
        /// The text.
        text: String,
        /// The letters that would have been understood.
        tokens: &'static str,
    },
    /// What a token stands for is not known.
    NoValue {
        /// The text.
        text: String,
        /// The token.
        token: char,
    },
    /// `${` is not followed by a name and `}`.
    BadVariable {
        /// The text.
        text: String,
    },
    /// A variable is not set.
    Unset {
        /// Its name.
        variable: String,
    },
    /// A home directory is not known.
    NoHome {
        /// The user; `None` for the local one.
        user: Option<String>,
    },
    /// More than [`MAX_EXPANDED_LEN`] bytes came out.
    TooLong,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { text, tokens } => {
                write!(f, "in `{}`, only ", Shown(text))?;
                tokens.chars().try_for_each(|token| write!(f, "%{token}, "))?;
                f.write_str("and %% are understood")
            }
            Self::NoValue { text, token } => {
                write!(f, "in `{}`, nobody knows what %{token} stands for", Shown(text))
            }
            Self::BadVariable { text } => {
                write!(f, "in `{}`, expected a name and `}}` after `${{`", Shown(text))
            }
            Self::Unset { variable } => write!(f, "the variable `{}` is not set", Shown(variable)),
            Self::NoHome { user: None } => f.write_str("the home directory is not known"),
            Self::NoHome { user: Some(user) } => {
                write!(f, "the home directory of the user `{}` is not known", Shown(user))
            }
            Self::TooLong => write!(f, "the value becomes longer than {MAX_EXPANDED_LEN} bytes"),
        }
    }
}

impl std::error::Error for TokenError {}

/// Replaces tokens and variables.
///
/// # Errors
/// [`TokenError`]: the text is not well formed, or something has no value.
pub fn expand(
    text: &str,
    expansion: Expansion,
    tokens: &Tokens,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, TokenError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['%', '$']) {
        let (before, after) = rest.split_at(at);
        out += before;
        rest = match after.strip_prefix("${").filter(|_| expansion.variables) {
            Some(after) => {
                let bad = || TokenError::BadVariable { text: text.to_owned() };
                let (name, after) =
                    after.split_once('}').filter(|(name, _)| !name.is_empty()).ok_or_else(bad)?;
                out += &variable(name).ok_or_else(|| TokenError::Unset { variable: name.to_owned() })?;
                after
            }
            None if after.starts_with('%') && !expansion.tokens.is_empty() => {
                out += &token(after, text, expansion.tokens, tokens)?;
                let token_len = after[1..].chars().next().map_or(0, char::len_utf8);
                &after[1 + token_len..]
            }
            None => {
                out += &after[..1];
                &after[1..]
            }
        };
        if out.len() > MAX_EXPANDED_LEN {
            return Err(TokenError::TooLong);
        }
    }
    Ok(out + rest)
}

/// Replaces what stands for a home directory, then tokens and variables.
///
/// # Errors
/// [`TokenError`], as for [`expand`], or a home directory is not known.
pub fn expand_path(
    text: &str,
    expansion: Expansion,
    tokens: &Tokens,
    surroundings: &dyn Surroundings,
) -> Result<PathBuf, TokenError> {
    let variable = |name: &str| surroundings.variable(name);
    let Some(rest) = text.strip_prefix('~').filter(|_| expansion.home) else {
        return Ok(PathBuf::from(expand(text, expansion, tokens, variable)?));
    };
    let (user, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match user {
        "" => surroundings.local().home.clone().ok_or(TokenError::NoHome { user: None })?,
        user => {
            let unknown = || TokenError::NoHome { user: Some(user.to_owned()) };
            surroundings.home_of(user).ok_or_else(unknown)?
        }
    };
    let rest = expand(rest.trim_start_matches('/'), expansion, tokens, variable)?;
    // A path that is absolute after all must not replace the home directory.
    let rest = rest.trim_start_matches('/');
    Ok(if rest.is_empty() { home } else { home.join(rest) })
}

/// The token that `after` begins with, replaced.
fn token(after: &str, text: &str, known: &'static str, tokens: &Tokens) -> Result<String, TokenError> {
    match after[1..].chars().next() {
        Some('%') => Ok("%".to_owned()),
        Some(token) if known.contains(token) => {
            tokens.value(token).ok_or_else(|| TokenError::NoValue { text: text.to_owned(), token })
        }
        _ => Err(TokenError::Unknown { text: text.to_owned(), tokens: known }),
    }
}

/// The longest result, in bytes: a line of a hundred thousand tokens must not fill the memory.
pub const MAX_EXPANDED_LEN: usize = 1024 * 1024;

const NOTHING: Expansion = Expansion { tokens: "", variables: false, home: false };

/// A path, in which everything is replaced.
const PATH: Expansion = Expansion { tokens: "CdhijkLlnpru", variables: true, home: true };

/// The same tokens, in a text that is no path.
const TEXT: Expansion = Expansion { tokens: PATH.tokens, variables: false, home: false };

/// Which keywords have what replaced.
const TABLE: &[(&[&str], Expansion)] = &[
    (
        &[
            // PKIX-SSH has this one.
            "CACertificateFile",
            "CertificateFile",
            "ControlPath",
            // Not OpenSSH's.
            "HostbasedKeyFile",
            "IdentityAgent",
            "IdentityFile",
            "Include",
            "RevokedHostKeys",
            "UserKnownHostsFile",
        ],
        PATH,
    ),
    (&["GlobalKnownHostsFile"], Expansion { home: true, ..NOTHING }),
    (&["HostName"], Expansion { tokens: "h", ..NOTHING }),
    (&["KnownHostsCommand"], Expansion { tokens: "CdfHhIijKkLlnprtu", variables: true, home: false }),
    (&["LocalCommand"], Expansion { tokens: "CdfHhIijKkLlnprTtu", ..NOTHING }),
    (&["LocalForward", "RemoteForward"], Expansion { home: false, ..PATH }),
    (&["Match", "RemoteCommand", "VersionAddendum"], TEXT),
    (&["ProxyCommand", "ProxyJump"], Expansion { tokens: "hnpr", ..NOTHING }),
];

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
