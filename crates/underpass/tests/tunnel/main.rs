//! A whole tunnel against the gateway of this crate, on the loopback interface.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod credentials;
mod deadlines;
mod endings;
mod events;
mod fairness;
mod host_keys;
mod listening;
mod loss;
mod observers;
mod reconnecting;
mod remote_forward;
mod stopping;
mod support;
mod targets;
mod traffic;
