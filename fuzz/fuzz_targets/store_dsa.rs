//! DSA keys, also under traditional encryption.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::DSA);
