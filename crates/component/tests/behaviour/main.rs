//! The object against a gateway of ours: what each member does, seen from outside.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod clients;
mod data;
mod events;
mod hello;
mod logon;
mod misuse;
mod server;
mod start;
mod support;
mod upkeep;
