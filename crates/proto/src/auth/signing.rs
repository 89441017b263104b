//! Which algorithm a user's key signs with.

use underpass_crypto::{Signature, Strength};

use crate::config::Config;

/// What we may sign with, and what the server takes.
pub(crate) struct Signing {
    ours: Vec<&'static Signature>,
    /// Those that only a server is shown that lists them.
    if_listed: Vec<&'static Signature>,
    /// Whether others of ours are tried than those that the server lists.
    unlisted: bool,
    /// What the server says it takes (RFC 8308 section 3.1).
    pub(crate) listed: Option<Vec<String>>,
}

impl Signing {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            ours: config.algorithms.public_key.clone(),
            if_listed: config.algorithms.public_key_if_listed.clone(),
            unlisted: config.unlisted_signatures,
            listed: None,
        }
    }

    /// The algorithm for a key that can sign with these; `None` if none suits the server.
    ///
    /// RFC 8308 section 3.1: of what the server lists the strong come before the weak, so that RSA keys sign with SHA-2
    /// even where `ssh-rsa` stands first in our list. A server that lists nothing predates the extension and is tried
    /// with our own order. One that lists nothing that fits may list only some, as early ones do: a key that has no
    /// choice is tried all the same, others where the configuration says so. Servers list algorithms with certificates
    /// under their names or those of their signatures.
    pub(crate) fn algorithm(&self, of_key: &[String]) -> Option<&'static str> {
        let fits = |algorithm: &&&'static Signature| of_key.iter().any(|name| name == algorithm.name);
        let is_listed = |name: &str| self.listed.iter().flatten().any(|listed| listed == name);
        let mut ours = self.ours.iter().filter(fits);
        let either = |it: &&&'static Signature| is_listed(it.name) || is_listed(it.signature_format);
        let weak_last = |it: &&&'static Signature| it.strength == Strength::Legacy;
        let best = ours.clone().filter(either).min_by_key(weak_last);
        let best = best.or_else(|| self.if_listed.iter().filter(fits).find(|it| is_listed(it.name)));
        let blindly = self.listed.is_none() || of_key.len() == 1 || self.unlisted;
        best.or_else(|| ours.next().filter(|_| blindly)).map(|algorithm| algorithm.name)
    }

    /// The algorithm for the key of our host, which signs with these: the first that the server lists. What it lists is
    /// about users' keys, so that one that is not there is no reason to give up.
    pub(crate) fn of_host(&self, mut algorithms: Vec<String>) -> Option<String> {
        let listed = self.listed.as_ref();
        let is_listed = |name: &String| listed.is_some_and(|listed| listed.contains(name));
        let at = algorithms.iter().position(is_listed).unwrap_or_default();
        (at < algorithms.len()).then(|| algorithms.swap_remove(at))
    }
}
