//! TCP through SSH: tunnels that stay up.

mod builder;
mod destination;
mod error;
mod event;
mod forward;
pub mod known_hosts;
mod prompter;

pub use builder::{AddressFamily, Builder, HostKeyPolicy, Identity, Settings, default_identity_files};
pub use destination::Destination;
pub use error::{DialAttempt, DisconnectReason, Error, ErrorKind, HostKeyLocation, OpenFailureReason, Step};
pub use event::{Event, HostKeyVerdict, Observer};
pub use forward::{BindAddress, Forward, Interface, Target};
pub use prompter::{HostKeyQuestion, NoPrompter, Prompt, Prompter};
pub use underpass_crypto::{Named, Provider, Secret, SignError, Signer, Strength};
