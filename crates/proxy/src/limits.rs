//! The bounds of what the other side may send.
//!
//! What SOCKS 5 sends bounds itself: every length is one byte. A handshake holds at most the largest of these
//! messages, and beyond it only what the last call of `receive` brought.

/// Longest name or address: DNS allows 255 bytes (RFC 1035 section 2.3.4), and SOCKS 5 cannot carry more.
pub const MAX_NAME: usize = 255;

/// Longest user name, and longest password: RFC 1929 section 2 gives each length one byte.
pub const MAX_CREDENTIAL: usize = 255;

/// Longest user id of SOCKS 4, which sets none. Nobody's login name is longer than its counterpart's in SOCKS 5.
pub const MAX_USER_ID: usize = MAX_CREDENTIAL;

/// Longest head of an HTTP message, the empty line included. Browsers send less than one KiB, with tokens of
/// single sign-on a few; 8 KiB is what HTTP servers commonly take.
pub const MAX_HEAD: usize = 8 * 1024;

/// Most headers in a head: far more than anybody sends, few enough to search through.
pub const MAX_HEADERS: usize = 128;

/// Most interim answers (`1xx`) of an HTTP proxy before the one that counts. One is unusual.
pub const MAX_INTERIM: usize = 8;
