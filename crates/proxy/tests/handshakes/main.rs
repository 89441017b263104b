//! Whole handshakes, and what becomes of those that go wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod answers;
mod client_cases;
mod drive;
mod random;
mod round_trip;
mod server_cases;
mod verdicts;
