//! The engine's behaviours: engine against engine over links that misbehave, and engine against a scripted peer.
//!
//! `pitfalls.md` beside this file says which test guards against which known mistake of other implementations.

mod authentication;
mod channel_opening;
mod channel_rules;
mod chaos;
mod compression;
mod custom_logon;
mod deadlines;
mod demands;
mod floods;
mod flow_control;
mod group_exchange;
mod gss_exchange;
mod gss_logon;
mod half_close;
mod handshake;
mod host_based;
mod host_key;
mod keepalive;
mod legality;
mod libraries;
mod lifetimes;
mod packets;
mod pitfalls;
mod probe;
mod rekey;
mod remote_forward;
mod remote_serving;
mod streamlocal;
mod strict_kex;
mod support;
mod trace;
mod transfer;
