//! Elliptic-curve keys (SEC 1), also under traditional encryption.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::SEC1);
