//! An SSH server that only forwards: no shells, no commands, no files. Connections go from it to targets, and from
//! ports that it listens on for its clients (`ssh -R`) back to them.
//!
//! It makes tests and the demonstration independent of other servers, and stands between networks where a full SSH
//! server would be too much. Nobody is let in, no target is reached and no port is listened on, unless it is allowed:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use underpass::gateway::Gateway;
//!
//! let gateway = Gateway::builder()
//!     .allow_password("me", "secret")
//!     .allow_targets(|target| target.host == "db" && target.port == 5432)
//!     .start("127.0.0.1:0".parse()?)
//!     .await?;
//! println!("the key of {} is {}", gateway.address(), gateway.fingerprint());
//! # Ok(())
//! # }
//! ```
//!
//! Names of targets are looked up by the gateway, after they were allowed under the name that the client used. Users
//! log on with a password, also through keyboard-interactive, or with a key.

mod algorithms;
mod policy;
mod remote;
mod serve;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_crypto::{Secret, Signer, sha256_fingerprint};
use underpass_proto::ServerConfig;

use self::algorithms::Choices;
use self::policy::Policy;
pub use self::remote::ListenRequest;
use crate::entropy::OsEntropy;
use crate::stats::Counters;
use crate::{Error, Observer, Stats, Target, tcp};

/// Collects the settings of a [`Gateway`].
#[derive(Default)]
#[must_use = "nothing happens until the gateway is started"]
pub struct GatewayBuilder {
    host_keys: Vec<Arc<dyn Signer>>,
    policy: Policy,
    choices: Choices,
    observer: Option<Observer>,
}

/// A running gateway. It ends when it is stopped or dropped, and with it all connections through it.
pub struct Gateway {
    address: SocketAddr,
    host_keys: Vec<Arc<dyn Signer>>,
    accepting: AbortHandle,
    /// Dropped with the gateway, which every session notices.
    _alive: watch::Sender<()>,
    stats: Arc<Counters>,
}

impl GatewayBuilder {
    /// Adds a host key, see [`keys::load`](crate::keys::load). Without one, a fresh Ed25519 key is made at the start,
    /// which clients then do not know after the next one.
    pub fn host_key(mut self, key: Arc<dyn Signer>) -> Self {
        self.host_keys.push(key);
        self
    }

    /// Lets a user log on with a password.
    pub fn allow_password(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.policy.passwords.push((user.into(), password.into()));
        self
    }

    /// Lets a user log on with the private half of a key, given as the public blob (RFC 4253 section 6.6), see
    /// [`keys::public_of`](crate::keys::public_of).
    pub fn allow_key(mut self, user: impl Into<String>, public_key: impl Into<Vec<u8>>) -> Self {
        self.policy.keys.push((user.into(), public_key.into()));
        self
    }

    /// Allows targets for which `allowed` is true. May be called several times; any yes will do. Default: none.
    pub fn allow_targets(mut self, allowed: impl Fn(&Target) -> bool + Send + Sync + 'static) -> Self {
        self.policy.targets.push(Arc::new(allowed));
        self
    }

    /// Allows clients to have the gateway listen where `allowed` is true, and to get what connects there (RFC 4254
    /// section 7.1). May be called several times; any yes will do. Default: nowhere. A client that may listen on an
    /// address that others reach opens a way from there into its own network.
    pub fn allow_remote_forwards(
        mut self,
        allowed: impl Fn(&ListenRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.policy.listening.push(Arc::new(allowed));
        self
    }

    /// Says who sees the events of all connections, see [`Observer`]; several connections may call it at once.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Listens on `address`; port 0 lets the system pick one. Must be called within a tokio runtime, which then
    /// carries the connections.
    ///
    /// # Errors
    /// The address cannot be listened on, or a list of algorithms makes no sense.
    pub async fn start(mut self, address: SocketAddr) -> Result<Gateway, Error> {
        let config = self.choices.config()?;
        if self.host_keys.is_empty() {
            self.host_keys.push(Arc::new(Ed25519Key::generate(&mut OsEntropy::new())));
        }
        let listener = tcp::listen(address).map_err(|error| Error::bind(address, error))?;
        let address = listener.local_addr().map_err(|error| Error::bind(address, error))?;
        let (alive, watched) = watch::channel(());
        let stats = Arc::new(Counters::default());
        let shared = serve::Shared {
            config: ServerConfig { common: config, host_keys: self.host_keys.clone() },
            policy: Arc::new(self.policy),
            observer: self.observer,
            stats: stats.clone(),
            alive: watched,
        };
        let accepting = tokio::spawn(serve::accept(listener, shared)).abort_handle();
        Ok(Gateway { address, host_keys: self.host_keys, accepting, _alive: alive, stats })
    }
}

impl Gateway {
    /// Begins with a gateway that lets nobody in and reaches nothing.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The public halves of its host keys, as blobs.
    pub fn host_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.host_keys.iter().map(|key| key.public_key())
    }

    /// The fingerprint of its first host key, `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.host_keys().next().map(sha256_fingerprint).unwrap_or_default()
    }

    /// The lines that make its host keys known to a client.
    ///
    /// # Errors
    /// `name` is no host name.
    pub fn known_hosts(&self, name: &str) -> Result<String, Error> {
        self.host_keys()
            .map(|key| crate::known_hosts::append_line(name, self.address.port(), key, None))
            .collect::<Result<String, _>>()
            .map_err(|refusal| Error::configuration(refusal.to_string()))
    }

    /// What it has carried so far; sent is what came from the targets.
    pub fn stats(&self) -> Stats {
        self.stats.read()
    }

    /// Ends it and all connections through it.
    pub fn stop(self) {}
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GatewayBuilder")
    }
}
