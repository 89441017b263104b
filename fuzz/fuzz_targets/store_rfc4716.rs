//! Public keys as RFC 4716 has them.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::RFC4716);
