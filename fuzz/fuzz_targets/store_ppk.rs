//! PuTTY's keys.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::PPK);
