//! The SSH connection as a state machine without I/O, in client and server role.
//!
//! [`Connection`] is the whole of it; its documentation is the calling contract. Below it, top down:
//!
//! - `connection`: phases and dispatch; every message passes one legality check before it is decoded.
//! - `exchange` and `negotiate`: key exchanges, which overlay the later phases.
//! - `auth`: one machine for each role.
//! - `global`: requests that concern the connection as a whole, and the order of their replies.
//! - `channel`: channels as two half-states each, windows, what was received and not consumed.
//! - `transport`: the two buffers in which packets are opened and sealed in place.
//! - `trace`: packets in clear for whoever looks for a fault, and what of them nobody may see.
//! - [`limits`]: the bound of every quantity that a peer controls.
//!
//! There is no clock, socket, file, thread or random generator here: time, bytes and entropy are arguments.

mod auth;
mod channel;
mod config;
mod connection;
pub mod error;
mod event;
mod exchange;
mod global;
pub mod limits;
mod negotiate;
mod outbox;
mod role;
mod timer;
mod trace;
mod transport;

pub use channel::state::Receiving;
pub use config::{Algorithms, ClientConfig, Config, ServerConfig, StrictKex};
pub use connection::Connection;
pub use error::Error;
pub use event::{
    Answer, Attempt, ChannelId, ChannelKind, Credential, Event, Goodbye, GssCall, GssReply, GssServices,
    GssUse, HostClaim, HostProof, Prompt, Prompts, Question, QuestionId, Refusal, Refused, Verdict,
};
pub use global::{ForwardVerdict, RemoteBind, RequestId, RequestOutcome};
pub use negotiate::{Choice, Negotiated};
pub use role::Role;
pub use timer::Deadline;
pub use trace::{PacketBytes, PacketDirection, TracedPacket, Tracer};
pub use transport::identification::{PeerIdentification, is_identification};
pub use transport::transmit::Slots;
