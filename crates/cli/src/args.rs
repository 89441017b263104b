//! What the command line says, validated and otherwise untouched: no file, variable or terminal is looked at here.

use std::{path::PathBuf, time::Duration};

use underpass::{AddressFamily, Destination, Forward, HostKeyPolicy};

/// The command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Args {
    pub(crate) command: Command,
    pub(crate) destination: Option<Destination>,
    pub(crate) server: Server,
    pub(crate) forwards: Forwards,
    pub(crate) login: Login,
    pub(crate) host_key: HostKey,
    pub(crate) algorithms: Algorithms,
    pub(crate) liveness: Liveness,
    pub(crate) output: Output,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Command {
    #[default]
    Tunnel,
    Demo,
    Algorithms,
    Help,
    Version,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Server {
    pub(crate) host_name: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) family: Option<AddressFamily>,
    pub(crate) connect_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Forwards {
    pub(crate) forwards: Vec<Forward>,
    pub(crate) exit_on_failure: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) identity_files: Vec<String>,
    pub(crate) identities_only: Option<bool>,
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
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Algorithms {
    pub(crate) ciphers: Option<String>,
    pub(crate) macs: Option<String>,
    pub(crate) kex: Option<String>,
    pub(crate) host_keys: Option<String>,
    pub(crate) public_keys: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Liveness {
    pub(crate) interval: Option<Duration>,
    pub(crate) count: Option<u32>,
    pub(crate) tcp_keepalive: Option<bool>,
    pub(crate) rekey: Option<RekeyLimit>,
}

/// When new keys are agreed on; `None` leaves it to the library.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RekeyLimit {
    pub(crate) bytes: Option<u64>,
    pub(crate) interval: Option<Duration>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) verbosity: Verbosity,
}

/// How much is told: the highest level of events that is; [`Verbosity::QUIET`] for errors only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Verbosity(pub(crate) i8);

impl Verbosity {
    pub(crate) const QUIET: Self = Self(-1);
    pub(crate) const MOST: Self = Self(3);

    /// One level more.
    pub(crate) fn more(self) -> Self {
        Self(self.0.max(0) + 1).min(Self::MOST)
    }
}
