//! The files of ssh_config(5): text in, the settings that hold for one host out.
//!
//! [`lookup`] reads the files in order and keeps each line that applies to the [`Query`]. What a value means is the
//! caller's business, and so is "the first value wins": the settings come out in the order in which they count.
//! Nothing here opens a file or runs a command; that is what [`Surroundings`] are for.
//!
//! The rules are those of OpenSSH 9.2, with what later versions added where that changes nothing for older files: the
//! criteria `tagged`, `command` and `sessiontype`, and tokens in `Include`. Three things differ on purpose:
//!
//! - A keyword that nobody knows is [passed over](PassedOver) and named, instead of ending it all.
//! - Values are looked at by the caller, so a wrong one in a block for another host is not found.
//! - Names are never canonicalised: `CanonicalizeHostname` has the files read a second time, as in ssh, but no name is
//!   looked up in `CanonicalDomains`. It is as if none had been found there.

mod condition;
mod error;
mod glob;
mod keywords;
mod line;
mod lookup;
pub mod pattern;
mod surroundings;
mod tokens;
mod words;

pub use error::{ConfigError, Problem};
pub use keywords::{Keywords, Reason, proper_name};
pub use lookup::{Lookup, Origin, PassedOver, Query, Setting, Source, Why, host_name, lookup};
pub use surroundings::{Care, Local, Surroundings};
pub use tokens::{Expansion, MAX_EXPANDED_LEN, TokenError, Tokens, expand, expand_path};
pub use words::{UnclosedQuote, joined, quoted, words};

/// The longest file that is read, in bytes. Generated files for thousands of hosts fill a few hundred KiB.
pub const MAX_FILE_LEN: usize = 1024 * 1024;

/// The longest line, in bytes: a command of the length that Linux accepts as one argument fits.
pub const MAX_LINE_LEN: usize = 128 * 1024;

/// How deep files may include each other, as in ssh. A file that includes itself is found out by this.
pub const MAX_DEPTH: usize = 16;

/// How many files may be read in one pass. Each level of 16 could include the next one twice.
pub const MAX_FILES: usize = 1024;

/// How much may be read in one pass, in bytes, all files together and each as often as it is included.
pub const MAX_TOTAL_LEN: usize = 8 * MAX_FILE_LEN;
