//! What a connection is to do. Plain data with documented defaults.

use std::sync::Arc;
use std::time::Duration;

use underpass_crypto::{Cipher, Compression, GroupSizes, Kex, Mac, Provider, Signature, Signer};

use crate::limits;
use crate::trace::Tracer;

/// Algorithms in order of preference. An empty list makes a connection impossible.
#[derive(Debug, Clone)]
pub struct Algorithms {
    /// Key exchange methods.
    pub kex: Vec<&'static Kex>,
    /// Host key algorithms.
    pub host_keys: Vec<&'static Signature>,
    /// Ciphers, from us to the peer.
    pub ciphers_out: Vec<&'static Cipher>,
    /// Ciphers, from the peer to us.
    pub ciphers_in: Vec<&'static Cipher>,
    /// MACs, from us to the peer. Ignored beside ciphers with a tag of their own.
    pub macs_out: Vec<&'static Mac>,
    /// MACs, from the peer to us.
    pub macs_in: Vec<&'static Mac>,
    /// Compression, from us to the peer.
    pub compression_out: Vec<&'static Compression>,
    /// Compression, from the peer to us.
    pub compression_in: Vec<&'static Compression>,
    /// Signature algorithms for public-key authentication.
    pub public_key: Vec<&'static Signature>,
    /// Client role: more of them, for servers that list them by these names (RFC 8308 section 3.1) and for no others.
    pub public_key_if_listed: Vec<&'static Signature>,
}

impl Algorithms {
    /// Everything `provider` has, in its order.
    pub fn all(provider: &Provider) -> Self {
        Self {
            kex: provider.kex.to_vec(),
            host_keys: provider.signatures.to_vec(),
            ciphers_out: provider.ciphers.to_vec(),
            ciphers_in: provider.ciphers.to_vec(),
            macs_out: provider.macs.to_vec(),
            macs_in: provider.macs.to_vec(),
            compression_out: provider.compression.to_vec(),
            compression_in: provider.compression.to_vec(),
            public_key: provider.signatures.to_vec(),
            public_key_if_listed: Vec::new(),
        }
    }
}

impl Default for Algorithms {
    /// The modern set.
    fn default() -> Self {
        Self::all(&Provider::MODERN)
    }
}

/// What is done against prefix truncation (CVE-2023-48795): whether key exchanges are strict (OpenSSH PROTOCOL 1.9),
/// which both sides must want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum StrictKex {
    /// Never, even if the peer could.
    Disabled,
    /// With every peer that can. Others are served all the same.
    #[default]
    Enabled,
    /// With every peer that can. Others are served unless a cipher is chosen that the attack works against.
    RejectAffected,
    /// With every peer. Those that cannot are refused.
    Required,
}

/// What both roles have in common.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is negotiated.
    pub algorithms: Algorithms,
    /// What a group exchange may lead to. Default: at least 2,048 bits, rather 3,072, at most 8,192. Time grows with
    /// the cube of the size: 8,192 bits take nearly a tenth of a second of each side.
    pub group_sizes: GroupSizes,
    /// Client role: whether a user's key that has several algorithms, as RSA keys have, is tried with one that the server
    /// does not list, the first of ours, where none fits that it lists. RFC 8308 section 3.1 permits that, since early
    /// servers list only some; each attempt counts. Keys with one algorithm are tried in any case. Default: no.
    pub unlisted_signatures: bool,
    /// What is done against prefix truncation. Default: [`StrictKex::Enabled`].
    pub strict_kex: StrictKex,
    /// The identification without its line end (RFC 4253 section 4.2). Begins with `SSH-2.0-`.
    pub identification: String,
    /// What the peer's identification must be like: patterns between commas, of which one must match; `*` stands for
    /// any text, `?` for one character. Default: [`limits::IDENTIFICATIONS`], the versions that speak SSH 2.0.
    pub peer_identification: String,
    /// From the start to the end of the first key exchange, but for the time that someone looks at the host key; also
    /// for each later key exchange. Default: 30 s.
    pub handshake_timeout: Duration,
    /// Client role: whether nobody is logged on before [`Connection::log_on`](crate::Connection::log_on) says so. Until then
    /// no deadline runs. Default: no.
    pub hold_log_on: bool,
    /// From the first key exchange, or [`Connection::log_on`](crate::Connection::log_on), to being logged on, the user's typing included; as long again to look at the host
    /// key. Default: 120 s.
    pub auth_timeout: Duration,
    /// For one channel open. Default: 30 s. A target behind a silent firewall is given up then.
    pub open_timeout: Duration,
    /// Silence after which the peer is asked for a sign of life; `None` never asks. Default: 15 s.
    pub keepalive_interval: Option<Duration>,
    /// Intervals of silence after which the peer is given up: interval × count, never longer. Default: 3.
    pub keepalive_count: u32,
    /// Payload bytes, in either direction, after which keys are renewed. Default: 16 GiB.
    pub rekey_bytes: u64,
    /// Packets, in either direction, after which keys are renewed. Default: 2^31.
    pub rekey_packets: u64,
    /// Age at which keys are renewed; `None` never does for this reason. Default: one hour.
    pub rekey_age: Option<Duration>,
    /// Bytes that all channels together may have on their way to us. A stalled consumer holds at most its own
    /// share. Default: 256 MiB; beyond it each further channel still gets 64 KiB.
    pub receive_memory: usize,
    /// Bytes that one channel may have on their way to us at most; less is allowed when memory is short, and a channel
    /// begins with at most [`limits::INITIAL_WINDOW`]. Default and largest: 48 MiB, see [`limits::MAX_WINDOW`].
    pub max_window: u32,
    /// Bytes of channel data that the peer may send in one packet. Default and largest: 128 KiB, see
    /// [`limits::MAX_CHANNEL_DATA`]. Smaller ones cost throughput.
    pub max_packet: u32,
    /// Sees packets in clear. Default: nobody.
    pub tracer: Option<Arc<dyn Tracer>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            algorithms: Algorithms::default(),
            group_sizes: GroupSizes::default(),
            unlisted_signatures: false,
            strict_kex: StrictKex::default(),
            identification: concat!("SSH-2.0-Underpass_", env!("CARGO_PKG_VERSION")).to_owned(),
            peer_identification: limits::IDENTIFICATIONS.to_owned(),
            handshake_timeout: Duration::from_secs(30),
            hold_log_on: false,
            auth_timeout: Duration::from_secs(120),
            open_timeout: Duration::from_secs(30),
            keepalive_interval: Some(Duration::from_secs(15)),
            keepalive_count: 3,
            rekey_bytes: limits::REKEY_BYTES,
            rekey_packets: limits::REKEY_PACKETS,
            rekey_age: Some(limits::REKEY_AGE),
            receive_memory: limits::RECEIVE_MEMORY,
            max_window: limits::MAX_WINDOW,
            max_packet: limits::MAX_CHANNEL_DATA as u32,
            tracer: None,
        }
    }
}

/// A client's configuration.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// What both roles have in common.
    pub common: Config,
    /// Who logs on, in UTF-8 (RFC 4252 section 5), or whatever the server takes for it.
    pub user: Vec<u8>,
}

/// A server's configuration.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// What both roles have in common.
    pub common: Config,
    /// The host keys. Only algorithms that one of them can sign with are offered.
    pub host_keys: Vec<Arc<dyn Signer>>,
}
