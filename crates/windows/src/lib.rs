//! What only Windows has: certificate stores whose private keys sign where they are, and the ways to Pageant, PuTTY's
//! agent. On other systems there is nothing here but the [layout](message) of what is said to Pageant.
//!
//! All unsafe code is in [`certificates`] and [`pageant`], which give out safe types. Everything here blocks.

#[cfg(windows)]
pub mod certificates;
pub mod message;
#[cfg(windows)]
pub mod pageant;

/// With the zero at the end.
#[cfg(windows)]
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
