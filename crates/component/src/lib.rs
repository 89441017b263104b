//! The `SshTunnel` component: a tunnel as an object with properties, settings and events.
//!
//! For programs that want a tunnel as a component: they set properties, call methods and handle events. It is made of
//! the crate `underpass`, which is the better choice for programs that are asynchronous.
//!
//! ```no_run
//! use underpass_component::{Error, SshTunnel};
//!
//! # fn main() -> Result<(), Error> {
//! let tunnel = SshTunnel::new();
//! tunnel.set_ssh_host("bastion")?;
//! tunnel.set_ssh_user("me")?;
//! tunnel.set_ssh_password("secret")?;
//! tunnel.set_ssh_forward_host("db")?;
//! tunnel.set_ssh_forward_port(5432)?;
//! tunnel.on_ssh_server_authentication(|_, event| {
//!     event.accept = event.fingerprint.starts_with("8f:4a:");
//! });
//! tunnel.on_connected(|_, event| println!("{}: {}", event.connection_id, event.description));
//! tunnel.start_listening()?;
//! println!("the database is at port {}", tunnel.local_port());
//! while tunnel.listening() {
//!     tunnel.do_events();
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every member stands in [`table`], with its type, default and codes; accessors, the reference and the Python package are
//! made from the rows. `tests/facts` compares them with `conformance/spec-facts.toml`, which was written from the
//! description of the interface by somebody who had not seen them.

mod accessors;
mod build_info;
mod client;
mod code_page;
mod cryptography;
mod error;
mod event;
mod framing;
mod hooks;
mod link;
mod listener;
mod lock;
mod lookup;
mod members;
mod methods;
pub mod model;
mod packet;
mod pattern;
mod queue;
mod resolve;
mod runtime;
mod seen;
mod store;
pub mod table;
mod text;
mod trust;
mod tunnel;
mod variant;

pub use error::Error;
pub use event::{
    Connected, ConnectionRequest, DataIn, Disconnected, ErrorReported, Event, EventKind, Log,
    ReconnectAttempt, SshCustomAuth, SshKeyboardInteractive, SshServerAuthentication, SshStatus,
};
pub use lookup::{Address, AddressError, Found, SettingError, error_text, event, method, property, setting};
pub use tunnel::SshTunnel;
pub use variant::Variant;
