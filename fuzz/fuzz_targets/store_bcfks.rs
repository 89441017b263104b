//! Stores of Bouncy Castle's FIPS module.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::BCFKS);
