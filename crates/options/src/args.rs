//! What the command line says, validated and otherwise untouched: no file, variable or terminal is looked at here.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use underpass::{
    AccessList, AddressFamily, AgentUse, Backoff, Cryptography, Destination, Destinations, Endpoint,
    FingerprintHash, Forward, GroupSizes, Headers, HostBased, HostKeyPolicy, Kerberos, PacketTrace, Proxy,
    ReconnectWhen, SocketOptions, StrictKex, keys::SystemStore,
};

/// The command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Args {
    pub(crate) command: Command,
    /// What follows a command that takes more words.
    pub(crate) operands: Vec<String>,
    pub(crate) destination: Option<Destination>,
    pub(crate) server: Server,
    pub(crate) forwards: Forwards,
    pub(crate) login: Login,
    pub(crate) kerberos: Kerberos,
    pub(crate) host_based: HostBased,
    pub(crate) host_key: HostKey,
    pub(crate) algorithms: Algorithms,
    pub(crate) protocol: Protocol,
    pub(crate) liveness: Liveness,
    pub(crate) reconnect: ReconnectArgs,
    pub(crate) limits: Limits,
    pub(crate) sockets: Sockets,
    pub(crate) output: Output,
    /// The file of ssh_config to read instead of the usual ones; `none` for none.
    pub(crate) config_file: Option<String>,
    /// The values that count, by keyword, as they were written.
    pub(crate) given: BTreeMap<&'static str, Vec<String>>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Command {
    /// Opens a tunnel.
    #[default]
    Tunnel,
    /// Tells the settings that a tunnel would have.
    Settings,
    /// Shows that everything works.
    Demo,
    /// Lists the algorithms.
    Algorithms,
    /// Tells what is in a file of keys, or in a store of the system's.
    Keys,
    /// Lists the options.
    Help,
    /// Tells the version.
    Version,
}

/// Where keys are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource<'a> {
    /// In a file.
    File(&'a Path),
    /// In a store of the system's.
    Store(SystemStore),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Server {
    pub(crate) host_name: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) family: Option<AddressFamily>,
    pub(crate) connect_timeout: Option<Duration>,
    /// Empty: none on purpose.
    pub(crate) jumps: Option<Vec<Destination>>,
    pub(crate) proxy_command: Option<String>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) proxy_headers: Headers,
    pub(crate) proxy_exceptions: Option<String>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) local_port: Option<u16>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Forwards {
    pub(crate) forwards: Vec<Forward>,
    pub(crate) exit_on_failure: Option<bool>,
    pub(crate) stdio: Option<Endpoint>,
    pub(crate) gateway_ports: Option<bool>,
    pub(crate) unlink: Option<bool>,
    pub(crate) exclusive_bind: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) identity_files: Vec<String>,
    pub(crate) pkcs11_provider: Option<String>,
    pub(crate) certificate_files: Vec<String>,
    pub(crate) certificates: Vec<String>,
    pub(crate) host_key_files: Vec<String>,
    pub(crate) identities_only: Option<bool>,
    pub(crate) agent: Option<AgentUse>,
    pub(crate) agent_socket: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) batch: Option<bool>,
    pub(crate) password_prompts: Option<u32>,
    pub(crate) preferred: Option<Vec<String>>,
    pub(crate) password: Option<bool>,
    pub(crate) public_key: Option<bool>,
    pub(crate) keyboard_interactive: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HostKey {
    pub(crate) policy: Option<HostKeyPolicy>,
    pub(crate) alias: Option<String>,
    pub(crate) user_files: Option<Vec<String>>,
    pub(crate) global_files: Option<Vec<String>>,
    pub(crate) fingerprint_hash: Option<FingerprintHash>,
    pub(crate) ca_files: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Algorithms {
    pub(crate) ciphers: Option<String>,
    pub(crate) macs: Option<String>,
    pub(crate) kex: Option<String>,
    pub(crate) host_keys: Option<String>,
    pub(crate) public_keys: Option<String>,
    pub(crate) unlisted: Option<bool>,
    pub(crate) compression: Option<bool>,
}

/// What the SSH protocol itself leaves open.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Protocol {
    pub(crate) ciphers_out: Option<String>,
    pub(crate) ciphers_in: Option<String>,
    pub(crate) macs_out: Option<String>,
    pub(crate) macs_in: Option<String>,
    pub(crate) compression_out: Option<String>,
    pub(crate) compression_in: Option<String>,
    pub(crate) cryptography: Option<Cryptography>,
    pub(crate) strict_kex: Option<StrictKex>,
    pub(crate) group_sizes: Option<GroupSizes>,
    pub(crate) identification: Option<String>,
    pub(crate) server_identification: Option<String>,
    pub(crate) max_window: Option<u32>,
    pub(crate) max_packet: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Liveness {
    pub(crate) interval: Option<Duration>,
    pub(crate) count: Option<u32>,
    pub(crate) tcp_keepalive: Option<bool>,
    pub(crate) rekey: Option<RekeyLimit>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ReconnectArgs {
    pub(crate) when: Option<ReconnectWhen>,
    pub(crate) attempts: Option<u32>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) refused: Option<bool>,
    pub(crate) waiting: Option<u32>,
    pub(crate) waiting_timeout: Option<Duration>,
    pub(crate) wait_ready: Option<Duration>,
    pub(crate) probe: Option<Endpoint>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Limits {
    pub(crate) allowed_clients: Option<AccessList>,
    pub(crate) blocked_clients: Option<AccessList>,
    pub(crate) destinations: Option<Destinations>,
    pub(crate) proxy_users: Option<PathBuf>,
    pub(crate) max_connections: Option<u32>,
    pub(crate) idle: Option<Duration>,
    pub(crate) rate: Option<u64>,
    pub(crate) total_rate: Option<u64>,
    pub(crate) total_rate_out: Option<u64>,
    pub(crate) open_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sockets {
    pub(crate) server: SocketOptions,
    pub(crate) client: SocketOptions,
}

/// When new keys are agreed on; `None` leaves it to the library.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RekeyLimit {
    pub(crate) bytes: Option<u64>,
    pub(crate) interval: Option<Duration>,
}

/// How much is told, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// As JSON, for programs.
    pub json: bool,
    /// Whether standard output is for something else.
    pub on_stderr: bool,
    /// How much.
    pub verbosity: Verbosity,
    /// What of packets, if it was said.
    pub packet_trace: Option<PacketTrace>,
}

impl Output {
    /// What is told of packets: as was said, or else with details for engineers a line each.
    pub(crate) fn of_packets(&self) -> PacketTrace {
        let usual = if self.verbosity == Verbosity::MOST { PacketTrace::Packets } else { PacketTrace::Off };
        self.packet_trace.unwrap_or(usual)
    }
}

/// How much is told: the highest level of events that is; [`Verbosity::QUIET`] for errors only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verbosity(pub i8);

impl Verbosity {
    /// Errors only.
    pub const QUIET: Self = Self(-1);
    /// Everything.
    pub const MOST: Self = Self(3);

    /// One level more.
    #[must_use]
    pub fn more(self) -> Self {
        Self(self.0.max(0) + 1).min(Self::MOST)
    }
}
