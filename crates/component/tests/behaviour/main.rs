//! The object against a gateway of ours: what each member does, seen from outside.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod clients;
#[cfg(feature = "openssl")]
mod cryptography;
mod data;
mod errors;
mod events;
mod hello;
mod limits;
mod logon;
mod misuse;
mod panics;
mod proxies;
mod server;
mod settings;
#[cfg(target_os = "linux")]
mod sockets;
mod start;
mod support;
mod upkeep;
