//! The binary packet protocol (RFC 4253 section 6): buffers, framing, sequence numbers.

pub(crate) mod identification;
pub(crate) mod receive;
pub(crate) mod stage;
pub(crate) mod transmit;
