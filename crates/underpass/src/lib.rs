//! TCP through SSH: tunnels that stay up.

mod algorithms;
mod builder;
mod client;
mod destination;
mod dial;
mod entropy;
mod error;
mod event;
mod forward;
pub mod gateway;
mod host_key;
pub mod keys;
pub mod known_hosts;
mod listener;
mod logon;
mod prompter;
mod session;
mod stats;
mod tunnel;

pub use builder::{AddressFamily, Builder, HostKeyPolicy, Identity, Settings, default_identity_files};
pub use destination::Destination;
pub use error::{DialAttempt, DisconnectReason, Error, ErrorKind, HostKeyLocation, OpenFailureReason, Step};
pub use event::{Event, HostKeyVerdict, Observer};
pub use forward::{BindAddress, Forward, Interface, Target};
pub use prompter::{HostKeyQuestion, NoPrompter, Prompt, Prompter};
pub use stats::Stats;
pub use tunnel::Tunnel;
pub use underpass_crypto::{Named, Provider, Secret, SignError, Signer, Strength};
