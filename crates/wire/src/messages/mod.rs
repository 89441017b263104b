//! The messages, a struct each, by layer. Their fields have the RFCs' order and names.

pub mod connection;
pub mod gssapi;
pub mod kex;
pub mod transport;
pub mod userauth;

pub use connection::*;
pub use gssapi::*;
pub use kex::*;
pub use transport::*;
pub use userauth::*;

/// Writes a message.
pub trait Encode {
    /// Appends the message number and the body.
    fn encode(&self, out: &mut Vec<u8>);
}
