//! Underpass against servers that its authors did not write.
//!
//! | module | holds |
//! |---|---|
//! | [`peer`] | the servers: OpenSSH's sshd, dropbear, asyncssh |
//! | [`client`] | a client under test as a process: ours, or `ssh` to check the harness itself |
//! | [`traffic`] | bytes through a forward, checked one by one |
//! | [`matrix`] | which algorithm is to be proven by which peer |
//! | [`interop`] | the matrix, run |
//! | [`keys`] | host and user keys, made once |
//! | [`account`] | the account that exists only for the peers |
//!
//! A peer that is missing on the machine is a failure, never a skip. `UNDERPASS_BIN` names a client binary to use
//! instead of building one; `UNDERPASS_CLIENT=ssh` runs the suite with OpenSSH's client instead.

pub mod account;
pub mod client;
mod failure;
pub mod interop;
pub mod keys;
pub mod matrix;
pub mod peer;
pub mod process;
pub mod traffic;

pub use client::Client;
pub use failure::{Failure, Result};
pub use peer::{Peer, PeerKind};
