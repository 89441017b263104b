//! A whole tunnel against the gateway of this crate, on the loopback interface.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod adopting;
mod asking_before;
mod changing_forwards;
mod connected;
mod credentials;
#[cfg(feature = "openssl")]
mod cryptography;
mod deadlines;
mod direct_connection;
mod dynamic_forward;
mod endings;
mod events;
mod fairness;
mod farewells;
mod host_keys;
mod judging;
mod jumps;
mod limits;
mod listening;
mod loss;
mod negotiation;
mod observers;
mod proxies;
mod reconnecting;
mod remote_forward;
mod stopping;
mod support;
mod tapping;
mod targets;
mod tracing;
mod traffic;
#[cfg(unix)]
mod unix_sockets;
