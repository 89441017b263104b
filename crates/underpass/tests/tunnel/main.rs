//! A whole tunnel against the gateway of this crate, on the loopback interface.

mod endings;
mod loss;
mod stopping;
mod support;
mod traffic;
