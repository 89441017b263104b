//! The messages as peers see them: bytes in, bytes out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod hostile;
mod layout;
mod round_trip;
mod samples;
mod secrets;
mod table;
