use std::path::Path;

use underpass_crypto::Secret;

use crate::CertificateNames;

/// Answers what only a person can answer. Each method may block: it is called on a thread of its own. The step's
/// deadline goes on meanwhile; an answer that comes too late is dropped.
///
/// `None`, and `false`, mean that there is no answer; the library then goes on with what is left to try. Text from
/// the server arrives as it came: escape it before it reaches a terminal.
pub trait Prompter: Send + Sync {
    /// The password of `user` on `host`. `attempt` counts from 1.
    fn password(&self, user: &str, host: &str, attempt: u32) -> Option<Secret>;

    /// The passphrase of the private key in `path`. `attempt` counts from 1.
    fn passphrase(&self, path: &Path, attempt: u32) -> Option<Secret>;

    /// The PIN of a PKCS#11 token; its label is `token`, which whoever wrote the token chose. `attempt` counts from 1. A
    /// token counts wrong PINs and locks itself; before the last try `last_try` is true.
    fn pin(&self, token: &str, attempt: u32, last_try: bool) -> Option<Secret> {
        let _ = (token, attempt, last_try);
        None
    }

    /// An answer to each of `prompts` (RFC 4256 section 3.2). `name` and `instruction` may be empty.
    fn responses(&self, name: &str, instruction: &str, prompts: &[Prompt]) -> Option<Vec<Secret>>;

    /// A new password, because the server says that the old one has expired (RFC 4252 section 8). `prompt` is the
    /// server's.
    fn new_password(&self, prompt: &str) -> Option<Secret>;

    /// Whether a key that is not on record is the server's. Only
    /// [`HostKeyPolicy::Ask`](crate::HostKeyPolicy::Ask) asks.
    fn accept_host_key(&self, question: &HostKeyQuestion) -> bool;
}

/// A prompt of the server's (RFC 4256 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its text.
    pub text: String,
    /// Whether the answer may be seen while it is typed.
    pub echo: bool,
}

/// A server's key that is not on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKeyQuestion {
    /// The name under which it was looked up.
    pub host: String,
    /// The type of the key, e.g. `ssh-ed25519`.
    pub key_type: String,
    /// Its fingerprint, by the hash of [`Settings::fingerprint_hash`](crate::Settings::fingerprint_hash).
    pub fingerprint: String,
    /// The public key blob (RFC 4253 section 6.6). [`fingerprint`](crate::fingerprint) gives its other fingerprints.
    pub key: Vec<u8>,
    /// Of its X.509 certificate, if it came with one, which proves nothing here.
    pub certificate: Option<CertificateNames>,
}

/// Answers nothing, for programs that no person watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPrompter;

impl Prompter for NoPrompter {
    fn password(&self, _: &str, _: &str, _: u32) -> Option<Secret> {
        None
    }

    fn passphrase(&self, _: &Path, _: u32) -> Option<Secret> {
        None
    }

    fn responses(&self, _: &str, _: &str, _: &[Prompt]) -> Option<Vec<Secret>> {
        None
    }

    fn new_password(&self, _: &str) -> Option<Secret> {
        None
    }

    fn accept_host_key(&self, _: &HostKeyQuestion) -> bool {
        false
    }
}
