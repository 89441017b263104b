//! Test support for Underpass: what its tests and benchmarks share.
//!
//! | module | holds |
//! |---|---|
//! | [`entropy`] | randomness that can be replayed |
//! | [`payload`] | pseudo-random streams that can be made and checked at any offset |
//! | [`server`] | a TCP server on a thread of its own, stopped when dropped |
//! | [`target`] | what a tunnel can lead to: echo, sink, source, a port that refuses, … |
//! | [`relay`] | what can stand in between: plain, sealing, delaying, cutting |
//! | [`script`] | SSH servers that misbehave before the first key exchange |
//! | [`logon`] | an SSH server that asks what a test tells it to ask |
//! | [`link`] | one direction of a transport under virtual time, with faults that a seed decides |
//! | [`pair`] | a client and a server engine, two links and a clock that jumps |
//! | [`peer`] | an SSH peer that does what a test tells it, packet by packet |
//! | [`duel`] | an engine against such a peer |
//! | [`transcript`] | what clients and servers of others have said to each other, to be said again |
//! | [`chaos`] | the engine under arbitrary input, for fuzzers |
//!
//! Every server binds port 0 of the loopback interface unless told otherwise. The `testkit` command runs
//! targets and relays as processes of their own, so that their CPU time is accounted apart.

pub mod chaos;
pub mod duel;
pub mod entropy;
pub mod link;
pub mod logon;
pub mod pair;
pub mod payload;
pub mod peer;
pub mod relay;
pub mod script;
pub mod server;
pub mod target;
pub mod transcript;
mod unpaced;

pub use payload::Payload;
pub use server::Server;
