//! A whole tunnel against the gateway of this crate, on the loopback interface.

mod credentials;
mod deadlines;
mod endings;
mod events;
mod fairness;
mod host_keys;
mod listening;
mod loss;
mod observers;
mod stopping;
mod support;
mod targets;
mod traffic;
