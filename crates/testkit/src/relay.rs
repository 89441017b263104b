//! What can stand between a client and its server.
//!
//! All relays dial their destination once per accepted connection, carry half-close in both directions, and reset one
//! side when the other was reset.

mod cut;
pub mod delay;
mod plain;
mod seal;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use cut::CuttingRelay;

use crate::server::{LOOPBACK, Server};

/// What a relay does to the bytes it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relay {
    /// Nothing: the least that any tunnel must do.
    Plain,
    /// Seals each byte once with AES-128-GCM in packets of 32 KiB: the least that an encrypting tunnel must do. What
    /// arrives is the ciphertext without its tags, so that lengths stay the same.
    Seal,
    /// Holds every byte, and the end of stream, back for this long in each direction. The rate is not limited; what is
    /// under way is, to [`delay::MEMORY`] bytes.
    Delay(Duration),
}

impl Relay {
    /// Starts it on a loopback port of its own, leading to `to`.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn start(self, to: SocketAddr) -> io::Result<Server> {
        self.listen(LOOPBACK, to)
    }

    /// Starts it on `address`, leading to `to`.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn listen(self, address: SocketAddr, to: SocketAddr) -> io::Result<Server> {
        match self {
            Self::Plain => Server::listen(address, move |stream| plain::relay(stream, to)),
            Self::Seal => Server::listen(address, move |stream| seal::relay(stream, to)),
            Self::Delay(by) => delay::listen(address, to, by),
        }
    }
}
