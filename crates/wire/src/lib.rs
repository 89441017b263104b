//! SSH messages: bytes in, typed messages out, and back.
//!
//! Everything borrows from the packet's payload; nothing here allocates when decoding, keeps state, or
//! knows what a message means for a connection.
//!
//! - [`Message::decode`] and [`Encode`] translate; a [`Context`] reads numbers that have several meanings.
//! - [`TABLE`] has one row per message: number, RFC name, direction and the phases in which it is legal.
//! - [`Reader`] and [`Put`] are the data types underneath, for whoever frames other SSH structures.
//! - [`Untrusted`] makes a peer's text safe to print.
//!
//! ```
//! use underpass_wire::{Context, Encode, Message, ServiceRequest};
//!
//! let mut payload = Vec::new();
//! ServiceRequest { name: "ssh-userauth" }.encode(&mut payload);
//!
//! let message = Message::decode(&payload, Context::default())?;
//! assert_eq!(message, Message::ServiceRequest(ServiceRequest { name: "ssh-userauth" }));
//! assert_eq!(message.number().to_string(), "SSH_MSG_SERVICE_REQUEST");
//! # Ok::<(), underpass_wire::DecodeError>(())
//! ```

mod algorithm;
mod codec;
pub mod escape;
pub mod messages;
pub mod number;
pub mod table;

mod field;
mod list;

pub use algorithm::plain_algorithm;
pub use codec::*;
pub use escape::*;
pub use field::Field;
pub use list::{List, ListItem};
pub use messages::*;
pub use number::*;
pub use table::*;
