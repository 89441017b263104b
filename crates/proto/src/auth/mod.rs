//! Authentication (RFC 4252), each role a machine of its own.

pub(crate) mod client;
mod gssapi;
pub(crate) mod server;
pub(crate) mod signing;

/// The service that authenticates (RFC 4252).
pub(crate) const USERAUTH: &str = "ssh-userauth";
/// The service that is authenticated for (RFC 4254).
pub(crate) const CONNECTION: &str = "ssh-connection";

/// How a machine's step ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Progress {
    Underway,
    /// The user is logged on.
    Done,
}
